/*
 * Credentials: who a process is (credentials(7)). A struct credentials never changes once a process
 * uses it; the set*id calls install a changed copy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "lib/refcount.h"

/* As Linux's NGROUPS_MAX would allow far more; nobody who boots Kin has more groups than this. */
#define CREDENTIALS_GROUPS_MAX 64
#define ID_KEEP                UINT32_MAX /* -1 of setreuid(2) and its kin */

/* The four ids that a process has as a user, and again as a group. */
struct id_set {
    uint32_t real, effective, saved, file_system;
};

struct credentials {
    struct refcount refs;
    struct id_set user;
    struct id_set group;
    uint32_t group_count;
    uint32_t groups[CREDENTIALS_GROUPS_MAX]; /* supplementary, rising */
    struct user_account *account;            /* reference: of user.real */
};

struct process;

/* The caller's, valid as long as it does not change them itself. */
const struct credentials *current_credentials(void);
/* Another process's, with a reference. */
struct credentials *credentials_of(struct process *process) MUST_CHECK;
void credentials_get(struct credentials *credentials);
void credentials_put(struct credentials *credentials);
/* Root, without supplementary groups: pid 1's. NULL if memory is short. */
struct credentials *credentials_create_root(void) MUST_CHECK;

/* Effective uid 0: what Linux asks of CAP_KILL, CAP_SYS_RESOURCE and so on. */
bool credentials_is_privileged(const struct credentials *credentials);
/* Is gid the file-system gid or among the supplementary groups? */
bool credentials_in_group(const struct credentials *credentials, uint32_t gid);

/* Which of the two id sets a call is about. */
enum id_kind { ID_USER, ID_GROUP };

/* setuid(2) setreuid(2) setresuid(2) and the same for groups, for the current process; ID_KEEP
 * leaves an id alone. 0, -EPERM, -ENOMEM; nothing is changed on an error. */
int credentials_set_id(enum id_kind kind, uint32_t id);
int credentials_set_real_effective(enum id_kind kind, uint32_t real, uint32_t effective);
int credentials_set_all(enum id_kind kind, uint32_t real, uint32_t effective, uint32_t saved);
/* setfsuid(2): returns the old file-system id, whatever happened. */
uint32_t credentials_set_file_system_id(enum id_kind kind, uint32_t id);
/* setgroups(2): takes `count` ids in any order. -EPERM -EINVAL -ENOMEM */
int credentials_set_groups(const uint32_t *groups, uint32_t count);
/* exec of a set-user-ID or set-group-ID file: -1 keeps. The saved ids become the effective ones in
 * any case. -ENOMEM. Prepared before, installed after the point of no return. */
int credentials_prepare_exec(int64_t set_uid, int64_t set_gid, struct credentials **prepared);
void credentials_install(struct credentials *credentials);
