/* The first program: /init, with the arguments and environment that Linux gives it. It opens its
 * own standard files. */
#include "sys/start_init.h"

#include "fs/executable.h"
#include "lib/panic.h"
#include "port.h"
#include "proc/exec.h"
#include "proc/first.h"

#define INIT_PATH "/init"

static int add_strings(struct exec_strings *strings)
{
    int error = exec_strings_add(strings, INIT_PATH);

    if (error == 0)
        error = exec_strings_add(strings, "HOME=/");
    if (error == 0)
        error = exec_strings_add(strings, "TERM=linux");
    strings->argument_count = 1;
    strings->environment_count = 2;
    return error;
}

/* On pid 1's own thread. */
static void run_init(void *argument)
{
    struct executable *executable;
    struct exec_strings strings;
    int error = executable_open_path(INIT_PATH, &executable);

    if (error)
        panic("cannot open %s: error %d", INIT_PATH, -error);
    exec_strings_init(&strings);
    error = add_strings(&strings);
    if (error == 0)
        error = process_exec(executable, INIT_PATH, &strings);
    if (error)
        panic("cannot run %s: error %d", INIT_PATH, -error);
    exec_strings_destroy(&strings);
    executable_put(executable);
    port_enter_user();
}

void start_init(void)
{
    process_start_first("init", run_init);
}
