/* Names from user space. */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"
#include "mm/frame.h"

/* A short name stays on the stack of the call; a long one gets a page. */
struct user_name {
    const char *text;
    physical_t frame; /* 0: the text is in the buffer */
    char buffer[128];
};

/* -EFAULT -ENAMETOOLONG -ENOMEM. Only after success must user_name_put() follow. */
int user_name_get(struct user_name *name, uintptr_t address) MUST_CHECK;
void user_name_put(struct user_name *name);
