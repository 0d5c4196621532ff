/* What a thread does on its way to user mode when it has work pending. */
#include "proc/user_return.h"

#include "proc/job.h"
#include "proc/process.h"
#include "proc/signal.h"
#include "sched/sched.h"

void process_user_return(struct user_frame *frame)
{
    struct thread *thread = current_thread();

    if (thread_has_work(thread, THREAD_WORK_RESCHEDULE))
        sched_point();
    if (thread_has_work(thread, THREAD_WORK_FREEZE))
        job_park();
    if (thread_has_work(thread, THREAD_WORK_CPU_LIMIT))
        job_heed_cpu_limits();
    if (thread_has_work(thread, THREAD_WORK_SIGNAL | THREAD_WORK_KILL | THREAD_WORK_RESTORE_MASK))
        signal_deliver(frame);
}
