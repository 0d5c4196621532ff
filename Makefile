# Kin. `make help` lists what there is.
CROSS_COMPILE ?= x86_64-linux-gnu-
CC      := $(CROSS_COMPILE)gcc
DEBUG   ?= 0
BUILD   ?= build

KERNEL_C := $(wildcard kernel/*.c kernel/*/*.c)
KERNEL_S := $(wildcard kernel/*/*.S)
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

all: $(KERNEL_O)

$(BUILD)/%.o: %.c $(UAPI)/.ready $(BUILD)/generated/syscall_names.h
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S $(UAPI)/.ready
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

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

-include $(KERNEL_O:.o=.d)
