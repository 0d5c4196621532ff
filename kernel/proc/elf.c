/* ELF-64 images: parsing, as strict as the mapping that follows needs it. */
#include "proc/elf.h"

#include <linux/elf-em.h>
#include <linux/elf.h>
#include <linux/mman.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/address_space.h"

_Static_assert(sizeof(Elf64_Phdr) == ELF_PROGRAM_HEADER_SIZE, "psABI");

static bool header_is_ours(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
           (header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
           header->e_machine == EM_X86_64 && header->e_phentsize == sizeof(Elf64_Phdr) &&
           header->e_phnum >= 1 && header->e_phnum <= ELF_PROGRAM_HEADER_MAX;
}

int elf_parse_header(const void *bytes, size_t size, struct elf_image *image)
{
    Elf64_Ehdr header;

    memset(image, 0, sizeof(*image));
    if (size < sizeof(header))
        return -ENOEXEC;
    memcpy(&header, bytes, sizeof(header));
    if (!header_is_ours(&header))
        return -ENOEXEC;
    if (header.e_phoff > INT64_MAX - sizeof(Elf64_Phdr) * ELF_PROGRAM_HEADER_MAX)
        return -ENOEXEC;
    image->position_independent = header.e_type == ET_DYN;
    image->entry = header.e_entry;
    image->program_headers_offset = header.e_phoff;
    image->program_header_count = header.e_phnum;
    image->low = UINT64_MAX;
    return 0;
}

/* Nothing may wrap around or leave the user half, and file and memory must agree within a page. */
static bool segment_is_sane(const Elf64_Phdr *header)
{
    return header->p_filesz <= header->p_memsz && header->p_memsz <= USER_ADDRESS_END &&
           header->p_vaddr <= USER_ADDRESS_END - header->p_memsz &&
           header->p_offset <= INT64_MAX - header->p_filesz - PAGE_SIZE &&
           (header->p_vaddr - header->p_offset) % PAGE_SIZE == 0;
}

static int add_segment(struct elf_image *image, const Elf64_Phdr *header)
{
    struct elf_segment *segment;
    uint64_t low = ALIGN_DOWN(header->p_vaddr, PAGE_SIZE);
    uint64_t high = ALIGN_UP(header->p_vaddr + header->p_memsz, PAGE_SIZE);

    if (header->p_memsz == 0)
        return 0;
    if (image->segment_count == ELF_SEGMENT_MAX || !segment_is_sane(header))
        return -ENOEXEC;
    segment = &image->segments[image->segment_count++];
    segment->address = header->p_vaddr;
    segment->offset = header->p_offset;
    segment->file_size = header->p_filesz;
    segment->memory_size = header->p_memsz;
    segment->protection = (header->p_flags & PF_R ? PROT_READ : 0) |
                          (header->p_flags & PF_W ? PROT_WRITE : 0) |
                          (header->p_flags & PF_X ? PROT_EXEC : 0);
    if (image->low > low)
        image->low = low;
    if (image->high < high)
        image->high = high;
    if (image->program_headers_offset >= header->p_offset &&
        image->program_headers_offset - header->p_offset < header->p_filesz)
        image->program_headers_address =
            image->program_headers_offset - header->p_offset + header->p_vaddr;
    return 0;
}

int elf_parse_program_headers(const void *bytes, size_t size, struct elf_image *image)
{
    if (size < image->program_header_count * sizeof(Elf64_Phdr))
        return -ENOEXEC;
    for (uint32_t i = 0; i < image->program_header_count; i++) {
        Elf64_Phdr header;
        int error = 0;

        memcpy(&header, (const char *)bytes + i * sizeof(header), sizeof(header));
        if (header.p_type == PT_LOAD)
            error = add_segment(image, &header);
        else if (header.p_type == PT_INTERP)
            image->has_interpreter = true;
        else if (header.p_type == PT_GNU_STACK)
            image->executable_stack = (header.p_flags & PF_X) != 0;
        if (error)
            return error;
    }
    return image->segment_count > 0 ? 0 : -ENOEXEC;
}
