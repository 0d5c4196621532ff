/* Memory: brk, mmap and its relatives, and the calls that ask about pages. */
#include <linux/mman.h>

#include "fs/file.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/process.h"
#include "sys/memory.h"
#include "sys/syscall.h"

#define PAGE_MASK (PAGE_SIZE - 1)

static uint64_t current_limit(unsigned resource)
{
    return rlimit_soft(current_process(), resource);
}

void memory_limits_register(void)
{
    mm_set_limit_reader(current_limit);
}

static struct address_space *current_space(void)
{
    return current_thread()->space;
}

SYSCALL1(brk, uintptr_t, end)
{
    return (int64_t)address_space_brk(current_space(), end);
}

/* --- mmap --- */

/* What a file must be open for. */
static int check_access(struct file *file, int protection, int flags)
{
    bool is_shared = (flags & MAP_TYPE) != MAP_PRIVATE;

    if (!file_is_readable(file))
        return -EACCES;
    if (is_shared && (protection & PROT_WRITE) && !file_is_writable(file))
        return -EACCES;
    return file->operations->map ? 0 : -ENODEV;
}

/* Does the file's part end where files can have bytes? */
static int check_end(const struct mapping_request *request)
{
    if (request->source &&
        (request->offset > INT64_MAX || request->length >= INT64_MAX - request->offset))
        return -EOVERFLOW;
    return 0;
}

static int64_t map_file(struct mapping_request *request, int descriptor)
{
    struct file *file = file_from_descriptor(descriptor);
    int64_t result;

    if (!file)
        return -EBADF;
    result = check_access(file, request->protection, request->flags);
    if (result == 0)
        result = file->operations->map(file, request->protection, request->flags, &request->source);
    if (result == 0) {
        request->read_only = !file_is_writable(file);
        result = check_end(request);
        if (result == 0)
            result = address_space_map(current_space(), request);
        if (request->source)
            request->source->operations->put(request->source);
    }
    file_put(file);
    return result;
}

/* MAP_SHARED_VALIDATE refuses flags that it does not know; it is for files only. */
static int check_type(int flags)
{
    int known = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE |
                MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK |
                MAP_STACK | MAP_HUGETLB | MAP_FIXED_NOREPLACE | MAP_32BIT;

    switch (flags & MAP_TYPE) {
    case MAP_SHARED:
    case MAP_PRIVATE:
        return 0;
    case MAP_SHARED_VALIDATE:
        if (flags & MAP_ANONYMOUS)
            return -EINVAL;
        return flags & ~known ? -EOPNOTSUPP : 0;
    default:
        return -EINVAL;
    }
}

SYSCALL6(mmap, uintptr_t, address, size_t, length, int, protection, int, flags, int, descriptor,
         uint64_t, offset)
{
    struct mapping_request request = {
        .address = address,
        .length = length,
        .protection = protection,
        .flags = flags,
        .offset = offset,
        .source_length = UINT64_MAX,
    };
    int error;

    if ((offset & PAGE_MASK) || length == 0)
        return -EINVAL;
    if (ALIGN_UP(length, PAGE_SIZE) == 0 || (flags & MAP_HUGETLB))
        return -ENOMEM;
    error = check_type(flags);
    if (error)
        return error;
    return flags & MAP_ANONYMOUS ? address_space_map(current_space(), &request)
                                 : map_file(&request, descriptor);
}

SYSCALL2(munmap, uintptr_t, address, size_t, length)
{
    return address_space_unmap(current_space(), address, length);
}

SYSCALL3(mprotect, uintptr_t, address, size_t, length, unsigned long, protection)
{
    unsigned long grows = protection & (PROT_GROWSDOWN | PROT_GROWSUP);

    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) ||
        (protection & ~(unsigned long)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | grows)))
        return -EINVAL;
    return address_space_protect(current_space(), address, length,
                                 protection & (PROT_READ | PROT_WRITE | PROT_EXEC));
}

