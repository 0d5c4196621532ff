/* proc/elf.h: one good image, every single thing that can be wrong with it, then thousands of
 * broken ones. The bytes lie at the very end of their allocation, so that the sanitizer sees any
 * overrun. */
#include "proc/elf.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>

#include "unit.h"

#define USER_END 0x00007ffffffff000ul
#define PAGE     4096ul

#define HEADERS 4

struct file {
    Elf64_Ehdr header;
    Elf64_Phdr program[HEADERS];
};

static struct file good_file(void)
{
    return (struct file){
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_entry = 0x401000,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = HEADERS},
        .program = {{PT_LOAD, PF_R, 0, 0x400000, 0x400000, 0x500, 0x500, 0x1000},
                    {PT_LOAD, PF_R | PF_X, 0x1000, 0x401000, 0x401000, 0x800, 0x800, 0x1000},
                    {PT_LOAD, PF_R | PF_W, 0x1800, 0x403800, 0x403800, 0x100, 0x3000, 0x1000},
                    {PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16}}};
}

/* Parses a copy with nothing behind it. */
static int parse(const struct file *file, struct elf_image *image)
{
    void *header = malloc(sizeof(file->header));
    void *program;
    size_t size;
    int error;

    memcpy(header, &file->header, sizeof(file->header));
    error = elf_parse_header(header, sizeof(file->header), image);
    free(header);
    if (error)
        return error;
    size = image->program_header_count * sizeof(Elf64_Phdr);
    assert_true(image->program_header_count <= ELF_PROGRAM_HEADER_MAX);
    program = calloc(1, size ? size : 1);
    memcpy(program, file->program, size < sizeof(file->program) ? size : sizeof(file->program));
    error = elf_parse_program_headers(program, size, image);
    free(program);
    return error;
}

static void test_good(void **state)
{
    struct file file = good_file();
    struct elf_image image;

    (void)state;
    assert_int_equal(parse(&file, &image), 0);
    assert_int_equal(image.segment_count, 3);
    assert_int_equal(image.entry, 0x401000);
    assert_int_equal(image.low, 0x400000);
    assert_int_equal(image.high, 0x407000);
    assert_int_equal(image.program_headers_address, 0x400000 + sizeof(Elf64_Ehdr));
    assert_false(image.position_independent);
    assert_false(image.executable_stack);
    assert_false(image.has_interpreter);
    assert_int_equal(image.segments[0].protection, PROT_READ);
    assert_int_equal(image.segments[1].protection, PROT_READ | PROT_EXEC);
    assert_int_equal(image.segments[2].protection, PROT_READ | PROT_WRITE);
    assert_int_equal(image.segments[2].offset, 0x1800);
    assert_int_equal(image.segments[2].memory_size, 0x3000);
}

static void test_kinds(void **state)
{
    struct file file = good_file();
    struct elf_image image;

    (void)state;
    file.header.e_type = ET_DYN;
    file.program[3].p_flags |= PF_X;
    assert_int_equal(parse(&file, &image), 0);
    assert_true(image.position_independent);
    assert_true(image.executable_stack);
    file.program[3].p_type = PT_INTERP;
    assert_int_equal(parse(&file, &image), 0);
    assert_true(image.has_interpreter);
}

#define EXPECT_REFUSED(change)                                                                     \
    do {                                                                                           \
        struct file file = good_file();                                                            \
        struct elf_image image;                                                                    \
        change;                                                                                    \
        assert_int_equal(parse(&file, &image), -ENOEXEC);                                          \
    } while (0)

static void test_refused(void **state)
{
    (void)state;
    EXPECT_REFUSED(file.header.e_ident[0] = 0);
    EXPECT_REFUSED(file.header.e_ident[3] = 'f');
    EXPECT_REFUSED(file.header.e_ident[EI_CLASS] = ELFCLASS32);
    EXPECT_REFUSED(file.header.e_ident[EI_DATA] = ELFDATA2MSB);
    EXPECT_REFUSED(file.header.e_type = ET_REL);
    EXPECT_REFUSED(file.header.e_type = ET_CORE);
    EXPECT_REFUSED(file.header.e_machine = EM_386);
    EXPECT_REFUSED(file.header.e_machine = EM_AARCH64);
    EXPECT_REFUSED(file.header.e_phentsize = 55);
    EXPECT_REFUSED(file.header.e_phnum = 0);
    EXPECT_REFUSED(file.header.e_phnum = 65535);
    EXPECT_REFUSED(file.header.e_phoff = ~0ull);
    EXPECT_REFUSED(file.program[1].p_filesz = 0x900);
    EXPECT_REFUSED(file.program[1].p_memsz = ~0ull);
    EXPECT_REFUSED(file.program[1].p_vaddr = USER_END);
    EXPECT_REFUSED(file.program[1].p_vaddr = 0xffffffff80001000);
    EXPECT_REFUSED(file.program[1].p_vaddr = 0x401010);
    EXPECT_REFUSED(file.program[1].p_offset = ~0ull << 12);
    EXPECT_REFUSED(for (int i = 0; i < 3; i++) file.program[i].p_type = PT_NOTE);
}

