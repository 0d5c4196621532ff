/*
 * timerfd(2). A periodic timer is armed for its next expiry only when the last one has been read:
 * how many periods passed meanwhile is computed then, so that short periods cannot flood the
 * machine.
 *
 * The lock of each timerfd (rank POSIX_TIMER, interrupts masked) guards it. Absolute times of the
 * wall clock are followed when the clock is set: clock_set_wait makes the timer look again.
 */
#include "fs/timerfd.h"

#include <asm-generic/fcntl.h>
#include <linux/time.h>

#include "fs/poll.h"
#include "lib/errno.h"
#include "mm/user_copy.h"
#include "sched/clock.h"

struct timerfd {
    struct spinlock lock;
    struct timer timer;
    struct wait_queue wait;
    struct wait_entry clock_entry;   /* in clock_set_wait, if the clock is CLOCK_REALTIME */
    int clock;                       /* (const) */
    bool is_wall_time;               /* (lock) the expiry is on the wall clock, else monotonic */
    bool cancel_on_set;              /* (lock) TFD_TIMER_CANCEL_ON_SET */
    uint64_t clock_settings;         /* (lock) clock_set_count() when it was armed */
    struct interval_setting setting; /* (lock) expiry 0: disarmed */
    uint64_t ticks; /* (lock) expiries not read yet, but for periods that passed since */
};

static SLAB_CACHE(timerfd_cache, struct timerfd);

static uint64_t now_locked(const struct timerfd *timerfd)
{
    return timerfd->is_wall_time ? clock_realtime_ns() : port_clock_ns();
}

static void arm_locked(struct timerfd *timerfd)
{
    uint64_t offset = timerfd->is_wall_time ? clock_realtime_offset() : 0;
    uint64_t expiry = timerfd->setting.expiry;

    timer_arm(&timerfd->timer, expiry > offset ? expiry - offset : 0);
}

static bool is_canceled_locked(const struct timerfd *timerfd)
{
    return timerfd->cancel_on_set && timerfd->clock_settings != clock_set_count();
}

static void expire(struct timer *timer)
{
    struct timerfd *timerfd = container_of(timer, struct timerfd, timer);
    irq_state_t state = spin_lock_irq_save(&timerfd->lock);
    bool wakes = is_canceled_locked(timerfd);

    if (timerfd->setting.expiry != 0 && timerfd->ticks == 0) {
        if (timerfd->setting.expiry <= now_locked(timerfd)) {
            timerfd->ticks = 1;
            wakes = true;
        } else {
            arm_locked(timerfd);
        }
    }
    if (wakes)
        wait_queue_wake_all(&timerfd->wait, POLLIN);
    spin_unlock_irq_restore(&timerfd->lock, state);
}

/* The wall clock was set: look again, by way of the timer, which may take the lock. */
static bool clock_was_set(struct wait_entry *entry, uint64_t key)
{
    struct timerfd *timerfd = container_of(entry, struct timerfd, clock_entry);

    (void)key;
    timer_arm(&timerfd->timer, 0);
    return false;
}

/* Counts the periods that have passed since the expiry that made it ready, and begins the next. */
static void catch_up_locked(struct timerfd *timerfd)
{
    struct interval_setting *setting = &timerfd->setting;
    uint64_t now = now_locked(timerfd);

    if (timerfd->ticks == 0 || setting->expiry == 0)
        return;
    if (setting->interval == 0) {
        setting->expiry = 0;
        return;
    }
    if (setting->expiry <= now) {
        uint64_t passed = (now - setting->expiry) / setting->interval;

        timerfd->ticks += passed;
        setting->expiry += (passed + 1) * setting->interval;
    }
}

static bool is_ready(void *argument)
{
    struct timerfd *timerfd = argument;
    irq_state_t state = spin_lock_irq_save(&timerfd->lock);
    bool ready = timerfd->ticks != 0 || is_canceled_locked(timerfd);

    spin_unlock_irq_restore(&timerfd->lock, state);
    return ready;
}

/* The expiries since the last read; 0: none; -ECANCELED once for each time that the clock was set.
 */
