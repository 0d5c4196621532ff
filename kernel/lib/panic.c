/*
 * The panic report. Owns the list of sections, which only grows, at boot. Once a panic has begun
 * this CPU is alone: nothing here takes a lock.
 */
#include "lib/panic.h"

#include "lib/klog.h"
#include "lib/printf.h"
#include "port.h"

static struct panic_section *first_section;

void panic_add_section(struct panic_section *section)
{
    struct panic_section **end = &first_section;

    while (*end)
        end = &(*end)->next;
    *end = section;
}

static void print_sections(void)
{
    for (struct panic_section *section = first_section; section; section = section->next) {
        klog("%s:", section->title);
        section->print();
    }
}

void panic(const char *format, ...)
{
    static char reason[256];
    bool is_first = port_panic_begin();
    va_list arguments;

    va_start(arguments, format);
    kvsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    if (!is_first) {
        klog("panic: another panic while reporting the first: %s", reason);
        port_panic_end();
    }
    klog_begin_report();
    klog("panic: %s", reason);
    port_panic_print_state();
    print_sections();
    port_panic_end();
}
