/* All registered resources at once: for fork.c, exec.c and exit.c. Contracts as in resource.h. */
#pragma once

#include <stdint.h>

struct process;

int process_resources_fork(struct process *parent, struct process *child, uint64_t clone_flags);
void process_resources_exec(struct process *process);
void process_resources_exit(struct process *process);
