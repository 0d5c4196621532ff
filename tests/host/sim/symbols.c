/*
 * Names for addresses, from the symbol table of the running (statically placed) program.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct symbol {
    uintptr_t address;
    size_t size;
    const char *name;
};

static struct symbol *symbols;
static size_t symbol_count;
static bool loaded;

static int compare(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    return x->address < y->address ? -1 : x->address > y->address;
}

static char *read_program(void)
{
    FILE *file = fopen("/proc/self/exe", "rb");
    char *data = NULL;
    long size;

    if (!file)
        return NULL;
    if (!fseek(file, 0, SEEK_END) && (size = ftell(file)) > 0 && (data = malloc(size))) {
        rewind(file);
        if (fread(data, 1, size, file) != (size_t)size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

/* Keeps the image: the names are in it. */
static void load(void)
{
    char *image = read_program();
    Elf64_Ehdr *header = (Elf64_Ehdr *)image;
    Elf64_Shdr *sections;

    loaded = true;
    if (!image)
        return;
    sections = (Elf64_Shdr *)(image + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        Elf64_Sym *table = (Elf64_Sym *)(image + sections[i].sh_offset);
        const char *strings;
        size_t count = sections[i].sh_size / sizeof(*table);

        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        strings = image + sections[sections[i].sh_link].sh_offset;
        symbols = calloc(count, sizeof(*symbols));
        for (size_t j = 0; symbols && j < count; j++) {
            unsigned type = ELF64_ST_TYPE(table[j].st_info);

            if ((type == STT_FUNC || type == STT_OBJECT) && table[j].st_size)
                symbols[symbol_count++] = (struct symbol){table[j].st_value, table[j].st_size,
                                                          strings + table[j].st_name};
        }
    }
    qsort(symbols, symbol_count, sizeof(*symbols), compare);
}

bool symbols_name(const void *pointer, char *buffer, size_t size)
{
    uintptr_t address = (uintptr_t)pointer;
    size_t low = 0, high;

    if (!loaded)
        load();
    high = symbol_count;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || address - symbols[low - 1].address >= symbols[low - 1].size)
        return false;
    address -= symbols[low - 1].address;
    snprintf(buffer, size, address ? "%s+0x%lx" : "%s", symbols[low - 1].name, address);
    return true;
}
