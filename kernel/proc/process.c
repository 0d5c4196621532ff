/*
 * The process record itself: allocation, references, lookup. Who owns a reference: the family from
 * process_link() to reaping, each user thread, and whoever looked it up.
 */
#include "proc/process.h"

#include "lib/assert.h"
#include "mm/slab.h"
#include "proc/exec.h"
#include "proc/process_create.h"

struct spinlock family_lock = SPINLOCK_INITIALIZER(LOCK_RANK_FAMILY);
struct process *init_process;

static SLAB_CACHE(process_cache, struct process);
static _Atomic uint64_t next_unique_id = 1;

struct process *process_allocate(struct pid *pid)
{
    struct process *process = slab_alloc(&process_cache);

    if (!process)
        return NULL;
    refcount_init(&process->refs);
    pid_get(pid);
    process->pid = pid;
    process->unique_id = atomic_fetch_add_explicit(&next_unique_id, 1, memory_order_relaxed);
    process->start_ns = port_clock_ns();
    process->state = PROCESS_NEW;
    list_init(&process->living);
    list_init(&process->zombies);
    list_init(&process->changed);
    list_init(&process->sibling);
    list_init(&process->changed_link);
    list_init(&process->group_link);
    list_init(&process->threads);
    list_init(&process->job_link);
    wait_queue_init(&process->child_wait);
    wait_queue_init(&process->exit_wait);
    process->dumpable = true;
    return process;
}

void process_get(struct process *process)
{
    refcount_get(&process->refs);
}

void process_put(struct process *process)
{
    if (!refcount_put(&process->refs))
        return;
    assert(process->state == PROCESS_NEW || process->state == PROCESS_DEAD);
    assert(process->child_count == 0 && list_is_empty(&process->threads));
    assert(!process->space && !process->files && !process->signals.actions);
    exec_drop_executable(process);
    if (process->credentials)
        credentials_put(process->credentials);
    pid_put(process->pid);
    slab_free(&process_cache, process);
}

pid_number process_parent_number(const struct process *process)
{
    pid_number number;

    spin_lock(&family_lock);
    number = process->parent ? process_number(process->parent) : 0;
    spin_unlock(&family_lock);
    return number;
}

struct process *process_find_locked(pid_number number)
{
    struct pid *pid = pid_find(number);
    struct process *process;

    spin_assert_held(&family_lock);
    if (!pid)
        return NULL;
    process = pid->process;
    pid_put(pid);
    return process;
}

struct process *process_find(pid_number number)
{
    struct process *process;

    spin_lock(&family_lock);
    process = process_find_locked(number);
    if (process)
        process_get(process);
    spin_unlock(&family_lock);
    return process;
}
