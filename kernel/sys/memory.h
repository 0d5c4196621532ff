/* The memory calls' part of start-up. */
#pragma once

/* Lets memory management see the resource limits of the current process. Before the first process.
 */
void memory_limits_register(void);
