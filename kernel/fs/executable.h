/* Files as programs: how execve(2) opens them; the rest is behind struct executable (proc/exec.h).
 */
#pragma once

#include "proc/exec.h"

struct path;

/* Opens a program: `directory` a descriptor or AT_FDCWD, `flags` of AT_EMPTY_PATH and
 * AT_SYMLINK_NOFOLLOW. The errors of a path walk, -EACCES (no regular file, or may not be
 * executed), -ETXTBSY (open for writing). One reference; the file cannot be opened for writing
 * while it lasts. In a kernel thread everything is allowed. May sleep. */
int executable_open(int directory, const char *name, int flags,
                    struct executable **executable) MUST_CHECK;
/* The same for the kernel's own use. */
int executable_open_path(const char *name, struct executable **executable) MUST_CHECK;
/* Where it was found: what /proc/<pid>/exe leads to. Borrowed. */
struct path *executable_path(struct executable *executable);
