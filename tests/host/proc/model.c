/* A reference model of the family. */
#include "model.h"

#include "lib/errno.h"

static bool exists(const struct model *model, int slot)
{
    return slot >= 0 && model->processes[slot].state != MODEL_FREE;
}

void model_init(struct model *model)
{
    *model = (struct model){.deaths = 0};
    model->processes[MODEL_INIT] =
        (struct model_process){.state = MODEL_ALIVE, .parent = MODEL_NOBODY};
    model_jobs_init(model);
}

static bool names_group(const struct model *model, int slot)
{
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (exists(model, i) && model->processes[i].group == slot)
            return true;
    return false;
}

static bool names_session(const struct model *model, int slot)
{
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (exists(model, i) && model->processes[i].session == slot)
            return true;
    return false;
}

bool model_is_unused(const struct model *model, int slot)
{
    return !exists(model, slot) && !names_group(model, slot) && !names_session(model, slot);
}

/* --- death --- */

static int reaper_of(const struct model *model, int slot)
{
    for (int i = model->processes[slot].parent; i != MODEL_NOBODY; i = model->processes[i].parent)
        if (model->processes[i].state == MODEL_ALIVE && model->processes[i].subreaper)
            return i;
    return MODEL_INIT;
}

static void become_zombie(struct model *model, int slot)
{
    struct model_process *process = &model->processes[slot];

    if (!process->is_clone && model->processes[process->parent].ignores_children) {
        process->state = MODEL_FREE;
        return;
    }
    process->state = MODEL_ZOMBIE;
    process->order = ++model->deaths;
}

void model_begin_exit(struct model *model, int slot, uint8_t status)
{
    struct model_process *process = &model->processes[slot];

    process->state = MODEL_EXITING;
    process->subreaper = false;
    process->status = status;
}

static int oldest_zombie(const struct model *model, int parent)
{
    int oldest = MODEL_NOBODY;

    for (int i = 0; i < MODEL_SLOTS; i++)
        if (model->processes[i].state == MODEL_ZOMBIE && model->processes[i].parent == parent &&
            (oldest == MODEL_NOBODY || model->processes[i].order < model->processes[oldest].order))
            oldest = i;
    return oldest;
}

void model_finish_exit(struct model *model, int slot)
{
    int reaper = reaper_of(model, slot);
    int zombie;

    for (int i = 0; i < MODEL_SLOTS; i++)
        if (model->processes[i].parent == slot && (model->processes[i].state == MODEL_ALIVE ||
                                                   model->processes[i].state == MODEL_EXITING)) {
            model->processes[i].parent = reaper;
            model->processes[i].is_clone = false;
        }
    while ((zombie = oldest_zombie(model, slot)) != MODEL_NOBODY) {
        model->processes[zombie].parent = reaper;
        model->processes[zombie].is_clone = false;
        become_zombie(model, zombie);
    }
    model_job_leave(model, model->processes[slot].job);
    become_zombie(model, slot);
}

/* --- calls --- */

static bool do_fork(struct model *model, const struct model_operation *o, struct model_result *r)
{
    struct model_process *parent = &model->processes[o->issuer];
    struct model_process *child = &model->processes[o->target];

    int job = o->job == MODEL_NOBODY ? parent->job : o->job;

    if (parent->killed)
        return false;
    if (o->clone_parent && o->issuer == MODEL_INIT) {
        r->error = -EINVAL;
        return true;
    }
    r->error = model_job_check_birth(model, parent->job, job);
    if (r->error)
        return true;
    model_job_enter(model, job);
    *child =
        (struct model_process){.state = MODEL_ALIVE,
                               .parent = o->clone_parent ? parent->parent : o->issuer,
                               .group = parent->group,
                               .session = parent->session,
                               .job = job,
                               .ignores_children = parent->ignores_children,
                               .is_clone = o->clone_parent ? parent->is_clone : o->clone_child};
    r->slot = o->target;
    return true;
}

static bool is_wanted(const struct model *model, const struct model_operation *o, int slot)
{
    const struct model_process *child = &model->processes[slot];

    if (!exists(model, slot) || child->parent != o->issuer)
        return false;
    if (o->selector == SELECT_PROCESS && slot != o->target)
        return false;
    if (o->selector == SELECT_OWN_GROUP && child->group != model->processes[o->issuer].group)
        return false;
    if (o->selector == SELECT_GROUP && child->group != o->group)
        return false;
    return o->all || child->is_clone == o->clone_only;
}

