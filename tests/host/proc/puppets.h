/*
 * The family against its model: puppets that do what a controller tells them, several at a time on
 * several CPUs (family_model.c). Shared by what commands them and what judges them.
 *
 * No locks: the controller writes while a puppet waits, a puppet while the controller does.
 */
#pragma once

#include "linearize.h"
#include "proc/job.h"
#include "sched/wait.h"
#include "system.h"

struct puppet {
    int pid;
    struct wait_queue queue; /* it waits for commands */
    bool has_command;
    bool is_busy;
    bool has_answered;
    struct model_operation operation;
    struct model_result result;
};

extern struct puppet puppets[MODEL_SLOTS];
extern struct job *puppet_jobs[MODEL_JOBS]; /* references, but for the root job */
extern struct model family;                 /* as of the last batch that was judged */
extern bool puppets_finish;                 /* their programs are to end */

/* --- puppets.c --- */
void puppet_program(uintptr_t slot);
/* Prepares a slot for a process that is to be born; 1 for init. */
void puppet_reset(int slot, int pid);
/* The slot of a pid or a job; MODEL_NOBODY if it has none. */
int puppet_slot_of(int pid);
int8_t puppet_slot_of_job(const struct job *job);
/* wait4's encoding in the model's byte. */
uint8_t puppet_status(int status);

/* --- puppet_choice.c --- */
/* A puppet that waits for a command, or MODEL_NOBODY. */
int puppet_any_idle(void);
/* An operation for it; false if the one that was drawn cannot be done now. */
bool puppet_choose(int issuer, bool is_alone, struct model_operation *operation);

/* --- puppet_judge.c --- */
/* All is quiet: compares, and brings the model up to date. */
void puppets_judge(void);
