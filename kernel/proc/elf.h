/*
 * ELF-64 images (System V gABI, x86-64 psABI): parsing only. Pure functions on bytes in memory;
 * whatever the bytes are, nothing outside them is read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENT_MAX         32 /* PT_LOAD segments of one image */
#define ELF_PROGRAM_HEADER_MAX  64 /* Linux takes more; no linker makes more */
#define ELF_PROGRAM_HEADER_SIZE 56

/* One PT_LOAD, as it is to be mapped: `address` and `offset` agree modulo the page size. */
struct elf_segment {
    uint64_t address; /* virtual, before the load bias */
    uint64_t offset;  /* in the file */
    uint64_t file_size;
    uint64_t memory_size;
    int protection; /* PROT_* */
};

struct elf_image {
    bool position_independent; /* ET_DYN: a load bias is to be chosen */
    bool executable_stack;     /* PT_GNU_STACK with PF_X */
    bool has_interpreter;      /* PT_INTERP: dynamically linked */
    uint64_t entry;
    uint64_t program_headers_offset; /* in the file */
    uint32_t program_header_count;
    uint64_t program_headers_address; /* virtual, AT_PHDR; 0 if not in a segment */
    uint64_t low, high;               /* bounds of all segments, page aligned */
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENT_MAX];
};

/* The file header: `size` bytes from the file's start. Fills the program headers' place. -ENOEXEC.
 */
int elf_parse_header(const void *bytes, size_t size, struct elf_image *image);
/* Then the program headers: image->program_header_count of them. -ENOEXEC. */
int elf_parse_program_headers(const void *bytes, size_t size, struct elf_image *image);
