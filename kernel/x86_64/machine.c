/* The machine's start-up on the boot CPU, and the small parts of the seam that belong nowhere else.
 */
#include "x86_64/machine.h"

#include "boot/handoff.h"
#include "sched/cpu.h"
#include "x86_64/acpi.h"
#include "x86_64/apic.h"
#include "x86_64/clock.h"
#include "x86_64/clock_timer.h"
#include "x86_64/cpu_features.h"
#include "x86_64/cpu_local.h"
#include "x86_64/fpu.h"
#include "x86_64/io_apic.h"
#include "x86_64/ipi.h"
#include "x86_64/kernel_map.h"
#include "x86_64/random.h"
#include "x86_64/serial.h"

void machine_init_cpu(void)
{
    cpu_local_init_boot();
    serial_init();
    cpu_features_init();
    cpu_features_enable();
}

void machine_init_memory(const struct boot_info *info)
{
    kernel_map_init(info);
}

void machine_init_devices(const struct boot_info *info)
{
    acpi_init(info->rsdp);
    clock_init_machine(info->start_cycles);
    apic_init(acpi_machine.local_apic);
    apic_enable();
    this_cpu()->machine.apic_id = apic_own_id();
    io_apic_init();
    clock_timer_init();
    clock_timer_enable();
    ipi_init();
    serial_init_interrupts();
    random_init(info->entry_cycles ^ port_boot_realtime_ns());
}

void port_idle(void)
{
    /* STI takes effect after the next instruction: no interrupt is lost between the two. */
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

void port_get_auxiliary(struct port_auxiliary *auxiliary)
{
    *auxiliary = (struct port_auxiliary){
        .hardware_capabilities = cpu_features.hardware_capabilities,
        .minimum_signal_stack = ALIGN_UP(fpu_state_size(), FPU_ALIGNMENT) + 1024,
        .platform = "x86_64",
    };
}
