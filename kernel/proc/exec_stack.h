/* The initial stack of a program: strings, auxiliary vector, envp, argv, argc (x86-64 psABI 3.4.1).
 */
#pragma once

#include "mm/address_space.h"
#include "proc/elf.h"
#include "proc/exec.h"

struct exec_stack_request {
    struct address_space *space; /* the new image's; its stack is mapped */
    uintptr_t top;               /* end of the stack mapping, page aligned */
    const struct exec_strings *strings;
    const char *path; /* AT_EXECFN */
    const struct elf_image *image;
    uintptr_t load_bias;
    const struct credentials *credentials;
    bool is_secure; /* AT_SECURE: ids differ from the caller's real ones */
};

/* Writes it; *stack_pointer is where argc stands. Fills the space's layout record. -ENOMEM -E2BIG
 * -EFAULT */
int exec_build_stack(const struct exec_stack_request *request, uintptr_t *stack_pointer);
