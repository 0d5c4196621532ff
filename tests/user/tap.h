/*
 * TAP, the Test Anything Protocol, for programs that run on Linux and on Kin alike.
 *
 * Each check prints one numbered line; tap_done() prints the plan `1..N` and is main's result. What
 * a test prints must not depend on pids, times or addresses: both kernels' outputs are compared
 * byte for byte. The lines are written unbuffered, so forked children never print a parent's lines
 * again.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int tap_count, tap_failed;

__attribute__((unused, format(printf, 1, 2))) static void tap_line(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length > (int)sizeof(line) - 1)
        length = sizeof(line) - 1;
    if (write(STDOUT_FILENO, line, (size_t)length) < 0)
        _exit(99);
}

__attribute__((unused, format(printf, 2, 3))) static bool ok(bool passed, const char *format, ...)
{
    char name[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    if (!passed)
        tap_failed++;
    tap_line("%sok %d - %s\n", passed ? "" : "not ", ++tap_count, name);
    return passed;
}

/* Integers; the values are shown when they differ. */
__attribute__((unused, format(printf, 3, 4))) static bool is_int(long long got, long long expected,
                                                                 const char *format, ...)
{
    char name[512];
    va_list arguments;
    bool passed = got == expected;

    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    ok(passed, "%s", name);
    if (!passed)
        tap_line("# got %lld, expected %lld\n", got, expected);
    return passed;
}

__attribute__((unused, format(printf, 3, 4))) static bool
is_string(const char *got, const char *expected, const char *format, ...)
{
    char name[512];
    va_list arguments;
    bool passed = got && expected ? strcmp(got, expected) == 0 : got == expected;

    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    ok(passed, "%s", name);
    if (!passed)
        tap_line("# got \"%s\", expected \"%s\"\n", got ? got : "(null)",
                 expected ? expected : "(null)");
    return passed;
}

/* A call that must fail with that errno: is_error(kill(0, 99), EINVAL, "...") */
#define is_error(call, expected_errno, ...)                                                        \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long long tap_result = (long long)(call);                                                  \
        is_int(tap_result == -1 ? errno : -tap_result - 100000, (expected_errno), __VA_ARGS__);    \
    } while (0)

/* "EINVAL" for EINVAL: what a table of outcomes prints. */
__attribute__((unused)) static const char *error_name(int number)
{
    static const char *const names[] = {
        [0] = "0",
#define TAP_NAME(e) [e] = #e
        TAP_NAME(EPERM),     TAP_NAME(ENOENT),       TAP_NAME(ESRCH),
        TAP_NAME(EINTR),     TAP_NAME(EIO),          TAP_NAME(ENXIO),
        TAP_NAME(E2BIG),     TAP_NAME(ENOEXEC),      TAP_NAME(EBADF),
        TAP_NAME(ECHILD),    TAP_NAME(EAGAIN),       TAP_NAME(ENOMEM),
        TAP_NAME(EACCES),    TAP_NAME(EFAULT),       TAP_NAME(EBUSY),
        TAP_NAME(EEXIST),    TAP_NAME(EXDEV),        TAP_NAME(ENODEV),
        TAP_NAME(ENOTDIR),   TAP_NAME(EISDIR),       TAP_NAME(EINVAL),
        TAP_NAME(ENFILE),    TAP_NAME(EMFILE),       TAP_NAME(ENOTTY),
        TAP_NAME(ETXTBSY),   TAP_NAME(EFBIG),        TAP_NAME(ENOSPC),
        TAP_NAME(ESPIPE),    TAP_NAME(EROFS),        TAP_NAME(EMLINK),
        TAP_NAME(EPIPE),     TAP_NAME(EDOM),         TAP_NAME(ERANGE),
        TAP_NAME(EDEADLK),   TAP_NAME(ENAMETOOLONG), TAP_NAME(ENOSYS),
        TAP_NAME(ENOTEMPTY), TAP_NAME(ELOOP),        TAP_NAME(ETIMEDOUT),
        TAP_NAME(EOVERFLOW), TAP_NAME(EOPNOTSUPP),   TAP_NAME(EAFNOSUPPORT),
        TAP_NAME(ENOTSOCK),
#undef TAP_NAME
    };

    if (number >= 0 && number < (int)(sizeof(names) / sizeof(names[0])) && names[number])
        return names[number];
    return "another error";
}

/* What has no meaning without an earlier step: give up, visibly. */
__attribute__((unused, noreturn)) static void tap_bail_out(const char *why)
{
    tap_line("Bail out! %s: %s\n", why, strerror(errno));
    _exit(1);
}

__attribute__((unused)) static int tap_done(void)
{
    tap_line("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}
