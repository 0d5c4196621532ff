/* The UEFI loader's parts. All run on the boot CPU, one after the other, with boot services on. */
#pragma once

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>

#include "boot/handoff.h"

/* Below this the door map reaches: all that the kernel is given lies there. */
#define LOADER_LIMIT 0xffffffffull

/* Prints why the kernel can't be started, on the firmware's console and the host's log channel, and
 * ends: by the host's exit port if there is one, else by powering off. */
_Noreturn void fail(const CHAR16 *format, ...);

/* Whole zeroed pages below LOADER_LIMIT; fails for the caller. `what` names their use. */
void *allocate_pages(UINTN size, EFI_MEMORY_TYPE type, const CHAR16 *what);

/* --- uefi_volume.c: the files of \kin on the volume that the loader came from --- */

struct file_data {
    void *data;
    UINTN size;
};

/* The directory \kin; fails if there is none. */
EFI_FILE *volume_open(EFI_HANDLE image);
/* A whole file in pages of its own; fails if it is missing, unreadable or empty. */
struct file_data volume_read(EFI_FILE *directory, const CHAR16 *name);
/* Names of the files NAME.cpio, initrd.cpio first, the others in order of name. At most
 * BOOT_INITRD_MAX; fails if there are more. */
unsigned volume_list_initrds(EFI_FILE *directory, CHAR16 names[BOOT_INITRD_MAX][64]);

/* --- uefi_image.c: what the files must be --- */

struct kernel_image {
    UINT64 physical; /* KERNEL_BASE stands here */
    UINT64 size;     /* bytes from KERNEL_LOAD_OFFSET on */
    UINT64 entry;    /* physical */
};

/* Checks the ELF file, copies it to where it will run. Fails with the reason. */
struct kernel_image image_load(const struct file_data *file);
/* Fails unless the file is a whole newc cpio archive. */
void image_check_initrd(const struct file_data *file, const CHAR16 *name);

/* --- uefi_exit.c: from the firmware's world to the kernel's --- */

/* Fills the memory map, leaves boot services and enters the kernel. */
_Noreturn void exit_to_kernel(EFI_HANDLE loader, const struct kernel_image *image,
                              struct boot_info *info);
