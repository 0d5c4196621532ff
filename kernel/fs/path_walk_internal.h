/* The state of a path walk, and its single steps. For path_walk*.c only. */
#pragma once

#include "fs/path_walk.h"

struct walker {
    struct path *root;    /* reference; NULL until it is needed */
    struct path *current; /* reference: where the walk is; a directory, but possibly at the end */
    const char *rest;     /* text still to go */
    const struct credentials *who;
    unsigned flags;
    unsigned links; /* followed so far */
    unsigned depth;
    struct {
        const char *rest; /* where to go on after a link */
        char *text;       /* owned */
    } stack[SYMLINKS_MAX];
    char *link_text; /* owned: what `rest` points into, or NULL for the caller's text */
};

/* One name in the text. */
struct component {
    const char *name;
    size_t length;
    uint32_t hash;
    enum name_kind kind;
    bool slash; /* one or more came after it */
};

/* Takes the next name off the text. False at its end. */
bool walker_next_component(struct walker *walker, struct component *component);
/* Goes on after a link's text that has come to its end. */
void walker_restore_rest(struct walker *walker);

/* Takes over the reference: the walk is there now. */
void walker_move_to(struct walker *walker, struct path *path);
/* The caller's root; the walker's reference. */
struct path *walker_root(struct walker *walker);
/* The current place must be a directory that the caller may search. */
int walker_check_search(const struct walker *walker);
/* A reference to the child of that name; *error tells why there is none. May sleep. */
struct path *walker_look_up(struct path *directory, const struct component *component, int *error);
/* Moves to the object that a link leads to, or makes its text the next to be walked. May sleep. */
int walker_follow(struct walker *walker, struct path *link);
