/* Jobs in the reference model of the family. */
#include "lib/errno.h"
#include "model.h"

void model_jobs_init(struct model *model)
{
    model->jobs[MODEL_ROOT_JOB] =
        (struct model_job){.state = MODEL_JOB_OPEN, .parent = MODEL_NOBODY, .entered = 1};
}

static bool is_below(const struct model *model, int job, int root)
{
    while (job != MODEL_NOBODY && job != root)
        job = model->jobs[job].parent;
    return job == root;
}

/* What is being killed and has nobody left is dead, children first. */
static void settle(struct model *model)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < MODEL_JOBS; i++) {
            struct model_job *job = &model->jobs[i];
            bool is_over = job->state == MODEL_JOB_KILLING && job->entered == job->exited;

            for (int j = 0; j < MODEL_JOBS; j++)
                is_over &= model->jobs[j].state == MODEL_JOB_FREE || model->jobs[j].parent != i ||
                           model->jobs[j].state == MODEL_JOB_DEAD;
            if (is_over) {
                job->state = MODEL_JOB_DEAD;
                changed = true;
            }
        }
    }
}

int model_job_check_birth(const struct model *model, int own, int job)
{
    if (!is_below(model, job, own))
        return -EXDEV;
    return model->jobs[job].state == MODEL_JOB_OPEN ? 0 : -ENODEV;
}

void model_job_enter(struct model *model, int job)
{
    for (; job != MODEL_NOBODY; job = model->jobs[job].parent)
        model->jobs[job].entered++;
}

void model_job_leave(struct model *model, int job)
{
    for (; job != MODEL_NOBODY; job = model->jobs[job].parent)
        model->jobs[job].exited++;
    settle(model);
}

int model_job_create(struct model *model, const struct model_operation *operation)
{
    if (model->jobs[operation->group].state != MODEL_JOB_OPEN)
        return -ENODEV;
    model->jobs[operation->target] =
        (struct model_job){.state = MODEL_JOB_OPEN, .parent = operation->group};
    return 0;
}

static bool is_descendant(const struct model *model, int process, int ancestor)
{
    while (process != MODEL_NOBODY && process != ancestor)
        process = model->processes[process].parent;
    return process == ancestor;
}

static void move(struct model *model, int process, int from, int to)
{
    for (int job = to; job != from; job = model->jobs[job].parent)
        model->jobs[job].entered++;
    model->processes[process].job = to;
}

int model_job_adopt(struct model *model, const struct model_operation *operation)
{
    const struct model_process *target = &model->processes[operation->target];
    int from = target->job, to = operation->group;

    if (target->state != MODEL_ALIVE)
        return -ESRCH;
    if (from == to)
        return 0;
    if (!is_below(model, to, from))
        return -EXDEV;
    if (model->jobs[to].state != MODEL_JOB_OPEN)
        return -ENODEV;
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (model->processes[i].state == MODEL_ALIVE && model->processes[i].job == from &&
            (i == operation->target ||
             (operation->all && is_descendant(model, i, operation->target))))
            move(model, i, from, to);
    return 0;
}

int model_job_kill(struct model *model, int job)
{
    if (job == MODEL_ROOT_JOB)
        return -EPERM;
    for (int i = 0; i < MODEL_JOBS; i++)
        if (model->jobs[i].state == MODEL_JOB_OPEN && is_below(model, i, job))
            model->jobs[i].state = MODEL_JOB_KILLING;
    for (int i = 0; i < MODEL_SLOTS; i++)
        if (model->processes[i].state == MODEL_ALIVE &&
            is_below(model, model->processes[i].job, job))
            model->processes[i].killed = true;
    settle(model);
    return 0;
}

bool model_job_is_over(const struct model *model, int job)
{
    if (model->jobs[job].state != MODEL_JOB_DEAD)
        return false;
    for (int i = 0; i < MODEL_JOBS; i++)
        if (model->jobs[i].state != MODEL_JOB_FREE && model->jobs[i].parent == job)
            return false;
    return true;
}
