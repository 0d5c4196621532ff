/* Names from user space: see path_copy.h. */
#include "sys/path_copy.h"

#include "fs/path.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

int user_name_get(struct user_name *name, uintptr_t address)
{
    long length = copy_string_from_user(name->buffer, address, sizeof(name->buffer));

    name->frame = 0;
    name->text = name->buffer;
    if (likely(length >= 0) || length != -ENAMETOOLONG)
        return length < 0 ? length : 0;
    name->frame = frame_alloc();
    if (!name->frame)
        return -ENOMEM;
    name->text = frame_address(name->frame);
    length = copy_string_from_user(frame_address(name->frame), address, PATH_LENGTH_MAX);
    if (length < 0)
        frame_put(name->frame);
    return length < 0 ? length : 0;
}

void user_name_put(struct user_name *name)
{
    if (name->frame)
        frame_put(name->frame);
}
