/* What every unit test includes: cmocka and what it needs, and the groups that main.c runs. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Numbers that are the same in every run. */
uint64_t unit_random(uint64_t bound);
void unit_random_seed(uint64_t seed);
/* How many rounds a randomised test takes: `rounds` times KIN_SIM_SCALE. */
unsigned unit_rounds(unsigned rounds);

int run_list_tests(void);
int run_rbtree_tests(void);
int run_bitset_tests(void);
int run_printf_tests(void);
int run_string_tests(void);
int run_cmdline_tests(void);
int run_elf_tests(void);
int run_cpio_tests(void);
int run_radix_tests(void);
