/*
 * The lock primitives on real threads under the thread sanitizer: the simulated machine knows no
 * memory order, so this is what shows that spinlocks and reference counts order what they guard.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/refcount.h"
#include "sched/spinlock.h"

#define THREADS 4
#define ROUNDS  20000
#define OBJECTS 2000

_Thread_local struct cpu *tsan_cpu;

static struct spinlock lock = SPINLOCK_INITIALIZER(LOCK_RANK_FAMILY);
static unsigned long guarded; /* (lock), plain on purpose */

struct object {
    struct refcount refs;
    unsigned value;
};

static struct object *objects[OBJECTS];
static unsigned long freed;

void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    exit(1);
}

static void count_under_lock(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        irq_state_t state = spin_lock_irq_save(&lock);

        guarded++;
        spin_unlock_irq_restore(&lock, state);
    }
}

/* Everybody holds one reference to each; the last one out reads and frees what the others wrote. */
static void give_up_references(unsigned self)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        struct object *object = objects[(i + self * (OBJECTS / THREADS)) % OBJECTS];

        if (!refcount_put(&object->refs))
            continue;
        object->value++;
        free(object);
        __atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
    }
}

static void *run(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;

    tsan_cpu = (struct cpu *)(uintptr_t)(64 * (self + 1));
    count_under_lock(ROUNDS);
    give_up_references(self);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < OBJECTS; i++) {
        objects[i] = calloc(1, sizeof(*objects[i]));
        refcount_init(&objects[i]->refs);
        for (unsigned j = 1; j < THREADS; j++)
            refcount_get(&objects[i]->refs);
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, (void *)i);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (guarded != (unsigned long)THREADS * ROUNDS || freed != OBJECTS) {
        printf("tsan_lock: FAILED, counted %lu, freed %lu\n", guarded, freed);
        return 1;
    }
    printf("tsan_lock: 1 passed, 0 failed\n");
    return 0;
}
