/* Walking the stack of a kernel that may be damaged. Reads only. */
#include "x86_64/backtrace.h"

#include <stdbool.h>

#include "lib/klog.h"
#include "lib/symbols.h"
#include "mm/frame_table.h"
#include "port.h"
#include "x86_64/kernel_map.h"

#define DEPTH_MAX 32

/* What `push %rbp; mov %rsp, %rbp` leaves at a function's beginning. */
struct call_frame {
    const struct call_frame *caller;
    uintptr_t return_address;
};

extern char kernel_text_start[], kernel_text_end[], kernel_data_start[], kernel_image_end[];

static bool is_text(uintptr_t address)
{
    return address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end;
}

/* Stacks are in the stack area, the image (boot CPU) or kernel objects (exception stacks). The
 * frame may be torn, so the page must be known to be there before it is read. */
static bool is_stack(uintptr_t address)
{
    if (address % sizeof(uintptr_t))
        return false;
    if (address - KERNEL_STACK_AREA < KERNEL_STACK_AREA_SIZE)
        return kernel_map_stack_is_mapped(address);
    return (address >= (uintptr_t)kernel_data_start && address < (uintptr_t)kernel_image_end) ||
           address - PORT_DIRECT_MAP < frame_limit << PAGE_SHIFT;
}

static void print_one(uintptr_t address, bool is_return)
{
    uintptr_t offset;
    /* A call at a function's very end returns into the next: look up the call itself. */
    const char *name = symbol_find(address - is_return, &offset);

    if (name)
        klog("  %#lx %s+%#lx", address, name, offset + is_return);
    else
        klog("  %#lx ?", address);
}

void backtrace_print(uintptr_t instruction, uintptr_t frame_pointer)
{
    klog("backtrace:");
    if (instruction)
        print_one(instruction, false);
    for (unsigned depth = 0; depth < DEPTH_MAX && is_stack(frame_pointer); depth++) {
        const struct call_frame *frame = (const struct call_frame *)frame_pointer;

        if (!is_text(frame->return_address) || (uintptr_t)frame->caller == frame_pointer)
            return;
        print_one(frame->return_address, true);
        frame_pointer = (uintptr_t)frame->caller;
    }
}
