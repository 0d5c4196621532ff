/* The file floor's entry points for the boot code. */
#pragma once

#include <stddef.h>

#include "lib/compiler.h"

/* The tree with /dev and its devices, and what processes own of it. Once, when allocation and
 * sched_init() are done; before the first process, the initrd and other devices. */
int MUST_CHECK fs_init(void);

/* Unpacks newc cpio archives, one after the other, zeros between them, into the tree: existing
 * files are replaced. A kernel thread or the boot thread. -EINVAL: not (wholly) an archive;
 * -ENOMEM. */
int MUST_CHECK initrd_unpack(const void *data, size_t size);
