/*
 * Where a process is in the tree: root, working directory, umask. See struct path_context. The one
 * thread of an unshared context reads without the lock: others only look at it, never change it.
 */
#include <linux/sched.h>

#include "fs/inode.h"
#include "fs/path.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/process.h"
#include "proc/resource.h"

#define DEFAULT_UMASK 022

static SLAB_CACHE(path_context_cache, struct path_context);

static struct path_context *context_create(struct path *root, struct path *working, uint32_t umask)
{
    struct path_context *context = slab_alloc(&path_context_cache);

    if (!context)
        return NULL;
    refcount_init(&context->refs);
    spin_init(&context->lock, LOCK_RANK_FILE_TABLE);
    path_get(root);
    path_get(working);
    context->root = root;
    context->working = working;
    atomic_init(&context->umask, umask);
    return context;
}

static void context_put(struct path_context *context)
{
    if (!context || !refcount_put(&context->refs))
        return;
    path_put(context->root);
    path_put(context->working);
    slab_free(&path_context_cache, context);
}

/* NULL in kernel threads. */
static struct path_context *own_context(void)
{
    const struct thread *thread = current_thread();

    return thread && thread->is_user ? current_process()->paths : NULL;
}

static struct path *get_field(struct path_context *context, struct path *const *field)
{
    struct path *path;

    if (refcount_read(&context->refs) == 1 && current_process()->thread_count == 1) {
        path_get(*field);
        return *field;
    }
    spin_lock(&context->lock);
    path = *field;
    path_get(path);
    spin_unlock(&context->lock);
    return path;
}

static void set_field(struct path_context *context, struct path **field, struct path *path)
{
    spin_lock(&context->lock);
    struct path *old = *field;

    *field = path;
    spin_unlock(&context->lock);
    path_put(old);
}

struct path *path_root(void)
{
    struct path_context *context = own_context();

    if (context)
        return get_field(context, &context->root);
    path_get(root_path);
    return root_path;
}

struct path *path_working_directory(void)
{
    struct path_context *context = own_context();

    if (context)
        return get_field(context, &context->working);
    path_get(root_path);
    return root_path;
}

void path_set_root(struct path *root)
{
    struct path_context *context = own_context();

    set_field(context, &context->root, root);
}

void path_set_working_directory(struct path *directory)
{
    struct path_context *context = own_context();

    set_field(context, &context->working, directory);
}

uint32_t path_umask(void)
{
    struct path_context *context = own_context();

    return context ? context->umask : 0;
}

uint32_t path_set_umask(uint32_t mask)
{
    return atomic_exchange(&own_context()->umask, mask & 0777);
}

/* --- Other processes --- */

static struct path_context *context_of(struct process *process)
{
    spin_lock(&family_lock);
    struct path_context *context = process->paths;

    if (context)
        refcount_get(&context->refs);
    spin_unlock(&family_lock);
    return context;
}

static struct path *field_of(struct process *process, size_t offset)
{
    struct path_context *context = context_of(process);
    struct path *path = NULL;

    if (!context)
        return NULL;
    spin_lock(&context->lock);
    path = *(struct path **)((char *)context + offset);
    path_get(path);
    spin_unlock(&context->lock);
    context_put(context);
    return path;
}

struct path *path_root_of(struct process *process)
{
    return field_of(process, offsetof(struct path_context, root));
}

struct path *path_working_directory_of(struct process *process)
{
    return field_of(process, offsetof(struct path_context, working));
}

uint32_t path_umask_of(struct process *process)
{
    struct path_context *context = context_of(process);
    uint32_t mask = context ? context->umask : 0;

    context_put(context);
    return mask;
}

/* --- What processes do with it --- */

static int context_fork(struct process *parent, struct process *child, uint64_t clone_flags)
{
    struct path_context *from = parent ? parent->paths : NULL;

    if (from && (clone_flags & CLONE_FS)) {
        refcount_get(&from->refs);
        child->paths = from;
    } else if (from) {
        spin_lock(&from->lock);
        child->paths = context_create(from->root, from->working, from->umask);
        spin_unlock(&from->lock);
    } else {
        child->paths = context_create(root_path, root_path, DEFAULT_UMASK);
    }
    return child->paths ? 0 : -ENOMEM;
}

static void context_exit(struct process *process)
{
    spin_lock(&family_lock);
    struct path_context *context = process->paths;

    process->paths = NULL;
    spin_unlock(&family_lock);
    context_put(context);
}

static struct process_resource path_resource = {
    .fork = context_fork,
    .exit = context_exit,
};

void path_context_register(void)
{
    process_resource_register(&path_resource);
}
