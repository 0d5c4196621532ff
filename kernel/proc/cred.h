/*
 * Credentials: who a process is (credentials(7)). A struct credentials never changes once a process
 * uses it; the set*id calls install a changed copy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/refcount.h"

#define CREDENTIALS_GROUPS_MAX 64

struct credentials {
    struct refcount refs;
    uint32_t uid, effective_uid, saved_uid, file_system_uid;
    uint32_t gid, effective_gid, saved_gid, file_system_gid;
    uint32_t group_count;
    uint32_t groups[CREDENTIALS_GROUPS_MAX]; /* supplementary, sorted */
    struct user_account *account;            /* of `uid`: the process count for RLIMIT_NPROC */
};

struct process;

/* The caller's, valid as long as it does not change them itself. */
const struct credentials *current_credentials(void);
/* Another process's, with a reference. */
struct credentials *credentials_of(struct process *process) MUST_CHECK;
void credentials_get(struct credentials *credentials);
void credentials_put(struct credentials *credentials);

/* Effective uid 0: what Linux asks of CAP_KILL, CAP_SYS_RESOURCE and so on. */
bool credentials_is_privileged(const struct credentials *credentials);
/* Is gid the file-system gid or among the supplementary groups? */
bool credentials_in_group(const struct credentials *credentials, uint32_t gid);
