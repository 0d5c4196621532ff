/*
 * The table of system calls, by Linux's numbers (asm/unistd_64.h). A number that is not here is
 * -ENOSYS, and the kernel log names it once.
 */
#include <stdatomic.h>

#include <asm/unistd_64.h>

#include <kin/job.h>

#include "lib/klog.h"
#include "proc/process.h"
#include "sys/syscall.h"
#include "syscall_names.h"

/* In order of number. */
#define SYSTEM_CALLS(X)                                                                            \
    X(read)                                                                                        \
    X(write)                                                                                       \
    X(open)                                                                                        \
    X(close)                                                                                       \
    X(stat)                                                                                        \
    X(fstat)                                                                                       \
    X(lstat)                                                                                       \
    X(poll)                                                                                        \
    X(lseek)                                                                                       \
    X(mmap)                                                                                        \
    X(mprotect)                                                                                    \
    X(munmap)                                                                                      \
    X(brk)                                                                                         \
    X(rt_sigaction)                                                                                \
    X(rt_sigprocmask)                                                                              \
    X(rt_sigreturn)                                                                                \
    X(ioctl)                                                                                       \
    X(pread64)                                                                                     \
    X(pwrite64)                                                                                    \
    X(readv)                                                                                       \
    X(writev)                                                                                      \
    X(access)                                                                                      \
    X(pipe)                                                                                        \
    X(select)                                                                                      \
    X(sched_yield)                                                                                 \
    X(mremap)                                                                                      \
    X(msync)                                                                                       \
    X(mincore)                                                                                     \
    X(madvise)                                                                                     \
    X(dup)                                                                                         \
    X(dup2)                                                                                        \
    X(pause)                                                                                       \
    X(nanosleep)                                                                                   \
    X(getitimer)                                                                                   \
    X(alarm)                                                                                       \
    X(setitimer)                                                                                   \
    X(getpid)                                                                                      \
    X(sendfile)                                                                                    \
    X(socket)                                                                                      \
    X(connect)                                                                                     \
    X(accept)                                                                                      \
    X(sendto)                                                                                      \
    X(recvfrom)                                                                                    \
    X(sendmsg)                                                                                     \
    X(recvmsg)                                                                                     \
    X(shutdown)                                                                                    \
    X(bind)                                                                                        \
    X(listen)                                                                                      \
    X(getsockname)                                                                                 \
    X(getpeername)                                                                                 \
    X(socketpair)                                                                                  \
    X(setsockopt)                                                                                  \
    X(getsockopt)                                                                                  \
    X(clone)                                                                                       \
    X(fork)                                                                                        \
    X(vfork)                                                                                       \
    X(execve)                                                                                      \
    X(exit)                                                                                        \
    X(wait4)                                                                                       \
    X(kill)                                                                                        \
    X(uname)                                                                                       \
    X(fcntl)                                                                                       \
    X(flock)                                                                                       \
    X(fsync)                                                                                       \
    X(fdatasync)                                                                                   \
    X(truncate)                                                                                    \
    X(ftruncate)                                                                                   \
    X(getdents)                                                                                    \
    X(getcwd)                                                                                      \
    X(chdir)                                                                                       \
    X(fchdir)                                                                                      \
    X(rename)                                                                                      \
    X(mkdir)                                                                                       \
    X(rmdir)                                                                                       \
    X(creat)                                                                                       \
    X(link)                                                                                        \
    X(unlink)                                                                                      \
    X(symlink)                                                                                     \
    X(readlink)                                                                                    \
    X(chmod)                                                                                       \
    X(fchmod)                                                                                      \
    X(chown)                                                                                       \
    X(fchown)                                                                                      \
    X(lchown)                                                                                      \
    X(umask)                                                                                       \
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
    X(utime)                                                                                       \
    X(mknod)                                                                                       \
    X(statfs)                                                                                      \
    X(fstatfs)                                                                                     \
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
    X(chroot)                                                                                      \
    X(sync)                                                                                        \
    X(settimeofday)                                                                                \
    X(reboot)                                                                                      \
    X(sethostname)                                                                                 \
    X(setdomainname)                                                                               \
    X(gettid)                                                                                      \
    X(readahead)                                                                                   \
    X(setxattr)                                                                                    \
    X(lsetxattr)                                                                                   \
    X(fsetxattr)                                                                                   \
    X(getxattr)                                                                                    \
    X(lgetxattr)                                                                                   \
    X(fgetxattr)                                                                                   \
    X(listxattr)                                                                                   \
    X(llistxattr)                                                                                  \
    X(flistxattr)                                                                                  \
    X(removexattr)                                                                                 \
    X(lremovexattr)                                                                                \
    X(fremovexattr)                                                                                \
    X(tkill)                                                                                       \
    X(time)                                                                                        \
    X(futex)                                                                                       \
    X(sched_setaffinity)                                                                           \
    X(sched_getaffinity)                                                                           \
    X(epoll_create)                                                                                \
    X(getdents64)                                                                                  \
    X(set_tid_address)                                                                             \
    X(restart_syscall)                                                                             \
    X(fadvise64)                                                                                   \
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
    X(utimes)                                                                                      \
    X(waitid)                                                                                      \
    X(openat)                                                                                      \
    X(mkdirat)                                                                                     \
    X(mknodat)                                                                                     \
    X(fchownat)                                                                                    \
    X(futimesat)                                                                                   \
    X(newfstatat)                                                                                  \
    X(unlinkat)                                                                                    \
    X(renameat)                                                                                    \
    X(linkat)                                                                                      \
    X(symlinkat)                                                                                   \
    X(readlinkat)                                                                                  \
    X(fchmodat)                                                                                    \
    X(faccessat)                                                                                   \
    X(pselect6)                                                                                    \
    X(ppoll)                                                                                       \
    X(set_robust_list)                                                                             \
    X(utimensat)                                                                                   \
    X(epoll_pwait)                                                                                 \
    X(signalfd)                                                                                    \
    X(timerfd_create)                                                                              \
    X(eventfd)                                                                                     \
    X(sync_file_range)                                                                             \
    X(fallocate)                                                                                   \
    X(timerfd_settime)                                                                             \
    X(timerfd_gettime)                                                                             \
    X(accept4)                                                                                     \
    X(signalfd4)                                                                                   \
    X(eventfd2)                                                                                    \
    X(epoll_create1)                                                                               \
    X(dup3)                                                                                        \
    X(pipe2)                                                                                       \
    X(preadv)                                                                                      \
    X(pwritev)                                                                                     \
    X(rt_tgsigqueueinfo)                                                                           \
    X(prlimit64)                                                                                   \
    X(syncfs)                                                                                      \
    X(getcpu)                                                                                      \
    X(renameat2)                                                                                   \
    X(getrandom)                                                                                   \
    X(memfd_create)                                                                                \
    X(execveat)                                                                                    \
    X(mlock2)                                                                                      \
    X(copy_file_range)                                                                             \
    X(preadv2)                                                                                     \
    X(pwritev2)                                                                                    \
    X(statx)                                                                                       \
    X(pidfd_send_signal)                                                                           \
    X(pidfd_open)                                                                                  \
    X(clone3)                                                                                      \
    X(close_range)                                                                                 \
    X(pidfd_getfd)                                                                                 \
    X(faccessat2)                                                                                  \
    X(epoll_pwait2)

