/* The state machine of a process. state.c is the only writer of process->state. */
#pragma once

#include "proc/process.h"

/* Panics if the transition is not one of those listed in state.c. */
void process_set_state(struct process *process, enum process_state state) REQUIRES(family_lock);
const char *process_state_name(enum process_state state);
