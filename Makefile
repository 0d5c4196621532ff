# Kin. `make help` lists what there is.
CROSS_COMPILE ?= x86_64-linux-gnu-
CC      := $(CROSS_COMPILE)gcc
LD      := $(CROSS_COMPILE)ld
NM      := $(CROSS_COMPILE)nm
OBJCOPY := $(CROSS_COMPILE)objcopy
MUSL_CC := musl-gcc
PYTHON  := /usr/bin/python3
DEBUG   ?= 0
BUILD   ?= $(if $(filter 1,$(DEBUG)),build/debug,build)

# `make V=1` shows whole commands, else a word for each.
ifneq ($(V),1)
say = @printf '  %-8s%s\n' $(1) '$@';
endif

MAKEFLAGS += --no-print-directory

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all run test test-host test-qemu lint format check-seam debug clean doctor packages help

all: $(BUILD)/kernel.elf $(BUILD)/boot/bootx64.efi $(BUILD)/initrd.cpio

# --- The kernel ---------------------------------------------------------------------------------

KERNEL_C := $(wildcard kernel/*.c kernel/*/*.c) boot/memory_map.c boot/pvh_info.c
KERNEL_S := $(wildcard kernel/*/*.S) boot/entry.S boot/pvh.S
KERNEL_O := $(KERNEL_C:%.c=$(BUILD)/%.o) $(KERNEL_S:%.S=$(BUILD)/%.o)

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wvla \
            -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough -Wno-unused-parameter -Werror
UAPI     := $(BUILD)/uapi
GCC_INCLUDE := $(shell $(CC) -print-file-name=include)
INCLUDES := -nostdinc -isystem $(GCC_INCLUDE) -isystem $(UAPI) \
            -Ikernel -Iinclude -I. -I$(BUILD)/generated
KERNEL_CFLAGS := -std=gnu11 -O2 -g -ffreestanding $(WARNINGS) $(INCLUDES) -Ikernel/x86_64/include \
            -DKIN_DEBUG=$(DEBUG) -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-pic \
            -mpreferred-stack-boundary=3 -fno-stack-protector -fno-omit-frame-pointer \
            -fno-asynchronous-unwind-tables \
            -fcf-protection=none -fno-strict-aliasing
KERNEL_LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none \
            --fatal-warnings -T linker.ld

$(BUILD)/%.o: %.c $(UAPI)/.ready $(BUILD)/generated/syscall_names.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S $(UAPI)/.ready
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

# Two links: the second carries the names of the functions whose addresses the first one settled.
$(BUILD)/ksyms-first.S: tools/symbols.py
	@mkdir -p $(@D)
	$(call say,GEN)$(PYTHON) tools/symbols.py > $@

$(BUILD)/ksyms-final.S: $(BUILD)/kernel-unnamed.elf tools/symbols.py
	$(call say,GEN)$(PYTHON) tools/symbols.py --nm $(NM) $< > $@

$(BUILD)/ksyms-%.o: $(BUILD)/ksyms-%.S
	$(call say,CC)$(CC) -c -o $@ $<

$(BUILD)/kernel-unnamed.elf: $(KERNEL_O) $(BUILD)/ksyms-first.o linker.ld
	$(call say,LD)$(LD) $(KERNEL_LDFLAGS) -o $@ $(KERNEL_O) $(BUILD)/ksyms-first.o

$(BUILD)/kernel.elf: $(KERNEL_O) $(BUILD)/ksyms-final.o linker.ld
	$(call say,LD)$(LD) $(KERNEL_LDFLAGS) -o $@ $(KERNEL_O) $(BUILD)/ksyms-final.o
	@$(PYTHON) tools/symbols.py --nm $(NM) --check $(BUILD)/kernel-unnamed.elf $@

# Linux's uapi headers and nothing else of the C library's.
$(UAPI)/.ready:
	@mkdir -p $(UAPI)
	ln -sfn /usr/include/linux $(UAPI)/linux
	ln -sfn /usr/include/asm-generic $(UAPI)/asm-generic
	ln -sfn $(firstword $(wildcard /usr/include/x86_64-linux-gnu/asm /usr/include/asm)) $(UAPI)/asm
	touch $@

# Names for the log: #define __NR_read 0  ->  [0] = "read",
$(BUILD)/generated/syscall_names.h: $(UAPI)/.ready
	@mkdir -p $(@D)
	{ echo '#pragma once'; echo '#define SYSCALL_NAME_COUNT 512'; \
	  echo 'static const char *const syscall_names[SYSCALL_NAME_COUNT] = {'; \
	  sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/    [\2] = "\1",/p' \
	      $(UAPI)/asm/unistd_64.h; \
	  echo '};'; } > $@

# --- The UEFI loader ----------------------------------------------------------------------------

EFI_HEADERS := /usr/include/efi
EFI_LIB     := /usr/lib
EFI_CFLAGS  := -std=gnu11 -O2 -g $(WARNINGS) -Wno-write-strings -I. -isystem $(EFI_HEADERS) \
            -isystem $(EFI_HEADERS)/x86_64 -DGNU_EFI_USE_MS_ABI -ffreestanding -fpic -fshort-wchar \
            -mno-red-zone -fno-stack-protector -fno-strict-aliasing -maccumulate-outgoing-args \
            -fcf-protection=none
EFI_O       := $(patsubst %,$(BUILD)/boot/efi/%.o,uefi uefi_volume uefi_image uefi_exit memory_map)

$(BUILD)/boot/efi/%.o: boot/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/boot/bootx64.so: $(EFI_O)
	$(call say,LD)$(LD) -nostdlib -znocombreloc -shared -Bsymbolic --no-warn-rwx-segments \
	    -T $(EFI_LIB)/elf_x86_64_efi.lds -o $@ $(EFI_LIB)/crt0-efi-x86_64.o $^ \
	    -L$(EFI_LIB) -lefi -lgnuefi

$(BUILD)/boot/bootx64.efi: $(BUILD)/boot/bootx64.so
	$(call say,OBJCOPY)$(OBJCOPY) -j .text -j .sdata -j .data -j .rodata -j .dynamic \
	    -j .dynsym -j '.rel*' \
	    -j .reloc --output-target=efi-app-x86_64 --subsystem=10 $< $@

# --- User programs and the base initrd ----------------------------------------------------------

USER_CFLAGS := -std=gnu11 -O2 -g -static -Wall -Wextra -Wno-unused-parameter -Iinclude -I. \
               -idirafter $(UAPI)
USER_PARTS  := $(wildcard user/libjob.c user/job_*.c user/workload_*.c)
USER_BINS   := $(patsubst user/%.c,$(BUILD)/user/%,$(filter-out $(USER_PARTS),$(wildcard user/*.c)))

# Programs of several files.
$(BUILD)/user/job: $(wildcard user/job_*.c) user/libjob.c
$(BUILD)/user/workload: $(wildcard user/workload_*.c) user/libjob.c

$(BUILD)/user/%: user/%.c $(wildcard user/*.h include/kin/*.h) | $(UAPI)/.ready
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(USER_CFLAGS) -Werror -o $@ $(filter %.c,$^)

$(BUILD)/initrd.cpio: $(USER_BINS) $(wildcard tools/mkinitrd.py tools/kinlib/*.py)
	$(call say,GEN)$(PYTHON) tools/mkinitrd.py -o $@ $(USER_BINS)

# Every tests/user/*.c, built with musl and, in user-glibc, with glibc; and one as static-pie.
TEST_NAMES  := $(patsubst tests/user/%.c,%,$(wildcard tests/user/*.c))
TEST_PIE    := $(filter hello,$(TEST_NAMES))
TEST_BINS   := $(addprefix $(BUILD)/tests/user/,$(TEST_NAMES)) \
               $(addprefix $(BUILD)/tests/user-glibc/,$(TEST_NAMES)) \
               $(addprefix $(BUILD)/tests/user-pie/,$(TEST_PIE) $(TEST_PIE:=.glibc))
# They pass what is wrong on purpose.
TEST_CFLAGS := $(USER_CFLAGS) -Werror -D_GNU_SOURCE= -Wno-nonnull -Wno-stringop-overflow \
               -Wno-stringop-overread -Wno-infinite-recursion -Itests/user

# musl-gcc does not know -static-pie.
MUSL_LIB := /usr/lib/x86_64-linux-musl
MUSL_PIE := -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text $(MUSL_LIB)/rcrt1.o \
            $(MUSL_LIB)/crti.o $(MUSL_LIB)/crtn.o

$(BUILD)/tests/user-glibc/%: tests/user/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(TEST_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

$(BUILD)/tests/user-pie/%.glibc: tests/user/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(filter-out -static,$(TEST_CFLAGS)) -fPIE -static-pie \
	    -MMD -MP -MF $@.d -o $@ $<

$(BUILD)/tests/user-pie/%: tests/user/%.c
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(TEST_CFLAGS) -fPIE $(MUSL_PIE) -MMD -MP -MF $@.d -o $@ $<

$(BUILD)/tests/user/%: tests/user/%.c
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(TEST_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

# Helpers of the tests in QEMU.
TEST_BINS += $(patsubst %.c,$(BUILD)/tests/qemu/%,$(notdir $(wildcard tests/qemu/programs/*.c)))

$(BUILD)/tests/qemu/%: tests/qemu/programs/%.c
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(TEST_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

$(BUILD)/tests/qemu/job_%: tests/qemu/programs/job_%.c user/libjob.c user/libjob.h \
                           include/kin/job.h | $(UAPI)/.ready
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(TEST_CFLAGS) -o $@ $< user/libjob.c

# Tests of the job object, for Kin alone, and what calls cost.
TEST_BINS += $(patsubst tests/jobs/%.c,$(BUILD)/tests/jobs/%,$(wildcard tests/jobs/*.c)) \
             $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))

$(BUILD)/tests/jobs/%: tests/jobs/%.c $(wildcard tests/jobs/*.h) tests/user/tap.h user/libjob.c \
                       user/libjob.h \
                       include/kin/job.h | $(UAPI)/.ready
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(TEST_CFLAGS) -o $@ $< user/libjob.c

$(BUILD)/tests/bench/%: tests/bench/%.c user/libjob.c include/kin/job.h | $(UAPI)/.ready
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(TEST_CFLAGS) -o $@ $(filter %.c,$^)

$(BUILD)/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,MUSL)$(MUSL_CC) $(TEST_CFLAGS) -o $@ $<

.PHONY: test-programs
test-programs: $(TEST_BINS)

# --- Tests: tests/host on this machine, tests/qemu in QEMU ---------------------------------------

-include tests/host/tests.mk
HOST_TESTS += $(BUILD)/tests/host/boot

$(BUILD)/tests/host/boot: tests/host/boot/memory_map.c boot/memory_map.c boot/memory_map.h
	@mkdir -p $(@D)
	$(call say,HOST)gcc -std=gnu11 -g -Wall -Wextra -fsanitize=address,undefined -I. -o $@ \
	    $(filter %.c,$^) -lcmocka

test: packages
	$(MAKE) all test-programs $(HOST_TESTS)
	KIN_BUILD=$(BUILD) $(PYTHON) tools/run_tests.py $(HOST_TESTS) --pytest tests/qemu

test-host: $(HOST_TESTS)
	$(PYTHON) tools/run_tests.py $(HOST_TESTS)

test-qemu: all test-programs
	KIN_BUILD=$(BUILD) $(PYTHON) tools/run_tests.py --pytest tests/qemu

# --- Using it ------------------------------------------------------------------------------------

# A program of the host for `make debug`, and its arguments.
PROGRAM ?=
ARGS    ?=
export KIN_BUILD := $(BUILD)

run: packages
	$(MAKE) all
	tools/kin boot --door uefi

debug: all
	tools/debug $(PROGRAM) $(ARGS)

packages:
	@tools/doctor --install

doctor:
	@tools/doctor

clean:
	rm -rf build compile_commands.json

# --- The quality of the source -------------------------------------------------------------------

C_FILES := $(wildcard boot/*.[ch] kernel/*.[ch] kernel/*/*.[ch] kernel/x86_64/include/*.h \
           include/kin/*.h user/*.[ch] user/*/*.[ch] tests/user/*.[ch] tests/qemu/programs/*.c \
           tests/jobs/*.[ch] tests/bench/*.[ch] tests/host/*.[ch] \
           tests/host/*/*.[ch] tests/host/*/*/*.[ch])

