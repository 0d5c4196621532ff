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

#define MODEL_SLOTS  20
#define MODEL_INIT   0
#define MODEL_NOBODY (-1)

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
    uint16_t unused;       /* no padding: models are compared as bytes */
};

struct model {
    struct model_process processes[MODEL_SLOTS];
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
    MODEL_OPERATION_COUNT
};

enum model_selector { SELECT_ANY, SELECT_PROCESS, SELECT_OWN_GROUP, SELECT_GROUP };

struct model_operation {
    enum model_operation_kind kind;
    int issuer;
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
/* The two steps of a death: it is nobody's reaper any more; it is a zombie. */
void model_begin_exit(struct model *model, int slot, uint8_t status);
void model_finish_exit(struct model *model, int slot);
