/* /proc: what the kernel says of itself and of each process, in the formats of Linux (proc(5)). */
#pragma once

#include "lib/compiler.h"

/* Attaches the file system at /proc. At boot, when the tree exists. -ENOMEM. */
int MUST_CHECK procfs_init(void);
