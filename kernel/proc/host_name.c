/* The names of the machine: see host_name.h. One lock guards both. */
#include "proc/host_name.h"

#include "lib/string.h"
#include "sched/spinlock.h"

static struct spinlock name_lock = SPINLOCK_INITIALIZER(LOCK_RANK_ACCOUNT);
static char names[HOST_NAME_COUNT][HOST_NAME_MAX + 1] GUARDED_BY(name_lock) = {
    [HOST_NAME] = "kin",
    [HOST_DOMAIN] = "(none)",
};

void host_name_get(enum host_name_kind kind, char name[HOST_NAME_MAX + 1])
{
    spin_lock(&name_lock);
    memcpy(name, names[kind], HOST_NAME_MAX + 1);
    spin_unlock(&name_lock);
}

void host_name_set(enum host_name_kind kind, const char *name, size_t length)
{
    spin_lock(&name_lock);
    memset(names[kind], 0, sizeof(names[kind]));
    memcpy(names[kind], name, length);
    spin_unlock(&name_lock);
}
