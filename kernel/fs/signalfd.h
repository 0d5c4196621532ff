/* Descriptors from which pending signals are read: signalfd(2). They show the reader's own signals.
 */
#pragma once

#include "fs/file.h"
#include "proc/signal.h"

/* `flags`: O_NONBLOCK. NULL if memory is short. */
struct file *signalfd_create(signal_set mask, uint32_t flags) MUST_CHECK;
/* Changes what it shows. -EINVAL: it is no signalfd. */
int signalfd_set_mask(struct file *file, signal_set mask);
