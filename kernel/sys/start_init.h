/* pid 1's program. */
#pragma once

/* Creates pid 1 and lets it run /init of the tree. At boot, when everything else is up; panics if
 * there is no such program. */
void start_init(void);
