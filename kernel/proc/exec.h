/*
 * Programs: execve(2). What a file is, and how its bytes are reached, comes from the floor above
 * through struct executable; proc only parses and maps.
 */
#pragma once

#include <stdint.h>

#include "lib/refcount.h"
#include "mm/address_space.h"
#include "sched/thread.h"

struct executable;
struct process;

struct executable_operations {
    /* Bytes read, 0 at the end, -errno. May sleep. */
    int64_t (*read)(struct executable *executable, void *buffer, size_t size, uint64_t offset);
    /* What is mapped: a borrowed pointer, valid as long as the executable. */
    struct mapping_source *(*source)(struct executable *executable);
    /* Opens the interpreter of a #! script: -ENOENT -EACCES -ENOMEM ... */
    int (*open_interpreter)(const char *path, struct executable **interpreter);
    /* The last reference is gone. */
    void (*release)(struct executable *executable);
};

struct executable {
    struct refcount refs;
    const struct executable_operations *operations;
    char name[THREAD_NAME_SIZE]; /* last component: becomes comm */
    uint64_t size;
    /* Set-user-ID and set-group-ID: the ids to take, or -1. */
    int64_t set_uid, set_gid;
};

void executable_get(struct executable *executable);
void executable_put(struct executable *executable);
/* A process that exits no longer keeps its program busy. */
void exec_drop_executable(struct process *process);

/* However large the stack limit is: as Linux's three quarters of 8 MiB. */
#define EXEC_STRINGS_MAX (6ul << 20)

/*
 * argv and envp as exec carries them from the old image to the new one: NUL-terminated strings, one
 * after the other, in kernel pages; at most a quarter of RLIMIT_STACK as in Linux. All of argv is
 * added before envp; the adder keeps the two counts.
 */
struct exec_strings {
    physical_t *frames; /* growing array */
    size_t frame_count;
    size_t bytes;
    uint32_t argument_count;
    uint32_t environment_count;
};
void exec_strings_init(struct exec_strings *strings);
void exec_strings_destroy(struct exec_strings *strings);
/* -E2BIG -ENOMEM, and -EFAULT for a user address. */
int exec_strings_add_user(struct exec_strings *strings, uintptr_t string);
int exec_strings_add(struct exec_strings *strings, const char *string);
/* Adds all of `source` but its first string, and its counts less that one. */
int exec_strings_add_rest(struct exec_strings *strings, const struct exec_strings *source);
/* The byte at an offset < bytes. */
char *exec_strings_at(const struct exec_strings *strings, size_t offset);

/*
 * Replaces the current process's image. `path` is what AT_EXECFN shows. On success the thread's
 * user registers are those of the new image; any error leaves the caller as it was, except that an
 * error after the point of no return ends it with SIGKILL (SIGSEGV), and does not return.
 */
int process_exec(struct executable *executable, const char *path, struct exec_strings *strings);
