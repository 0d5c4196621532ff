/* A simulated system with processes. */
#include "system.h"

#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/check.h"
#include "proc/exit.h"
#include "proc/first.h"
#include "proc/resource.h"
#include "proc/user_return.h"
#include "sched/wait.h"

int system_child_status;
void (*system_on_exit)(struct process *process);

static struct thread *scenario;
static void (*wanted)(void);
static bool finished;
static struct sim_memory before;

/* --- What processes own of the floor above: one object each, which may fail to be had. --- */

static int inherit_files(struct process *parent, struct process *child, uint64_t clone_flags)
{
    (void)parent;
    (void)clone_flags;
    child->files = kmalloc(32);
    return child->files ? 0 : -ENOMEM;
}

static void give_up_files(struct process *process)
{
    kfree(process->files);
    process->files = NULL;
    if (system_on_exit)
        system_on_exit(process);
}

static struct process_resource files = {.fork = inherit_files, .exit = give_up_files};

/* --- Boot --- */

static void program_returned(void)
{
    process_exit(0);
}

static int64_t restart_call(const uint64_t arguments[6])
{
    struct restart_block *block = &current_user_thread()->restart;

    (void)arguments;
    return block->restart ? block->restart(block) : -EINTR;
}

static void no_alternate_stack(struct sigaltstack *stack)
{
    *stack = (struct sigaltstack){.ss_flags = SS_DISABLE};
}

void boot_processes(void)
{
    port_handlers.user_return = process_user_return;
    sim_program_returned = program_returned;
    sim_signal_return = signal_return;
    sim_restart_call = restart_call;
    sim_no_alternate_stack = no_alternate_stack;
    process_resource_register(&files);
}

/* --- Running --- */

static bool is_finished(void *argument)
{
    (void)argument;
    return finished;
}

static int64_t do_finish(const uint64_t arguments[6])
{
    (void)arguments;
    sim_faults_close();
    proc_check();
    sim_check_leaks(&before);
    finished = true;
    thread_wake(scenario);
    return 0;
}

static void init_program(uintptr_t argument)
{
    const uint64_t none[6] = {0};

    (void)argument;
    sim_memory_now(&before);
    sim_window_open();
    wanted();
    sim_call(do_finish, none);
    call_sigprocmask(~0ull);
    for (;;)
        call_pause();
}

static void enter_init(void *argument)
{
    (void)argument;
    sim_set_program(current_thread(), init_program, 0);
    port_enter_user();
}

void system_run(void (*program)(void))
{
    sim_window_close();
    scenario = current_thread();
    wanted = program;
    process_start_first("init", enter_init);
    SIM_CHECK_EQUAL(thread_sleep(is_finished, NULL, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER), 0);
}

/* --- A child of init --- */

static void (*child_program)(void);

static void run_child(uintptr_t argument)
{
    (void)argument;
    child_program();
}

void reap_all_children(void)
{
    int pid;

    while ((pid = call_wait_any()) > 0)
        ;
    SIM_CHECK_EQUAL(pid, -ECHILD);
}

static void reaping_init(void)
{
    struct waited waited;
    int child = call_fork(run_child, 0);

    SIM_CHECK(child > 0 || sim_allocation_refused());
    while (call_wait(-1, WEXITED, &waited) == 0)
        if (waited.pid == child)
            system_child_status = waited.status;
}

void system_run_child(void (*program)(void))
{
    child_program = program;
    system_run(reaping_init);
}
