/* execve, execveat: gathers the strings and the file; kernel/proc does the rest. */
#include <linux/fcntl.h>

#include "fs/executable.h"
#include "proc/exec.h"
#include "proc/process.h"
#include "sys/path_copy.h"
#include "sys/syscall.h"

/* Adds the strings of a NULL-terminated array of pointers; a null array is an empty one. */
static int add_strings(struct exec_strings *strings, uintptr_t array, uint32_t *count)
{
    for (*count = 0; array; array += sizeof(uintptr_t), ++*count) {
        uintptr_t string;
        int error = copy_from_user(&string, array, sizeof(string));

        if (error)
            return error;
        if (!string)
            return 0;
        error = exec_strings_add_user(strings, string);
        if (error)
            return error;
    }
    return 0;
}

/* A program may count on argv[0]: Linux gives an empty string to who passes none. */
static int add_arguments(struct exec_strings *strings, uintptr_t arguments, uintptr_t environment)
{
    int error = add_strings(strings, arguments, &strings->argument_count);

    if (error == 0 && strings->argument_count == 0) {
        error = exec_strings_add(strings, "");
        strings->argument_count = 1;
    }
    if (error == 0)
        error = add_strings(strings, environment, &strings->environment_count);
    return error;
}

static int64_t do_exec(int directory, uintptr_t path_address, uintptr_t arguments,
                       uintptr_t environment, int flags)
{
    struct executable *executable;
    struct exec_strings strings;
    struct user_name path;
    int error = user_name_get(&path, path_address);

    if (error)
        return error;
    exec_strings_init(&strings);
    error = executable_open(directory, path.text, flags, &executable);
    if (error == 0) {
        error = add_arguments(&strings, arguments, environment);
        if (error == 0)
            error = process_exec(executable, path.text, &strings);
        executable_put(executable);
    }
    exec_strings_destroy(&strings);
    user_name_put(&path);
    return error;
}

SYSCALL3(execve, uintptr_t, path, uintptr_t, arguments, uintptr_t, environment)
{
    return do_exec(AT_FDCWD, path, arguments, environment, 0);
}

SYSCALL5(execveat, int, directory, uintptr_t, path, uintptr_t, arguments, uintptr_t, environment,
         int, flags)
{
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return do_exec(directory, path, arguments, environment, flags);
}
