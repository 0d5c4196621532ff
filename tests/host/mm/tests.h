/* The groups of memory tests. Each returns how many failed. */
#pragma once

int test_frames(void);
int test_spaces(void);
int test_space_model(void);
