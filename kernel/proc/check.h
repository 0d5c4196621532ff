/* Is the family what its lists and counters say? For debug builds, tests and /proc/kin/check. */
#pragma once

/* Walks every process, group and session and proves that both ends of each link agree and that
 * every counter equals what it counts; panics naming the first that does not. Holds family_lock all
 * the while. */
void proc_check(void);