static int64_t take(struct timerfd *timerfd)
{
    irq_state_t state = spin_lock_irq_save(&timerfd->lock);
    int64_t ticks;

    if (is_canceled_locked(timerfd)) {
        timerfd->clock_settings = clock_set_count();
        timerfd->ticks = 0;
        ticks = -ECANCELED;
    } else {
        catch_up_locked(timerfd);
        ticks = (int64_t)timerfd->ticks;
        timerfd->ticks = 0;
    }
    if (ticks != 0 && timerfd->setting.expiry != 0)
        arm_locked(timerfd);
    spin_unlock_irq_restore(&timerfd->lock, state);
    return ticks;
}

static int64_t timerfd_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct timerfd *timerfd = file->private;
    int64_t ticks;

    (void)position;
    if (size < sizeof(ticks))
        return -EINVAL;
    while ((ticks = take(timerfd)) == 0) {
        int error;

        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        error = wait_queue_sleep(&timerfd->wait, is_ready, timerfd, SLEEP_INTERRUPTIBLE,
                                 DEADLINE_NEVER);
        if (error)
            return error;
    }
    if (ticks < 0)
        return ticks;
    if (copy_to_user(buffer, &ticks, sizeof(ticks)) != 0)
        return -EFAULT;
    return sizeof(ticks);
}

static uint32_t timerfd_poll(struct file *file, struct poll_table *table)
{
    struct timerfd *timerfd = file->private;

    poll_wait(table, &timerfd->wait);
    return is_ready(timerfd) ? POLLIN : 0;
}

static void timerfd_release(struct file *file)
{
    struct timerfd *timerfd = file->private;

    if (timerfd->clock == CLOCK_REALTIME)
        wait_queue_remove(&timerfd->clock_entry);
    timer_cancel(&timerfd->timer);
    slab_free(&timerfd_cache, timerfd);
}

static const struct file_operations timerfd_operations = {
    .name = "anon_inode:[timerfd]",
    .read = timerfd_read,
    .poll = timerfd_poll,
    .release = timerfd_release,
};

struct file *timerfd_create(int clock, uint32_t flags)
{
    struct timerfd *timerfd = slab_alloc(&timerfd_cache);
    struct file *file;

    if (!timerfd)
        return NULL;
    spin_init(&timerfd->lock, LOCK_RANK_POSIX_TIMER);
    timer_init(&timerfd->timer, expire);
    wait_queue_init(&timerfd->wait);
    timerfd->clock = clock;
    file = file_create(&timerfd_operations, timerfd, O_RDWR | flags);
    if (!file) {
        slab_free(&timerfd_cache, timerfd);
        return NULL;
    }
    if (clock == CLOCK_REALTIME) {
        wait_entry_init(&timerfd->clock_entry, clock_was_set);
        wait_queue_add(&clock_set_wait, &timerfd->clock_entry);
    }
    return file;
}

bool file_is_timerfd(const struct file *file)
{
    return file->operations == &timerfd_operations;
}

/* Time left. An expiry that has not been read yet belongs to the past. */
static void read_locked(struct timerfd *timerfd, struct interval_setting *setting)
{
    uint64_t now;

    catch_up_locked(timerfd);
    *setting = timerfd->setting;
    now = now_locked(timerfd);
    if (setting->expiry > now)
        setting->expiry -= now;
    else if (setting->expiry != 0)
        setting->expiry = 1;
}

void timerfd_get(struct file *file, struct interval_setting *setting)
{
    struct timerfd *timerfd = file->private;
    irq_state_t state = spin_lock_irq_save(&timerfd->lock);

    read_locked(timerfd, setting);
    spin_unlock_irq_restore(&timerfd->lock, state);
}

void timerfd_set(struct file *file, bool absolute, bool cancel_on_set,
                 const struct interval_setting *new_setting, struct interval_setting *old)
{
    struct timerfd *timerfd = file->private;
    irq_state_t state = spin_lock_irq_save(&timerfd->lock);

    read_locked(timerfd, old);
    timerfd->is_wall_time = absolute && timerfd->clock == CLOCK_REALTIME;
    timerfd->cancel_on_set = cancel_on_set && timerfd->is_wall_time;
    timerfd->clock_settings = clock_set_count();
    timerfd->ticks = 0;
    timerfd->setting = *new_setting;
    if (new_setting->expiry == 0) {
        timerfd->setting.interval = 0;
    } else {
        if (!absolute)
            timerfd->setting.expiry += now_locked(timerfd);
        arm_locked(timerfd);
    }
    spin_unlock_irq_restore(&timerfd->lock, state);
}
