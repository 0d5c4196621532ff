/*
 * From text to a place in the tree. Every call here may sleep, and checks that the caller may
 * search the directories on the way: -ENOENT -ENOTDIR -EACCES -ELOOP -ENAMETOOLONG -ENOMEM, and
 * -EBADF for a bad directory descriptor.
 */
#pragma once

#include "fs/path.h"

struct credentials;

enum {
    WALK_FOLLOW = 1 << 0,   /* a symbolic link at the end is followed */
    WALK_EMPTY = 1 << 1,    /* AT_EMPTY_PATH: "" is the directory descriptor's own file */
    WALK_NO_LINKS = 1 << 2, /* RESOLVE_NO_SYMLINKS */
    WALK_MAY_MISS = 1 << 3, /* the last name need not exist; a slash after it follows no link */
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
int path_walk(struct path_walk *walk, int directory, const char *name, unsigned flags) MUST_CHECK;
void path_walk_end(struct path_walk *walk);
/* The same, judged by other credentials than the caller's (access(2)); NULL: all is allowed. */
int path_walk_as(const struct credentials *who, struct path_walk *walk, int directory,
                 const char *name, unsigned flags) MUST_CHECK;

/* A reference to what exists under that name. A trailing slash asks for a directory. */
int path_lookup(int directory, const char *name, unsigned flags, struct path **found) MUST_CHECK;
int path_lookup_as(const struct credentials *who, int directory, const char *name, unsigned flags,
                   struct path **found) MUST_CHECK;
