/*
 * The kernel's command line: words apart by spaces, NAME or NAME=VALUE; docs/boot.md lists them.
 * Set once, before other CPUs run, and constant from then on: any context may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keeps a copy of the line's first CMDLINE_SIZE - 1 bytes. */
#define CMDLINE_SIZE 4096
void cmdline_set(const char *line);

/* The whole line. */
const char *cmdline_text(void);

/*
 * Is the word `name` there? The last one counts. `buffer` gets its value, cut to fit, empty for a
 * word without "="; it is left alone if the word is not there. NULL with size 0: only ask.
 */
bool cmdline_get(const char *name, char *buffer, size_t size);

/* The word's value as a decimal number, or `fallback` if there is none. */
uint64_t cmdline_get_number(const char *name, uint64_t fallback);
