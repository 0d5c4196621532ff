/* Two descriptors at once: see descriptor_pair.h. */
#include "sys/descriptor_pair.h"

#include "sys/syscall.h"

static int64_t reserve_pair(int numbers[2], bool close_on_exec)
{
    numbers[0] = file_reserve_descriptor(0, close_on_exec);
    if (numbers[0] < 0)
        return numbers[0];
    numbers[1] = file_reserve_descriptor(0, close_on_exec);
    if (numbers[1] < 0)
        file_unreserve_descriptor(numbers[0]);
    return numbers[1] < 0 ? numbers[1] : 0;
}

/* The numbers reach the program before the files reach the table: a bad address leaves nothing. */
int64_t install_descriptor_pair(struct file *files[2], uintptr_t address, bool close_on_exec)
{
    int numbers[2];
    int64_t error = reserve_pair(numbers, close_on_exec);

    if (error)
        return error;
    if (copy_to_user(address, numbers, sizeof(numbers)) != 0) {
        file_unreserve_descriptor(numbers[0]);
        file_unreserve_descriptor(numbers[1]);
        return -EFAULT;
    }
    file_fill_descriptor(numbers[0], files[0]);
    file_fill_descriptor(numbers[1], files[1]);
    return 0;
}
