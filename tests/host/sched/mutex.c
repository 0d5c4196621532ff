/*
 * Sleeping locks: one holder at a time, handed over in order of arrival, no waiter forgotten.
 */
#include "sched/mutex.h"

#include "lib/errno.h"
#include "scenarios.h"
#include "workers.h"

static struct mutex mutex;
static unsigned inside, turns;

static void set_up(void)
{
    mutex_init(&mutex, LOCK_RANK_INODE);
    sim_name_object(&mutex, sizeof(mutex), "the mutex");
}

static void use_protected(void)
{
    mutex_assert_held(&mutex);
    SIM_CHECK_EQUAL(inside++, 0);
    sim_point();
    SIM_CHECK_EQUAL(--inside, 0);
    turns++;
}

static void contender(struct worker *self)
{
    for (uintptr_t i = 0; i < (uintptr_t)self->argument; i++) {
        mutex_lock(&mutex);
        use_protected();
        mutex_unlock(&mutex);
    }
}

void scenario_mutex_handover(void)
{
    set_up();
    for (int i = 0; i < 2; i++)
        worker_start("contender", contender, (void *)1);
    mutex_lock(&mutex);
    use_protected();
    mutex_unlock(&mutex);
    workers_join();
    SIM_CHECK_EQUAL(turns, 3);
    SIM_CHECK(mutex_try_lock(&mutex));
    mutex_unlock(&mutex);
}

void scenario_mutex_storm(void)
{
    set_up();
    for (int i = 0; i < 4; i++)
        worker_start("contender", contender, (void *)3);
    workers_join();
    SIM_CHECK_EQUAL(turns, 12);
}

static void trier(struct worker *self)
{
    (void)self;
    if (!mutex_try_lock(&mutex))
        return;
    use_protected();
    mutex_unlock(&mutex);
}

void scenario_mutex_try(void)
{
    set_up();
    worker_start("contender", contender, (void *)1);
    worker_start("trier", trier, NULL);
    workers_join();
    SIM_CHECK(turns >= 1);
    SIM_CHECK(mutex_try_lock(&mutex));
    mutex_unlock(&mutex);
}

static int killed_outcome;

static void killable_contender(struct worker *self)
{
    (void)self;
    killed_outcome = mutex_lock_killable(&mutex);
    SIM_CHECK(killed_outcome == 0 || killed_outcome == -EINTR);
    if (killed_outcome)
        return;
    use_protected();
    mutex_unlock(&mutex);
}

static void killer(struct worker *self)
{
    struct worker *target = self->argument;

    thread_post_work(&target->thread, THREAD_WORK_SIGNAL | THREAD_WORK_KILL);
}

/* A waiter that gives up just when it is handed the lock. */
void scenario_mutex_kill(void)
{
    struct worker *target;

    set_up();
    mutex_lock(&mutex);
    target = worker_start("killable", killable_contender, NULL);
    worker_start("killer", killer, target);
    use_protected();
    mutex_unlock(&mutex);
    workers_join();
    SIM_CHECK_EQUAL(turns, killed_outcome ? 1 : 2);
    SIM_CHECK(mutex_try_lock(&mutex));
    mutex_unlock(&mutex);
}

/* Threads that queue up one after another get it in that order. */
static unsigned arrived, order;

static void orderly(struct worker *self)
{
    mutex_lock(&mutex);
    SIM_CHECK_EQUAL(order++, (uintptr_t)self->argument);
    mutex_unlock(&mutex);
}

static bool is_asleep(void *argument)
{
    struct worker *worker = argument;

    return worker->thread.state == THREAD_SLEEPING;
}

void scenario_mutex_order(void)
{
    set_up();
    mutex_lock(&mutex);
    for (uintptr_t i = 0; i < 3; i++) {
        struct worker *worker = worker_start("orderly", orderly, (void *)i);

        sim_wait_until(is_asleep, worker);
        arrived++;
    }
    mutex_unlock(&mutex);
    workers_join();
    SIM_CHECK_EQUAL(order, 3);
}
