/* A listing of all processes for people, on a machine that may be wedged. */
#pragma once

/* Writes to the kernel log. Takes no lock, since whoever holds one may be what is wedged: bounds
 * its loops and believes nothing. Any context. */
void process_dump(void);
