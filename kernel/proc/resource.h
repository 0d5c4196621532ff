/*
 * What a process owns that higher floors implement (descriptors, working directory): they register
 * how it is inherited and given up, so that proc never calls upward.
 */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"

struct process;

struct process_resource {
    /* Gives the child its own copy or a shared reference (CLONE_FILES, CLONE_FS in clone_flags).
     * The child is private to the caller. `parent` is NULL for pid 1: a fresh one. -ENOMEM; then
     * the earlier resources' exit is called. */
    int (*fork)(struct process *parent, struct process *child, uint64_t clone_flags);
    /* exec past the point of no return: unshare, close-on-exec. May sleep; cannot fail. NULL:
     * nothing */
    void (*exec)(struct process *process);
    /* Gives it up. May sleep. Called in the exiting process, or in fork's undo path. */
    void (*exit)(struct process *process);
    struct process_resource *next;
};

/* At boot, before the first process. */
void process_resource_register(struct process_resource *resource);
