/* A growing piece of text: see text.h. */
#include "fs/text.h"

#include <stdarg.h>

#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"

#define FIRST_CAPACITY 512

bool text_reserve(struct text *text, size_t more)
{
    size_t capacity = text->capacity ? text->capacity : FIRST_CAPACITY;

    if (text->failed)
        return false;
    if (text->data && text->length + more <= text->capacity)
        return true;
    while (capacity < text->length + more)
        capacity *= 2;
    char *data = kmalloc(capacity);

    if (!data) {
        text->failed = true;
        return false;
    }
    if (text->data)
        memcpy(data, text->data, text->length);
    kfree(text->data);
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t length = kvsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (!text_reserve(text, length + 1))
        return;
    va_start(arguments, format);
    kvsnprintf(text->data + text->length, length + 1, format, arguments);
    va_end(arguments);
    text->length += length;
}

void text_append(struct text *text, const char *data, size_t length)
{
    if (!text_reserve(text, length))
        return;
    memcpy(text->data + text->length, data, length);
    text->length += length;
}

void text_clear(struct text *text)
{
    kfree(text->data);
    *text = (struct text){0};
}
