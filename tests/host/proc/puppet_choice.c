/* What to do next: dice with weights, and with an eye on what keeps a run going. */
#include "puppets.h"

#define LIVE_MAX 12
/* Of so many deaths at once the search for their order is still quick. */
#define MASSACRE_MAX 5

static int any_slot(bool (*is_eligible)(int slot))
{
    int start = (int)sim_random(MODEL_SLOTS);

    for (int i = 0; i < MODEL_SLOTS; i++) {
        int slot = (start + i) % MODEL_SLOTS;

        if (is_eligible(slot))
            return slot;
    }
    return MODEL_NOBODY;
}

static bool is_idle(int slot)
{
    return family.processes[slot].state == MODEL_ALIVE && !puppets[slot].is_busy;
}

static bool is_free(int slot)
{
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (puppets[i].is_busy &&
            (puppets[i].operation.target == slot || puppets[i].operation.group == slot))
            return false;
    return model_is_unused(&family, slot);
}

static bool was_used(int slot)
{
    return puppets[slot].pid != 0;
}

static unsigned live_count(void)
{
    unsigned live = 0;

    for (int i = 0; i < MODEL_SLOTS; i++)
        live += family.processes[i].state == MODEL_ALIVE;
    return live;
}

static unsigned living_members(int group)
{
    unsigned count = 0;

    for (int i = 0; i < MODEL_SLOTS; i++)
        count += family.processes[i].state == MODEL_ALIVE && family.processes[i].group == group;
    return count;
}

static int any_job(void)
{
    int slot = (int)sim_random(MODEL_JOBS);

    while (!puppet_jobs[slot])
        slot = (slot + 1) % MODEL_JOBS;
    return slot;
}

/* Gives up what has nobody left to keep it alive but us. */
static int free_job(void)
{
    for (int i = 0; i < MODEL_JOBS; i++) {
        if (puppet_jobs[i] && model_job_is_over(&family, i)) {
            job_put(puppet_jobs[i]);
            puppet_jobs[i] = NULL;
            family.jobs[i] = (struct model_job){.state = MODEL_JOB_FREE};
        }
        if (!puppet_jobs[i])
            return i;
    }
    return MODEL_NOBODY;
}

static unsigned living_job_members(int job)
{
    return family.jobs[job].entered - family.jobs[job].exited;
}

/* Weights of 100; a crowded family turns to dying and reaping. */
static enum model_operation_kind choose_kind(int issuer)
{
    static const uint8_t weights[][MODEL_OPERATION_COUNT] = {
        {28, 7, 22, 8, 3, 1, 2, 1, 4, 3, 6, 2, 5, 6, 2},
        {4, 18, 36, 6, 2, 1, 2, 1, 3, 2, 9, 4, 3, 6, 3},
    };
    const uint8_t *row = weights[live_count() > LIVE_MAX || any_slot(is_free) == MODEL_NOBODY];
    uint64_t dice = sim_random(100);
    enum model_operation_kind kind = MODEL_FORK;

    while (dice >= row[kind])
        dice -= row[kind++];
    if (issuer == MODEL_INIT && (kind == MODEL_EXIT || kind == MODEL_IGNORE_CHILDREN))
        return MODEL_WAIT;
    return kind;
}

/* A wait for the caller's own group first finds out which that is, and then looks: two steps, which
 * the model takes as one. So it is done alone, and without sleeping. */
static void choose_wait(struct model_operation *o, bool is_alone)
{
    o->selector = sim_random(2) ? SELECT_ANY : sim_random(4);
    if (o->selector == SELECT_OWN_GROUP && !is_alone)
        o->selector = SELECT_ANY;
    o->target = any_slot(was_used);
    o->group = any_slot(was_used);
    if (o->selector == SELECT_GROUP && o->group == MODEL_INIT)
        o->selector = SELECT_ANY; /* -1 is no group */
    o->no_hang = o->selector == SELECT_OWN_GROUP || sim_random(3) > 0;
    o->no_wait = sim_random(8) == 0;
    o->all = sim_random(3) > 0;
    o->clone_only = !o->all && sim_random(4) == 0;
}

/* False if this kind cannot be done now. */
bool puppet_choose(int issuer, bool is_alone, struct model_operation *o)
{
    *o = (struct model_operation){
        .kind = choose_kind(issuer), .issuer = issuer, .job = MODEL_NOBODY};
    o->target = sim_random(4) ? any_slot(was_used) : MODEL_NOBODY;
    o->group = sim_random(4) ? any_slot(was_used) : MODEL_NOBODY;
    o->value = sim_random(2);
    switch (o->kind) {
    case MODEL_FORK:
        o->group = MODEL_NOBODY;
        o->clone_parent = issuer != MODEL_INIT && sim_random(8) == 0;
        o->clone_child = sim_random(6) == 0;
        o->target = any_slot(is_free);
        if (sim_random(3) == 0)
            o->job = any_job();
        return o->target != MODEL_NOBODY;
    case MODEL_EXIT:
        o->value = sim_random(100);
        return true;
    case MODEL_WAIT:
        choose_wait(o, is_alone);
        return true;
    case MODEL_IGNORE_CHILDREN:
        /* A death that inherits zombies looks at it more than once, which the model does not. */
        return is_alone;
    case MODEL_JOB_CREATE:
        o->group = any_job();
        o->target = is_alone ? free_job() : MODEL_NOBODY;
        return o->target != MODEL_NOBODY && puppet_jobs[o->group];
    case MODEL_JOB_ADOPT:
        o->group = any_job();
        o->target = any_slot(was_used);
        o->all = sim_random(2);
        return o->target != MODEL_INIT;
    case MODEL_JOB_KILL:
        o->group = any_job();
        return living_job_members(o->group) <= MASSACRE_MAX;
    case MODEL_KILL:
    case MODEL_KILL_GROUP:
        o->value *= SIGKILL;
        o->target = any_slot(was_used);
        o->group = any_slot(was_used);
        if (living_members(o->group) > MASSACRE_MAX)
            o->value = 0;
        /* init's own group holds init, who takes no SIGKILL. */
        return o->target != MODEL_INIT && o->group != MODEL_INIT;
    default:
        return true;
    }
}

int puppet_any_idle(void)
{
    return any_slot(is_idle);
}
