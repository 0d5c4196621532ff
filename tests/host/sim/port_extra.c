/* The rest of the seam: what a run on the simulated machine only needs so that the kernel links, or
 * to end with a message. */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"
#include "lib/klog.h"

void klog(const char *format, ...)
{
    char text[64];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    trace_note(text);
}

_Noreturn void port_init_died(int status)
{
    sim_fail("init died with status %#x", status);
}

void port_get_auxiliary(struct port_auxiliary *auxiliary)
{
    *auxiliary = (struct port_auxiliary){.platform = "sim"};
}

/* A new image would have to run on a stack that the present program still uses: scenarios do
 * without exec, whose own parts have unit tests. */
void port_user_exec(uintptr_t entry, uintptr_t stack)
{
    (void)entry;
    (void)stack;
    sim_fail("exec is not simulated");
}
