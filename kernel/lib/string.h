/*
 * Memory and strings: the C library's functions under their own names (the simulated machine takes
 * them from the host's), and a few that it lacks.
 */
#pragma once

#include <stddef.h>

#include "lib/compiler.h"

void *memcpy(void *restrict destination, const void *restrict source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memchr(const void *memory, int byte, size_t size);
size_t strlen(const char *string);
size_t strnlen(const char *string, size_t limit);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t limit);
char *strchr(const char *string, int byte);
char *strrchr(const char *string, int byte);

/* Copies what fits, always ends it with NUL (size > 0), and returns whether all of it fitted. */
static inline int string_copy(char *destination, const char *source, size_t size)
{
    size_t length = strnlen(source, size);
    size_t kept = length < size ? length : size - 1;

    memcpy(destination, source, kept);
    destination[kept] = '\0';
    return length < size;
}

static inline int string_starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}
