/*
 * poll(2), ppoll(2), select(2), pselect6(2): user arrays in, struct poll_item to fs/poll.c, user
 * arrays out; time-outs that are told what is left of them.
 */
#include <linux/time.h>
#include <linux/time_types.h>

#include "fs/file.h"
#include "fs/poll.h"
#include "proc/process.h"
#include "proc/rlimit.h"
#include "sys/syscall.h"
#include "sys/temporary_mask.h"

#define SECOND_NS    1000000000ull
#define INLINE_ITEMS 8
#define SELECT_MAX   RLIMIT_NOFILE_CEILING
#define INLINE_SET   128 /* bytes of a set that fit on the stack: 1024 descriptors */

static uint64_t deadline_after(uint64_t seconds, uint64_t ns)
{
    if (seconds == 0 && ns == 0)
        return 0;
    if (seconds > INT64_MAX / SECOND_NS - SECOND_NS)
        return DEADLINE_NEVER;
    return port_clock_ns() + seconds * SECOND_NS + ns;
}

static uint64_t time_left(uint64_t deadline)
{
    uint64_t now = port_clock_ns();

    return deadline > now ? deadline - now : 0;
}

/* --- poll --- */

static void put_files(struct poll_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].file)
            file_put(items[i].file);
}

static int do_poll_items(struct pollfd *list, struct poll_item *items, size_t count,
                         uint64_t deadline)
{
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct poll_item){.wanted = (uint16_t)list[i].events | POLLERR | POLLHUP};
        if (list[i].fd < 0)
            continue;
        items[i].file = file_from_descriptor(list[i].fd);
        if (!items[i].file)
            items[i].ready = POLLNVAL;
    }
    int ready = poll_items(items, count, deadline);

    put_files(items, count);
    for (size_t i = 0; i < count; i++)
        list[i].revents = items[i].ready;
    return ready;
}

/* The results go back one field each: the rest of the array may be changing meanwhile. */
static int copy_results(uintptr_t address, const struct pollfd *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uintptr_t field = address + i * sizeof(*list) + offsetof(struct pollfd, revents);

        if (copy_to_user(field, &list[i].revents, sizeof(list[i].revents)) != 0)
            return -EFAULT;
    }
    return 0;
}

static int64_t poll_user(uintptr_t address, struct pollfd *list, struct poll_item *items,
                         size_t count, uint64_t deadline)
{
    if (copy_from_user(list, address, count * sizeof(*list)) != 0)
        return -EFAULT;
    int ready = do_poll_items(list, items, count, deadline);

    if (ready < 0)
        return ready;
    return copy_results(address, list, count) ? -EFAULT : ready;
}

static int64_t poll_descriptors(uintptr_t address, unsigned count, uint64_t deadline)
{
    struct pollfd list[INLINE_ITEMS];
    struct poll_item items[INLINE_ITEMS];

    if (count > rlimit_soft(current_process(), RLIMIT_NOFILE))
        return -EINVAL;
    if (count <= INLINE_ITEMS)
        return poll_user(address, list, items, count, deadline);
    struct pollfd *big_list = kmalloc(count * sizeof(*big_list));
    struct poll_item *big_items = kmalloc(count * sizeof(*big_items));
    int64_t result = -ENOMEM;

    if (big_list && big_items)
        result = poll_user(address, big_list, big_items, count, deadline);
    kfree(big_list);
    kfree(big_items);
    return result;
}

static int64_t restart_poll(struct restart_block *block);

/* A handler ends a poll with EINTR; a signal without one lets it go on to the same deadline. */
static int64_t poll_or_restart(uintptr_t address, unsigned count, uint64_t deadline)
{
    int64_t result = poll_descriptors(address, count, deadline);

    if (result != -ERESTARTNOHAND)
        return result;
    current_user_thread()->restart = (struct restart_block){
        .restart = restart_poll,
        .arguments = {address, count, deadline},
    };
    return -ERESTART_RESTARTBLOCK;
}

static int64_t restart_poll(struct restart_block *block)
{
    return poll_or_restart(block->arguments[0], block->arguments[1], block->arguments[2]);
}

SYSCALL3(poll, uintptr_t, address, unsigned, count, int, timeout_ms)
{
    uint64_t deadline = DEADLINE_NEVER;

    if (timeout_ms >= 0)
        deadline = deadline_after(timeout_ms / 1000, timeout_ms % 1000 * 1000000ull);
    return poll_or_restart(address, count, deadline);
}

