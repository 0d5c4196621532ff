/*
 * The trace of a run: a ring of what each CPU did, printed when the run fails.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define TRACE_SIZE 8192 /* a power of two */
#define NAMES_MAX  64

struct trace_record {
    uint64_t step;
    const char *what;
    const void *object;
    void *caller, *caller2;
    unsigned char cpu;
    bool in_interrupt, interrupts;
    char thread[16];
    char note[80];
};

struct object_name {
    const void *object;
    size_t size;
    const char *name;
};

static struct trace_record ring[TRACE_SIZE];
static uint64_t written;
static struct object_name names[NAMES_MAX];
static size_t name_count;

void trace_reset(void)
{
    written = 0;
    name_count = 0;
}

void trace_add(const char *what, const void *object, void *caller, void *caller2)
{
    struct trace_record *record = &ring[written++ % TRACE_SIZE];

    record->step = sim_steps;
    record->what = what;
    record->object = object;
    record->caller = caller;
    record->caller2 = caller2;
    record->cpu = sim_cpu->index;
    record->in_interrupt = sim_cpu->in_interrupt;
    record->interrupts = sim_cpu->interrupts;
    __builtin_memcpy(record->thread, sim_cpu->fiber->name, sizeof(record->thread));
}

void trace_note(const char *text)
{
    trace_add("note", NULL, NULL, NULL);
    snprintf(ring[(written - 1) % TRACE_SIZE].note, sizeof(ring[0].note), "%s", text);
}

void trace_name_object(const void *object, size_t size, const char *name)
{
    if (name_count < NAMES_MAX)
        names[name_count++] = (struct object_name){object, size, name};
}

static void print_object(const void *object)
{
    char text[96];

    if (!object)
        return;
    for (size_t i = 0; i < name_count; i++) {
        size_t offset = (const char *)object - (const char *)names[i].object;

        if (offset < names[i].size) {
            printf(" %s+%zu", names[i].name, offset);
            return;
        }
    }
    if (symbols_name(object, text, sizeof(text)) || memory_describe(object, text, sizeof(text)))
        printf(" %s", text);
    else
        printf(" %p", object);
}

static void print_caller(void *caller, const char *before)
{
    char text[96];
    char *plus;

    if (!caller || !symbols_name((char *)caller - 1, text, sizeof(text)))
        return;
    plus = strchr(text, '+');
    if (plus)
        *plus = '\0';
    printf("%s%s", before, text);
}

void trace_print(size_t last)
{
    uint64_t first = written > TRACE_SIZE ? written - TRACE_SIZE : 0;
    unsigned cpu = UINT32_MAX;

    if (written - first > last)
        first = written - last;
    if (first)
        printf("  ... (%lu earlier records)\n", (unsigned long)first);
    for (uint64_t i = first; i < written; i++) {
        const struct trace_record *record = &ring[i % TRACE_SIZE];

        if (record->cpu != cpu)
            printf("  -- CPU %u\n", record->cpu);
        cpu = record->cpu;
        printf("  %6lu cpu%u %-15.15s%c%c %-9s", (unsigned long)record->step, record->cpu,
               record->thread, record->in_interrupt ? 'I' : ' ', record->interrupts ? ' ' : '-',
               record->what);
        if (!strcmp(record->what, "note"))
            printf(" %s", record->note);
        print_object(record->object);
        print_caller(record->caller, "  in ");
        print_caller(record->caller2, " < ");
        printf("\n");
    }
}