format:
	@clang-format -i $(C_FILES)

# clang takes the kernel's flags, but its own stdatomic.h and the like.
CLANG_CFLAGS = $(subst $(GCC_INCLUDE),$(shell clang -print-resource-dir)/include,$(filter-out \
           -mpreferred-stack-boundary=%,$(KERNEL_CFLAGS))) \
           --target=x86_64-linux-gnu -Wthread-safety -Wno-initializer-overrides

.PHONY: lint-format lint-threads lint-cppcheck
lint: lint-format lint-threads lint-cppcheck

lint-format:
	@echo '  LINT    clang-format'
	@clang-format --dry-run -Werror $(C_FILES)

lint-threads: $(UAPI)/.ready $(BUILD)/generated/syscall_names.h
	@echo '  LINT    clang -Wthread-safety'
	@for file in $(filter kernel/%,$(KERNEL_C)); do \
	    clang $(CLANG_CFLAGS) -fsyntax-only $$file || status=1; done; exit $${status:-0}

# Boundary symbols of the linker look like different objects to cppcheck.
lint-cppcheck:
	@echo '  LINT    cppcheck'
	@cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability \
	    --suppress=missingIncludeSystem --suppress=comparePointers -j 2 -Ikernel -Iinclude -I. \
	    -Ikernel/x86_64/include -DKIN_DEBUG=0 -D__x86_64__ $(KERNEL_C) $(wildcard user/*.c)

# kernel/lib, kernel/sched and kernel/proc need nothing beyond the seam.
SEAM_HEADERS := $(addprefix kernel/,port.h mm/slab.h mm/address_space.h mm/frame.h mm/user_copy.h)
SEAM_O       := $(filter $(addprefix $(BUILD)/kernel/,lib/% sched/% proc/%),$(KERNEL_O))

check-seam: $(SEAM_O)
	$(LD) -r -o $(BUILD)/seam.o $(SEAM_O)
	$(PYTHON) tools/check_seam.py --nm $(NM) $(BUILD)/seam.o $(SEAM_HEADERS)

compile_commands.json: Makefile
	$(call say,GEN)$(PYTHON) tools/compile_commands.py '$(CC) $(KERNEL_CFLAGS)' $(KERNEL_C) > $@

help:
	@echo 'make                 build the kernel, the loader and the initrd'
	@echo 'make run             boot it through UEFI: the demo, then a shell'
	@echo 'make test            all tests; test-host and test-qemu are its halves'
	@echo 'make debug PROGRAM=P gdb, with the symbols of kernel and program (hbreak kmain)'
	@echo 'make lint            format, thread-safety analysis, cppcheck'
	@echo 'make format          clang-format over the source'
	@echo 'make check-seam      the process code needs nothing beyond kernel/port.h'
	@echo 'make doctor          which tools are there, and how to get the others'
	@echo 'make compile_commands.json   for editors'
	@echo 'make clean           remove what was built'
	@echo 'DEBUG=1 builds into build/debug, with the expensive checks. V=1 shows commands.'

-include $(KERNEL_O:.o=.d) $(EFI_O:.o=.d) $(addsuffix .d,$(USER_BINS) $(TEST_BINS))
