/* The states of a thread and who may follow whom: see README.md. Private to kernel/sched. */
#pragma once

#include "sched/thread.h"

/* By state: bit n is set if it may become state n. */
extern const uint8_t thread_state_successors[THREAD_STATE_COUNT];

const char *thread_state_name(enum thread_state state);
_Noreturn COLD void thread_state_refuse(const struct thread *thread, enum thread_state state);

/* The only writer of thread->state: panics if the table does not allow it. Under the lock of the
 * thread's run queue, except from NEW. */
static inline void thread_set_state(struct thread *thread, enum thread_state state)
{
    if (unlikely(!(thread_state_successors[thread->state] & (1u << state))))
        thread_state_refuse(thread, state);
    thread->state = state;
}
