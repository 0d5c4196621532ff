/*
 * The table of system calls, by Linux's numbers (asm/unistd_64.h). A number that is not here is
 * -ENOSYS, and the kernel log names it once.
 */
#include <stdatomic.h>

#include <asm/unistd_64.h>

#include "lib/klog.h"
#include "proc/process.h"
#include "sys/syscall.h"
#include "syscall_names.h"

/* In order of number. */
#define SYSTEM_CALLS(X)                                                                            \
    X(poll)                                                                                        \
    X(mmap)                                                                                        \
    X(mprotect)                                                                                    \
    X(munmap)                                                                                      \
    X(brk)                                                                                         \
    X(rt_sigaction)                                                                                \
    X(rt_sigprocmask)                                                                              \
    X(rt_sigreturn)                                                                                \
    X(pipe)                                                                                        \
    X(select)                                                                                      \
    X(sched_yield)                                                                                 \
    X(mremap)                                                                                      \
    X(msync)                                                                                       \
    X(mincore)                                                                                     \
    X(madvise)                                                                                     \
    X(pause)                                                                                       \
    X(nanosleep)                                                                                   \
    X(getitimer)                                                                                   \
    X(alarm)                                                                                       \
    X(setitimer)                                                                                   \
    X(getpid)                                                                                      \
    X(clone)                                                                                       \
    X(fork)                                                                                        \
    X(vfork)                                                                                       \
    X(execve)                                                                                      \
    X(exit)                                                                                        \
    X(wait4)                                                                                       \
    X(kill)                                                                                        \
    X(uname)                                                                                       \
    X(gettimeofday)                                                                                \
    X(getrlimit)                                                                                   \
    X(getrusage)                                                                                   \
    X(sysinfo)                                                                                     \
    X(times)                                                                                       \
    X(getuid)                                                                                      \
    X(syslog)                                                                                      \
    X(getgid)                                                                                      \
    X(setuid)                                                                                      \
    X(setgid)                                                                                      \
    X(geteuid)                                                                                     \
    X(getegid)                                                                                     \
    X(setpgid)                                                                                     \
    X(getppid)                                                                                     \
    X(getpgrp)                                                                                     \
    X(setsid)                                                                                      \
    X(setreuid)                                                                                    \
    X(setregid)                                                                                    \
    X(getgroups)                                                                                   \
    X(setgroups)                                                                                   \
    X(setresuid)                                                                                   \
    X(getresuid)                                                                                   \
    X(setresgid)                                                                                   \
    X(getresgid)                                                                                   \
    X(getpgid)                                                                                     \
    X(setfsuid)                                                                                    \
    X(setfsgid)                                                                                    \
    X(getsid)                                                                                      \
    X(capget)                                                                                      \
    X(capset)                                                                                      \
    X(rt_sigpending)                                                                               \
    X(rt_sigtimedwait)                                                                             \
    X(rt_sigqueueinfo)                                                                             \
    X(rt_sigsuspend)                                                                               \
    X(sigaltstack)                                                                                 \
    X(getpriority)                                                                                 \
    X(setpriority)                                                                                 \
    X(sched_setparam)                                                                              \
    X(sched_getparam)                                                                              \
    X(sched_setscheduler)                                                                          \
    X(sched_getscheduler)                                                                          \
    X(sched_get_priority_max)                                                                      \
    X(sched_get_priority_min)                                                                      \
    X(sched_rr_get_interval)                                                                       \
    X(mlock)                                                                                       \
    X(munlock)                                                                                     \
    X(mlockall)                                                                                    \
    X(munlockall)                                                                                  \
    X(prctl)                                                                                       \
    X(arch_prctl)                                                                                  \
    X(setrlimit)                                                                                   \
    X(settimeofday)                                                                                \
    X(reboot)                                                                                      \
    X(sethostname)                                                                                 \
    X(setdomainname)                                                                               \
    X(gettid)                                                                                      \
    X(tkill)                                                                                       \
    X(time)                                                                                        \
    X(sched_setaffinity)                                                                           \
    X(sched_getaffinity)                                                                           \
    X(epoll_create)                                                                                \
    X(set_tid_address)                                                                             \
    X(restart_syscall)                                                                             \
    X(timer_create)                                                                                \
    X(timer_settime)                                                                               \
    X(timer_gettime)                                                                               \
    X(timer_getoverrun)                                                                            \
    X(timer_delete)                                                                                \
    X(clock_settime)                                                                               \
    X(clock_gettime)                                                                               \
    X(clock_getres)                                                                                \
    X(clock_nanosleep)                                                                             \
    X(exit_group)                                                                                  \
    X(epoll_wait)                                                                                  \
    X(epoll_ctl)                                                                                   \
    X(tgkill)                                                                                      \
    X(waitid)                                                                                      \
    X(pselect6)                                                                                    \
    X(ppoll)                                                                                       \
    X(set_robust_list)                                                                             \
    X(epoll_pwait)                                                                                 \
    X(signalfd)                                                                                    \
    X(timerfd_create)                                                                              \
    X(eventfd)                                                                                     \
    X(timerfd_settime)                                                                             \
    X(timerfd_gettime)                                                                             \
    X(signalfd4)                                                                                   \
    X(eventfd2)                                                                                    \
    X(epoll_create1)                                                                               \
    X(pipe2)                                                                                       \
    X(rt_tgsigqueueinfo)                                                                           \
    X(prlimit64)                                                                                   \
    X(getcpu)                                                                                      \
    X(getrandom)                                                                                   \
    X(execveat)                                                                                    \
    X(mlock2)                                                                                      \
    X(pidfd_send_signal)                                                                           \
    X(pidfd_open)                                                                                  \
    X(clone3)                                                                                      \
    X(pidfd_getfd)                                                                                 \
    X(epoll_pwait2)

#define DECLARE(name) system_call sys_##name;
SYSTEM_CALLS(DECLARE)

#define ENTRY(name) [__NR_##name] = sys_##name,
static system_call *const table[SYSCALL_NAME_COUNT] = {SYSTEM_CALLS(ENTRY)};

static COLD int64_t unknown_call(uint64_t number)
{
    static _Atomic bool seen[SYSCALL_NAME_COUNT];

    if (number < array_length(seen) && !atomic_exchange(&seen[number], true))
        klog("%s[%d]: system call %lu (%s) is not implemented", current_thread()->name,
             process_number(current_process()), number,
             syscall_names[number] ? syscall_names[number] : "unknown");
    return -ENOSYS;
}

int64_t system_call_dispatch(struct user_frame *frame, uint64_t number, const uint64_t arguments[6])
{
    (void)frame;
    if (unlikely(number >= array_length(table) || !table[number]))
        return unknown_call(number);
    return table[number](arguments);
}
