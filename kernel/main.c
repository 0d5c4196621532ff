/*
 * Bring-up, in the only order in which each step finds what it stands on: the CPU, the log, memory,
 * the devices and the clock, the scheduler, files, the other CPUs, the first process. Runs on the
 * boot CPU with interrupts masked, and ends as its idle thread.
 */
#include "boot/handoff.h"
#include "fs/console.h"
#include "fs/fs.h"
#include "fs/host_channel.h"
#include "fs/procfs.h"
#include "fs/pty.h"
#include "lib/assert.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/klog.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/frame.h"
#include "mm/mm.h"
#include "proc/dump.h"
#include "proc/signal.h"
#include "proc/user_return.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sys/memory.h"
#include "sys/start_init.h"
#include "sys/syscall.h"
#include "x86_64/host_port.h"
#include "x86_64/machine.h"
#include "x86_64/power.h"
#include "x86_64/smp.h"

void kmain(const struct boot_info *info);

/* Ours, since the door's memory is given back. */
static struct boot_info boot;

static int page_fault(uintptr_t address, enum port_access access, bool user)
{
    struct address_space *space = current_thread()->space;

    thread_count(COUNT_FAULTS, 1);
    return space ? address_space_fault(space, address, access) : -EFAULT;
}

static void register_handlers(void)
{
    static struct panic_section processes = {.title = "processes", .print = process_dump};

    port_handlers = (struct port_handlers){
        .system_call = system_call_dispatch,
        .page_fault = page_fault,
        .page_fault_failed = signal_page_fault,
        .user_fault = signal_user_fault,
        .kernel_enter = sched_kernel_enter,
        .kernel_leave = sched_kernel_leave,
        .user_return = process_user_return,
        .timer_interrupt = sched_timer_interrupt,
        .reschedule_interrupt = sched_reschedule_interrupt,
        .cpu_online = sched_run_idle,
    };
    panic_add_section(&processes);
    memory_limits_register();
}

/* The way to each deliberate end has a name of its own, to be found in the report. */
static __attribute__((noinline)) void panic_test_innermost(void)
{
    panic("panic=test was asked for");
}

static __attribute__((noinline)) void panic_test_middle(void)
{
    panic_test_innermost();
    __asm__ volatile(""); /* no tail call: this function stays in the backtrace */
}

static __attribute__((noinline)) void panic_test_outermost(void)
{
    panic_test_middle();
    __asm__ volatile("");
}

static bool is_asked_for(const char *word)
{
    char value[8];

    return cmdline_get(word, value, sizeof(value)) && strcmp(value, "test") == 0;
}

static void run_deliberate_ends(void)
{
    if (is_asked_for("panic"))
        panic_test_outermost();
    if (is_asked_for("triplefault"))
        machine_triple_fault();
}

static void must(int error, const char *what)
{
    if (error)
        panic("%s failed: error %d", what, -error);
}

static void init_files(void)
{
    must(fs_init(), "the file tree");
    must(procfs_init(), "/proc");
    must(console_init(), "the console");
    must(pty_init(), "pseudo-terminals");
    must(host_channel_init(), "the host's channels");
    for (uint32_t i = 0; i < boot.initrd_count; i++)
        must(initrd_unpack(frame_address(boot.initrds[i].physical), boot.initrds[i].size),
             "unpacking an initrd");
}

static void release_boot_memory(void)
{
    for (uint32_t i = 0; i < boot.memory_count; i++)
        if (boot.memory[i].kind == BOOT_MEMORY_LOADER)
            mm_release_range(boot.memory[i].base, boot.memory[i].size);
}

void kmain(const struct boot_info *info)
{
    boot = *info;
    machine_init_cpu();
    klog_set_sink(host_log_write);
    klog("kin: started by the %s door", boot.door);
    cmdline_set(boot.command_line);
    register_handlers();

    mm_init(&boot);
    machine_init_memory(&boot);
    mm_init_high_memory(&boot);
    klog("memory: %lu MiB free", frame_free_count() >> (20 - PAGE_SHIFT));
    machine_init_devices(&boot);
    clock_init();
    sched_init();
    run_deliberate_ends();

    init_files();
    smp_start(&boot);
    release_boot_memory();
    must(console_start(), "the console's thread");
    host_channel_start();
    start_init();
    sched_run_idle();
}
