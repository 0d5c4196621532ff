/*
 * execve(2): a new image is built beside the old one, so that everything that can fail fails while
 * the caller is still whole. The point of no return is install_image().
 */
#include "proc/exec.h"

#include <linux/mman.h>

#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/elf.h"
#include "proc/exec_script.h"
#include "proc/exec_stack.h"
#include "proc/fork.h"
#include "proc/job.h"
#include "proc/process.h"
#include "proc/resource_list.h"

/* Everything of the new image, until it is installed. */
struct new_image {
    struct executable *executable;   /* reference: what is mapped, the interpreter of a script */
    struct address_space *space;     /* reference */
    struct credentials *credentials; /* reference */
    struct elf_image elf;
    uintptr_t load_bias;
    uintptr_t stack_pointer;
    bool is_secure;
};

void executable_get(struct executable *executable)
{
    refcount_get(&executable->refs);
}

void executable_put(struct executable *executable)
{
    if (refcount_put(&executable->refs))
        executable->operations->release(executable);
}

void exec_drop_executable(struct process *process)
{
    struct executable *executable;

    spin_lock(&family_lock);
    executable = process->executable;
    process->executable = NULL;
    spin_unlock(&family_lock);
    if (executable)
        executable_put(executable);
}

static int read_whole(struct executable *executable, void *buffer, size_t size, uint64_t offset)
{
    int64_t done = executable->operations->read(executable, buffer, size, offset);

    if (done < 0)
        return (int)done;
    return (size_t)done == size ? 0 : -ENOEXEC;
}

static int parse(struct executable *executable, struct elf_image *elf)
{
    uint8_t bytes[ELF_PROGRAM_HEADER_MAX * ELF_PROGRAM_HEADER_SIZE / 4];
    void *headers;
    size_t size;
    int64_t got = executable->operations->read(executable, bytes, sizeof(bytes), 0);
    int error;

    if (got < 0)
        return (int)got;
    error = elf_parse_header(bytes, (size_t)got, elf);
    if (error)
        return error;
    size = elf->program_header_count * ELF_PROGRAM_HEADER_SIZE;
    if (elf->program_headers_offset + size <= (size_t)got)
        return elf_parse_program_headers(bytes + elf->program_headers_offset, size, elf);
    headers = kmalloc(size);
    if (!headers)
        return -ENOMEM;
    error = read_whole(executable, headers, size, elf->program_headers_offset);
    if (error == 0)
        error = elf_parse_program_headers(headers, size, elf);
    kfree(headers);
    return error;
}

/* The file's part, rounded down to its page, and whole anonymous pages behind it. */
static int map_segment(struct new_image *image, const struct elf_segment *segment)
{
    struct executable *executable = image->executable;
    uintptr_t start = image->load_bias + ALIGN_DOWN(segment->address, PAGE_SIZE);
    uintptr_t end = image->load_bias + segment->address + segment->memory_size;
    uint64_t skew = segment->address % PAGE_SIZE;
    uintptr_t file_end =
        segment->file_size ? ALIGN_UP(start + skew + segment->file_size, PAGE_SIZE) : start;
    struct mapping_request request = {
        .address = start,
        .length = file_end - start,
        .protection = segment->protection,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .source = executable->operations->source(executable),
        .offset = segment->offset - skew,
        .source_length =
            segment->memory_size > segment->file_size ? segment->file_size + skew : UINT64_MAX,
    };
    int64_t result = 0;

    if (file_end > start)
        result = address_space_map(image->space, &request);
    if (result >= 0 && end > file_end) {
        request.address = file_end;
        request.length = ALIGN_UP(end, PAGE_SIZE) - file_end;
        request.source = NULL;
        request.offset = 0;
        request.flags |= MAP_ANONYMOUS;
        result = address_space_map(image->space, &request);
    }
    return result < 0 ? (int)result : 0;
}

static void note_layout(struct new_image *image)
{
    struct address_space_layout *layout = address_space_layout(image->space);

    for (uint32_t i = 0; i < image->elf.segment_count; i++) {
        const struct elf_segment *segment = &image->elf.segments[i];
        uintptr_t start = image->load_bias + segment->address;
        uintptr_t end = start + segment->file_size;

        if (segment->protection & PROT_EXEC) {
            layout->code_start = start;
            layout->code_end = end;
        } else if (segment->protection & PROT_WRITE) {
            layout->data_start = start;
            layout->data_end = end;
        }
    }
}

