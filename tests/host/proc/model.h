/*
 * A reference model of the family: who is whose child, in which group and session, dead or alive,
 * and what fork, exit, wait, kill and the rest do to that. Written from the manual pages, on plain
 * arrays, one step at a time: no locks, no lists, nothing of kernel/proc.
 *
 * Processes are slots. A slot is free again when nothing is named by its number: no group, no
 * session.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MODEL_SLOTS    20
#define MODEL_INIT     0
#define MODEL_NOBODY   (-1)
#define MODEL_JOBS     6
#define MODEL_ROOT_JOB 0

enum model_state { MODEL_FREE, MODEL_ALIVE, MODEL_EXITING, MODEL_ZOMBIE };

struct model_process {
    enum model_state state;
    int8_t parent, group, session; /* slots */
    bool subreaper;
    bool ignores_children; /* SIGCHLD is SIG_IGN */
    bool is_clone;         /* its death is not told by SIGCHLD */
    bool killed;           /* a SIGKILL is on its way */
    uint8_t status;        /* of exit(2); 0x80 | signal when killed */
    uint16_t order;        /* among zombies */
    int8_t job;            /* of a member: a slot */
    uint8_t unused;        /* no padding: models are compared as bytes */
};

enum model_job_state { MODEL_JOB_FREE, MODEL_JOB_OPEN, MODEL_JOB_KILLING, MODEL_JOB_DEAD };

/* Counts are over the job and all jobs below it. */
struct model_job {
    uint8_t state;
    int8_t parent; /* a slot; MODEL_NOBODY: the root job */
    uint16_t entered, exited;
    uint16_t unused;
};

struct model {
    struct model_process processes[MODEL_SLOTS];
    struct model_job jobs[MODEL_JOBS];
    uint64_t deaths;
};

enum model_operation_kind {
    MODEL_FORK,
    MODEL_EXIT,
    MODEL_WAIT,
    MODEL_SETPGID,
    MODEL_SETSID,
    MODEL_GETPPID,
    MODEL_GETPGID,
    MODEL_GETSID,
    MODEL_SUBREAPER,
    MODEL_IGNORE_CHILDREN,
    MODEL_KILL,
    MODEL_KILL_GROUP,
    MODEL_JOB_CREATE, /* group: the parent job; target: the new job's slot */
    MODEL_JOB_ADOPT,  /* target into job `group`; `all`: with its descendants */
    MODEL_JOB_KILL,   /* job `group` */
    MODEL_OPERATION_COUNT
};

enum model_selector { SELECT_ANY, SELECT_PROCESS, SELECT_OWN_GROUP, SELECT_GROUP };

struct model_operation {
    enum model_operation_kind kind;
    int issuer;
    int job;    /* slot of the job that a child is to be born in; MODEL_NOBODY: its parent's */
    int target; /* slot: the child to be, who is waited for, killed ...; 0 as pid: MODEL_NOBODY */
    int group;  /* slot, or MODEL_NOBODY for 0 */
    int value;  /* status, signal, on or off */
    enum model_selector selector;
    bool no_hang, no_wait, all, clone_only, clone_parent, clone_child;
};

/* What a call returns: 0 or -errno, and a slot or status where it has one. */
struct model_result {
    int error;
    int slot;
    int status;
};

void model_init(struct model *model);
/* Is the slot free, with nothing named after it? */
bool model_is_unused(const struct model *model, int slot);
/* Does the operation at this moment. False: it would sleep (wait), or cannot happen now (a fork by
 * one who is about to be killed); then nothing changed. */
bool model_do(struct model *model, const struct model_operation *operation,
              struct model_result *result);
/* --- model_jobs.c, for model.c --- */
void model_jobs_init(struct model *model);
/* Which errno a birth into that job has, for a process of that other job; 0: none. */
int model_job_check_birth(const struct model *model, int own, int job);
void model_job_enter(struct model *model, int job);
void model_job_leave(struct model *model, int job);
int model_job_create(struct model *model, const struct model_operation *operation);
int model_job_adopt(struct model *model, const struct model_operation *operation);
int model_job_kill(struct model *model, int job);
/* Is nobody in it, nor any job below it? Then its slot can be used anew. */
bool model_job_is_over(const struct model *model, int job);

/* The two steps of a death: it is nobody's reaper any more; it is a zombie. */
void model_begin_exit(struct model *model, int slot, uint8_t status);
void model_finish_exit(struct model *model, int slot);
