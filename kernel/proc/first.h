/* The first process: built by hand, since there is nobody to fork it from. */
#pragma once

#include "proc/process.h"

/* Creates pid 1, root, leader of its own group and session, with an empty address space, and starts
 * its thread in run(): which is to call process_exec() and then port_enter_user(). At boot only;
 * panics if memory is short. */
void process_start_first(const char *name, void (*run)(void *argument));
