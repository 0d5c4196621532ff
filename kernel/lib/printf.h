/* Formatted text: the standard conversions d i u x X o c s p %, with flags, width, precision, hh h
 * l ll z. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "lib/compiler.h"

/* As snprintf(3): returns the length that the whole text would have. */
size_t ksnprintf(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
size_t kvsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
