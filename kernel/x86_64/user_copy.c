/* Copies to and from user space: the bounds of the user half are checked first, the rest by the
 * MMU. copy_to_user() and copy_from_user() are in user_copy_bytes.S. */
#include "mm/user_copy.h"

#include "lib/errno.h"
#include "x86_64/user_half.h"

_Static_assert(USER_HALF_END == USER_ADDRESS_END, "copy_to_user() and copy_from_user()");

/* user_copy_bytes.S */
size_t user_copy_bytes(void *destination, const void *source, size_t size);
size_t user_clear_bytes(void *destination, size_t size);
long user_copy_string(char *destination, const char *source, size_t size);

int clear_user(uintptr_t destination, size_t size)
{
    if (!user_range_ok(destination, size) || user_clear_bytes((void *)destination, size))
        return -EFAULT;
    return 0;
}

/* The part of the range that lies in the user half. */
static size_t clip(uintptr_t address, size_t size)
{
    size_t limit = address < USER_ADDRESS_END ? USER_ADDRESS_END - address : 0;

    return size < limit ? size : limit;
}

size_t copy_from_user_partial(void *destination, uintptr_t source, size_t size)
{
    size_t possible = clip(source, size);

    return possible - user_copy_bytes(destination, (const void *)source, possible);
}

size_t copy_to_user_partial(uintptr_t destination, const void *source, size_t size)
{
    size_t possible = clip(destination, size);

    return possible - user_copy_bytes((void *)destination, source, possible);
}

long copy_string_from_user(char *destination, uintptr_t source, size_t size)
{
    size_t possible = clip(source, size);
    long length = possible ? user_copy_string(destination, (const char *)source, possible) : -1;

    if (length < 0)
        return -EFAULT;
    if ((size_t)length < possible)
        return length;
    return possible < size ? -EFAULT : -ENAMETOOLONG;
}
