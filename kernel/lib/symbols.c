/*
 * Looking up a function by address. Reads only the constant table: no lock, any context.
 */
#include "lib/symbols.h"

/* Index of the first symbol above `address`. */
static size_t upper_bound(uintptr_t address)
{
    size_t low = 0, high = kernel_symbol_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kernel_symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *symbol_find(uintptr_t address, uintptr_t *offset)
{
    size_t index = upper_bound(address);

    /* The last entry closes the text and names nothing. */
    if (index == 0 || index >= kernel_symbol_count)
        return NULL;
    *offset = address - kernel_symbols[index - 1].address;
    return kernel_symbols[index - 1].name;
}
