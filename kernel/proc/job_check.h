/* Part of proc_check(): are the jobs what their counters say? Panics if not. */
#pragma once

#include "proc/process.h"

void job_check_locked(void) REQUIRES(family_lock);
