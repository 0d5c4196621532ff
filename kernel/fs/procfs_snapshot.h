/* What stat and status of a process show of its links: taken at once, under family_lock. */
#pragma once

#include "fs/procfs_entry.h"

struct proc_snapshot {
    char name[THREAD_NAME_SIZE];
    char state; /* R S D T Z */
    pid_number number, parent, group, session;
    pid_number foreground;    /* of its terminal; -1: none */
    uint64_t terminal_device; /* 0: none */
    uint32_t thread_count;
    unsigned cpu;
    struct sched_attributes attributes;
    uint64_t affinity;
    signal_set pending, thread_pending, blocked, ignored, caught;
    uint64_t start_ns;
    int exit_signal, exit_status;
};

/* -ESRCH if the process has been reaped. */
int proc_snapshot_take(struct process *process, struct proc_snapshot *snapshot);
/* Words as status has them: "R (running)". */
const char *proc_state_word(char state);
