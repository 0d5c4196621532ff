/* The code with which another CPU begins, and what the boot CPU writes into its copy of it. */
#pragma once

#include <stdint.h>

/* At trampoline_values, from which the code reads. */
struct trampoline_values {
    uint16_t gdt_limit;
    uint32_t gdt_base; /* physical */
    uint16_t unused;
    uint32_t long_entry; /* physical address of the 64-bit part, with its selector: a far pointer */
    uint16_t long_selector;
    uint16_t unused2;
    uint32_t page_table;
    uint32_t unused3;
    uint64_t stack;
    uint64_t argument;
    uint64_t function; /* _Noreturn void (*)(void *argument) */
} __attribute__((packed));

/* trampoline.S: copied to a page below 1 MiB. */
extern const uint8_t trampoline_start[], trampoline_end[];
extern const uint8_t trampoline_gdt[], trampoline_long[], trampoline_values[];
