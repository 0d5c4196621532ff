/*
 * Threads: birth, death, moving between CPUs, preemption in user mode.
 */
#include "sched/thread.h"

#include "lib/errno.h"
#include "scenarios.h"
#include "sched/cpu.h"
#include "sched/policy.h"
#include "sched/sched.h"
#include "workers.h"

/* --- exit x join --- */

static struct wait_queue join_queue;
static bool finished;

static bool is_finished(void *argument)
{
    (void)argument;
    return finished;
}

static void dying(struct worker *self)
{
    (void)self;
    sim_point();
    finished = true;
    wait_queue_wake_all(&join_queue, 0);
}

/* The joiner goes on when the thread says so, which is before it is gone; its release comes later.
 */
static void joiner(struct worker *self)
{
    (void)self;
    SIM_CHECK_EQUAL(
        wait_queue_sleep(&join_queue, is_finished, NULL, SLEEP_INTERRUPTIBLE, DEADLINE_NEVER), 0);
}

void scenario_exit_join(void)
{
    struct sim_memory before;

    sim_memory_now(&before);
    wait_queue_init(&join_queue);
    worker_start("dying", dying, NULL);
    worker_start("joiner", joiner, NULL);
    workers_join();
    sim_check_leaks(&before);
}

/* kernel_thread_start() owns all that its thread is made of. */
static unsigned ended;

static void short_life(void *argument)
{
    (void)argument;
    ended++;
}

static bool all_ended(void *argument)
{
    return ended == *(unsigned *)argument;
}

void scenario_kernel_thread(void)
{
    unsigned started = 0;
    struct sim_memory before;

    sim_memory_now(&before);
    sim_faults_open();
    for (int i = 0; i < 3; i++)
        if (kernel_thread_start("short", short_life, NULL))
            started++;
    sim_faults_close();
    SIM_CHECK(started == 3 || sim_allocation_refused());
    sim_wait_until(all_ended, &started);
    sim_check_leaks(&before);
}

/* A thread that is never started. */
static void nothing(struct worker *self)
{
    (void)self;
    sim_fail("an abandoned thread ran");
}

void scenario_abandon(void)
{
    struct sim_memory before;
    struct worker *worker;

    sim_memory_now(&before);
    sim_faults_open();
    worker = worker_create("abandoned", nothing, NULL);
    sim_faults_close();
    SIM_CHECK(worker || sim_allocation_refused());
    if (worker) {
        worker_count--;
        thread_abandon(&worker->thread);
    }
    sim_check_leaks(&before);
}

/* --- affinity --- */

static bool stop;

/* Instead of sched_kernel_leave(): a thread goes to user mode only where its mask allows, or with
 * the order to leave on its way: from somebody who still holds the queue's lock, or given already.
 */
static void check_and_leave(void)
{
    struct thread *self = current_thread();
    struct cpu *cpu = this_cpu();

    SIM_CHECK((self->affinity & (1ull << cpu->id)) || cpu->run_queue.lock.owner ||
              thread_has_work(self, THREAD_WORK_RESCHEDULE));
    sched_kernel_leave();
}

void boot_affinity(void)
{
    port_handlers.kernel_leave = check_and_leave;
}

static int64_t null_call(const uint64_t arguments[6])
{
    (void)arguments;
    return 0;
}

static void wandering_program(uintptr_t argument)
{
    const uint64_t none[6] = {0};

    (void)argument;
    while (!stop)
        sim_call(null_call, none);
    worker_program_exit();
}

static void mover(struct worker *self)
{
    struct worker *target = self->argument;

    for (int i = 0; i < 3; i++) {
        uint64_t mask = 1 + sim_random((1ull << port_cpu_count()) - 1);

        SIM_CHECK_EQUAL(thread_set_affinity(&target->thread, mask), 0);
        sim_point();
    }
    SIM_CHECK_EQUAL(thread_set_affinity(&target->thread, 1ull << 63), -EINVAL);
    stop = true;
}

void scenario_affinity(void)
{
    struct worker *target = worker_start_program("wanderer", wandering_program, 0);

    worker_start("mover", mover, target);
    workers_join();
}

