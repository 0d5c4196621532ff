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

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all run test test-host test-qemu lint format check-seam debug clean doctor tools help

all: $(BUILD)/kernel.elf $(BUILD)/boot/bootx64.efi $(BUILD)/initrd.cpio

# --- The kernel ---------------------------------------------------------------------------------

KERNEL_C := $(wildcard kernel/*.c kernel/*/*.c) boot/memory_map.c boot/pvh_info.c
KERNEL_S := $(wildcard kernel/*/*.S) boot/entry.S boot/pvh.S
KERNEL_O := $(KERNEL_C:%.c=$(BUILD)/%.o) $(KERNEL_S:%.S=$(BUILD)/%.o)

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wvla \
            -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough -Wno-unused-parameter -Werror
UAPI     := $(BUILD)/uapi
INCLUDES := -nostdinc -isystem $(shell $(CC) -print-file-name=include) -isystem $(UAPI) \
            -Ikernel -Iinclude -I. -I$(BUILD)/generated
KERNEL_CFLAGS := -std=gnu11 -O2 -g -ffreestanding $(WARNINGS) $(INCLUDES) -Ikernel/x86_64/include \
            -DKIN_DEBUG=$(DEBUG) -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-pic \
            -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
            -fcf-protection=none -fno-strict-aliasing
KERNEL_LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none \
            --fatal-warnings -T linker.ld

$(BUILD)/%.o: %.c $(UAPI)/.ready $(BUILD)/generated/syscall_names.h
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S $(UAPI)/.ready
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

# Two links: the second carries the names of the functions whose addresses the first one settled.
$(BUILD)/ksyms-empty.S: tools/symbols.py
	@mkdir -p $(@D)
	$(PYTHON) tools/symbols.py > $@

$(BUILD)/ksyms.S: $(BUILD)/kernel-unnamed.elf tools/symbols.py
	$(PYTHON) tools/symbols.py --nm $(NM) $< > $@

$(BUILD)/ksyms%.o: $(BUILD)/ksyms%.S
	$(CC) -c -o $@ $<

$(BUILD)/kernel-unnamed.elf: $(KERNEL_O) $(BUILD)/ksyms-empty.o linker.ld
	$(LD) $(KERNEL_LDFLAGS) -o $@ $(KERNEL_O) $(BUILD)/ksyms-empty.o

$(BUILD)/kernel.elf: $(KERNEL_O) $(BUILD)/ksyms.o linker.ld
	$(LD) $(KERNEL_LDFLAGS) -o $@ $(KERNEL_O) $(BUILD)/ksyms.o
	$(PYTHON) tools/symbols.py --nm $(NM) --check $(BUILD)/kernel-unnamed.elf $@

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
	  sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/    [\2] = "\1",/p' $(UAPI)/asm/unistd_64.h; \
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
	$(CC) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/boot/bootx64.so: $(EFI_O)
	$(LD) -nostdlib -znocombreloc -shared -Bsymbolic --no-warn-rwx-segments \
	    -T $(EFI_LIB)/elf_x86_64_efi.lds -o $@ $(EFI_LIB)/crt0-efi-x86_64.o $^ \
	    -L$(EFI_LIB) -lefi -lgnuefi

$(BUILD)/boot/bootx64.efi: $(BUILD)/boot/bootx64.so
	$(OBJCOPY) -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym -j '.rel*' \
	    -j .reloc --output-target=efi-app-x86_64 --subsystem=10 $< $@

# --- User programs and the base initrd ----------------------------------------------------------

USER_CFLAGS := -std=gnu11 -O2 -g -static -Wall -Wextra -Wno-unused-parameter -Iinclude
USER_BINS   := $(patsubst user/%.c,$(BUILD)/user/%,$(wildcard user/*.c))

$(BUILD)/user/%: user/%.c
	@mkdir -p $(@D)
	$(MUSL_CC) $(USER_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

$(BUILD)/initrd.cpio: $(USER_BINS) tools/mkinitrd.py tools/kinlib/cpio.py
	$(PYTHON) tools/mkinitrd.py -o $@ $(USER_BINS)

# Every tests/user/*.c is a static program. A first line with "build: glibc" or "build: static-pie"
# picks another way to build it; "build: both" builds NAME with musl and NAME.glibc.
TEST_C    := $(wildcard tests/user/*.c)
TEST_BINS := $(patsubst %.c,$(BUILD)/%,$(TEST_C)) \
             $(patsubst %.c,$(BUILD)/%.glibc,$(TEST_C))

$(BUILD)/tests/user/%.glibc: tests/user/%.c
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

$(BUILD)/tests/user/%: tests/user/%.c
	@mkdir -p $(@D)
	$(MUSL_CC) $(USER_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

test-programs: $(TEST_BINS)

-include $(KERNEL_O:.o=.d) $(EFI_O:.o=.d) $(addsuffix .d,$(USER_BINS) $(TEST_BINS))
