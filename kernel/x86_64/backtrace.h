/* Call chains by frame pointers, with names. Any context; takes no locks, follows no wild pointer.
 */
#pragma once

#include <stdint.h>

/* Prints, by klog(), the function at `instruction` if it is not 0, and its callers from the frame
 * that `frame_pointer` names. */
void backtrace_print(uintptr_t instruction, uintptr_t frame_pointer);
