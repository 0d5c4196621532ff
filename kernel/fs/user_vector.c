/* Lists of user buffers: see user_vector.h. */
#include "fs/user_vector.h"

#include "lib/string.h"
#include "mm/user_copy.h"

struct user_vector user_vector_of(const struct iovec *segments, size_t count)
{
    struct user_vector vector = {.others = segments, .other_count = count};

    for (size_t i = 0; i < count; i++)
        vector.total += segments[i].iov_len;
    return vector;
}

/* Makes the current segment non-empty. The vector has bytes left. */
static void next_segment(struct user_vector *vector)
{
    while (vector->length == 0) {
        vector->base = (uintptr_t)vector->others->iov_base;
        vector->length = vector->others->iov_len;
        vector->others++;
        vector->other_count--;
    }
}

static size_t copy_in(const struct user_vector *vector, void *destination, size_t size)
{
    if (likely(!vector->is_kernel))
        return copy_from_user_partial(destination, vector->base, size);
    memcpy(destination, (const void *)vector->base, size);
    return size;
}

static size_t copy_out(const struct user_vector *vector, const void *source, size_t size)
{
    if (likely(!vector->is_kernel))
        return copy_to_user_partial(vector->base, source, size);
    memcpy((void *)vector->base, source, size);
    return size;
}

size_t user_vector_read_segments(struct user_vector *vector, void *destination, size_t size)
{
    size_t done = 0;

    while (done < size && vector->total > 0) {
        if (vector->length == 0)
            next_segment(vector);
        size_t part = size - done < vector->length ? size - done : vector->length;
        size_t copied = copy_in(vector, (char *)destination + done, part);

        user_vector_advance(vector, copied);
        done += copied;
        if (copied < part)
            break;
    }
    return done;
}

size_t user_vector_write_segments(struct user_vector *vector, const void *source, size_t size)
{
    size_t done = 0;

    while (done < size && vector->total > 0) {
        if (vector->length == 0)
            next_segment(vector);
        size_t part = size - done < vector->length ? size - done : vector->length;
        size_t copied = copy_out(vector, (const char *)source + done, part);

        user_vector_advance(vector, copied);
        done += copied;
        if (copied < part)
            break;
    }
    return done;
}

size_t user_vector_front(struct user_vector *vector)
{
    if (vector->total == 0)
        return 0;
    next_segment(vector);
    return vector->length;
}

void user_vector_skip(struct user_vector *vector, size_t size)
{
    user_vector_advance(vector, size);
}