static void test_short(void **state)
{
    struct file file = good_file();
    struct elf_image image;

    (void)state;
    for (size_t size = 0; size < sizeof(Elf64_Ehdr); size++) {
        void *bytes = malloc(size ? size : 1);

        memcpy(bytes, &file, size);
        assert_int_equal(elf_parse_header(bytes, size, &image), -ENOEXEC);
        free(bytes);
    }
    assert_int_equal(elf_parse_header(&file.header, sizeof(file.header), &image), 0);
    for (size_t size = 0; size < sizeof(file.program); size += 8) {
        void *bytes = malloc(size ? size : 1);
        struct elf_image copy = image;

        memcpy(bytes, file.program, size);
        assert_int_equal(elf_parse_program_headers(bytes, size, &copy), -ENOEXEC);
        free(bytes);
    }
}

/* What exec relies on, whatever the bytes were. */
static void check_accepted(const struct elf_image *image)
{
    assert_in_range(image->segment_count, 1, ELF_SEGMENT_MAX);
    assert_true(image->low <= image->high && image->high <= USER_END + PAGE);
    assert_true(image->low % PAGE == 0 && image->high % PAGE == 0);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];

        assert_true(segment->file_size <= segment->memory_size);
        assert_true(segment->address + segment->memory_size >= segment->address);
        assert_true(segment->address + segment->memory_size <= USER_END);
        assert_true(segment->address >= image->low);
        assert_true(segment->address + segment->memory_size <= image->high);
        assert_true(segment->offset + segment->file_size >= segment->offset);
        assert_int_equal((segment->address - segment->offset) % PAGE, 0);
        assert_int_equal(segment->protection & ~(PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    }
}

static void mutate(struct file *file)
{
    static const uint64_t interesting[] = {0,          1,          0xfff,      0x1000,
                                           1ull << 31, 1ull << 32, 1ull << 47, USER_END,
                                           INT64_MAX,  1ull << 63, UINT64_MAX, UINT64_MAX - 0xfff};
    uint8_t *bytes = (uint8_t *)file;

    for (uint64_t changes = 1 + unit_random(6); changes; changes--) {
        uint64_t value = interesting[unit_random(sizeof(interesting) / sizeof(interesting[0]))];
        size_t place = unit_random(sizeof(*file) / 8) * 8;

        switch (unit_random(3)) {
        case 0:
            bytes[unit_random(sizeof(*file))] = unit_random(256);
            break;
        case 1:
            memcpy(bytes + place, &value, sizeof(value));
            break;
        default:
            bytes[unit_random(sizeof(*file))] ^= 1 << unit_random(8);
        }
    }
    /* Most changes to the identification only lead to a refusal: keep it in most images. */
    if (unit_random(4)) {
        struct file good = good_file();

        memcpy(file->header.e_ident, good.header.e_ident, sizeof(good.header.e_ident));
        file->header.e_type = good.header.e_type;
        file->header.e_machine = good.header.e_machine;
        file->header.e_phentsize = good.header.e_phentsize;
    }
}

static void test_fuzz(void **state)
{
    unsigned accepted = 0, rounds = unit_rounds(100000);

    (void)state;
    unit_random_seed(3);
    for (unsigned i = 0; i < rounds; i++) {
        struct file file = good_file();
        struct elf_image image;

        mutate(&file);
        if (parse(&file, &image) == 0) {
            check_accepted(&image);
            accepted++;
        }
    }
    assert_true(accepted > rounds / 20 && accepted < rounds);
}

int run_elf_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),  cmocka_unit_test(test_kinds), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_short), cmocka_unit_test(test_fuzz),
    };

    return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
