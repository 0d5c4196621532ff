/*
 * epoll(7): a file that watches other files and keeps a list of those with news.
 */
#pragma once

#include <linux/eventpoll.h>

#include "fs/file.h"

/* NULL if memory is short. */
struct file *epoll_create(void) MUST_CHECK;
bool file_is_epoll(const struct file *file);

/* epoll_ctl(2), with references to both files held: -EINVAL -EEXIST -ENOENT -EPERM -ELOOP -ENOMEM.
 */
int epoll_add(struct file *epoll, struct file *file, int descriptor,
              const struct epoll_event *event);
int epoll_modify(struct file *epoll, struct file *file, int descriptor,
                 const struct epoll_event *event);
int epoll_remove(struct file *epoll, struct file *file, int descriptor);

/* epoll_wait(2): how many events went to the user array, 0 at the deadline (port_clock_ns() time;
 * 0: does not wait), -EINTR, -EFAULT. */
int epoll_wait_for_events(struct file *epoll, uintptr_t events, int count, uint64_t deadline);

/* The file's last reference is gone and some epoll watches it: all forget it. */
void epoll_file_closed(struct file *file);