/* Kin's own, from KIN_NR_JOB_FIRST on. */
#define JOB_CALLS(X)                                                                               \
    X(job_create)                                                                                  \
    X(job_open)                                                                                    \
    X(job_adopt)                                                                                   \
    X(job_set)                                                                                     \
    X(job_get)                                                                                     \
    X(job_stat)                                                                                    \
    X(job_list)                                                                                    \
    X(job_signal)                                                                                  \
    X(job_kill)                                                                                    \
    X(job_freeze)                                                                                  \
    X(job_events)

#define DECLARE(name) system_call sys_##name;
SYSTEM_CALLS(DECLARE)
JOB_CALLS(DECLARE)

#define ENTRY(name) [__NR_##name] = sys_##name,
static system_call *const table[SYSCALL_NAME_COUNT] = {SYSTEM_CALLS(ENTRY)};

#define JOB_ENTRY(name) [KIN_NR_##name - KIN_NR_JOB_FIRST] = sys_##name,
static system_call *const job_table[KIN_NR_JOB_COUNT] = {JOB_CALLS(JOB_ENTRY)};

static COLD int64_t unknown_call(uint64_t number)
{
    static _Atomic bool seen[SYSCALL_NAME_COUNT];

    if (number < array_length(seen) && !atomic_exchange(&seen[number], true))
        klog("%s[%d]: system call %lu (%s) is not implemented", current_thread()->name,
             process_number(current_process()), number,
             syscall_names[number] ? syscall_names[number] : "unknown");
    return -ENOSYS;
}

static __attribute__((noinline)) int64_t other_call(uint64_t number, const uint64_t arguments[6])
{
    if (number - KIN_NR_JOB_FIRST < array_length(job_table))
        return job_table[number - KIN_NR_JOB_FIRST](arguments);
    return unknown_call(number);
}

int64_t system_call_dispatch(struct user_frame *frame, uint64_t number, const uint64_t arguments[6])
{
    (void)frame;
    if (unlikely(number >= array_length(table) || !table[number]))
        return other_call(number, arguments);
    return table[number](arguments);
}
