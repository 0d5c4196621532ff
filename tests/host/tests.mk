# Host tests: the simulated machine, unit tests, models, fuzzers. `make test-host` builds and runs all.
# KIN_SIM_SCALE=10 make test-host runs ten times as many schedules.

HOST_CC     ?= gcc
HOST_BUILD  := $(BUILD)/host
HOST_BIN    := $(BUILD)/tests/host
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
HOST_WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wno-unused-parameter -Werror
HOST_COMMON := -std=gnu11 -g -fno-omit-frame-pointer -fno-pie -fno-strict-aliasing -fno-common \
               -DKIN_DEBUG=1 $(HOST_WARNINGS) -MMD -MP
# Kernel code, and the scenarios that are kernel code too: the kernel's headers, none of the C library's.
HOST_KERNEL_CFLAGS := $(HOST_COMMON) -O1 -ffreestanding -fdata-sections $(HOST_SANITIZE) \
               -nostdinc -Itests/host/sim/include -isystem $(shell $(HOST_CC) -print-file-name=include) \
               -isystem $(UAPI) -Ikernel -Iinclude -I. -Itests/host/sim -I$(BUILD)/generated
# The machine itself: the C library's headers and the kernel's.
HOST_SIM_CFLAGS := $(HOST_COMMON) -O2 $(HOST_SANITIZE) -D_GNU_SOURCE -Itests/host/sim/include -Ikernel \
               -Itests/host/sim
HOST_LDFLAGS := -no-pie $(HOST_SANITIZE)

