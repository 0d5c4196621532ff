/*
 * From text to a place in the tree. Every call here may sleep, and checks that the caller may search
 * the directories on the way: -ENOENT -ENOTDIR -EACCES -ELOOP -ENAMETOOLONG -ENOMEM, and -EBADF for a
 * bad directory descriptor.
 */
#pragma once

#include "fs/path.h"

enum {
    WALK_FOLLOW = 1 << 0,     /* a symbolic link at the end is followed */
    WALK_EMPTY = 1 << 1,      /* AT_EMPTY_PATH: "" is the directory descriptor's own file */
    WALK_REAL_IDS = 1 << 2,   /* access(2): judged by the real ids */
    WALK_NO_LINKS = 1 << 3,   /* RESOLVE_NO_SYMLINKS */
    WALK_MAY_MISS = 1 << 4,   /* the last name need not exist: for creation */
};

enum name_kind { NAME_NORMAL, NAME_DOT, NAME_DOT_DOT, NAME_ROOT };

/* Where a walk ended. */
struct path_walk {
    struct path *parent; /* reference: the directory that has the last name */
    struct path *target; /* reference, or NULL: no such name (WALK_MAY_MISS) */
    const char *name;    /* the last name, not ended with NUL; valid until path_walk_end() */
    size_t name_length;
    enum name_kind kind;
    bool trailing_slash; /* only a directory will do */
    /* The walk's own. */
    char *link_text;
};

/* `directory` is a descriptor or AT_FDCWD. Only after success must path_walk_end() follow. */
int path_walk(struct path_walk *walk, int directory, const char *name,
              unsigned flags) MUST_CHECK;
void path_walk_end(struct path_walk *walk);

/* A reference to what exists under that name. A trailing slash asks for a directory. */
int path_lookup(int directory, const char *name, unsigned flags, struct path **found) MUST_CHECK;

/* A name from user space: short ones stay on the stack. */
struct user_name {
    const char *text;
    physical_t frame; /* 0, or where a long one is */
    char buffer[128];
};
/* -EFAULT -ENAMETOOLONG -ENOMEM. Only after success must user_name_put() follow. */
int user_name_get(struct user_name *name, uintptr_t address) MUST_CHECK;
void user_name_put(struct user_name *name);
