/*
 * What a boot door hands to the kernel, and the machine they agree on.
 *
 * Both doors (boot/uefi.c and boot/pvh.S) fill one struct boot_info and call
 * kernel_entry(const struct boot_info *), in boot/entry.S, in the higher half; kmain() can't tell
 * which door it was but by `door`. Also included by the UEFI loader, so: fixed-width types only.
 *
 * At the entry of the kernel, on the boot CPU:
 *   - long mode, interrupts masked, direction flag clear, EFER.NXE set, CR0.WP set;
 *   - the page tables of the door map, writable and executable, with 2 MiB pages:
 *       0 .. 4 GiB                    at itself (discarded by the kernel)
 *       0 .. 4 GiB                    at DIRECT_MAP_BASE
 *       kernel_physical .. + 1 GiB    at KERNEL_BASE, so that the image stands at its link address
 *   - these tables, boot_info and everything that it names lie below 4 GiB, in ranges of kind
 *     BOOT_MEMORY_LOADER or BOOT_MEMORY_KERNEL: they stay untouched until the kernel, having built
 *     its own tables and copied what it keeps, chooses to free the LOADER ranges;
 *   - interrupt and segment tables are the door's: the kernel loads its own before it enables
 *     interrupts, and runs with a null or flat data segment until then.
 */
#pragma once

#define KERNEL_BASE        0xffffffff80000000
#define DIRECT_MAP_BASE    0xffff800000000000
#define KERNEL_LOAD_OFFSET 0x200000 /* the image starts at KERNEL_BASE + this */

#define BOOT_INFO_MAGIC  0x31304e494b544f42 /* "BOTKIN01", little endian */
#define BOOT_MEMORY_MAX  256
#define BOOT_INITRD_MAX  16
#define BOOT_COMMAND_MAX 4096

/* QEMU's debug ports; docs/boot.md describes the protocol of each. */
#define HOST_PORT_LOG     0xe9  /* the kernel's log */
#define HOST_PORT_STDOUT  0xea  /* the program's standard output, raw bytes */
#define HOST_PORT_STDERR  0xeb  /* the program's standard error, raw bytes */
#define HOST_PORT_CONTROL 0xec  /* lines of text to the host command */
#define HOST_PORT_EXIT    0x501 /* isa-debug-exit: a byte v ends QEMU with status (v << 1) | 1 */
#define HOST_PORT_STDIN   0x2f8 /* COM2: the program's standard input, byte-stuffed */
#define HOST_PORT_CONSOLE 0x3f8 /* COM1: the interactive terminal */

/* In the stuffed standard input: 0xff 0xff is a byte 0xff, 0xff 0x00 the end of the file. */
#define HOST_STDIN_ESCAPE 0xff
#define HOST_STDIN_END    0x00

/* Bytes for HOST_PORT_EXIT. None gives QEMU the statuses 0 or 1, which it uses for itself. */
#define HOST_EXIT_POWEROFF  0x10 /* an orderly power-off, QEMU's status 33 */
#define HOST_EXIT_PANIC     0x11 /* kernel panic, 35 */
#define HOST_EXIT_BOOT      0x12 /* a door could not start the kernel, 37 */
#define HOST_EXIT_INIT_DIED 0x13 /* the first process ended, 39 */

#ifndef __ASSEMBLER__

#include <stdint.h>

enum boot_memory_kind {
    BOOT_MEMORY_USABLE = 1,   /* free RAM */
    BOOT_MEMORY_RESERVED = 2, /* not RAM, or the firmware's for ever */
    BOOT_MEMORY_ACPI = 3,     /* ACPI tables: RAM that may be reclaimed after reading them */
    BOOT_MEMORY_LOADER = 4,   /* RAM with boot_info, page tables, initrds: the kernel frees it */
    BOOT_MEMORY_KERNEL = 5,   /* the kernel's image */
};

/* Page-aligned, sorted by base, without overlap. */
struct boot_memory {
    uint64_t base;
    uint64_t size;
    uint64_t kind;
};

struct boot_range {
    uint64_t physical;
    uint64_t size;
};

enum boot_pixel_format { BOOT_PIXEL_NONE, BOOT_PIXEL_BGRX, BOOT_PIXEL_RGBX };

struct boot_framebuffer {
    uint64_t physical; /* 0: there is none */
    uint64_t size;
    uint32_t width, height; /* pixels */
    uint32_t stride;        /* pixels from a row to the next */
    uint32_t format;        /* enum boot_pixel_format */
};

/* All addresses are physical. */
struct boot_info {
    uint64_t magic;
    uint64_t kernel_physical; /* where KERNEL_BASE + KERNEL_LOAD_OFFSET stands, less that offset:
                               * physical = virtual - KERNEL_BASE + kernel_physical */
    uint64_t kernel_size;     /* bytes of the image in memory, from KERNEL_LOAD_OFFSET on */
    uint64_t rsdp;            /* ACPI root pointer; 0: unknown, look in the BIOS area */
    uint64_t start_cycles;    /* the time stamp counter when the door was entered */
    uint64_t entry_cycles;    /* ... and when it left for the kernel */
    struct boot_framebuffer framebuffer;
    char door[8]; /* "pvh" or "uefi" */
    uint32_t initrd_count;
    uint32_t memory_count;
    struct boot_range initrds[BOOT_INITRD_MAX];
    struct boot_memory memory[BOOT_MEMORY_MAX];
    char command_line[BOOT_COMMAND_MAX]; /* ends with a NUL */
};

#endif
