/* Selectors of the GDT (cpu_tables.c). SYSCALL and SYSRET dictate the order; programs see their own
 * in signal contexts, so these are Linux's. Assembly too. */
#pragma once

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA   (0x28 | 3) /* sysret: the base 0x20 plus 8 */
#define SELECTOR_USER_CODE   (0x30 | 3) /* and plus 16 */
#define SELECTOR_TSS         0x38
#define SYSRET_BASE          (0x20 | 3)
