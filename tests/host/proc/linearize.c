/*
 * The search for an order: depth first over what may happen next (a call, a death), cut where an
 * answer differs from the model's, and where it has been before.
 */
#include "linearize.h"

#include "sim.h"

#define SEEN_SIZE 1048576 /* a power of two */

static const struct step *steps;
static unsigned count;
static const struct snapshot *after;
/* Too big to be reset before every run, and cleared before every search anyway. */
#define KEPT __attribute__((section(".kept")))
static uint64_t seen[SEEN_SIZE] KEPT;
static uint32_t seen_places[SEEN_SIZE / 2] KEPT;
static unsigned seen_count KEPT;
static int died_under[MODEL_SLOTS]; /* the parent of each, on the present path */

static uint64_t hash_of(const struct model *model, uint32_t done)
{
    const uint64_t *words = (const uint64_t *)model;
    uint64_t hash = 0xcbf29ce484222325ull ^ done;

    _Static_assert(sizeof(*model) % sizeof(*words) == 0, "no bytes are left over");
    for (size_t i = 0; i < sizeof(*model) / sizeof(*words); i++)
        hash = (hash ^ words[i] ^ (hash >> 29)) * 0x9e3779b97f4a7c15ull;
    return hash | 1;
}

/* Remembers; true if it was here before. */
static bool was_here(const struct model *model, uint32_t done)
{
    uint64_t hash = hash_of(model, done);
    size_t place = hash & (SEEN_SIZE - 1);

    while (seen[place] && seen[place] != hash)
        place = (place + 1) & (SEEN_SIZE - 1);
    if (seen[place])
        return true;
    if (seen_count == SEEN_SIZE / 2)
        sim_fail("the search for an order takes too long");
    seen_places[seen_count++] = place;
    seen[place] = hash;
    return false;
}

static bool jobs_agree(const struct model *model)
{
    for (int i = 0; i < MODEL_JOBS; i++)
        if (model->jobs[i].state != after->jobs[i].state ||
            (model->jobs[i].state != MODEL_JOB_FREE &&
             (model->jobs[i].entered != after->jobs[i].entered ||
              model->jobs[i].exited != after->jobs[i].exited)))
            return false;
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (model->processes[i].state == MODEL_ALIVE &&
            model->processes[i].job != after->processes[i].job)
            return false;
    return true;
}

static bool agrees_with_snapshot(const struct model *model)
{
    if (!jobs_agree(model))
        return false;
    for (int i = 0; i < MODEL_SLOTS; i++) {
        const struct model_process *process = &model->processes[i];

        if ((process->state != MODEL_FREE) != after->processes[i].exists)
            return false;
        if (process->state == MODEL_FREE)
            continue;
        if (process->state == MODEL_EXITING || (process->state == MODEL_ALIVE && process->killed))
            return false;
        if ((process->state == MODEL_ZOMBIE) != after->processes[i].is_zombie ||
            process->parent != after->processes[i].parent ||
            process->group != after->processes[i].group ||
            process->session != after->processes[i].session)
            return false;
        if (process->state == MODEL_ZOMBIE && process->status != after->processes[i].status)
            return false;
        for (int j = 0; j < MODEL_SLOTS && process->state == MODEL_ZOMBIE; j++)
            if (model->processes[j].state == MODEL_ZOMBIE &&
                model->processes[j].parent == process->parent &&
                (model->processes[j].order < process->order) !=
                    (after->processes[j].place < after->processes[i].place))
                return false;
    }
    return true;
}

/* A sleeper whose group has nobody left looks again only when there is news. */
static bool sleeps_rightly(const struct model *model, const struct model_operation *operation)
{
    struct model copy = *model;
    struct model_result result;

    if (!model_do(&copy, operation, &result))
        return true;
    return result.error && operation->selector == SELECT_GROUP;
}

