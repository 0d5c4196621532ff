/* Calls that give a program two descriptors at once: pipe2(2), socketpair(2). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fs/file.h"

/* Installs both files and stores their numbers at the user address; takes over the references on
 * success only, and leaves nothing behind on an error. -EMFILE -ENOMEM -EFAULT */
int64_t install_descriptor_pair(struct file *files[2], uintptr_t address, bool close_on_exec);
