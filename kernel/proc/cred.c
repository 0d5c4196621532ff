/* Credentials. A process's pointer changes under family_lock; what it points to never does. */
#include "proc/cred.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/account.h"
#include "proc/process.h"

static SLAB_CACHE(credentials_cache, struct credentials);

const struct credentials *current_credentials(void)
{
    return current_process()->credentials;
}

struct credentials *credentials_of(struct process *process)
{
    struct credentials *credentials;

    spin_lock(&family_lock);
    credentials = process->credentials;
    credentials_get(credentials);
    spin_unlock(&family_lock);
    return credentials;
}

void credentials_get(struct credentials *credentials)
{
    refcount_get(&credentials->refs);
}

void credentials_put(struct credentials *credentials)
{
    if (!refcount_put(&credentials->refs))
        return;
    account_put(credentials->account);
    slab_free(&credentials_cache, credentials);
}

struct credentials *credentials_create_root(void)
{
    struct credentials *credentials = slab_alloc(&credentials_cache);

    if (!credentials)
        return NULL;
    refcount_init(&credentials->refs);
    credentials->account = account_find(0);
    if (credentials->account)
        return credentials;
    slab_free(&credentials_cache, credentials);
    return NULL;
}

bool credentials_is_privileged(const struct credentials *credentials)
{
    return credentials->user.effective == 0;
}

bool credentials_in_group(const struct credentials *credentials, uint32_t gid)
{
    uint32_t low = 0;
    uint32_t high = credentials->group_count;

    if (gid == credentials->group.file_system)
        return true;
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (credentials->groups[middle] == gid)
            return true;
        if (credentials->groups[middle] < gid)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* A private copy of the current process's credentials, to be changed and installed. */
static struct credentials *copy_current(void)
{
    struct credentials *copy = slab_alloc(&credentials_cache);

    if (!copy)
        return NULL;
    *copy = *current_credentials();
    refcount_init(&copy->refs);
    account_get(copy->account);
    return copy;
}

static struct id_set *ids_of(struct credentials *credentials, enum id_kind kind)
{
    return kind == ID_USER ? &credentials->user : &credentials->group;
}

/* The account follows the real uid. -ENOMEM */
static int move_account(struct credentials *credentials)
{
    struct user_account *account;

    if (credentials->user.real == credentials->account->uid)
        return 0;
    account = account_find(credentials->user.real);
    if (!account)
        return -ENOMEM;
    account_put(credentials->account);
    credentials->account = account;
    return 0;
}

void credentials_install(struct credentials *credentials)
{
    struct process *process = current_process();
    struct credentials *old = process->credentials;

    if (credentials->account != old->account) {
        account_force_add_process(credentials->account);
        account_remove_process(old->account);
        signals_change_account(process, credentials->account);
    }
    spin_lock(&family_lock);
    process->credentials = credentials;
    if (credentials->user.effective != old->user.effective ||
        credentials->group.effective != old->group.effective) {
        process->dumpable = false;
        process->parent_death_signal = 0;
    }
    spin_unlock(&family_lock);
    credentials_put(old);
}

/* Installs a changed copy, or throws it away if the change was not allowed. */
static int finish(struct credentials *copy, int error)
{
    if (error == 0)
        error = move_account(copy);
    if (error == 0)
        credentials_install(copy);
    else
        credentials_put(copy);
    return error;
}

static bool is_among(uint32_t id, const struct id_set *ids, bool saved_too)
{
    return id == ID_KEEP || id == ids->real || id == ids->effective ||
           (saved_too && id == ids->saved);
}

int credentials_set_id(enum id_kind kind, uint32_t id)
{
    struct credentials *copy = copy_current();
    struct id_set *ids;
    int error = 0;

    if (!copy)
        return -ENOMEM;
    ids = ids_of(copy, kind);
    if (id == ID_KEEP)
        error = -EINVAL;
    else if (credentials_is_privileged(copy))
        ids->real = ids->saved = id;
    else if (id != ids->real && id != ids->saved)
        error = -EPERM;
    ids->effective = ids->file_system = id;
    return finish(copy, error);
}

int credentials_set_real_effective(enum id_kind kind, uint32_t real, uint32_t effective)
{
    struct credentials *copy = copy_current();
    struct id_set *ids;
    struct id_set old;
    int error = 0;

    if (!copy)
        return -ENOMEM;
    ids = ids_of(copy, kind);
    old = *ids;
    if (!credentials_is_privileged(copy) &&
        (!is_among(real, &old, false) || !is_among(effective, &old, true)))
        error = -EPERM;
    if (real != ID_KEEP)
        ids->real = real;
    if (effective != ID_KEEP)
        ids->effective = effective;
    if (real != ID_KEEP || (effective != ID_KEEP && effective != old.real))
        ids->saved = ids->effective;
    ids->file_system = ids->effective;
    return finish(copy, error);
}

int credentials_set_all(enum id_kind kind, uint32_t real, uint32_t effective, uint32_t saved)
{
    struct credentials *copy = copy_current();
    struct id_set *ids;
    int error = 0;

    if (!copy)
        return -ENOMEM;
    ids = ids_of(copy, kind);
    if (!credentials_is_privileged(copy) &&
        (!is_among(real, ids, true) || !is_among(effective, ids, true) ||
         !is_among(saved, ids, true)))
        error = -EPERM;
    if (real != ID_KEEP)
        ids->real = real;
    if (effective != ID_KEEP)
        ids->effective = effective;
    if (saved != ID_KEEP)
        ids->saved = saved;
    ids->file_system = ids->effective;
    return finish(copy, error);
}

uint32_t credentials_set_file_system_id(enum id_kind kind, uint32_t id)
{
    struct credentials *copy = copy_current();
    struct id_set *ids;
    uint32_t old;

    if (!copy)
        return ids_of(current_process()->credentials, kind)->file_system;
    ids = ids_of(copy, kind);
    old = ids->file_system;
    if (id == ID_KEEP ||
        (!credentials_is_privileged(copy) && id != old && !is_among(id, ids, true))) {
        credentials_put(copy);
        return old;
    }
    ids->file_system = id;
    credentials_install(copy);
    return old;
}

int credentials_set_groups(const uint32_t *groups, uint32_t count)
{
    struct credentials *copy;

    if (!credentials_is_privileged(current_credentials()))
        return -EPERM;
    if (count > CREDENTIALS_GROUPS_MAX)
        return -EINVAL;
    copy = copy_current();
    if (!copy)
        return -ENOMEM;
    copy->group_count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;

        for (; at > 0 && copy->groups[at - 1] > groups[i]; at--)
            copy->groups[at] = copy->groups[at - 1];
        copy->groups[at] = groups[i];
    }
    credentials_install(copy);
    return 0;
}

int credentials_prepare_exec(int64_t set_uid, int64_t set_gid, struct credentials **prepared)
{
    struct credentials *copy = copy_current();

    if (!copy)
        return -ENOMEM;
    if (set_uid >= 0)
        copy->user.effective = (uint32_t)set_uid;
    if (set_gid >= 0)
        copy->group.effective = (uint32_t)set_gid;
    copy->user.saved = copy->user.file_system = copy->user.effective;
    copy->group.saved = copy->group.file_system = copy->group.effective;
    *prepared = copy;
    return 0;
}
