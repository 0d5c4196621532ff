/*
 * The family against its model. A controller gives commands to puppets, several at a time on
 * several CPUs. After each batch, when all is quiet again, the answers and the family as the kernel
 * has it must agree with the model in some order of the calls.
 */
#include "puppets.h"
#include "scenarios.h"

#define BATCHES    150
#define BATCH_SIZE 3

static void command(int slot, const struct model_operation *operation)
{
    struct puppet *puppet = &puppets[slot];

    if (operation->kind == MODEL_FORK) {
        puppet_reset(operation->target, 0);
    }
    puppet->operation = *operation;
    puppet->is_busy = true;
    puppet->has_answered = false;
    puppet->has_command = true;
    sim_note("%d: operation %d on %d, group %d, value %d", slot, operation->kind, operation->target,
             operation->group, operation->value);
    wait_queue_wake_all(&puppet->queue, 0);
}

static void run_batch(void)
{
    unsigned size = 1 + sim_random(BATCH_SIZE);
    struct model_operation operation;

    for (unsigned i = 0; i < size; i++) {
        int slot = puppet_any_idle();

        if (slot == MODEL_NOBODY)
            break;
        if (puppet_choose(slot, size == 1, &operation)) {
            command(slot, &operation);
            sim_count("operations", 1);
        }
    }
    sim_settle();
    puppets_judge();
}

static void kill_everybody(void)
{
    for (int i = 1; i < MODEL_SLOTS; i++) {
        struct process *process = puppets[i].pid ? process_find(puppets[i].pid) : NULL;

        if (!process)
            continue;
        signal_kill_process(process);
        process_put(process);
    }
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

/* It stays when it is done, so that the count of threads is as before. */
static void controller(void *argument)
{
    (void)argument;
    sim_settle();
    puppet_jobs[MODEL_ROOT_JOB] = root_job;
    for (unsigned i = 0; i < BATCHES; i++)
        run_batch();
    puppets_finish = true;
    kill_everybody();
    for (int i = 1; i < MODEL_JOBS; i++)
        if (puppet_jobs[i])
            job_put(puppet_jobs[i]);
    wait_queue_wake_all(&puppets[MODEL_INIT].queue, 0);
    thread_sleep(never, NULL, SLEEP_UNINTERRUPTIBLE, DEADLINE_NEVER);
}

static void model_program(void)
{
    struct waited waited;

    puppet_program(MODEL_INIT);
    while (call_wait(-1, WEXITED | __WALL, &waited) == 0)
        ;
}

void scenario_family_model(void)
{
    model_init(&family);
    puppet_reset(MODEL_INIT, 1);
    SIM_CHECK(kernel_thread_start("controller", controller, NULL));
    system_run(model_program);
}
