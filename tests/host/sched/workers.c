/*
 * Threads for scenarios. No locks: all is written before a thread starts, or by its last breath.
 */
#include "workers.h"

#include "sched/sched.h"

struct worker workers[WORKERS_MAX];
unsigned worker_count;
static struct thread *joining;

static void run(void *argument)
{
    struct worker *worker = argument;

    worker->function(worker);
    thread_exit();
}

static void run_program(void *argument)
{
    (void)argument;
    port_enter_user();
}

static void release(struct thread *thread)
{
    struct worker *worker = container_of(thread, struct worker, thread);

    SIM_CHECK(!worker->released);
    worker->released = true;
    thread_wake(joining);
}

static struct worker *prepare(const char *name, void (*entry)(void *), bool user)
{
    struct worker *worker = &workers[worker_count];

    SIM_CHECK(worker_count < WORKERS_MAX);
    joining = current_thread();
    worker->index = worker_count;
    worker->user = user;
    sim_name_object(worker, sizeof(*worker), name);
    if (thread_init(&worker->thread, name, entry, worker, user, release) < 0)
        return NULL;
    worker_count++;
    return worker;
}

struct worker *worker_create(const char *name, void (*function)(struct worker *), void *argument)
{
    struct worker *worker = prepare(name, run, false);

    if (worker) {
        worker->function = function;
        worker->argument = argument;
    }
    return worker;
}

struct worker *worker_start(const char *name, void (*function)(struct worker *), void *argument)
{
    struct worker *worker = worker_create(name, function, argument);

    if (worker)
        thread_start(&worker->thread);
    return worker;
}

struct worker *worker_start_program(const char *name, sim_program *program, uintptr_t argument)
{
    struct worker *worker = prepare(name, run_program, true);

    if (worker) {
        sim_set_program(&worker->thread, program, argument);
        thread_start(&worker->thread);
    }
    return worker;
}

static int64_t exit_call(const uint64_t arguments[6])
{
    (void)arguments;
    thread_exit();
}

void worker_program_exit(void)
{
    const uint64_t none[6] = {0};

    sim_call(exit_call, none);
}

static bool all_released(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < worker_count; i++)
        if (!workers[i].released)
            return false;
    return true;
}

void workers_join(void)
{
    SIM_CHECK_EQUAL(thread_sleep(all_released, NULL, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER), 0);
}
