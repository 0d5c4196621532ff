/* The table of a thread's states. Constant. */
#include "sched/thread_state.h"

#define TO(state) (1u << THREAD_##state)

const uint8_t thread_state_successors[THREAD_STATE_COUNT] = {
    /* thread_start(); thread_abandon() */
    [THREAD_NEW] = TO(READY) | TO(DEAD),
    /* schedule() picks it */
    [THREAD_READY] = TO(RUNNING),
    /* schedule() takes the CPU away, or finds that it wants to sleep; thread_exit() */
    [THREAD_RUNNING] = TO(READY) | TO(SLEEPING) | TO(DEAD),
    /* thread_wake(), thread_post_work() */
    [THREAD_SLEEPING] = TO(READY),
    [THREAD_DEAD] = 0,
};

const char *thread_state_name(enum thread_state state)
{
    static const char *const names[THREAD_STATE_COUNT] = {"new", "ready", "running", "sleeping",
                                                          "dead"};

    return state < THREAD_STATE_COUNT ? names[state] : "broken";
}

void thread_state_refuse(const struct thread *thread, enum thread_state state)
{
    panic("thread %p (%s): %s cannot become %s", (const void *)thread, thread->name,
          thread_state_name(thread->state), thread_state_name(state));
}
