/* The initial stack, written into a new image from its top downwards. No locks: nobody else sees
 * it. */
#include "proc/exec_stack.h"

#include <linux/auxvec.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "port.h"
#include "proc/cred.h"

#define CLOCK_TICKS_PER_SECOND 100
#define RANDOM_SIZE            16
#define AUXILIARY_MAX          24
#define WRITER_WORDS           64

struct auxiliary_vector {
    uint64_t words[2 * AUXILIARY_MAX];
    size_t count; /* words */
};

static void add_auxiliary(struct auxiliary_vector *vector, uint64_t type, uint64_t value)
{
    vector->words[vector->count++] = type;
    vector->words[vector->count++] = value;
}

/* Writes words upwards, a batch at a time. */
struct writer {
    struct address_space *space;
    uintptr_t address;
    uint64_t words[WRITER_WORDS];
    size_t count;
    int error;
};

static void flush(struct writer *writer)
{
    if (writer->error == 0)
        writer->error = address_space_write(writer->space, writer->address, writer->words,
                                            writer->count * sizeof(uint64_t));
    writer->address += writer->count * sizeof(uint64_t);
    writer->count = 0;
}

static void write_word(struct writer *writer, uint64_t word)
{
    writer->words[writer->count++] = word;
    if (writer->count == WRITER_WORDS)
        flush(writer);
}

/* Below the top: a null word, the path, environment and argument strings. */
struct string_area {
    uintptr_t path;
    uintptr_t strings;
    uintptr_t platform;
    uintptr_t random;
    uintptr_t end; /* lowest address used */
};

static int write_strings(const struct exec_stack_request *request, uintptr_t address)
{
    const struct exec_strings *strings = request->strings;
    size_t done = 0;

    while (done < strings->bytes) {
        size_t part = PAGE_SIZE - done % PAGE_SIZE;
        int error;

        if (part > strings->bytes - done)
            part = strings->bytes - done;
        error = address_space_write(request->space, address + done, exec_strings_at(strings, done),
                                    part);
        if (error)
            return error;
        done += part;
    }
    return 0;
}

static int write_area(const struct exec_stack_request *request, const char *platform,
                      struct string_area *area)
{
    struct address_space *space = request->space;
    size_t path_size = strlen(request->path) + 1;
    size_t platform_size = strlen(platform) + 1;
    uint8_t random[RANDOM_SIZE];
    int error;

    port_random(random, sizeof(random));
    area->path = request->top - sizeof(uint64_t) - path_size;
    area->strings = area->path - request->strings->bytes;
    area->platform = area->strings - platform_size;
    area->random = ALIGN_DOWN(area->platform - RANDOM_SIZE, 16);
    area->end = area->random;
    error = address_space_write(space, area->path, request->path, path_size);
    if (error == 0)
        error = write_strings(request, area->strings);
    if (error == 0)
        error = address_space_write(space, area->platform, platform, platform_size);
    if (error == 0)
        error = address_space_write(space, area->random, random, sizeof(random));
    return error;
}

static void fill_auxiliary(const struct exec_stack_request *request,
                           const struct port_auxiliary *machine, const struct string_area *area,
                           struct auxiliary_vector *vector)
{
    const struct elf_image *image = request->image;
    const struct credentials *credentials = request->credentials;
    uint64_t headers = image->program_headers_address;

    vector->count = 0;
    add_auxiliary(vector, AT_MINSIGSTKSZ, machine->minimum_signal_stack);
    add_auxiliary(vector, AT_HWCAP, machine->hardware_capabilities);
    add_auxiliary(vector, AT_PAGESZ, PAGE_SIZE);
    add_auxiliary(vector, AT_CLKTCK, CLOCK_TICKS_PER_SECOND);
    add_auxiliary(vector, AT_PHDR, headers ? headers + request->load_bias : 0);
    add_auxiliary(vector, AT_PHENT, ELF_PROGRAM_HEADER_SIZE);
    add_auxiliary(vector, AT_PHNUM, image->program_header_count);
    add_auxiliary(vector, AT_BASE, 0);
    add_auxiliary(vector, AT_FLAGS, 0);
    add_auxiliary(vector, AT_ENTRY, image->entry + request->load_bias);
    add_auxiliary(vector, AT_UID, credentials->user.real);
    add_auxiliary(vector, AT_EUID, credentials->user.effective);
    add_auxiliary(vector, AT_GID, credentials->group.real);
    add_auxiliary(vector, AT_EGID, credentials->group.effective);
    add_auxiliary(vector, AT_SECURE, request->is_secure);
    add_auxiliary(vector, AT_RANDOM, area->random);
    add_auxiliary(vector, AT_HWCAP2, machine->hardware_capabilities_2);
    add_auxiliary(vector, AT_EXECFN, area->path);
    add_auxiliary(vector, AT_PLATFORM, area->platform);
    add_auxiliary(vector, AT_NULL, 0);
}

/* Writes pointers to `count` strings that follow one another from *offset on, and a null. */
static void write_pointers(struct writer *writer, const struct exec_strings *strings,
                           uintptr_t base, size_t *offset, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        write_word(writer, base + *offset);
        while (*exec_strings_at(strings, (*offset)++) != '\0')
            continue;
    }
    write_word(writer, 0);
}

int exec_build_stack(const struct exec_stack_request *request, uintptr_t *stack_pointer)
{
    const struct exec_strings *strings = request->strings;
    struct address_space_layout *layout = address_space_layout(request->space);
    struct writer writer = {.space = request->space};
    struct auxiliary_vector vector;
    struct port_auxiliary machine;
    struct string_area area;
    size_t offset = 0;
    size_t words;
    int error;

    port_get_auxiliary(&machine);
    error = write_area(request, machine.platform, &area);
    if (error)
        return error;
    fill_auxiliary(request, &machine, &area, &vector);
    words = 1 + strings->argument_count + 1 + strings->environment_count + 1 + vector.count;
    *stack_pointer = ALIGN_DOWN(area.end - words * sizeof(uint64_t), 16);
    writer.address = *stack_pointer;
    layout->stack_start = *stack_pointer;
    layout->arguments_start = area.strings;
    write_word(&writer, strings->argument_count);
    write_pointers(&writer, strings, area.strings, &offset, strings->argument_count);
    layout->arguments_end = layout->environment_start = area.strings + offset;
    write_pointers(&writer, strings, area.strings, &offset, strings->environment_count);
    layout->environment_end = area.strings + offset;
    for (size_t i = 0; i < vector.count; i++)
        write_word(&writer, vector.words[i]);
    flush(&writer);
    return writer.error;
}
