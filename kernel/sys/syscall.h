/*
 * System calls: thin adapters between registers and the kernel's functions. Only kernel/sys (and
 * the read, write and ioctl operations of files) touches user pointers.
 *
 *     SYSCALL3(read, int, descriptor, uintptr_t, buffer, size_t, size)
 *     {
 *         ...
 *     }
 *
 * defines sys_read() with the registers cast to the named types; table.c lists it under its number.
 * Returns the result or -errno; -ERESTART* as in lib/errno.h.
 */
#pragma once

#include <stdint.h>

#include "lib/compiler.h"
#include "lib/errno.h"
#include "mm/user_copy.h"

typedef int64_t system_call(const uint64_t arguments[6]);

#define SYSCALL0(name)                                                                             \
    static int64_t do_##name(void);                                                                \
    system_call sys_##name;                                                                        \
    int64_t sys_##name(const uint64_t a[6])                                                        \
    {                                                                                              \
        (void)a;                                                                                   \
        return do_##name();                                                                        \
    }                                                                                              \
    static int64_t do_##name(void)

#define SYSCALL_BODY(name, parameters, ...)                                                        \
    static int64_t do_##name parameters;                                                           \
    system_call sys_##name;                                                                        \
    int64_t sys_##name(const uint64_t a[6])                                                        \
    {                                                                                              \
        return do_##name(__VA_ARGS__);                                                             \
    }                                                                                              \
    static int64_t do_##name parameters

#define SYSCALL1(name, t0, n0)         SYSCALL_BODY(name, (t0 n0), (t0)a[0])
#define SYSCALL2(name, t0, n0, t1, n1) SYSCALL_BODY(name, (t0 n0, t1 n1), (t0)a[0], (t1)a[1])
#define SYSCALL3(name, t0, n0, t1, n1, t2, n2)                                                     \
    SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2), (t0)a[0], (t1)a[1], (t2)a[2])
#define SYSCALL4(name, t0, n0, t1, n1, t2, n2, t3, n3)                                             \
    SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2, t3 n3), (t0)a[0], (t1)a[1], (t2)a[2], (t3)a[3])
#define SYSCALL5(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                                     \
    SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4), (t0)a[0], (t1)a[1], (t2)a[2],          \
                 (t3)a[3], (t4)a[4])
#define SYSCALL6(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                             \
    SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5), (t0)a[0], (t1)a[1], (t2)a[2],   \
                 (t3)a[3], (t4)a[4], (t5)a[5])

/* port_handlers.system_call */
struct user_frame;
int64_t system_call_dispatch(struct user_frame *frame, uint64_t number,
                             const uint64_t arguments[6]);
