/*
 * User address spaces: a page table and the map of what belongs where.
 *
 * A space is shared by reference (CLONE_VM, vfork). Its map is guarded by its sleeping lock, rank
 * ADDRESS_SPACE; each function here takes it itself. Private pages are copied on write, anonymous
 * ones are zero on demand, files are mapped from their page cache through struct mapping_source.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "mm/frame.h"
#include "port.h"

#define USER_ADDRESS_MIN 0x10000ul
#define USER_ADDRESS_END 0x00007ffffffff000ul

/* Where position-independent programs go by default: near the stack, which saves page tables. */
#define USER_IMAGE_BASE 0x400000ul

struct address_space;

/* What a mapping shows: a file's pages. Held by reference by every mapping of it. */
struct mapping_source;
struct mapping_source_operations {
    /* The frame with the page of that index, with a reference for the caller. 0 in *frame means a
     * hole: private mappings then use zero. `write` asks for a page that may be written through a
     * shared mapping. -EIO beyond the end (SIGBUS), -ENOMEM. Takes only spinlocks. */
    int (*get_page)(struct mapping_source *source, uint64_t index, bool write, physical_t *frame);
    /* As get_page() for reading, for `count` pages from `index` on, but without waiting or making
     * any: frames[i] is 0 where there is none at hand. Called to map neighbours of a page that was
     * asked for. NULL: none ever. */
    void (*peek_pages)(struct mapping_source *source, uint64_t index, unsigned count,
                       physical_t *frames);
    void (*get)(struct mapping_source *source);
    void (*put)(struct mapping_source *source); /* may sleep */
    /* For /proc/<pid>/maps: path, device and inode number. May be NULL. */
    size_t (*describe)(struct mapping_source *source, char *buffer, size_t size);
};
struct mapping_source {
    const struct mapping_source_operations *operations;
};

/* An empty space with one reference; NULL if memory is short. */
struct address_space *address_space_create(void) MUST_CHECK;
/* A copy-on-write copy of the current thread's space, or NULL. *error: -ENOMEM. */
struct address_space *address_space_fork(struct address_space *parent, int *error) MUST_CHECK;
void address_space_get(struct address_space *space);
/* Does another process use it too (CLONE_VM)? */
bool address_space_is_shared(struct address_space *space);
/* The last reference tears it down: unmaps, frees frames. May sleep. Not while it is loaded on this
 * CPU through current_thread()->space: see address_space_use(). */
void address_space_put(struct address_space *space);
/* Makes `space` the current thread's (exec), NULL: none (exit). Does not touch references. */
void address_space_use(struct address_space *space);

/*
 * Who pays for committed pages: private writable memory and shared anonymous memory, charged when
 * it is promised (mmap, brk, fork), not when it is touched. Each space holds a reference to its
 * account.
 */
struct address_space_account {
    /* `committed` is what the space then has in all. 0 or -ENOMEM, before any other effect. With a
     * spinlock of rank COMMIT held. */
    int (*charge)(struct address_space_account *account, uint64_t pages, uint64_t committed);
    void (*uncharge)(struct address_space_account *account, uint64_t pages);
    /* Tells of a charge that failed; no spinlock held. */
    void (*refused)(struct address_space_account *account, uint64_t pages);
    void (*get)(struct address_space_account *account);
    void (*put)(struct address_space_account *account);
};
/* Charges what the space has committed so far, and from then on what it commits; a fork's copy
 * begins with its parent's account. NULL: nobody pays. -ENOMEM: nothing changed, nobody told. Takes
 * spinlocks only. */
int address_space_set_account(struct address_space *space,
                              struct address_space_account *account) MUST_CHECK;

struct mapping_request {
    uintptr_t address; /* page aligned; a hint unless MAP_FIXED */
    size_t length;     /* > 0, rounded up to pages */
    int protection;    /* PROT_* */
    int flags;         /* MAP_* of mmap(2) */
    bool read_only;    /* a shared mapping of a file not open for writing: mprotect() may not allow
                          writing later */
    struct mapping_source *source; /* NULL: anonymous */
    uint64_t offset;               /* bytes into the source, page aligned */
    uint64_t
        source_length; /* bytes from `offset` that come from the source; the rest is zero
                          (ELF segments whose file part ends inside the mapping); UINT64_MAX: all */
};
/* The address, or -EINVAL -ENOMEM -EEXIST -EPERM. */
int64_t address_space_map(struct address_space *space, const struct mapping_request *request);
int address_space_unmap(struct address_space *space, uintptr_t address, size_t length);
int address_space_protect(struct address_space *space, uintptr_t address, size_t length,
                          int protection);
