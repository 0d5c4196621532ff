/* syslog(2): the kernel log's last lines, as dmesg(1) shows them. They are not consumed by reading.
 */
#include "fs/text.h"
#include "lib/klog.h"
#include "proc/cred.h"
#include "sched/mutex.h"
#include "sys/syscall.h"

enum {
    ACTION_CLOSE,
    ACTION_OPEN,
    ACTION_READ,
    ACTION_READ_ALL,
    ACTION_READ_CLEAR,
    ACTION_CLEAR,
    ACTION_CONSOLE_OFF,
    ACTION_CONSOLE_ON,
    ACTION_CONSOLE_LEVEL,
    ACTION_SIZE_UNREAD,
    ACTION_SIZE_BUFFER,
};

#define BUFFER_SIZE 65536

static struct mutex collect_lock = MUTEX_INITIALIZER(collect_lock, LOCK_RANK_INODE);
static struct text *collected; /* (collect_lock) where the lines go */

/* All lines are of one severity: 6, information. */
static void collect_line(const char *line, size_t size)
{
    text_append(collected, "<6>", 3);
    text_append(collected, line, size);
}

static void collect(struct text *text)
{
    mutex_lock(&collect_lock);
    collected = text;
    klog_replay(collect_line, UINT32_MAX);
    mutex_unlock(&collect_lock);
}

/* The last bytes, if there are more than fit. */
static int64_t read_all(uintptr_t address, size_t size)
{
    struct text text = {0};

    collect(&text);
    size_t start = text.length > size ? text.length - size : 0;
    int64_t result = text.length - start;

    if (text.failed)
        result = -ENOMEM;
    else if (copy_to_user(address, text.data + start, result) != 0)
        result = -EFAULT;
    text_clear(&text);
    return result;
}

static int check(int action, uintptr_t address, int size)
{
    bool reads = action == ACTION_READ || action == ACTION_READ_ALL || action == ACTION_READ_CLEAR;

    if (action != ACTION_READ_ALL && action != ACTION_SIZE_BUFFER &&
        !credentials_is_privileged(current_credentials()))
        return -EPERM;
    if (action < ACTION_CLOSE || action > ACTION_SIZE_BUFFER)
        return -EINVAL;
    return reads && (!address || size < 0) ? -EINVAL : 0;
}

SYSCALL3(syslog, int, action, uintptr_t, address, int, size)
{
    int error = check(action, address, size);

    if (error)
        return error;
    if (action == ACTION_READ_ALL || action == ACTION_READ_CLEAR)
        return size == 0 ? 0 : read_all(address, size);
    return action == ACTION_SIZE_BUFFER ? BUFFER_SIZE : 0;
}
