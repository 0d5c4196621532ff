/* Files as programs: what kernel/proc/exec.h asks for, on the tree. */
#pragma once

#include "proc/exec.h"

/* Opens a program for execveat(2): `directory` a descriptor or AT_FDCWD, flags AT_EMPTY_PATH,
 * AT_SYMLINK_NOFOLLOW. `path` is a kernel string. One reference. -ENOENT -EACCES -ENOTDIR -ELOOP -EBADF
 * -ENOMEM */
int MUST_CHECK executable_open(int directory, const char *path, int flags,
                               struct executable **executable);
