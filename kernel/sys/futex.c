/* futex(2), as far as processes that share memory need it: waiting and waking. */
#include <linux/futex.h>

#include "proc/futex.h"
#include "proc/process.h"
#include "sys/time_copy.h"

static int64_t restart_wait(struct restart_block *block);

/* One without a time-out begins again after a handler with SA_RESTART; the others go on until the
 * same moment, but only if no handler ran. */
static int64_t wait_on(const struct futex_wait *wait)
{
    int outcome = futex_wait(wait);

    if (outcome != -ERESTARTSYS || wait->deadline == DEADLINE_NEVER)
        return outcome;
    current_user_thread()->restart = (struct restart_block){
        .restart = restart_wait,
        .arguments = {wait->address, wait->value, wait->bits, wait->is_private, wait->deadline},
    };
    return -ERESTART_RESTARTBLOCK;
}

static int64_t restart_wait(struct restart_block *block)
{
    struct futex_wait wait = {
        .address = block->arguments[0],
        .value = (uint32_t)block->arguments[1],
        .bits = (uint32_t)block->arguments[2],
        .is_private = block->arguments[3],
        .deadline = block->arguments[4],
    };

    return wait_on(&wait);
}

/* FUTEX_WAIT's time-out counts from now; FUTEX_WAIT_BITSET's is a moment of either clock, where one
 * of wall time is not moved by a later clock_settime(2). */
static int copy_deadline(uint64_t *deadline, uintptr_t address, int command, bool is_realtime)
{
    uint64_t base = 0, time;
    int error;

    *deadline = DEADLINE_NEVER;
    if (!address)
        return 0;
    error = copy_timespec_from_user(&time, address);
    if (error)
        return error;
    if (command == FUTEX_WAIT)
        base = port_clock_ns();
    else if (is_realtime)
        time = time > clock_realtime_offset() ? time - clock_realtime_offset() : 0;
    *deadline = time < TIME_NS_MAX - base ? base + time : TIME_NS_MAX;
    return 0;
}

SYSCALL6(futex, uintptr_t, address, int, operation, uint32_t, value, uintptr_t, time_address,
         uintptr_t, second_address, uint32_t, bits)
{
    int command = operation & FUTEX_CMD_MASK;
    bool is_private = operation & FUTEX_PRIVATE_FLAG;
    bool is_realtime = operation & FUTEX_CLOCK_REALTIME;
    const bool is_wait = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    struct futex_wait wait = {.address = address, .value = value, .is_private = is_private};
    int error;

    if (!is_wait && command != FUTEX_WAKE && command != FUTEX_WAKE_BITSET)
        return -ENOSYS;
    if (is_realtime && !is_wait)
        return -ENOSYS;
    if (command == FUTEX_WAIT || command == FUTEX_WAKE)
        bits = FUTEX_BITSET_MATCH_ANY;
    if (bits == 0 || address % sizeof(value) != 0)
        return -EINVAL;
    if (!user_range_ok(address, sizeof(value)))
        return -EFAULT;
    if (!is_wait)
        return futex_wake(address, (int)value, bits, is_private);
    wait.bits = bits;
    error = copy_deadline(&wait.deadline, time_address, command, is_realtime);
    return error ? error : wait_on(&wait);
}
