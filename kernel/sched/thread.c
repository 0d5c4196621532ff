/* The life of a thread, from thread_init() to the release by the CPU that left it, and its
 * accounts. */
#include "sched/thread.h"

#include "lib/string.h"
#include "mm/slab.h"
#include "sched/attributes.h"
#include "sched/placement.h"
#include "sched/switch.h"
#include "sched/thread_state.h"

/* Runs on the new thread's own stack; the CPU that switched here holds its run queue's lock. */
static void begin(void *argument)
{
    struct thread *thread = argument;

    finish_switch();
    port_irq_enable();
    thread->entry(thread->argument);
    thread_exit();
}

void thread_init_common(struct thread *thread, const char *name, struct cpu *home)
{
    thread->state = THREAD_NEW;
    thread->cpu = home;
    list_init(&thread->run_link);
    rb_node_init(&thread->fair.node);
    string_copy(thread->name, name, sizeof(thread->name));
}

int thread_init(struct thread *thread, const char *name, void (*entry)(void *), void *argument,
                bool user, void (*release)(struct thread *))
{
    struct thread *creator = current_thread();

    thread_init_common(thread, name, this_cpu());
    thread->is_user = user;
    thread->entry = entry;
    thread->argument = argument;
    thread->release = release;
    if (user && creator->is_user)
        attributes_inherit(thread, creator);
    else
        attributes_init(thread);
    return port_thread_create(thread, begin, thread, user);
}

void thread_abandon(struct thread *thread)
{
    thread_set_state(thread, THREAD_DEAD);
    port_thread_destroy(thread);
}

void thread_start(struct thread *thread)
{
    irq_state_t interrupts = port_irq_save();

    placement_send_locked(thread_lock_home(thread), thread, ENQUEUE_NEW);
    port_irq_restore(interrupts);
}

void NO_THREAD_SAFETY_ANALYSIS thread_exit(void)
{
    struct cpu *cpu;

    port_irq_disable();
    lock_check_may_sleep();
    cpu = this_cpu();
    spin_lock(&cpu->run_queue.lock);
    thread_set_state(current_thread(), THREAD_DEAD);
    schedule_locked(cpu, port_cycles());
    panic("a dead thread runs again");
}

uint64_t thread_user_ns(const struct thread *thread)
{
    return port_cycles_to_ns(thread_read_cycles(&thread->usage.user_cycles));
}

uint64_t thread_system_ns(const struct thread *thread)
{
    return port_cycles_to_ns(thread_read_cycles(&thread->usage.system_cycles));
}

uint64_t thread_ready_ns(const struct thread *thread)
{
    return port_cycles_to_ns(thread_read_cycles(&thread->usage.ready_cycles));
}

uint64_t thread_cpu_ns(const struct thread *thread)
{
    uint64_t user = thread_read_cycles(&thread->usage.user_cycles);

    return port_cycles_to_ns(user + thread_read_cycles(&thread->usage.system_cycles));
}

static SLAB_CACHE(kernel_thread_cache, struct thread);

static void kernel_thread_release(struct thread *thread)
{
    slab_free(&kernel_thread_cache, thread);
}

struct thread *kernel_thread_start(const char *name, void (*function)(void *), void *argument)
{
    struct thread *thread = slab_alloc(&kernel_thread_cache);

    if (!thread)
        return NULL;
    if (thread_init(thread, name, function, argument, false, kernel_thread_release) != 0) {
        slab_free(&kernel_thread_cache, thread);
        return NULL;
    }
    thread_start(thread);
    return thread;
}