/* --- time-outs in user memory --- */

/* NULL: for ever. 0, -EFAULT, -EINVAL. */
static int get_timespec(uintptr_t address, uint64_t *deadline)
{
    struct __kernel_timespec time;

    *deadline = DEADLINE_NEVER;
    if (!address)
        return 0;
    if (copy_from_user(&time, address, sizeof(time)) != 0)
        return -EFAULT;
    if (time.tv_sec < 0 || (uint64_t)time.tv_nsec >= SECOND_NS)
        return -EINVAL;
    *deadline = deadline_after(time.tv_sec, time.tv_nsec);
    return 0;
}

/* select's microseconds may exceed a second, but not be negative in sum. */
static int get_timeval(uintptr_t address, uint64_t *deadline)
{
    struct __kernel_old_timeval time;

    *deadline = DEADLINE_NEVER;
    if (!address)
        return 0;
    if (copy_from_user(&time, address, sizeof(time)) != 0)
        return -EFAULT;
    int64_t seconds = time.tv_sec + time.tv_usec / 1000000;
    int64_t ns = time.tv_usec % 1000000 * 1000;

    if (seconds < 0 || ns < 0)
        return -EINVAL;
    *deadline = deadline_after(seconds, ns);
    return 0;
}

/* What is left goes back to the program. If it cannot be written there the call is not restarted,
 * for it would start with the full time again. */
static int64_t put_time_left(uintptr_t address, uint64_t deadline, bool is_timeval, int64_t result)
{
    uint64_t ns = time_left(deadline);
    int64_t left[2] = {ns / SECOND_NS, ns % SECOND_NS};

    if (!address || deadline == DEADLINE_NEVER)
        return result;
    if (is_timeval)
        left[1] /= 1000;
    if (copy_to_user(address, left, sizeof(left)) != 0 && result == -ERESTARTNOHAND)
        return -EINTR;
    return result;
}

SYSCALL5(ppoll, uintptr_t, address, unsigned, count, uintptr_t, timeout, uintptr_t, mask, size_t,
         mask_size)
{
    uint64_t deadline;
    int error = get_timespec(timeout, &deadline);

    if (!error)
        error = temporary_mask_set(mask, mask_size);
    if (error)
        return error;
    int64_t result = poll_descriptors(address, count, deadline);

    temporary_mask_end(result);
    return put_time_left(timeout, deadline, false, result);
}

/* --- select --- */

enum { SET_READ, SET_WRITE, SET_EXCEPT, SET_COUNT };

static const uint32_t set_events[SET_COUNT] = {
    [SET_READ] = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
    [SET_WRITE] = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
    [SET_EXCEPT] = POLLPRI,
};

/* One select call: the three sets, each a bit a descriptor in whole words. */
struct selection {
    uintptr_t addresses[SET_COUNT]; /* 0: not given */
    uint64_t *sets[SET_COUNT];
    unsigned limit; /* descriptors below it are looked at */
    size_t bytes;   /* of one set, as the program has it */
};

static bool is_selected(const struct selection *selection, unsigned set, unsigned descriptor)
{
    return selection->sets[set][descriptor / 64] >> (descriptor % 64) & 1;
}

static uint32_t events_wanted(const struct selection *selection, unsigned descriptor)
{
    uint32_t events = 0;

    for (unsigned set = 0; set < SET_COUNT; set++)
        if (is_selected(selection, set, descriptor))
            events |= set_events[set];
    return events;
}

static size_t count_selected(const struct selection *selection)
{
    size_t count = 0;

    for (unsigned descriptor = 0; descriptor < selection->limit; descriptor++)
        count += events_wanted(selection, descriptor) != 0;
    return count;
}

/* -EBADF if a selected descriptor is not open; *count files are the caller's to put in any case. */
static int collect_files(const struct selection *selection, struct poll_item *items, size_t *count)
{
    *count = 0;
    for (unsigned descriptor = 0; descriptor < selection->limit; descriptor++) {
        uint32_t wanted = events_wanted(selection, descriptor);

        if (!wanted)
            continue;
        struct file *file = file_from_descriptor(descriptor);

        if (!file)
            return -EBADF;
        items[(*count)++] = (struct poll_item){.file = file, .wanted = wanted};
    }
    return 0;
}