static bool is_end(const struct model *model, uint32_t done)
{
    for (unsigned i = 0; i < count; i++) {
        if (steps[i].outcome == STEP_ANSWERED && !(done & (1u << i)))
            return false;
        if (steps[i].outcome == STEP_SLEEPS && !sleeps_rightly(model, &steps[i].operation))
            return false;
    }
    return agrees_with_snapshot(model);
}

static bool is_same(const struct model_result *a, const struct model_result *b)
{
    return a->error == b->error && a->slot == b->slot && a->status == b->status;
}

static bool search(const struct model *model, uint32_t done, int died, struct model *end);

static bool try_step(const struct model *model, uint32_t done, unsigned index, struct model *end)
{
    const struct step *step = &steps[index];
    struct model copy = *model;
    struct model_result result;

    if (step->outcome == STEP_SLEEPS ||
        model->processes[step->operation.issuer].state != MODEL_ALIVE ||
        !model_do(&copy, &step->operation, &result))
        return false;
    if (step->outcome == STEP_ANSWERED && !is_same(&result, &step->result))
        return false;
    return search(&copy, done | (1u << index), MODEL_NOBODY, end);
}

/* Two zombies of one parent died in the order in which they stand in its list now. */
static bool dies_out_of_turn(const struct model *model, int slot)
{
    if (!after->processes[slot].is_zombie)
        return false;
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (model->processes[i].state == MODEL_ZOMBIE && after->processes[i].is_zombie &&
            after->processes[i].parent == after->processes[slot].parent &&
            model->processes[i].parent == after->processes[i].parent &&
            after->processes[i].place > after->processes[slot].place)
            return true;
    return false;
}

static bool has_children(const struct model *model, int slot)
{
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (model->processes[i].state != MODEL_FREE && model->processes[i].parent == slot)
            return true;
    return false;
}

/* The childless of different parents may die in any order: trying one order will do. `died` just
 * did, without children, and `slot` could have before it. */
static bool deaths_commute(const struct model *model, int slot, int died)
{
    const struct model_process *process = &model->processes[slot];

    return process->killed && !process->subreaper && process->state == MODEL_ALIVE &&
           !has_children(model, slot) && died_under[died] != process->parent &&
           died_under[died] != slot;
}

/* Between its two steps a dying process only differs from a living one in who its children's reaper
 * is, and whether they are still its own. */
static bool try_death(const struct model *model, uint32_t done, int died, int slot,
                      struct model *end)
{
    const struct model_process *process = &model->processes[slot];
    struct model copy = *model;
    bool has_steps = process->subreaper || has_children(model, slot);

    if (process->state == MODEL_ALIVE && process->killed) {
        model_begin_exit(&copy, slot, 0x80 | 9);
        if (has_steps)
            return search(&copy, done, MODEL_NOBODY, end);
    } else if (process->state != MODEL_EXITING) {
        return false;
    }
    if (dies_out_of_turn(&copy, slot) || (slot < died && deaths_commute(model, slot, died)))
        return false;
    died = has_children(model, slot) ? MODEL_NOBODY : slot;
    if (died != MODEL_NOBODY)
        died_under[died] = process->parent;
    model_finish_exit(&copy, slot);
    return search(&copy, done, died, end);
}

/* `died`: who did in the step before, if that is known to be independent of others. */
static bool search(const struct model *model, uint32_t done, int died, struct model *end)
{
    if (was_here(model, done))
        return false;
    if (is_end(model, done)) {
        *end = *model;
        return true;
    }
    for (unsigned i = 0; i < count; i++)
        if (!(done & (1u << i)) && try_step(model, done, i, end))
            return true;
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (try_death(model, done, died, i, end))
            return true;
    return false;
}

bool linearize(struct model *model, const struct step *all_steps, unsigned step_count,
               const struct snapshot *snapshot)
{
    struct model start = *model;

    steps = all_steps;
    count = step_count;
    after = snapshot;
    while (seen_count)
        seen[seen_places[--seen_count]] = 0;
    return search(&start, 0, MODEL_NOBODY, model);
}
