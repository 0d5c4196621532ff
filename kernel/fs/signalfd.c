/*
 * signalfd(2). A signalfd has no signals of its own: each reader or poller looks at its own
 * process's, and waits on its process's channel. The file holds a reference to each channel that
 * was waited on through it, because an epoll keeps its entry there until the file is released.
 */
#include "fs/signalfd.h"

#include <asm-generic/fcntl.h>
#include <linux/signalfd.h>

#include "fs/poll.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/user_copy.h"

struct channel_reference {
    struct list link;
    struct signal_channel *channel;
};

struct signalfd {
    _Atomic signal_set mask;
    struct mutex lock;    /* rank PIPE */
    struct list channels; /* (lock) struct channel_reference by link */
};

static SLAB_CACHE(signalfd_cache, struct signalfd);
static SLAB_CACHE(reference_cache, struct channel_reference);

static bool knows_locked(struct signalfd *signalfd, const struct signal_channel *channel)
{
    struct channel_reference *reference;

    list_for_each (reference, &signalfd->channels, link)
        if (reference->channel == channel)
            return true;
    return false;
}

/* The caller's channel, which then lives as long as the file. NULL if memory is short. */
static struct signal_channel *join_channel(struct signalfd *signalfd)
{
    struct signal_channel *channel = signal_channel_obtain();
    struct channel_reference *reference = NULL;
    bool known;

    if (!channel)
        return NULL;
    mutex_lock(&signalfd->lock);
    known = knows_locked(signalfd, channel);
    if (!known) {
        reference = slab_alloc(&reference_cache);
        if (reference) {
            reference->channel = channel;
            list_push_back(&signalfd->channels, &reference->link);
        }
    }
    mutex_unlock(&signalfd->lock);
    if (reference)
        return channel;
    signal_channel_put(channel);
    return known ? channel : NULL;
}

/* Which fields of siginfo_t mean something: signal(7) and sigaction(2). */
enum info_form { FORM_SENDER, FORM_CHILD, FORM_FAULT, FORM_TIMER, FORM_VALUE };

static enum info_form form_of(const struct signal_info *info)
{
    if (info->code == SI_TIMER)
        return FORM_TIMER;
    if (info->code < 0)
        return FORM_VALUE;
    if (info->code == SI_USER || info->code == SI_KERNEL)
        return FORM_SENDER;
    return info->signal == SIGCHLD ? FORM_CHILD : FORM_FAULT;
}

static void fill_record(struct signalfd_siginfo *record, const struct signal_info *info)
{
    *record = (struct signalfd_siginfo){
        .ssi_signo = (uint32_t)info->signal,
        .ssi_errno = info->error,
        .ssi_code = info->code,
    };
    switch (form_of(info)) {
    case FORM_FAULT:
        record->ssi_addr = info->address;
        return;
    case FORM_TIMER:
        record->ssi_tid = (uint32_t)info->timer_id;
        record->ssi_overrun = (uint32_t)info->overrun;
        record->ssi_ptr = info->value;
        record->ssi_int = (int32_t)info->value;
        return;
    case FORM_VALUE:
        record->ssi_ptr = info->value;
        record->ssi_int = (int32_t)info->value;
        break;
    case FORM_CHILD:
        record->ssi_status = info->status;
        record->ssi_utime = (uint64_t)info->user_ticks;
        record->ssi_stime = (uint64_t)info->system_ticks;
        break;
    case FORM_SENDER:
        break;
    }
    record->ssi_pid = (uint32_t)info->pid;
    record->ssi_uid = info->uid;
}

static bool has_some(void *argument)
{
    struct signalfd *signalfd = argument;

    return signal_any_pending(signalfd->mask);
}

/* One signal; sleeps for it if asked to. -EAGAIN -ERESTARTSYS -ENOMEM */
static int take(struct signalfd *signalfd, bool wait, struct signal_info *info)
{
    struct signal_channel *channel = NULL;
    int error;

    while (!signal_take(signalfd->mask, info)) {
        if (!wait)
            return -EAGAIN;
        if (!channel)
            channel = join_channel(signalfd);
        if (!channel)
            return -ENOMEM;
        error = wait_queue_sleep(&channel->wait, has_some, signalfd, SLEEP_INTERRUPTIBLE,
                                 DEADLINE_NEVER);
        if (error)
            return error;
    }
    return 0;
}

static int64_t signalfd_read(struct file *file, uintptr_t buffer, size_t size, uint64_t *position)
{
    struct signalfd *signalfd = file->private;
    bool wait = !(file->flags & O_NONBLOCK);
    struct signalfd_siginfo record;
    struct signal_info info;
    size_t done = 0;

    (void)position;
    if (size < sizeof(record))
        return -EINVAL;
    while (done + sizeof(record) <= size) {
        int error = take(signalfd, wait && done == 0, &info);

        if (error)
            return done ? (int64_t)done : error;
        fill_record(&record, &info);
        if (copy_to_user(buffer + done, &record, sizeof(record)) != 0)
            return done ? (int64_t)done : -EFAULT;
        done += sizeof(record);
    }
    return (int64_t)done;
}

static uint32_t signalfd_poll(struct file *file, struct poll_table *table)
{
    struct signalfd *signalfd = file->private;
    struct signal_channel *channel;

    if (table) {
        channel = join_channel(signalfd);
        if (channel)
            poll_wait(table, &channel->wait);
        else
            table->error = -ENOMEM;
    }
    return has_some(signalfd) ? POLLIN : 0;
}

static size_t signalfd_describe(struct file *file, char *buffer, size_t size)
{
    struct signalfd *signalfd = file->private;

    return ksnprintf(buffer, size, "sigmask:\t%016lx\n", (unsigned long)signalfd->mask);
}

static void signalfd_release(struct file *file)
{
    struct signalfd *signalfd = file->private;
    struct list *link;

    while ((link = list_pop_front(&signalfd->channels))) {
        struct channel_reference *reference = list_entry(link, struct channel_reference, link);

        signal_channel_put(reference->channel);
        slab_free(&reference_cache, reference);
    }
    slab_free(&signalfd_cache, signalfd);
}

static const struct file_operations signalfd_operations = {
    .name = "anon_inode:[signalfd]",
    .read = signalfd_read,
    .poll = signalfd_poll,
    .describe = signalfd_describe,
    .release = signalfd_release,
};

struct file *signalfd_create(signal_set mask, uint32_t flags)
{
    struct signalfd *signalfd = slab_alloc(&signalfd_cache);
    struct file *file;

    if (!signalfd)
        return NULL;
    signalfd->mask = mask & ~SIGNALS_UNBLOCKABLE;
    mutex_init(&signalfd->lock, LOCK_RANK_PIPE);
    list_init(&signalfd->channels);
    file = file_create(&signalfd_operations, signalfd, O_RDWR | flags);
    if (!file)
        slab_free(&signalfd_cache, signalfd);
    return file;
}

int signalfd_set_mask(struct file *file, signal_set mask)
{
    struct signalfd *signalfd = file->private;
    struct channel_reference *reference;

    if (file->operations != &signalfd_operations)
        return -EINVAL;
    signalfd->mask = mask & ~SIGNALS_UNBLOCKABLE;
    mutex_lock(&signalfd->lock);
    list_for_each (reference, &signalfd->channels, link)
        wait_queue_wake_all(&reference->channel->wait, POLLIN);
    mutex_unlock(&signalfd->lock);
    return 0;
}
