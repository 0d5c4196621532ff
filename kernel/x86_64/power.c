/* Off and again: the ways to end this machine, in the order of preference. */
#include "x86_64/power.h"
#include "boot/handoff.h"
#include "lib/klog.h"
#include "port_devices.h"
#include "x86_64/acpi.h"
#include "x86_64/host_port.h"
#include "x86_64/instructions.h"
#include "x86_64/stop.h"

#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe

void port_power_off(void)
{
    klog("power off");
    stop_other_cpus();
    host_port_begin_end();
    host_announce("poweroff\n");
    host_exit(HOST_EXIT_POWEROFF);
    if (acpi_machine.power_control_port)
        out16(acpi_machine.power_control_port, acpi_machine.power_off_value);
    halt_forever();
}

void machine_triple_fault(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_table;

    /* No exception can be delivered, the double fault neither. */
    __asm__ volatile("lidt %0; int3" ::"m"(no_table));
    halt_forever();
}

void port_restart(void)
{
    klog("restart");
    stop_other_cpus();
    host_port_begin_end();
    host_announce("restart\n");
    if (acpi_machine.reset_port)
        out8(acpi_machine.reset_port, acpi_machine.reset_value);
    out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
    machine_triple_fault();
}
