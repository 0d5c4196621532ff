/* pipe(2) and pipe2(2). */
#include "fs/pipe.h"

#include <linux/fcntl.h>

#include "sys/descriptor_pair.h"
#include "sys/syscall.h"

static int64_t create_pipe(uintptr_t address, unsigned flags)
{
    struct file *ends[2];

    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int64_t error = pipe_create_pair(ends, flags & (O_NONBLOCK | O_DIRECT));

    if (error)
        return error;
    error = install_descriptor_pair(ends, address, flags & O_CLOEXEC);
    if (error) {
        file_put(ends[0]);
        file_put(ends[1]);
    }
    return error;
}

SYSCALL1(pipe, uintptr_t, address)
{
    return create_pipe(address, 0);
}

SYSCALL2(pipe2, uintptr_t, address, unsigned, flags)
{
    return create_pipe(address, flags);
}