SYSCALL5(mremap, uintptr_t, address, size_t, old_length, size_t, new_length, int, flags, uintptr_t,
         new_address)
{
    return address_space_remap(current_space(), address, old_length, new_length, flags,
                               new_address);
}

SYSCALL3(madvise, uintptr_t, address, size_t, length, int, advice)
{
    return address_space_advise(current_space(), address, length, advice);
}

/* --- Questions about ranges --- */

/* Nothing has to be written back: pages of files are the files. */
SYSCALL3(msync, uintptr_t, address, size_t, length, int, flags)
{
    uintptr_t end = address + ALIGN_UP(length, PAGE_SIZE);

    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (address & PAGE_MASK) ||
        ((flags & MS_ASYNC) && (flags & MS_SYNC)))
        return -EINVAL;
    if (end < address)
        return -ENOMEM;
    return address_space_check_mapped(current_space(), address, length);
}

SYSCALL3(mincore, uintptr_t, address, size_t, length, uintptr_t, vector)
{
    size_t pages = (length >> PAGE_SHIFT) + ((length & PAGE_MASK) != 0);
    int error = 0;
    uint8_t *bytes;

    if (address & PAGE_MASK)
        return -EINVAL;
    if (!user_range_ok(address, length))
        return -ENOMEM;
    if (!user_range_ok(vector, pages))
        return -EFAULT;
    bytes = kmalloc(PAGE_SIZE);
    if (!bytes)
        return -EAGAIN;
    while (pages != 0 && error == 0) {
        size_t part = pages < PAGE_SIZE ? pages : PAGE_SIZE;

        error = address_space_residency(current_space(), address, part, bytes);
        if (error == 0)
            error = copy_to_user(vector, bytes, part);
        address += part << PAGE_SHIFT;
        vector += part;
        pages -= part;
    }
    kfree(bytes);
    return error;
}

/* --- Locking. Nothing is ever swapped out, so to be locked is to be there. --- */

/* RLIMIT_MEMLOCK, for each request by itself: what is locked is not remembered. */
static int check_lock_limit(uint64_t size)
{
    uint64_t limit = rlimit_soft(current_process(), RLIMIT_MEMLOCK);

    if (credentials_is_privileged(current_credentials()))
        return 0;
    if (limit == 0)
        return -EPERM;
    return size > ALIGN_DOWN(limit, PAGE_SIZE) ? -ENOMEM : 0;
}

static int64_t lock_range(uintptr_t address, size_t length)
{
    uintptr_t start = ALIGN_DOWN(address, PAGE_SIZE);
    size_t size = ALIGN_UP(length + (address - start), PAGE_SIZE);
    int error = check_lock_limit(size);

    if (error)
        return error;
    if (size == 0)
        return length == 0 ? 0 : -EINVAL;
    if (start + size < start)
        return -EINVAL;
    error = address_space_check_mapped(current_space(), start, size);
    if (error)
        return error;
    return address_space_lock_pages(current_space(), start, size);
}

SYSCALL2(mlock, uintptr_t, address, size_t, length)
{
    return lock_range(address, length);
}

SYSCALL3(mlock2, uintptr_t, address, size_t, length, int, flags)
{
    if (flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    if (flags & MLOCK_ONFAULT)
        return address_space_check_mapped(current_space(), ALIGN_DOWN(address, PAGE_SIZE), length);
    return lock_range(address, length);
}

SYSCALL2(munlock, uintptr_t, address, size_t, length)
{
    uintptr_t start = ALIGN_DOWN(address, PAGE_SIZE);

    return address_space_check_mapped(current_space(), start, length + (address - start));
}

SYSCALL1(mlockall, int, flags)
{
    struct address_space_usage usage;

    if (flags == 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    address_space_get_usage(current_space(), &usage);
    return check_lock_limit(flags & MCL_CURRENT ? usage.mapped_pages * PAGE_SIZE : 0);
}

SYSCALL0(munlockall)
{
    return 0;
}