/* mremap(2), with its flags: the address, or -EFAULT -EINVAL -ENOMEM. */
int64_t address_space_remap(struct address_space *space, uintptr_t address, size_t old_length,
                            size_t new_length, int flags, uintptr_t new_address);
/* madvise(2): 0, -EINVAL -ENOMEM. */
int address_space_advise(struct address_space *space, uintptr_t address, size_t length, int advice);
/* mincore(2) for `count` pages: a byte each, 1 if the page is in memory. -ENOMEM: not all mapped.
 */
int address_space_residency(struct address_space *space, uintptr_t address, size_t count,
                            uint8_t *bytes);
/* 0 if all of the range is mapped, else -ENOMEM: for msync(2) and mlock(2). */
int address_space_check_mapped(struct address_space *space, uintptr_t address, size_t length);
/* Faults in the mapped pages of a page-aligned range that is mapped as a whole; what may be
 * written, for writing. 0; -ENOMEM if a page cannot be had. */
int address_space_lock_pages(struct address_space *space, uintptr_t address, size_t length);
/* Sets where brk starts (exec); then brk(2): returns the new end, or the old one on failure. */
void address_space_set_brk_start(struct address_space *space, uintptr_t start);
uintptr_t address_space_brk(struct address_space *space, uintptr_t end);
/* The stack mapping of exec: grows down on demand to `limit` bytes. Returns its top or -errno. */
int64_t address_space_map_stack(struct address_space *space, size_t limit, bool executable);

/* Resolves a page fault of the current thread. 0; -EFAULT (SIGSEGV: nothing mapped), -EACCES
 * (SIGSEGV: protection), -EIO (SIGBUS), -ENOMEM (the process is to be killed). May sleep. */
int address_space_fault(struct address_space *space, uintptr_t address, enum port_access access);

/* Copies between the kernel and another process's (or a newborn exec image's) memory, page by
 * page, as /proc/<pid>/mem and exec's stack set-up need it. 0 or -EFAULT or -ENOMEM. May sleep. */
int address_space_write(struct address_space *space, uintptr_t address, const void *data,
                        size_t size);
int address_space_read(struct address_space *space, uintptr_t address, void *data, size_t size);

/* Where memory that several spaces share is the same: *source, with a reference, and an offset in
 * it. Private memory: NULL, and *offset stays. -EFAULT: nothing there may be read. May sleep. */
int address_space_find_shared(struct address_space *space, uintptr_t address,
                              struct mapping_source **source, uint64_t *offset);

/* One line of /proc/<pid>/maps: the first mapping that ends above `address`. False: there is none.
 * `name` gets what the source says of itself (path, device, inode number), or "". May sleep. */
struct mapping_description {
    uintptr_t start, end;
    int protection;
    bool is_shared;
    uint64_t offset; /* bytes into the source */
    enum { MAPPING_OTHER, MAPPING_HEAP, MAPPING_STACK } kind;
};
bool address_space_describe(struct address_space *space, uintptr_t address,
                            struct mapping_description *description, char *name, size_t size);

/* For ulimits, /proc and the job object. In pages. */
struct address_space_usage {
    uint64_t mapped_pages, resident_pages, peak_resident_pages, committed_pages;
    uint64_t data_pages; /* private and writable, without the stack */
};
void address_space_get_usage(struct address_space *space, struct address_space_usage *usage);

/* Exec's record for /proc/<pid>/cmdline and stat. */
struct address_space_layout {
    uintptr_t code_start, code_end, data_start, data_end, stack_start;
    uintptr_t arguments_start, arguments_end, environment_start, environment_end;
};
struct address_space_layout *address_space_layout(struct address_space *space);
