/* argv and envp on their way from the old image to the new one. Owned by the calling thread. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user_copy.h"
#include "proc/exec.h"
#include "proc/process.h"

/* execve(2): one string may have 32 pages, all together a quarter of the stack limit, at least 32
 * pages. */
#define STRING_BYTES_MAX    (32 * PAGE_SIZE)
#define STRINGS_BYTES_LEAST STRING_BYTES_MAX

void exec_strings_init(struct exec_strings *strings)
{
    memset(strings, 0, sizeof(*strings));
}

void exec_strings_destroy(struct exec_strings *strings)
{
    for (size_t i = 0; i < strings->frame_count; i++)
        frame_put(strings->frames[i]);
    kfree(strings->frames);
}

static size_t bytes_limit(void)
{
    uint64_t quarter = rlimit_soft(current_process(), RLIMIT_STACK) / 4;

    if (quarter < STRINGS_BYTES_LEAST)
        return STRINGS_BYTES_LEAST;
    return quarter < EXEC_STRINGS_MAX ? quarter : EXEC_STRINGS_MAX;
}

static int add_frame(struct exec_strings *strings)
{
    size_t count = strings->frame_count;

    /* The array doubles when the count reaches a power of two. */
    if ((count & (count - 1)) == 0) {
        physical_t *larger = kmalloc((count ? 2 * count : 1) * sizeof(*larger));

        if (!larger)
            return -ENOMEM;
        if (count)
            memcpy(larger, strings->frames, count * sizeof(*larger));
        kfree(strings->frames);
        strings->frames = larger;
    }
    strings->frames[count] = frame_alloc();
    if (!strings->frames[count])
        return -ENOMEM;
    strings->frame_count++;
    return 0;
}

/* The free rest of the last page, after a new one was added if there is none. NULL: no memory. */
static char *room(struct exec_strings *strings, size_t *size)
{
    size_t within = strings->bytes % PAGE_SIZE;

    if (strings->bytes == strings->frame_count * PAGE_SIZE && add_frame(strings) != 0)
        return NULL;
    *size = PAGE_SIZE - within;
    return (char *)frame_address(strings->frames[strings->frame_count - 1]) + within;
}

static int add_bytes(struct exec_strings *strings, const char *bytes, size_t left)
{
    if (strings->bytes + left > bytes_limit())
        return -E2BIG;
    while (left > 0) {
        size_t part;
        char *to = room(strings, &part);

        if (!to)
            return -ENOMEM;
        if (part > left)
            part = left;
        memcpy(to, bytes, part);
        bytes += part;
        strings->bytes += part;
        left -= part;
    }
    return 0;
}

int exec_strings_add(struct exec_strings *strings, const char *string)
{
    return add_bytes(strings, string, strlen(string) + 1);
}

char *exec_strings_at(const struct exec_strings *strings, size_t offset)
{
    return (char *)frame_address(strings->frames[offset / PAGE_SIZE]) + offset % PAGE_SIZE;
}

int exec_strings_add_rest(struct exec_strings *strings, const struct exec_strings *source)
{
    size_t offset = 0;

    if (source->argument_count > 0)
        while (*exec_strings_at(source, offset++) != '\0')
            continue;
    while (offset < source->bytes) {
        size_t part = PAGE_SIZE - offset % PAGE_SIZE;
        int error;

        if (part > source->bytes - offset)
            part = source->bytes - offset;
        error = add_bytes(strings, exec_strings_at(source, offset), part);
        if (error)
            return error;
        offset += part;
    }
    strings->argument_count += source->argument_count ? source->argument_count - 1 : 0;
    strings->environment_count += source->environment_count;
    return 0;
}

int exec_strings_add_user(struct exec_strings *strings, uintptr_t string)
{
    size_t start = strings->bytes;
    size_t limit = bytes_limit();

    for (;;) {
        size_t part;
        char *to = room(strings, &part);
        long length;

        if (!to)
            return -ENOMEM;
        length = copy_string_from_user(to, string, part);
        if (length >= 0) {
            strings->bytes += (size_t)length + 1;
            return strings->bytes <= limit && strings->bytes - start <= STRING_BYTES_MAX ? 0
                                                                                         : -E2BIG;
        }
        if (length != -ENAMETOOLONG)
            return (int)length;
        strings->bytes += part;
        string += part;
        if (strings->bytes > limit || strings->bytes - start > STRING_BYTES_MAX)
            return -E2BIG;
    }
}
