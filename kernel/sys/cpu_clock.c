/*
 * Clocks of CPU time. A negative number names a process or a thread: the complement of its pid or
 * tid is in the upper bits, 0 means the caller; bit 2 says thread, bits 0 and 1 what is counted.
 * Links are looked up under family_lock.
 */
#include <linux/time.h>

#include "proc/process.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sys/clock.h"
#include "sys/syscall.h"

#define CPU_CLOCK_THREAD 4
#define CPU_CLOCK_WHICH  3
enum cpu_clock_which { CPU_CLOCK_PROFILE, CPU_CLOCK_USER, CPU_CLOCK_SCHEDULER, CPU_CLOCK_INVALID };

/* Nothing wakes a sleeper when CPU time has been used: it looks again when that much could have
 * been, but not more often than this. */
#define CPU_SLEEP_MIN_NS 1000000ull

struct cpu_clock {
    pid_number number;
    bool is_thread;
    enum cpu_clock_which which;
};

static struct cpu_clock decode(int id)
{
    if (id == CLOCK_PROCESS_CPUTIME_ID)
        return (struct cpu_clock){.which = CPU_CLOCK_SCHEDULER};
    if (id == CLOCK_THREAD_CPUTIME_ID)
        return (struct cpu_clock){.is_thread = true, .which = CPU_CLOCK_SCHEDULER};
    return (struct cpu_clock){
        .number = ~(id >> 3), .is_thread = id & CPU_CLOCK_THREAD, .which = id & CPU_CLOCK_WHICH};
}

static uint64_t thread_ns(const struct user_thread *thread, enum cpu_clock_which which)
{
    return which == CPU_CLOCK_USER ? thread_user_ns(&thread->thread)
                                   : thread_cpu_ns(&thread->thread);
}

static uint64_t process_ns_locked(const struct process *process, enum cpu_clock_which which)
{
    const struct usage_totals *self = &process->usage.self;
    uint64_t ns = which == CPU_CLOCK_USER ? self->user_ns : self->user_ns + self->system_ns;
    struct user_thread *thread;

    list_for_each (thread, &process->threads, process_link)
        ns += thread_ns(thread, which);
    return ns;
}

/* A thread of the caller's process; NULL. */
static struct user_thread *find_own_thread_locked(pid_number number)
{
    struct pid *pid = pid_find(number);
    struct user_thread *thread = pid ? pid->thread : NULL;

    if (pid)
        pid_put(pid);
    return thread && thread->process == current_process() ? thread : NULL;
}

static struct process *find_process_locked(pid_number number) REQUIRES(family_lock);
static struct process *find_process_locked(pid_number number)
{
    struct process *process = process_find_locked(number);

    if (!process && find_own_thread_locked(number) == current_user_thread())
        process = current_process();
    return process;
}

static int read_other(const struct cpu_clock *clock, uint64_t *ns)
{
    struct user_thread *thread = NULL;
    struct process *process = NULL;

    spin_lock(&family_lock);
    if (clock->is_thread)
        thread = find_own_thread_locked(clock->number);
    else if (clock->number == 0)
        process = current_process();
    else
        process = find_process_locked(clock->number);
    if (thread)
        *ns = thread_ns(thread, clock->which);
    else if (process)
        *ns = process_ns_locked(process, clock->which);
    spin_unlock(&family_lock);
    return thread || process ? 0 : -EINVAL;
}

int cpu_clock_read(int id, uint64_t *ns)
{
    struct cpu_clock clock = decode(id);

    if (clock.which == CPU_CLOCK_INVALID)
        return -EINVAL;
    if (!clock.is_thread || clock.number != 0)
        return read_other(&clock, ns);
    *ns = thread_ns(current_user_thread(), clock.which);
    return 0;
}

static bool is_never(void *argument)
{
    return false;
}

static bool is_own_thread(const struct cpu_clock *clock)
{
    return clock->is_thread &&
           (clock->number == 0 || clock->number == pid_number_of(current_user_thread()->tid));
}

int cpu_clock_sleep(int id, uint64_t target)
{
    struct cpu_clock clock = decode(id);
    uint64_t cpus = (uint64_t)__builtin_popcountll(sched_online_cpus());

    if (is_own_thread(&clock))
        return -EINVAL;
    for (;;) {
        uint64_t now, pause;
        int outcome = cpu_clock_read(id, &now);

        if (outcome < 0 || now >= target)
            return outcome;
        pause = (target - now) / cpus;
        if (pause < CPU_SLEEP_MIN_NS)
            pause = CPU_SLEEP_MIN_NS;
        outcome = thread_sleep(is_never, NULL, SLEEP_INTERRUPTIBLE, port_clock_ns() + pause);
        if (outcome != -ETIMEDOUT)
            return outcome;
    }
}
