/* Accounts of users: a hash by uid under its own lock; the counts are atomic. */
#include "proc/account.h"

#include "lib/assert.h"
#include "mm/slab.h"
#include "sched/spinlock.h"

#define BUCKET_COUNT 64

static SLAB_CACHE(account_cache, struct user_account);
static struct spinlock account_lock = SPINLOCK_INITIALIZER(LOCK_RANK_ACCOUNT);
static struct list buckets[BUCKET_COUNT] GUARDED_BY(account_lock);

static struct list *bucket_locked(uint32_t uid) REQUIRES(account_lock);
static struct list *bucket_locked(uint32_t uid)
{
    struct list *bucket = &buckets[uid % BUCKET_COUNT];

    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

/* Takes a reference. An account whose last reference is going away is not found. */
static struct user_account *find_locked(uint32_t uid) REQUIRES(account_lock);
static struct user_account *find_locked(uint32_t uid)
{
    struct list *bucket = bucket_locked(uid);
    struct user_account *account;

    list_for_each (account, bucket, link)
        if (account->uid == uid && refcount_get_unless_zero(&account->refs))
            return account;
    return NULL;
}

struct user_account *account_find(uint32_t uid)
{
    struct user_account *fresh = slab_alloc(&account_cache);
    struct user_account *account;

    spin_lock(&account_lock);
    account = find_locked(uid);
    if (!account && fresh) {
        account = fresh;
        fresh = NULL;
        refcount_init(&account->refs);
        account->uid = uid;
        list_push_back(bucket_locked(uid), &account->link);
    }
    spin_unlock(&account_lock);
    if (fresh)
        slab_free(&account_cache, fresh);
    return account;
}

void account_get(struct user_account *account)
{
    refcount_get(&account->refs);
}

void account_put(struct user_account *account)
{
    if (!refcount_put(&account->refs))
        return;
    assert(account->processes == 0 && account->queued_signals == 0);
    spin_lock(&account_lock);
    list_remove(&account->link);
    spin_unlock(&account_lock);
    slab_free(&account_cache, account);
}

bool account_add_process(struct user_account *account, uint64_t limit)
{
    uint32_t before = atomic_fetch_add_explicit(&account->processes, 1, memory_order_relaxed);

    if (before < limit)
        return true;
    account_remove_process(account);
    return false;
}

void account_force_add_process(struct user_account *account)
{
    atomic_fetch_add_explicit(&account->processes, 1, memory_order_relaxed);
}

void account_remove_process(struct user_account *account)
{
    uint32_t before = atomic_fetch_sub_explicit(&account->processes, 1, memory_order_relaxed);

    assert(before != 0);
}
