/* The states of a thread and who may follow whom: see README.md. Private to kernel/sched. */
#pragma once

#include "sched/thread.h"

/* Panics if the table does not allow it. Under the lock of the thread's run queue, except from NEW. */
void thread_set_state(struct thread *thread, enum thread_state state);
const char *thread_state_name(enum thread_state state);
