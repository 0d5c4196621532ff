/*
 * The kernel's embedded symbol table: the functions' names for backtraces.
 *
 * The build links the kernel twice: tools/symbols.py turns the first image's function symbols into
 * the table of the second. Read-only, so any context may use it, a panic too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct kernel_symbol {
    uintptr_t address;
    const char *name;
};

/* Sorted by address; in the section .ksyms. */
extern const struct kernel_symbol kernel_symbols[];
extern const size_t kernel_symbol_count;

/* The function that holds `address`, or NULL; *offset gets the distance from its start. */
const char *symbol_find(uintptr_t address, uintptr_t *offset);
