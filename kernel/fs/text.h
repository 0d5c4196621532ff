/* A growing piece of text, as files of /proc are made of. Private to its user; no lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/compiler.h"

struct text {
    char *data; /* kmalloc'ed, not ended with NUL; NULL while empty */
    size_t length;
    size_t capacity;
    bool failed; /* memory ran out: what follows is dropped */
};

void text_print(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_append(struct text *text, const char *data, size_t length);
/* Makes room for so many more bytes, to be written at data + length. False: out of memory. */
bool text_reserve(struct text *text, size_t more);
/* Frees the text; it is empty again. */
void text_clear(struct text *text);
