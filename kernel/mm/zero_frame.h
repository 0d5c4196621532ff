/* The frame of zeroes that untouched anonymous memory shows to readers. */
#pragma once

#include "mm/frame.h"

extern physical_t
    zero_frame; /* constant after mm_init(); never freed: mm_init() keeps a reference */
