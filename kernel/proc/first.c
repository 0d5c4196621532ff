/* pid 1. At boot, on one CPU. */
#include "proc/first.h"

#include "lib/assert.h"
#include "proc/account.h"
#include "proc/job.h"
#include "proc/pgrp.h"
#include "proc/process_create.h"
#include "proc/resource_list.h"
#include "proc/tree.h"

static void give_possessions(struct process *process, const char *name, void (*run)(void *))
{
    process->credentials = credentials_create_root();
    process->space = address_space_create();
    process->leader = user_thread_create(process, name, run);
    assert(process->credentials && process->space && process->leader);
    account_force_add_process(process->credentials->account);
    rlimits_init(&process->limits);
    signals_init_first(process);
    process->leader->thread.space = process->space;
    if (address_space_set_account(process->space, job_memory_account(root_job)) != 0)
        panic("the root job refuses the first process");
    process->exit_signal = SIGCHLD;
    if (process_resources_fork(NULL, process, 0) != 0)
        panic("no memory for the first process");
}

void process_start_first(const char *name, void (*run)(void *argument))
{
    int error;
    struct pid *pid = pid_allocate(&error);
    struct process *process = pid ? process_allocate(pid) : NULL;
    struct session *session = pid ? session_allocate(pid) : NULL;
    struct process_group *group = session ? pgrp_allocate(pid, session) : NULL;

    assert(process && group);
    job_init();
    give_possessions(process, name, run);
    spin_lock(&family_lock);
    init_process = process;
    session->leader = process;
    process_link_locked(process, NULL, group);
    session_put(session);
    job_enter_root_locked(process);
    spin_unlock(&family_lock);
    pid_put(pid);
    thread_start(&process->leader->thread);
}
