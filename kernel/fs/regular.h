/* Open regular files of the in-memory tree. */
#pragma once

#include "fs/file.h"

extern const struct file_operations regular_operations;

/* fallocate(2) on an open file; modes FALLOC_FL_*. -EBADF -EINVAL -EOPNOTSUPP -EFBIG -ENOSPC */
int regular_allocate(struct file *file, unsigned mode, int64_t offset, int64_t length);

/* A regular file that no directory names: what memfd_create(2) and O_TMPFILE open. The name is what
 * /proc shows; with `may_be_linked`, linkat(2) can give it another. -ENOMEM */
int regular_create_unnamed(const char *name, uint32_t mode, uint32_t flags, bool may_be_linked,
                           struct file **file);
