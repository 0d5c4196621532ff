/* The state machine of a process: every legal transition, and who makes it. */
#include "proc/state.h"

#include "lib/assert.h"

#define TO(state) (1u << (state))

static const uint8_t legal[PROCESS_STATE_COUNT] = {
    /* fork's commit links it; fork's undo destroys it without ever showing it. */
    [PROCESS_NEW] = TO(PROCESS_ALIVE),
    /* its last thread enters process_exit(). */
    [PROCESS_ALIVE] = TO(PROCESS_EXITING),
    /* exit's last stage: a parent waits for it, or nobody does. */
    [PROCESS_EXITING] = TO(PROCESS_ZOMBIE) | TO(PROCESS_DEAD),
    /* wait's commit, or inheritance by a parent who ignores SIGCHLD. */
    [PROCESS_ZOMBIE] = TO(PROCESS_DEAD),
    [PROCESS_DEAD] = 0,
};

static const char *const names[PROCESS_STATE_COUNT] = {
    [PROCESS_NEW] = "new",       [PROCESS_ALIVE] = "alive", [PROCESS_EXITING] = "exiting",
    [PROCESS_ZOMBIE] = "zombie", [PROCESS_DEAD] = "dead",
};

const char *process_state_name(enum process_state state)
{
    return (unsigned)state < PROCESS_STATE_COUNT ? names[state] : "invalid";
}

void process_set_state(struct process *process, enum process_state state)
{
    spin_assert_held(&family_lock);
    if (!(legal[process->state] & TO(state)))
        panic("process %d: illegal transition from %s to %s", process_number(process),
              process_state_name(process->state), process_state_name(state));
    process->state = state;
}
