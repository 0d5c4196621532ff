/* arch_prctl(2): the bases of FS and GS. Those of the running thread are in the registers too, and
 * no switch can come in between while interrupts are masked. */
#include <asm/prctl.h>

#include "mm/address_space.h"
#include "sched/thread.h"
#include "sys/syscall.h"
#include "x86_64/instructions.h"

static int64_t set_base(uint32_t msr, uintptr_t *place, uintptr_t base)
{
    irq_state_t irq;

    if (base >= USER_ADDRESS_END)
        return -EPERM;
    irq = port_irq_save();
    *place = base;
    write_msr(msr, base);
    port_irq_restore(irq);
    return 0;
}

SYSCALL2(arch_prctl, int, code, uintptr_t, address)
{
    struct machine_thread *machine = &current_thread()->machine;

    switch (code) {
    case ARCH_SET_FS:
        return set_base(MSR_FS_BASE, &machine->fs_base, address);
    case ARCH_SET_GS:
        return set_base(MSR_KERNEL_GS_BASE, &machine->gs_base, address);
    case ARCH_GET_FS:
        return copy_to_user(address, &machine->fs_base, sizeof(uintptr_t));
    case ARCH_GET_GS:
        return copy_to_user(address, &machine->gs_base, sizeof(uintptr_t));
    default:
        return -EINVAL;
    }
}
