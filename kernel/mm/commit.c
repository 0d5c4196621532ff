/*
 * What address spaces have promised, and who pays for it. A space's account may change while it
 * commits (a process moves to another job), so both are guarded by a spinlock of the space.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/address_space.h"
#include "mm/mm.h"
#include "mm/space.h"

static _Atomic uint64_t committed_everywhere;

int space_commit(struct address_space *space, uint64_t pages)
{
    struct address_space_account *account;
    int error = 0;

    spin_lock(&space->commit_lock);
    account = space->account;
    if (account)
        error = account->charge(account, pages, space->committed_pages + pages);
    if (error == 0)
        space->committed_pages += pages;
    else
        account->get(account);
    spin_unlock(&space->commit_lock);
    if (error) {
        account->refused(account, pages);
        account->put(account);
        return error;
    }
    atomic_fetch_add_explicit(&committed_everywhere, pages, memory_order_relaxed);
    return 0;
}

int space_commit_request(struct address_space *space, uint64_t pages)
{
    return pages > frame_total_count() ? -ENOMEM : space_commit(space, pages);
}

void space_uncommit(struct address_space *space, uint64_t pages)
{
    spin_lock(&space->commit_lock);
    assert(pages <= space->committed_pages);
    if (space->account)
        space->account->uncharge(space->account, pages);
    space->committed_pages -= pages;
    spin_unlock(&space->commit_lock);
    atomic_fetch_sub_explicit(&committed_everywhere, pages, memory_order_relaxed);
}

uint64_t mm_committed_pages(void)
{
    return atomic_load_explicit(&committed_everywhere, memory_order_relaxed);
}

int address_space_set_account(struct address_space *space, struct address_space_account *account)
{
    struct address_space_account *old;
    int error = 0;

    spin_lock(&space->commit_lock);
    old = space->account;
    if (account)
        error = account->charge(account, space->committed_pages, space->committed_pages);
    if (error == 0) {
        if (account)
            account->get(account);
        if (old)
            old->uncharge(old, space->committed_pages);
        space->account = account;
    }
    spin_unlock(&space->commit_lock);
    if (error == 0 && old)
        old->put(old);
    return error;
}

void space_inherit_account(struct address_space *child, struct address_space *parent)
{
    spin_lock(&parent->commit_lock);
    child->account = parent->account;
    if (child->account)
        child->account->get(child->account);
    spin_unlock(&parent->commit_lock);
}

void space_end_commitment(struct address_space *space)
{
    space_uncommit(space, space->committed_pages);
    if (space->account)
        space->account->put(space->account);
    space->account = NULL;
}
