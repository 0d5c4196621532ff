/*
 * A fresh kernel for every run: the build puts the kernel's variables, and the scenarios', into
 * sections of their own; their contents at start are kept, and put back before each run.
 */
#include <stdlib.h>

#include "internal.h"

extern char __start_kin_data[], __stop_kin_data[];

static char *saved;

/* Not instrumented: it copies the red zones between the variables too. What did not change is not
 * written, so that its cache lines stay clean. */
__attribute__((no_sanitize_address, no_sanitize("undefined"))) static void
copy_if_changed(volatile char *to, const volatile char *from, size_t size)
{
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t))
        if (*(volatile uint64_t *)(to + i) != *(const volatile uint64_t *)(from + i))
            *(volatile uint64_t *)(to + i) = *(const volatile uint64_t *)(from + i);
    for (; i < size; i++)
        to[i] = from[i];
}

static size_t data_size(void)
{
    return __stop_kin_data - __start_kin_data;
}

void snapshot_take(void)
{
    saved = malloc(data_size());
    if (!saved)
        abort();
    copy_if_changed(saved, __start_kin_data, data_size());
}

void snapshot_restore(void)
{
    copy_if_changed(__start_kin_data, saved, data_size());
}
