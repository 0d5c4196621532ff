/* The way back to user mode. */
#pragma once

struct user_frame;

/* port_handlers.user_return: gives way if others should run, then settles signals. May not return:
 * the process may end here. Thread context, interrupts enabled, no lock held. */
void process_user_return(struct user_frame *frame);