# What of the kernel stands above the seam. panic, klog and the memory functions are the machine's.
HOST_LIB_C   := $(filter-out kernel/lib/string.c kernel/lib/panic.c kernel/lib/klog.c \
                  kernel/lib/symbols.c kernel/lib/backtrace.c,$(wildcard kernel/lib/*.c))
HOST_SCHED_C := $(wildcard kernel/sched/*.c)
HOST_PROC_C  := $(wildcard kernel/proc/*.c)
HOST_SIM_C   := $(wildcard tests/host/sim/*.c)
HOST_SIM_O   := $(HOST_SIM_C:%.c=$(HOST_BUILD)/%.o)

sim_sched_C := $(HOST_LIB_C) $(HOST_SCHED_C) $(wildcard tests/host/sched/*.c)
sim_proc_C  := $(HOST_LIB_C) $(HOST_SCHED_C) $(HOST_PROC_C) $(wildcard tests/host/proc/*.c)

HOST_SIMULATORS := sim_sched sim_proc

# Unit tests: pure code, the C library around it.
HOST_UNIT_C := $(wildcard tests/host/unit/*.c)
HOST_UNIT_KERNEL_C := kernel/lib/rbtree.c kernel/lib/bitset.c kernel/lib/printf.c kernel/lib/cmdline.c \
                      kernel/proc/elf.c kernel/fs/cpio.c kernel/fs/radix.c
HOST_UNIT_O := $(HOST_UNIT_C:%.c=$(HOST_BUILD)/%.o) $(HOST_UNIT_KERNEL_C:%.c=$(HOST_BUILD)/%.o)
HOST_UNIT_CFLAGS := $(HOST_COMMON) -O1 $(HOST_SANITIZE) -D_GNU_SOURCE -Ikernel

$(HOST_BUILD)/tests/host/unit/%.o: tests/host/unit/%.c
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_UNIT_CFLAGS) -c -o $@ $<

$(HOST_BIN)/unit: $(HOST_UNIT_O)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_LDFLAGS) -o $@ $^ -lcmocka
-include $(HOST_UNIT_O:.o=.d)

$(HOST_BUILD)/kernel/%.o: kernel/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_KERNEL_CFLAGS) -c -o $@ $<

$(HOST_BUILD)/tests/host/sim/%.o: tests/host/sim/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_SIM_CFLAGS) -c -o $@ $<

$(HOST_BUILD)/tests/host/sched/%.o: tests/host/sched/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_KERNEL_CFLAGS) -c -o $@ $<
$(HOST_BUILD)/tests/host/proc/%.o: tests/host/proc/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_KERNEL_CFLAGS) -c -o $@ $<

# The kernel's variables go to a section of their own, which the machine resets before each run.
HOST_GATHER := ld -r -T tests/host/sim/kernel_data.ld
define HOST_SIMULATOR
$(1)_O := $$($(1)_C:%.c=$(HOST_BUILD)/%.o)
$(HOST_BUILD)/$(1).kernel.o: $$($(1)_O) tests/host/sim/kernel_data.ld
	$(HOST_GATHER) -o $$@ $$($(1)_O)
$(HOST_BIN)/$(1): $(HOST_BUILD)/$(1).kernel.o $(HOST_SIM_O)
	@mkdir -p $$(@D)
	$(HOST_CC) $(HOST_LDFLAGS) -o $$@ $$^
-include $$($(1)_O:.o=.d)
endef
$(foreach simulator,sim_sched sim_proc,$(eval $(call HOST_SIMULATOR,$(simulator))))
-include $(HOST_SIM_O:.o=.d)

# The lock primitives on real threads.
HOST_TSAN_CFLAGS := -std=gnu11 -g -O1 -fno-pie -D_GNU_SOURCE -DKIN_DEBUG=0 $(HOST_WARNINGS) \
                    -fsanitize=thread -Itests/host/tsan/include -Ikernel
$(HOST_BIN)/tsan_lock: tests/host/tsan/lock.c kernel/sched/spinlock.c \
                       $(wildcard kernel/sched/*.h kernel/lib/*.h tests/host/tsan/include/*.h)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_TSAN_CFLAGS) -no-pie -o $@ $(filter %.c,$^) -lpthread

# Memory: kernel/mm and the user page tables, on a machine of their own.
HOST_MM_KERNEL_C := $(wildcard kernel/mm/*.c) kernel/x86_64/page_table.c \
                    kernel/x86_64/page_table_range.c kernel/x86_64/tlb_batch.c kernel/lib/rbtree.c
HOST_MM_C        := $(wildcard tests/host/mm/*.c)
HOST_MM_O        := $(HOST_MM_KERNEL_C:%.c=$(HOST_BUILD)/mm/%.o) $(HOST_MM_C:%.c=$(HOST_BUILD)/mm/%.o)

$(HOST_BUILD)/mm/kernel/%.o: kernel/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_COMMON) -O1 -ffreestanding $(HOST_SANITIZE) -nostdinc -Itests/host/mm/include \
	    -isystem $(shell $(HOST_CC) -print-file-name=include) -isystem $(UAPI) -Ikernel -Iinclude -I. \
	    -c -o $@ $<

$(HOST_BUILD)/mm/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_COMMON) -O1 $(HOST_SANITIZE) -D_GNU_SOURCE -Itests/host/mm/include -Ikernel -I. \
	    -c -o $@ $<

$(HOST_BIN)/mm: $(HOST_MM_O)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_LDFLAGS) -o $@ $^ -lcmocka
-include $(HOST_MM_O:.o=.d)

# The race detector: the same scenarios, the kernel with the compiler's hooks at each access, the rest
# without a sanitizer.
HOST_RACE := $(HOST_BUILD)/race
HOST_RACE_KERNEL_CFLAGS := $(filter-out $(HOST_SANITIZE),$(HOST_KERNEL_CFLAGS))
HOST_RACE_SIM_CFLAGS := $(filter-out $(HOST_SANITIZE),$(HOST_SIM_CFLAGS))
HOST_RACE_SIM_O := $(patsubst %.c,$(HOST_RACE)/%.o,$(filter-out %/no_race.c,$(HOST_SIM_C)) \
                     $(wildcard tests/host/race/*.c))

$(HOST_RACE)/kernel/%.o: kernel/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_RACE_KERNEL_CFLAGS) -fsanitize=thread -Wno-tsan -c -o $@ $<
$(HOST_RACE)/tests/host/sim/%.o: tests/host/sim/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_RACE_SIM_CFLAGS) -c -o $@ $<
$(HOST_RACE)/tests/host/race/%.o: tests/host/race/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_RACE_SIM_CFLAGS) -c -o $@ $<
$(HOST_RACE)/tests/host/%.o: tests/host/%.c $(UAPI)/.ready
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_RACE_KERNEL_CFLAGS) -DSIM_ORDER_BY_HAND -c -o $@ $<

define HOST_RACE_SIMULATOR
$(1)_RACE_O := $$($(1)_C:%.c=$(HOST_RACE)/%.o)
$(HOST_RACE)/$(1).kernel.o: $$($(1)_RACE_O) tests/host/sim/kernel_data.ld
	$(HOST_GATHER) -o $$@ $$($(1)_RACE_O)
$(HOST_BIN)/$(1)_race: $(HOST_RACE)/$(1).kernel.o $(HOST_RACE_SIM_O)
	@mkdir -p $$(@D)
	$(HOST_CC) -no-pie -o $$@ $$^
-include $$($(1)_RACE_O:.o=.d)
endef
$(foreach simulator,sim_sched sim_proc,$(eval $(call HOST_RACE_SIMULATOR,$(simulator))))
-include $(HOST_RACE_SIM_O:.o=.d)

# Faults put in on purpose, which the simulators must find.
$(HOST_BUILD)/mutants.json: tests/host/tests.mk $(HOST_SIMULATORS:%=$(HOST_BIN)/%)
	@{ echo '{"cc": "$(HOST_CC)", "cflags": "$(HOST_KERNEL_CFLAGS)", "ldflags": "$(HOST_LDFLAGS)",'; \
	  echo ' "gather": "$(HOST_GATHER)", "machine": "$(HOST_SIM_O)", "objects": "$(HOST_BUILD)",'; \
	  echo ' "simulators": {"sim_sched": "$(sim_sched_O)", "sim_proc": "$(sim_proc_O)"}}'; } > $@

$(HOST_BIN)/mutants: $(HOST_BUILD)/mutants.json
	@printf '#!/bin/sh\nexec $(PYTHON) tests/host/mutants/mutants.py $< "$$@"\n' > $@
	@chmod +x $@

# What `make test-host` runs.
HOST_TESTS := $(HOST_BIN)/unit $(HOST_BIN)/mm $(HOST_BIN)/tsan_lock $(HOST_SIMULATORS:%=$(HOST_BIN)/%) \
              $(HOST_SIMULATORS:%=$(HOST_BIN)/%_race) $(HOST_BIN)/mutants

.PHONY: host-test
host-test: test-host
