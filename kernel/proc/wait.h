/*
 * Waiting: wait4(2), waitid(2), in two steps, so that a status whose copy to the waiter fails is
 * not lost: process_wait() claims one piece of news, process_wait_finish() consumes it or puts it
 * back.
 */
#pragma once

#include "proc/process.h"

enum wait_kind {
    WAIT_ANY,
    WAIT_PROCESS, /* by number, or by pidfd */
    WAIT_GROUP,
};

struct wait_request {
    enum wait_kind kind;
    struct pid *pid; /* borrowed: the process or group; unused for WAIT_ANY; NULL: a number that
                        names nothing */
    int options;     /* WNOHANG WSTOPPED WCONTINUED WEXITED WNOWAIT __WALL __WCLONE __WNOTHREAD */
};

struct wait_result {
    struct process *child; /* claimed, with a reference; NULL: WNOHANG and no news */
    pid_number pid;
    uint32_t uid;
    int code;                  /* CLD_EXITED CLD_KILLED CLD_STOPPED CLD_CONTINUED */
    int status;                /* wait4's encoding */
    struct usage_totals usage; /* the child and what it waited for */
    bool peeked;               /* WNOWAIT: nothing is claimed */
};

/* 0 with the result filled; -ECHILD (nobody to wait for), -ERESTARTSYS. May sleep; no lock held. */
int process_wait(const struct wait_request *request, struct wait_result *result);
/* Must follow a result with a child. consume: reaps the zombie, or forgets the stop or continue;
 * otherwise all is as if nobody had asked. */
void process_wait_finish(struct wait_result *result, bool consume);