static bool do_wait(struct model *model, const struct model_operation *o, struct model_result *r)
{
    int found = MODEL_NOBODY;
    bool hope = false;

    for (int i = 0; i < MODEL_SLOTS; i++) {
        const struct model_process *child = &model->processes[i];

        if (!is_wanted(model, o, i))
            continue;
        hope = true;
        if (child->state == MODEL_ZOMBIE &&
            (found == MODEL_NOBODY || child->order < model->processes[found].order))
            found = i;
    }
    if (found == MODEL_NOBODY) {
        r->error = hope ? 0 : -ECHILD;
        return !hope || o->no_hang;
    }
    r->slot = found;
    r->status = model->processes[found].status;
    if (!o->no_wait)
        model->processes[found].state = MODEL_FREE;
    return true;
}

/* setpgid(2): the errors in the order of the kernel's checks. */
static int set_group(struct model *model, const struct model_operation *o)
{
    int target = o->target == MODEL_NOBODY ? o->issuer : o->target;
    int group = o->group == MODEL_NOBODY ? target : o->group;
    struct model_process *self = &model->processes[o->issuer];
    struct model_process *process = &model->processes[target];
    bool found = false;

    if (!exists(model, target) || (target != o->issuer && process->parent != o->issuer))
        return -ESRCH;
    if (target != o->issuer && process->session != self->session)
        return -EPERM;
    if (process->session == target)
        return -EPERM;
    for (int i = 0; i < MODEL_SLOTS; i++)
        found |= exists(model, i) && model->processes[i].group == group &&
                 model->processes[i].session == self->session;
    if (group != target && !found)
        return -EPERM;
    process->group = group;
    return 0;
}

static int set_session(struct model *model, int slot)
{
    if (names_group(model, slot))
        return -EPERM;
    model->processes[slot].group = model->processes[slot].session = slot;
    return 0;
}

static void kill_one(struct model_process *process, int signal)
{
    if (signal && process->state == MODEL_ALIVE)
        process->killed = true;
}

static int kill_group(struct model *model, int group, int signal)
{
    int error = -ESRCH;

    for (int i = 0; i < MODEL_SLOTS; i++)
        if (exists(model, i) && model->processes[i].group == group) {
            kill_one(&model->processes[i], signal);
            error = 0;
        }
    return error;
}

/* The calls that always return at once: `slot` and `error` of the result. */
static void do_simple(struct model *model, const struct model_operation *o, struct model_result *r)
{
    struct model_process *self = &model->processes[o->issuer];
    int target = o->target == MODEL_NOBODY ? o->issuer : o->target;

    switch (o->kind) {
    case MODEL_SETPGID:
        r->error = set_group(model, o);
        break;
    case MODEL_SETSID:
        r->error = set_session(model, o->issuer);
        break;
    case MODEL_GETPPID:
        r->slot = self->parent;
        break;
    case MODEL_GETPGID:
        r->error = exists(model, target) ? 0 : -ESRCH;
        r->slot = r->error ? MODEL_NOBODY : model->processes[target].group;
        break;
    case MODEL_GETSID:
        r->error = exists(model, target) ? 0 : -ESRCH;
        r->slot = r->error ? MODEL_NOBODY : model->processes[target].session;
        break;
    case MODEL_SUBREAPER:
        self->subreaper = o->value;
        break;
    case MODEL_IGNORE_CHILDREN:
        self->ignores_children = o->value;
        break;
    case MODEL_KILL:
        r->error = exists(model, target) ? 0 : -ESRCH;
        if (!r->error)
            kill_one(&model->processes[target], o->value);
        break;
    case MODEL_KILL_GROUP:
        r->error = kill_group(model, o->group, o->value);
        break;
    case MODEL_JOB_CREATE:
        r->error = model_job_create(model, o);
        break;
    case MODEL_JOB_ADOPT:
        r->error = model_job_adopt(model, o);
        break;
    case MODEL_JOB_KILL:
        r->error = model_job_kill(model, o->group);
        break;
    default:
        break;
    }
}

bool model_do(struct model *model, const struct model_operation *operation,
              struct model_result *result)
{
    *result = (struct model_result){.slot = MODEL_NOBODY};
    switch (operation->kind) {
    case MODEL_FORK:
        return do_fork(model, operation, result);
    case MODEL_WAIT:
        return do_wait(model, operation, result);
    case MODEL_EXIT:
        model_begin_exit(model, operation->issuer, operation->value);
        return true;
    default:
        do_simple(model, operation, result);
        return true;
    }
}
