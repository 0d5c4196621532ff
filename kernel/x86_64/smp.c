/*
 * Starting the other CPUs, one at a time: the trampoline's values and `attempt` belong to the one
 * being started. One that does not answer in time might do so later, with these values: so they are
 * left alone then, no more CPUs are started, and the late one finds that it has been given up.
 */
#include "x86_64/smp.h"

#include <stdatomic.h>

#include "boot/handoff.h"
#include "lib/klog.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "sched/cpu.h"
#include "x86_64/acpi.h"
#include "x86_64/apic.h"
#include "x86_64/clock.h"
#include "x86_64/clock_timer.h"
#include "x86_64/cpu_features.h"
#include "x86_64/cpu_local.h"
#include "x86_64/cpu_tables.h"
#include "x86_64/instructions.h"
#include "x86_64/kernel_map.h"
#include "x86_64/kernel_stack.h"
#include "x86_64/trampoline.h"

#define LOW_MEMORY_END  0xa0000ul
#define LONG_SELECTOR   8
#define INIT_WAIT_NS    10000000ul
#define STARTUP_WAIT_NS 200000ul
#define ANSWER_WAIT_NS  1000000000ul

/* The CPU answers, or the boot CPU gives up: whoever is first. Then the CPU takes its number. */
enum attempt { ATTEMPT_WAITING, ATTEMPT_ANSWERED, ATTEMPT_NUMBERED, ATTEMPT_GIVEN_UP };
static _Atomic enum attempt attempt;

/* A free page that real mode reaches; 0 if there is none. */
static uint64_t find_low_page(const struct boot_info *info)
{
    for (uint32_t i = 0; i < info->memory_count; i++) {
        const struct boot_memory *memory = &info->memory[i];
        uint64_t page = memory->base ? memory->base : PAGE_SIZE;

        if (memory->kind == BOOT_MEMORY_USABLE && page + PAGE_SIZE <= memory->base + memory->size &&
            page + PAGE_SIZE <= LOW_MEMORY_END)
            return page;
    }
    return 0;
}

static void cpu_main(void *argument)
{
    struct cpu *cpu = argument;
    enum attempt waiting = ATTEMPT_WAITING;

    cpu_features_enable();
    kernel_map_load();
    cpu_tables_load(cpu);
    apic_enable();
    clock_timer_enable();
    if (!atomic_compare_exchange_strong(&attempt, &waiting, ATTEMPT_ANSWERED))
        halt_forever();
    cpu_local_publish(cpu);
    atomic_store(&attempt, ATTEMPT_NUMBERED);
    port_handlers.cpu_online();
}

static void copy_trampoline(uint64_t page, const struct cpu *cpu)
{
    uint8_t *copy = frame_address(page);
    struct trampoline_values values = {
        .gdt_limit = 15,
        .gdt_base = (uint32_t)page + (uint32_t)(trampoline_gdt - trampoline_start),
        .long_entry = (uint32_t)page + (uint32_t)(trampoline_long - trampoline_start),
        .long_selector = LONG_SELECTOR,
        .page_table = (uint32_t)kernel_map_start_table(),
        .stack = cpu->machine.current->machine.stack_top,
        .argument = (uintptr_t)cpu,
        .function = (uintptr_t)cpu_main,
    };

    memcpy(copy, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    memcpy(copy + (trampoline_values - trampoline_start), &values, sizeof(values));
}

static bool wait_for_answer(uint64_t ns)
{
    uint64_t end = port_clock_ns() + ns;

    while (atomic_load(&attempt) == ATTEMPT_WAITING && port_clock_ns() < end)
        port_relax();
    return atomic_load(&attempt) != ATTEMPT_WAITING;
}

/* The second message is for CPUs that missed the first; one that runs already ignores it. */
static bool wake_cpu(uint32_t apic_id, uint64_t page)
{
    enum attempt waiting = ATTEMPT_WAITING;

    atomic_store(&attempt, ATTEMPT_WAITING);
    for (unsigned i = 0; i < 2; i++) {
        apic_send_startup(apic_id, (uint8_t)(page / PAGE_SIZE));
        if (wait_for_answer(STARTUP_WAIT_NS))
            return true;
    }
    return wait_for_answer(ANSWER_WAIT_NS) ||
           !atomic_compare_exchange_strong(&attempt, &waiting, ATTEMPT_GIVEN_UP);
}

static struct cpu *create_cpu(uint32_t apic_id)
{
    struct cpu *cpu = cpu_local_create();
    struct machine_thread *idle;

    if (!cpu)
        return NULL;
    cpu->machine.apic_id = apic_id;
    idle = &cpu->machine.current->machine;
    idle->stack = kernel_stack_alloc();
    if (!idle->stack) {
        cpu_local_destroy(cpu);
        return NULL;
    }
    idle->stack_top = (uintptr_t)idle->stack + KERNEL_STACK_SIZE;
    return cpu;
}

static bool start_cpu(uint32_t apic_id, uint64_t page)
{
    struct cpu *cpu = create_cpu(apic_id);

    if (!cpu)
        return false;
    copy_trampoline(page, cpu);
    if (!wake_cpu(apic_id, page))
        return false;
    while (atomic_load(&attempt) != ATTEMPT_NUMBERED)
        port_relax();
    return true;
}

void smp_start(const struct boot_info *info)
{
    uint64_t page = find_low_page(info);
    uint32_t own = apic_own_id();

    if (acpi_machine.cpu_count > 1 && !page) {
        klog("smp: no page below 640 KiB; going on with one CPU");
        return;
    }
    for (uint32_t i = 0; i < acpi_machine.cpu_count; i++)
        if (acpi_machine.apic_ids[i] != own)
            apic_send_init(acpi_machine.apic_ids[i]);
    if (acpi_machine.cpu_count > 1)
        clock_wait_ns(INIT_WAIT_NS);
    for (uint32_t i = 0; i < acpi_machine.cpu_count; i++)
        if (acpi_machine.apic_ids[i] != own && !start_cpu(acpi_machine.apic_ids[i], page)) {
            klog("smp: the CPU with APIC %u did not start", acpi_machine.apic_ids[i]);
            break;
        }
    klog("smp: %u CPUs", port_cpu_count());
}
