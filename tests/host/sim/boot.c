/*
 * The kernel's bring-up on the simulated machine, in main.c's order as far as its floors are there.
 */
#include "internal.h"
#include "sched/sched.h"

static void user_return(struct user_frame *frame)
{
    (void)frame;
    if (thread_has_work(current_thread(), THREAD_WORK_RESCHEDULE))
        sched_point();
}

void sim_machine_boot(const struct sim_scenario *scenario)
{
    port_handlers = (struct port_handlers){
        .kernel_enter = sched_kernel_enter,
        .kernel_leave = sched_kernel_leave,
        .timer_interrupt = sched_timer_interrupt,
        .reschedule_interrupt = sched_reschedule_interrupt,
        .cpu_online = sched_run_idle,
        .user_return = user_return,
    };
    sched_init();
    if (scenario->boot)
        scenario->boot();
}
