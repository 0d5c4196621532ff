/*
 * Checking and loading what the volume holds: the kernel's ELF file and the initrds.
 */
#include "boot/uefi.h"

#include <elf.h>

#define IMAGE_LIMIT (256ull << 20)
#define LARGE_PAGE  (2ull << 20)

#define CPIO_HEADER_SIZE  110
#define CPIO_NAME_SIZE_AT 94
#define CPIO_FILE_SIZE_AT 54

static const Elf64_Phdr *segment_at(const Elf64_Ehdr *header, unsigned index)
{
    return (const Elf64_Phdr *)((const UINT8 *)header + header->e_phoff) + index;
}

static const CHAR16 *check_header(const Elf64_Ehdr *header, UINTN size)
{
    static const UINT8 identity[] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT};

    if (size < sizeof(*header) || CompareMem(header->e_ident, identity, sizeof(identity)) != 0)
        return L"not an ELF64 file";
    if (header->e_machine != EM_X86_64 || header->e_type != ET_EXEC)
        return L"not an executable for x86_64";
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
        header->e_phoff % 8 != 0 || header->e_phoff > size ||
        header->e_phnum * sizeof(Elf64_Phdr) > size - header->e_phoff)
        return L"its program headers are not in the file";
    return NULL;
}

/* All sums stay far from overflow: offsets are below the file's size, addresses below the limit. */
static const CHAR16 *check_segment(const Elf64_Phdr *segment, UINTN size)
{
    if (segment->p_offset > size || segment->p_filesz > size - segment->p_offset)
        return L"it is cut short";
    if (segment->p_filesz > segment->p_memsz || segment->p_memsz > IMAGE_LIMIT ||
        segment->p_paddr < KERNEL_LOAD_OFFSET || segment->p_paddr > IMAGE_LIMIT ||
        segment->p_vaddr != segment->p_paddr + KERNEL_BASE)
        return L"a segment is not where a kernel's belongs";
    return NULL;
}

/* Sets *end to the image's end, as an offset from KERNEL_BASE. */
static const CHAR16 *check_segments(const Elf64_Ehdr *header, UINTN size, UINT64 *end)
{
    bool entry_found = false;

    *end = KERNEL_LOAD_OFFSET;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = segment_at(header, i);
        const CHAR16 *problem;

        if (segment->p_type != PT_LOAD)
            continue;
        problem = check_segment(segment, size);
        if (problem)
            return problem;
        if (segment->p_paddr + segment->p_memsz > *end)
            *end = segment->p_paddr + segment->p_memsz;
        if ((segment->p_flags & PF_X) && header->e_entry >= segment->p_vaddr &&
            header->e_entry - segment->p_vaddr < segment->p_filesz)
            entry_found = true;
    }
    return entry_found ? NULL : L"its entry point is not in its code";
}

/* The place of KERNEL_LOAD_OFFSET: there if it is free, else anywhere on a large page. */
static UINT64 allocate_image(UINT64 size)
{
    EFI_PHYSICAL_ADDRESS address = KERNEL_LOAD_OFFSET, aligned;

    if (!EFI_ERROR(uefi_call_wrapper(BS->AllocatePages, 4, AllocateAddress, EfiLoaderCode,
                                     EFI_SIZE_TO_PAGES(size), &address))) {
        ZeroMem((void *)address, size);
        return address;
    }
    address = (UINT64)allocate_pages(size + LARGE_PAGE, EfiLoaderCode, L"the kernel");
    aligned = (address + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
    return aligned;
}

struct kernel_image image_load(const struct file_data *file)
{
    const Elf64_Ehdr *header = file->data;
    struct kernel_image image;
    UINT64 end = 0;
    const CHAR16 *problem = check_header(header, file->size);

    if (!problem)
        problem = check_segments(header, file->size, &end);
    if (problem)
        fail(L"\\kin\\kernel.elf is broken: %s", problem);
    image.size = (end - KERNEL_LOAD_OFFSET + EFI_PAGE_MASK) & ~(UINT64)EFI_PAGE_MASK;
    image.physical = allocate_image(image.size) - KERNEL_LOAD_OFFSET;
    image.entry = header->e_entry - KERNEL_BASE + image.physical;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = segment_at(header, i);

        if (segment->p_type == PT_LOAD)
            CopyMem((void *)(image.physical + segment->p_paddr),
                    (UINT8 *)file->data + segment->p_offset, segment->p_filesz);
    }
    return image;
}

/* Eight hexadecimal digits; false if one is none. */
static bool read_hex(const UINT8 *text, UINT64 *value)
{
    *value = 0;
    for (int i = 0; i < 8; i++) {
        UINT8 digit = text[i] | 0x20;

        if (digit >= '0' && digit <= '9')
            *value = *value * 16 + (digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            *value = *value * 16 + (digit - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* Walks the members up to the archive's trailer. */
void image_check_initrd(const struct file_data *file, const CHAR16 *name)
{
    const UINT8 *data = file->data;
    UINT64 position = 0, name_size, file_size;

    for (;;) {
        const UINT8 *member = data + position;

        if (file->size - position < CPIO_HEADER_SIZE || CompareMem(member, "070701", 6) != 0 ||
            !read_hex(member + CPIO_NAME_SIZE_AT, &name_size) ||
            !read_hex(member + CPIO_FILE_SIZE_AT, &file_size))
            break;
        if (name_size == 11 && file->size - position >= CPIO_HEADER_SIZE + 11 &&
            CompareMem(member + CPIO_HEADER_SIZE, "TRAILER!!!", 11) == 0)
            return;
        position += (CPIO_HEADER_SIZE + name_size + 3) & ~3ull;
        position += (file_size + 3) & ~3ull;
        if (position > file->size)
            break;
    }
    fail(L"\\kin\\%s is broken: not a whole newc cpio archive (at byte %ld)", name, position);
}
