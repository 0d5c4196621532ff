/*
 * A list of user buffers that is filled or drained from its front: what read, write, readv, writev,
 * sendmsg and recvmsg have in common. Private to one call; no lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/uio.h>

#include "lib/compiler.h"
#include "mm/user_copy.h"

struct user_vector {
    uintptr_t base;             /* rest of the current segment */
    size_t length;              /* its bytes */
    const struct iovec *others; /* kernel copy of the segments after it */
    size_t other_count;
    size_t total;   /* bytes left in all segments */
    bool is_kernel; /* the addresses are the kernel's own: sendfile(2) */
};

static inline struct user_vector user_vector_single(uintptr_t base, size_t length)
{
    return (struct user_vector){.base = base, .length = length, .total = length};
}

/* One buffer in kernel memory: only for read_vector and write_vector operations. */
static inline struct user_vector user_vector_of_kernel(void *buffer, size_t length)
{
    return (struct user_vector){
        .base = (uintptr_t)buffer, .length = length, .total = length, .is_kernel = true};
}

/* `segments` stays the caller's and must live as long as the vector. */
struct user_vector user_vector_of(const struct iovec *segments, size_t count);

static inline void user_vector_advance(struct user_vector *vector, size_t size)
{
    vector->base += size;
    vector->length -= size;
    vector->total -= size;
}

/* The general case of the two below. */
size_t user_vector_read_segments(struct user_vector *vector, void *destination, size_t size);
size_t user_vector_write_segments(struct user_vector *vector, const void *source, size_t size);

/* Copy up to `size` bytes from, or to, the front, and move past what was copied. Fewer bytes than
 * min(size, total) mean a bad address (-EFAULT) after them. May sleep. */
static inline MUST_CHECK size_t user_vector_read(struct user_vector *vector, void *destination,
                                                 size_t size)
{
    if (unlikely(size > vector->length || vector->is_kernel))
        return user_vector_read_segments(vector, destination, size);
    size = copy_from_user_partial(destination, vector->base, size);
    user_vector_advance(vector, size);
    return size;
}

static inline MUST_CHECK size_t user_vector_write(struct user_vector *vector, const void *source,
                                                  size_t size)
{
    if (unlikely(size > vector->length || vector->is_kernel))
        return user_vector_write_segments(vector, source, size);
    size = copy_to_user_partial(vector->base, source, size);
    user_vector_advance(vector, size);
    return size;
}

/* What is left of the first segment that is not empty (0: nothing is left), at vector->base. */
size_t user_vector_front(struct user_vector *vector);
/* Moves past `size` bytes of that segment. */
void user_vector_skip(struct user_vector *vector, size_t size);
