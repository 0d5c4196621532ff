/* CPU time of groups of threads. The sums are atomic; who adds holds the run queue of the thread's
 * CPU. */
#include "sched/cpu_account.h"

#include "sched/cpu.h"
#include "sched/placement.h"
#include "sched/thread.h"

#define READ_TRIES 16

static void add(_Atomic uint64_t *sum, uint64_t cycles)
{
    atomic_fetch_add_explicit(sum, cycles, memory_order_relaxed);
}

/* What a thread has used and not added yet. */
static struct cpu_time unflushed(const struct thread *thread, struct cpu_time *used)
{
    *used = (struct cpu_time){
        .user = thread_read_cycles(&thread->usage.user_cycles),
        .system = thread_read_cycles(&thread->usage.system_cycles),
        .ready = thread_read_cycles(&thread->usage.ready_cycles),
    };
    return (struct cpu_time){
        .user = used->user - thread->flushed.user,
        .system = used->system - thread->flushed.system,
        .ready = used->ready - thread->flushed.ready,
    };
}

static void flush(struct thread *thread)
{
    struct cpu_time used;
    struct cpu_time part = unflushed(thread, &used);

    thread->flushed = used;
    for (struct cpu_account *account = thread->account; account; account = account->parent) {
        add(&account->user, part.user);
        add(&account->system, part.system);
        add(&account->ready, part.ready);
    }
}

static uint64_t standing(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void cpu_account_flush_stopped(struct thread *thread)
{
    uint64_t user = standing(&thread->usage.user_cycles);
    uint64_t system = standing(&thread->usage.system_cycles);
    uint64_t ready = standing(&thread->usage.ready_cycles);
    uint64_t new_user = user - thread->flushed.user, new_system = system - thread->flushed.system;
    uint64_t new_ready = (int64_t)ready < 0 ? 0 : ready - thread->flushed.ready;

    thread->flushed.user = user;
    thread->flushed.system = system;
    thread->flushed.ready += new_ready;
    for (struct cpu_account *account = thread->account; account; account = account->parent) {
        add(&account->user, new_user);
        add(&account->system, new_system);
        if (new_ready)
            add(&account->ready, new_ready);
    }
}

struct cpu_time NO_THREAD_SAFETY_ANALYSIS thread_set_account(struct thread *thread,
                                                             struct cpu_account *account)
{
    irq_state_t interrupts = port_irq_save();
    struct cpu *home = thread_lock_home(thread);
    struct cpu_time used;

    flush(thread);
    thread->account = account;
    used = thread->flushed;
    spin_unlock(&home->run_queue.lock);
    port_irq_restore(interrupts);
    return used;
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
        struct cpu_time used;
        struct cpu_time part = unflushed(running, &used);

        time->user += part.user;
        time->system += part.system;
        time->ready += part.ready;
    }
    spin_unlock_irq_restore(&cpu->run_queue.lock, interrupts);
}

static struct cpu_time read_added(const struct cpu_account *account)
{
    return (struct cpu_time){.user = standing(&account->user),
                             .system = standing(&account->system),
                             .ready = standing(&account->ready)};
}

static bool is_same(const struct cpu_time *left, const struct cpu_time *right)
{
    return left->user == right->user && left->system == right->system &&
           left->ready == right->ready;
}

/* A thread that stopped after the sums were read and before its CPU was looked at is in neither:
 * but then, seen through that CPU's lock, the sums have changed. */
void cpu_account_read(const struct cpu_account *account, struct cpu_time *time)
{
    struct cpu_time before, after = read_added(account);
    unsigned tries = READ_TRIES;

    do {
        *time = before = after;
        for (unsigned id = 0; id < port_cpu_count(); id++)
            add_running(port_cpu(id), account, time);
        after = read_added(account);
    } while (!is_same(&before, &after) && --tries > 0);
}
