/* CPU time of groups of threads. The sums are atomic; who adds holds the run queue of the thread's
 * CPU. */
#include "sched/cpu_account.h"

#include "sched/cpu.h"
#include "sched/placement.h"
#include "sched/thread.h"

static void add(_Atomic uint64_t *sum, uint64_t ns)
{
    atomic_fetch_add_explicit(sum, ns, memory_order_relaxed);
}

/* What a thread has used and not added yet. */
static struct cpu_time unflushed(const struct thread *thread)
{
    return (struct cpu_time){
        .user_ns = thread_user_ns(thread) - thread->flushed.user_ns,
        .system_ns = thread_system_ns(thread) - thread->flushed.system_ns,
        .ready_ns = thread_ready_ns(thread) - thread->flushed.ready_ns,
    };
}

void cpu_account_flush(struct thread *thread)
{
    struct cpu_time part;

    if (!thread->account)
        return;
    part = unflushed(thread);
    thread->flushed.user_ns += part.user_ns;
    thread->flushed.system_ns += part.system_ns;
    thread->flushed.ready_ns += part.ready_ns;
    for (struct cpu_account *account = thread->account; account; account = account->parent) {
        add(&account->user_ns, part.user_ns);
        add(&account->system_ns, part.system_ns);
        add(&account->ready_ns, part.ready_ns);
    }
}

void NO_THREAD_SAFETY_ANALYSIS thread_set_account(struct thread *thread,
                                                  struct cpu_account *account)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(thread);

    cpu_account_flush(thread);
    thread->account = account;
    spin_unlock(&home->run_queue.lock);
    port_irq_restore(interrupts);
}

static bool is_below(const struct cpu_account *account, const struct cpu_account *top)
{
    while (account && account != top)
        account = account->parent;
    return account == top;
}

static void add_running(struct cpu *cpu, const struct cpu_account *account, struct cpu_time *time)
{
    irq_state_t interrupts = spin_lock_irq_save(&cpu->run_queue.lock);
    const struct thread *running = cpu->run_queue.current;

    if (running->account && is_below(running->account, account)) {
        struct cpu_time part = unflushed(running);

        time->user_ns += part.user_ns;
        time->system_ns += part.system_ns;
        time->ready_ns += part.ready_ns;
    }
    spin_unlock_irq_restore(&cpu->run_queue.lock, interrupts);
}

void cpu_account_read(const struct cpu_account *account, struct cpu_time *time)
{
    time->user_ns = atomic_load_explicit(&account->user_ns, memory_order_relaxed);
    time->system_ns = atomic_load_explicit(&account->system_ns, memory_order_relaxed);
    time->ready_ns = atomic_load_explicit(&account->ready_ns, memory_order_relaxed);
    for (unsigned id = 0; id < port_cpu_count(); id++)
        add_running(port_cpu(id), account, time);
}
