/* What processes and the machine have used: getrusage, times, sysinfo. */
#include "proc/usage.h"

#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/times.h>

#include "mm/frame.h"
#include "proc/process.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sys/syscall.h"

/* Linux's USER_HZ: what times(2) counts in. */
#define CLOCK_TICK_NS 10000000ull

SYSCALL2(getrusage, int, who, uintptr_t, address)
{
    struct usage_totals totals = {0};
    struct rusage rusage;

    switch (who) {
    case RUSAGE_SELF:
        usage_of_process(current_process(), &totals);
        break;
    case RUSAGE_CHILDREN:
        usage_of_children(current_process(), &totals);
        break;
    case RUSAGE_THREAD:
        usage_add_thread(&totals, current_thread());
        usage_add_space(&totals, current_process()->space);
        break;
    default:
        return -EINVAL;
    }
    usage_to_rusage(&totals, &rusage);
    return copy_to_user(address, &rusage, sizeof(rusage));
}

static __kernel_clock_t to_ticks(uint64_t ns)
{
    return (__kernel_clock_t)(ns / CLOCK_TICK_NS);
}

SYSCALL1(times, uintptr_t, address)
{
    struct usage_totals self, children;
    struct tms times;

    if (address) {
        usage_of_process(current_process(), &self);
        usage_of_children(current_process(), &children);
        times = (struct tms){.tms_utime = to_ticks(self.user_ns),
                             .tms_stime = to_ticks(self.system_ns),
                             .tms_cutime = to_ticks(children.user_ns),
                             .tms_cstime = to_ticks(children.system_ns)};
        if (copy_to_user(address, &times, sizeof(times)) != 0)
            return -EFAULT;
    }
    return to_ticks(port_clock_ns());
}

static uint16_t count_threads(void)
{
    uint16_t count = 0;
    struct pid *pid, *next;

    for (pid = pid_next(1); pid; pid = next) {
        spin_lock(&family_lock);
        count += pid->thread != NULL;
        spin_unlock(&family_lock);
        next = pid_next(pid_number_of(pid) + 1);
        pid_put(pid);
    }
    return count;
}

SYSCALL1(sysinfo, uintptr_t, address)
{
    struct sysinfo info = {
        .uptime = (__kernel_long_t)(port_clock_ns() / NSEC_PER_SEC),
        .totalram = frame_total_count() * PAGE_SIZE,
        .freeram = frame_free_count() * PAGE_SIZE,
        .procs = count_threads(),
        .mem_unit = 1,
    };
    uint64_t averages[3];

    sched_load_averages(averages);
    for (int i = 0; i < 3; i++)
        info.loads[i] = averages[i];
    return copy_to_user(address, &info, sizeof(info));
}
