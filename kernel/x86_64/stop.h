/* Stopping the other CPUs: for a panic, and before the machine goes off. */
#pragma once

/* Halts every other CPU for good, by NMI; waits for them, but not long. Nothing on a later
 * call of the same CPU; any other CPU halts in it. */
void stop_other_cpus(void);
/* From the NMI: halts if somebody has called stop_other_cpus(). */
void stop_if_asked(void);