static struct wait_queue nap_queue;
static unsigned naps;

static bool nap_over(void *argument)
{
    return naps > (uintptr_t)argument;
}

static void napper(struct worker *self)
{
    (void)self;
    for (uintptr_t i = 0; i < 2; i++) {
        wait_queue_sleep(&nap_queue, nap_over, (void *)i, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER);
    }
}

static void nap_waker(struct worker *self)
{
    (void)self;
    for (int i = 0; i < 2; i++) {
        naps++;
        wait_queue_wake_all(&nap_queue, 0);
    }
}

static void nap_mover(struct worker *self)
{
    struct worker *target = self->argument;

    SIM_CHECK_EQUAL(thread_set_affinity(&target->thread, 2), 0);
    sim_point();
    SIM_CHECK_EQUAL(thread_set_affinity(&target->thread, 1), 0);
}

/* A mask that changes while its thread falls asleep, sleeps and is woken. */
void scenario_affinity_wake(void)
{
    struct worker *target;

    wait_queue_init(&nap_queue);
    target = worker_start("napper", napper, NULL);
    worker_start("waker", nap_waker, NULL);
    worker_start("mover", nap_mover, target);
    workers_join();
}

/* --- preemption --- */

static unsigned laps[4];

/* Never gives the CPU away by itself. */
static void spinning_program(uintptr_t argument)
{
    while (!stop) {
        sim_explore(PORT_POINT_USER, NULL);
        laps[argument]++;
    }
    worker_program_exit();
}

static bool everybody_ran(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 4; i++)
        if (laps[i] < 10)
            return false;
    return true;
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void supervisor(struct worker *self)
{
    (void)self;
    while (!everybody_ran(NULL))
        thread_sleep(never, NULL, SLEEP_UNINTERRUPTIBLE, port_clock_ns() + 100000);
    stop = true;
}

void scenario_preemption(void)
{
    for (uintptr_t i = 0; i < 4; i++)
        worker_start_program("spinner", spinning_program, i);
    worker_start("supervisor", supervisor, NULL);
    workers_join();
}

/* --- a realtime thread that any CPU could run is run by one --- */

static unsigned calls_made;

static bool is_called(void *argument)
{
    return calls_made >= *(unsigned *)argument;
}

static void realtime_sleeper(struct worker *self)
{
    const struct sched_attributes fifo = {.policy = SCHED_FIFO, .priority = 10};

    (void)self;
    thread_set_attributes(current_thread(), &fifo);
    for (unsigned call = 1; call <= 3; call++)
        thread_sleep(is_called, &call, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER);
}

void scenario_realtime_wake(void)
{
    struct worker *sleepers[2];

    for (int i = 0; i < 2; i++)
        sleepers[i] = worker_start("sleeper", realtime_sleeper, NULL);
    for (int i = 0; i < 3; i++) {
        calls_made++;
        for (int j = 0; j < 2; j++)
            if (!sleepers[j]->released)
                thread_wake(&sleepers[j]->thread);
        sim_settle();
    }
    workers_join();
}

/* --- work posted to a thread in user mode makes it enter the kernel --- */

static void waiting_program(uintptr_t argument)
{
    (void)argument;
    while (!stop)
        sim_relax();
    worker_program_exit();
}

static void poster(struct worker *self)
{
    struct worker *target = self->argument;

    thread_post_work(&target->thread, THREAD_WORK_FREEZE);
}

/* The boot function of this scenario: sees the work and takes it back. */
static void take_work(struct user_frame *frame)
{
    (void)frame;
    if (thread_has_work(current_thread(), THREAD_WORK_FREEZE)) {
        thread_clear_work(current_thread(), THREAD_WORK_FREEZE);
        stop = true;
    }
    if (thread_has_work(current_thread(), THREAD_WORK_RESCHEDULE))
        sched_point();
}

void boot_post_work(void)
{
    port_handlers.user_return = take_work;
}

void scenario_post_work(void)
{
    struct worker *target = worker_start_program("program", waiting_program, 0);

    worker_start("poster", poster, target);
    workers_join();
}