static int map_image(struct new_image *image)
{
    const struct elf_image *elf = &image->elf;

    if (elf->position_independent)
        image->load_bias = USER_IMAGE_BASE - ALIGN_DOWN(elf->low, PAGE_SIZE);
    else if (elf->low < USER_ADDRESS_MIN)
        return -EPERM;
    if (elf->high > USER_ADDRESS_END - image->load_bias)
        return -ENOMEM;
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        int error = map_segment(image, &elf->segments[i]);

        if (error)
            return error;
    }
    address_space_set_brk_start(image->space, image->load_bias + elf->high);
    note_layout(image);
    return 0;
}

static int prepare_credentials(struct new_image *image)
{
    const struct credentials *own = current_credentials();
    bool honoured = !current_process()->no_new_privileges;
    int error =
        credentials_prepare_exec(honoured ? image->executable->set_uid : -1,
                                 honoured ? image->executable->set_gid : -1, &image->credentials);

    if (error == 0)
        image->is_secure = image->credentials->user.effective != own->user.real ||
                           image->credentials->group.effective != own->group.real;
    return error;
}

/* Should the process be adopted by another job before the image is installed, its memory stays
 * charged to the job of this moment: an ancestor of the other. */
static int charge_to_job(struct address_space *space)
{
    int error;

    spin_lock(&family_lock);
    error = address_space_set_account(space, job_memory_account(current_process()->job));
    spin_unlock(&family_lock);
    return error;
}

static int build_image(struct new_image *image, const char *path, struct exec_strings *strings)
{
    struct exec_stack_request stack = {.strings = strings, .path = path, .image = &image->elf};
    int64_t top;
    int error = parse(image->executable, &image->elf);

    if (error)
        return error;
    if (image->elf.has_interpreter)
        return -ENOENT; /* of the dynamic loader: there is none in the tree */
    error = prepare_credentials(image);
    if (error)
        return error;
    image->space = address_space_create();
    if (!image->space)
        return -ENOMEM;
    error = charge_to_job(image->space);
    if (error == 0)
        error = map_image(image);
    if (error)
        return error;
    top = address_space_map_stack(image->space, rlimit_soft(current_process(), RLIMIT_STACK),
                                  image->elf.executable_stack);
    if (top < 0)
        return (int)top;
    stack.space = image->space;
    stack.top = (uintptr_t)top;
    stack.load_bias = image->load_bias;
    stack.credentials = image->credentials;
    stack.is_secure = image->is_secure;
    return exec_build_stack(&stack, &image->stack_pointer);
}

static void discard_image(struct new_image *image)
{
    if (image->space)
        address_space_put(image->space);
    if (image->credentials)
        credentials_put(image->credentials);
    executable_put(image->executable);
}

/* A child that has an image of its own is an ordinary one to its parent. */
static void become_ordinary_child_locked(struct process *process) REQUIRES(family_lock);
static void become_ordinary_child_locked(struct process *process)
{
    process->has_execed = true;
    if (process->exit_signal != SIGCHLD && process->parent)
        process->parent->clone_child_count--;
    process->exit_signal = SIGCHLD;
}

static struct address_space *swap_space(struct process *process, struct new_image *image,
                                        struct executable **old_executable)
{
    struct address_space *old = process->space;
    struct usage_totals used = {0};

    if (old)
        usage_add_space(&used, old);
    spin_lock(&family_lock);
    usage_add(&process->usage.self, &used);
    process->space = image->space;
    *old_executable = process->executable;
    process->executable = image->executable;
    become_ordinary_child_locked(process);
    spin_unlock(&family_lock);
    address_space_use(image->space);
    return old;
}

static void install_image(struct new_image *image, const char *name)
{
    struct user_thread *self = current_user_thread();
    struct process *process = self->process;
    struct executable *old_executable;
    struct address_space *old_space;

    user_thread_clear_child_tid(self);
    old_space = swap_space(process, image, &old_executable);
    fork_open_vfork_gate(process);
    if (old_space)
        address_space_put(old_space);
    if (old_executable)
        executable_put(old_executable);
    signals_exec(process);
    process_resources_exec(process);
    process->dumpable = true;
    credentials_install(image->credentials);
    user_thread_set_name(self, name);
    self->robust_list = 0;
    port_user_exec(image->elf.entry + image->load_bias, image->stack_pointer);
}

int process_exec(struct executable *executable, const char *path, struct exec_strings *strings)
{
    struct new_image image = {.executable = executable};
    int error;

    executable_get(executable);
    error = exec_resolve_scripts(&image.executable, path, strings);
    if (error == 0)
        error = build_image(&image, path, strings);
    if (error == 0)
        error = signals_exec_prepare(current_process());
    if (error)
        discard_image(&image);
    else
        install_image(&image, executable->name);
    return error;
}
