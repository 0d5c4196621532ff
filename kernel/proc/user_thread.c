/* User threads: what runs in a process. The record lives until the CPU that ran it last has left
 * it. */
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user_copy.h"
#include "proc/futex.h"
#include "proc/process.h"
#include "proc/process_create.h"

static SLAB_CACHE(user_thread_cache, struct user_thread);

/* By the CPU that left the thread for good. */
static void release_user_thread(struct thread *thread)
{
    struct user_thread *user_thread = container_of(thread, struct user_thread, thread);

    process_put(user_thread->process);
    pid_put(user_thread->tid);
    slab_free(&user_thread_cache, user_thread);
}

struct user_thread *user_thread_create(struct process *process, const char *name,
                                       void (*entry)(void *))
{
    struct user_thread *thread = slab_alloc(&user_thread_cache);

    if (!thread)
        return NULL;
    if (thread_init(&thread->thread, name, entry, thread, true, release_user_thread) != 0) {
        slab_free(&user_thread_cache, thread);
        return NULL;
    }
    thread->process = process;
    process_get(process);
    thread->tid = process->pid;
    pid_get(process->pid);
    list_init(&thread->process_link);
    return thread;
}

void user_thread_abandon(struct user_thread *thread)
{
    thread_abandon(&thread->thread);
    release_user_thread(&thread->thread);
}

void user_thread_clear_child_tid(struct user_thread *thread)
{
    pid_number none = 0;

    /* Only if others still see this memory; a bad address is theirs to wonder about. */
    if (thread->clear_child_tid && address_space_is_shared(thread->thread.space)) {
        (void)copy_to_user_partial(thread->clear_child_tid, &none, sizeof(none));
        (void)futex_wake(thread->clear_child_tid, 1, UINT32_MAX, false);
    }
    thread->clear_child_tid = 0;
}

void user_thread_set_name(struct user_thread *thread, const char *name)
{
    size_t length = strlen(name);

    if (length > THREAD_NAME_SIZE - 1)
        length = THREAD_NAME_SIZE - 1;
    memset(thread->thread.name, 0, THREAD_NAME_SIZE);
    memcpy(thread->thread.name, name, length);
}
