/* Copies of structures that may be older or newer than the kernel's. */
#include "sys/struct_copy.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/user_copy.h"

static int check_tail_is_zero(uintptr_t address, size_t size)
{
    uint8_t bytes[64];

    while (size > 0) {
        size_t part = size < sizeof(bytes) ? size : sizeof(bytes);

        if (copy_from_user(bytes, address, part) != 0)
            return -EFAULT;
        for (size_t i = 0; i < part; i++)
            if (bytes[i] != 0)
                return -E2BIG;
        address += part;
        size -= part;
    }
    return 0;
}

int copy_struct_from_user(void *destination, size_t size, uintptr_t source, size_t user_size)
{
    size_t common = size < user_size ? size : user_size;

    if (user_size > PAGE_SIZE)
        return -E2BIG;
    if (user_size > size) {
        int error = check_tail_is_zero(source + size, user_size - size);

        if (error)
            return error;
    }
    memset(destination, 0, size);
    return copy_from_user(destination, source, common);
}

int copy_struct_to_user(uintptr_t destination, size_t user_size, const void *source, size_t size)
{
    size_t common = size < user_size ? size : user_size;
    int error = copy_to_user(destination, source, common);

    if (error == 0 && user_size > size)
        error = clear_user(destination + size, user_size - size);
    return error;
}
