/* The size of signal handlers' frames, as exec tells it to programs (AT_MINSIGSTKSZ). */
#pragma once

#include <stddef.h>

/* Bytes that one frame takes on a stack, at most. */
size_t signal_frame_max_size(void);
