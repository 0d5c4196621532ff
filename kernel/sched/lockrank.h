/*
 * The order of locks: a CPU takes locks only in rising rank. Debug builds check it at every
 * acquire. Sleeping locks come first: no spinlock may be held across a sleep. Locks of equal rank
 * are never nested, except where a comment at the rank says how they are ordered.
 */
#pragma once

enum lock_rank {
    LOCK_RANK_NONE,

    /* sleeping (struct mutex) */
    LOCK_RANK_EXEC,          /* one exec or credential change of a process at a time */
    LOCK_RANK_EPOLL,         /* what all epolls watch; held while files are asked */
    LOCK_RANK_CONSOLE,       /* line discipline; held across user copies */
    LOCK_RANK_FILE_POSITION, /* f_pos of an open file */
    LOCK_RANK_RENAME,        /* at most one directory rename at a time in the tree */
    LOCK_RANK_INODE,         /* contents of a file or directory; several: parent before child */
    LOCK_RANK_PIPE,          /* held across user copies */
    LOCK_RANK_FUTEX,         /* who waits on words of user memory; held across user copies */
    LOCK_RANK_ADDRESS_SPACE, /* map of one address space; parent before its newborn in fork */

    /* spinning (struct spinlock), taken with interrupts enabled */
    LOCK_RANK_FILE_TABLE,
    LOCK_RANK_NAMES,   /* the links of all names of the tree */
    LOCK_RANK_FAMILY,  /* every link between processes */
    LOCK_RANK_PID,     /* the pid table */
    LOCK_RANK_ACCOUNT, /* the table of user accounts */
    LOCK_RANK_COMMIT,  /* who pays for an address space's promises */
    LOCK_RANK_PAGE_CACHE,

    /* spinning, taken with interrupts masked: interrupt handlers use these */
    LOCK_RANK_SIGNAL, /* signal state of one process */
    LOCK_RANK_POSIX_TIMER,
    LOCK_RANK_WAIT_QUEUE, /* a wake function may take only what ranks below here */
    LOCK_RANK_POLL,       /* which watched files have news: taken by wake functions */
    LOCK_RANK_POLL_QUEUE, /* wait queues of epolls, woken from there */
    LOCK_RANK_TIMER,
    LOCK_RANK_RUN_QUEUE, /* never two: a thread between two queues is in neither */
    LOCK_RANK_BANDWIDTH, /* one group's bandwidth */
    LOCK_RANK_KERNEL_STACK,
    LOCK_RANK_TLB,
    LOCK_RANK_SLAB,
    LOCK_RANK_FRAME,
    LOCK_RANK_DEVICE, /* one device's registers */
    LOCK_RANK_LOG,
    LOCK_RANK_COUNT
};