/* Leaves the bits of what is ready, and returns how many there are. */
static int mark_ready(struct selection *selection, const struct poll_item *items)
{
    int bits = 0;

    for (unsigned descriptor = 0; descriptor < selection->limit; descriptor++) {
        if (!events_wanted(selection, descriptor))
            continue;
        uint32_t ready = (items++)->ready;

        for (unsigned set = 0; set < SET_COUNT; set++) {
            if (!is_selected(selection, set, descriptor))
                continue;
            if (ready & set_events[set])
                bits++;
            else
                selection->sets[set][descriptor / 64] &= ~(1ull << (descriptor % 64));
        }
    }
    return bits;
}

static int64_t select_files(struct selection *selection, uint64_t deadline)
{
    struct poll_item inline_items[INLINE_ITEMS];
    size_t count = count_selected(selection);
    struct poll_item *items = inline_items;

    if (count > INLINE_ITEMS) {
        items = kmalloc(count * sizeof(*items));
        if (!items)
            return -ENOMEM;
    }
    int64_t result = collect_files(selection, items, &count);

    if (!result)
        result = poll_items(items, count, deadline);
    put_files(items, count);
    if (result >= 0)
        result = mark_ready(selection, items);
    if (items != inline_items)
        kfree(items);
    return result;
}

static int copy_sets_in(struct selection *selection)
{
    for (unsigned set = 0; set < SET_COUNT; set++)
        if (selection->addresses[set] &&
            copy_from_user(selection->sets[set], selection->addresses[set], selection->bytes))
            return -EFAULT;
    return 0;
}

static int copy_sets_out(const struct selection *selection)
{
    for (unsigned set = 0; set < SET_COUNT; set++)
        if (selection->addresses[set] &&
            copy_to_user(selection->addresses[set], selection->sets[set], selection->bytes))
            return -EFAULT;
    return 0;
}

/* `memory`: zeroed room for three sets. */
static int64_t select_user(struct selection *selection, uint8_t *memory, uint64_t deadline)
{
    for (unsigned set = 0; set < SET_COUNT; set++)
        selection->sets[set] = (uint64_t *)(memory + set * selection->bytes);
    int64_t result = copy_sets_in(selection);

    if (!result)
        result = select_files(selection, deadline);
    if (result >= 0 && copy_sets_out(selection) != 0)
        result = -EFAULT;
    return result;
}

static int64_t select_descriptors(int limit, const uintptr_t addresses[SET_COUNT],
                                  uint64_t deadline)
{
    struct selection selection = {.addresses = {addresses[0], addresses[1], addresses[2]}};

    if (limit < 0)
        return -EINVAL;
    selection.limit = limit < SELECT_MAX ? limit : SELECT_MAX;
    selection.bytes = (selection.limit + 63) / 64 * 8;
    if (selection.bytes <= INLINE_SET) {
        uint64_t memory[SET_COUNT * INLINE_SET / 8];

        __builtin_memset(memory, 0, SET_COUNT * selection.bytes);
        return select_user(&selection, (uint8_t *)memory, deadline);
    }
    uint8_t *memory = kmalloc(SET_COUNT * selection.bytes);

    if (!memory)
        return -ENOMEM;
    int64_t result = select_user(&selection, memory, deadline);

    kfree(memory);
    return result;
}

SYSCALL5(select, int, limit, uintptr_t, read_set, uintptr_t, write_set, uintptr_t, except_set,
         uintptr_t, timeout)
{
    uintptr_t sets[SET_COUNT] = {read_set, write_set, except_set};
    uint64_t deadline;
    int error = get_timeval(timeout, &deadline);

    if (error)
        return error;
    return put_time_left(timeout, deadline, true, select_descriptors(limit, sets, deadline));
}

SYSCALL6(pselect6, int, limit, uintptr_t, read_set, uintptr_t, write_set, uintptr_t, except_set,
         uintptr_t, timeout, uintptr_t, packed_mask)
{
    uintptr_t sets[SET_COUNT] = {read_set, write_set, except_set};
    uint64_t mask[2] = {0, 0}; /* address and size */
    uint64_t deadline;

    if (packed_mask && copy_from_user(mask, packed_mask, sizeof(mask)) != 0)
        return -EFAULT;
    int error = get_timespec(timeout, &deadline);

    if (!error)
        error = temporary_mask_set(mask[0], mask[1]);
    if (error)
        return error;
    int64_t result = select_descriptors(limit, sets, deadline);

    temporary_mask_end(result);
    return put_time_left(timeout, deadline, false, result);
}
