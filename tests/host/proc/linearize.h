/*
 * Does what several processes did at once agree with the model, in some order? Calls overlap,
 * deaths take their time; the kernel is right if its answers, and the family as it stands
 * afterwards, are those of the same steps one after another.
 */
#pragma once

#include "model.h"

#define STEPS_MAX (MODEL_SLOTS + 4)

enum step_outcome {
    STEP_ANSWERED, /* the result is known: it must be the model's */
    STEP_SLEEPS,   /* a wait that has not ended: the model must say so too */
    STEP_UNKNOWN,  /* its issuer died before it could tell: it happened, or not */
};

struct step {
    struct model_operation operation;
    enum step_outcome outcome;
    struct model_result result;
};

/* The family as the kernel shows it once all is quiet. */
struct snapshot {
    struct {
        bool exists, is_zombie;
        int8_t parent, group, session;
        uint8_t place;  /* of a zombie, in its parent's list */
        uint8_t status; /* of a zombie */
        int8_t job;     /* of a member */
    } processes[MODEL_SLOTS];
    struct {
        uint8_t state; /* enum model_job_state */
        uint16_t entered, exited;
    } jobs[MODEL_JOBS];
};

/* Finds an order and brings the model up to date with it. */
bool linearize(struct model *model, const struct step *steps, unsigned count,
               const struct snapshot *after);
