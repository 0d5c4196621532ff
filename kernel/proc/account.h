/* What a user has in all processes together: RLIMIT_NPROC and RLIMIT_SIGPENDING count by real uid.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "lib/list.h"
#include "lib/refcount.h"

struct user_account {
    struct refcount refs;
    uint32_t uid;
    _Atomic uint32_t processes;      /* linked or being forked, zombies included */
    _Atomic uint32_t queued_signals; /* for the signal queues */
    struct list link;                /* (account lock) */
};

/* The account of a uid, made if there is none; NULL if memory is short. One reference. */
struct user_account *account_find(uint32_t uid) MUST_CHECK;
void account_get(struct user_account *account);
void account_put(struct user_account *account);

/* False, and nothing counted, if there would be more than `limit`. */
bool account_add_process(struct user_account *account, uint64_t limit) MUST_CHECK;
/* setuid(2): the process exists already, so its new user's limit does not refuse it. */
void account_force_add_process(struct user_account *account);
void account_remove_process(struct user_account *account);
