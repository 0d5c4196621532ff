/* What each SA_ flag does; the arguments of rt_sigaction, rt_sigprocmask and their errors. */
#include <ucontext.h>

#include "raw_signal.h"
#include "tap.h"

#ifndef SA_EXPOSE_TAGBITS
#define SA_EXPOSE_TAGBITS 0x00000800
#endif

static volatile sig_atomic_t depth, deepest, calls;
static volatile uint64_t mask_inside;
static volatile int code_inside, value_inside, saved_signal;

static void nest(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    calls++;
    if (++depth > deepest)
        deepest = depth;
    if (calls < 3)
        kill(getpid(), signal);
    depth--;
}

static void look(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;

    mask_inside = raw_mask(SIG_BLOCK, 0);
    saved_signal = signal;
    code_inside = info->si_code;
    value_inside = info->si_value.sival_int;
    calls += user != NULL;
}

static void test_nodefer(void)
{
    calls = depth = deepest = 0;
    raw_handle(SIGUSR1, nest, 0);
    kill(getpid(), SIGUSR1);
    is_int(calls, 3, "without SA_NODEFER the handler runs again after it returned");
    is_int(deepest, 1, "and not inside itself");
    calls = depth = deepest = 0;
    raw_handle(SIGUSR1, nest, SA_NODEFER);
    kill(getpid(), SIGUSR1);
    is_int(calls, 3, "with SA_NODEFER");
    is_int(deepest, 3, "it runs inside itself");
}

static void test_mask(void)
{
    struct raw_action action = {.handler = look,
                                .flags = SA_SIGINFO | SA_RESTORER,
                                .restorer = raw_restorer,
                                .mask = RAW_BIT(SIGUSR2) | RAW_BIT(SIGKILL) | RAW_BIT(40)};

    raw_mask(SIG_SETMASK, RAW_BIT(SIGHUP));
    raw_sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    ok(mask_inside == (RAW_BIT(SIGHUP) | RAW_BIT(SIGUSR1) | RAW_BIT(SIGUSR2) | RAW_BIT(40)),
       "inside: the old mask, sa_mask without SIGKILL, and the signal itself");
    ok(raw_mask(SIG_SETMASK, 0) == RAW_BIT(SIGHUP), "afterwards: the old mask");
    action.flags |= SA_NODEFER;
    raw_sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    ok(mask_inside == (RAW_BIT(SIGUSR2) | RAW_BIT(40)), "SA_NODEFER leaves the signal out");
    raw_sigaction(SIGUSR1, NULL, &action);
    ok(action.mask == (RAW_BIT(SIGUSR2) | RAW_BIT(40)), "rt_sigaction shows the mask it kept");
}

static void test_resethand(void)
{
    struct raw_action action;
    int status;
    pid_t child;

    raw_handle(SIGUSR1, look, SA_RESETHAND | SA_SIGINFO);
    calls = 0;
    kill(getpid(), SIGUSR1);
    raw_sigaction(SIGUSR1, NULL, &action);
    is_int(calls, 1, "SA_RESETHAND: the handler ran");
    ok(action.handler == RAW_DEFAULT, "the disposition is default again");
    ok((action.flags & (SA_RESETHAND | SA_SIGINFO)) == (SA_RESETHAND | SA_SIGINFO),
       "its flags stay");
    child = fork();
    if (child == 0) {
        raw_handle(SIGTERM, nest, SA_RESETHAND | SA_NODEFER);
        kill(getpid(), SIGTERM);
        _exit(0);
    }
    waitpid(child, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "the second time it is deadly");
}

static void test_siginfo(void)
{
    raw_handle(SIGUSR1, look, SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    is_int(code_inside, SI_USER, "kill: SI_USER");
    syscall(SYS_tkill, (pid_t)syscall(SYS_gettid), SIGUSR1);
    is_int(code_inside, SI_TKILL, "tkill: SI_TKILL");
    raw_queue(getpid(), SIGUSR1, SI_QUEUE, 4711);
    is_int(code_inside, SI_QUEUE, "sigqueue: SI_QUEUE");
    is_int(value_inside, 4711, "with its value");
    raw_queue(getpid(), SIGUSR1, SI_MESGQ, 4712);
    is_int(code_inside, SI_MESGQ, "any negative code");
    raw_queue(getpid(), SIGUSR1, SI_KERNEL, 4713);
    is_int(code_inside, SI_KERNEL, "to itself even a kernel's");
}

static void test_flag_bits(void)
{
    struct raw_action action = {.handler = look, .restorer = raw_restorer, .flags = ~0ull};
    unsigned long known = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |
                          SA_NODEFER | SA_EXPOSE_TAGBITS | SA_RESTORER;

    known |= (unsigned long)(unsigned)SA_RESETHAND;
    is_int(raw_sigaction(SIGUSR1, &action, NULL), 0, "all flags at once are accepted");
    raw_sigaction(SIGUSR1, NULL, &action);
    ok(action.flags == known, "unknown flags are cleared");
}

static void test_no_restorer(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct raw_action action = {.handler = look};

        raw_sigaction(SIGUSR1, &action, NULL);
        kill(getpid(), SIGUSR1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "no SA_RESTORER: SIGSEGV");
}

static void test_errors(void)
{
    struct raw_action action = {.handler = RAW_IGNORE};
    uint64_t set = 0;

    is_error(raw_sigaction(0, &action, NULL), EINVAL, "rt_sigaction(0)");
    is_error(raw_sigaction(65, &action, NULL), EINVAL, "rt_sigaction(65)");
    is_error(raw_sigaction(-1, NULL, &action), EINVAL, "rt_sigaction(-1)");
    is_error(raw_sigaction(SIGKILL, &action, NULL), EINVAL, "rt_sigaction(SIGKILL, new)");
    is_error(raw_sigaction(SIGSTOP, &action, NULL), EINVAL, "rt_sigaction(SIGSTOP, new)");
    is_int(raw_sigaction(SIGKILL, NULL, &action), 0, "rt_sigaction(SIGKILL, NULL, old)");
    ok(action.handler == RAW_DEFAULT, "is default");
    is_error(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 16), EINVAL, "a wrong set size");
    is_error(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8), EFAULT, "a bad new action");
    is_error(syscall(SYS_rt_sigaction, SIGUSR1, NULL, (void *)8, 8), EFAULT, "a bad old action");
    is_error(syscall(SYS_rt_sigprocmask, 3, &set, NULL, 8), EINVAL, "rt_sigprocmask(3)");
    is_int(syscall(SYS_rt_sigprocmask, 3, NULL, &set, 8), 0, "how means nothing without a set");
    is_error(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL, "a wrong set size");
    is_error(syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, NULL, 8), EFAULT, "a bad set");
    is_error(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, (void *)8, 8), EFAULT, "a bad old set");
    raw_mask(SIG_SETMASK, ~0ull);
    ok(raw_mask(SIG_SETMASK, 0) == ~(RAW_BIT(SIGKILL) | RAW_BIT(SIGSTOP)),
       "SIGKILL and SIGSTOP cannot be blocked");
    is_error(syscall(SYS_rt_sigpending, &set, 9), EINVAL, "rt_sigpending with a large size");
    is_int(syscall(SYS_rt_sigpending, &set, 4), 0, "rt_sigpending with a small size");
    is_error(syscall(SYS_rt_sigsuspend, &set, 4), EINVAL, "rt_sigsuspend with a small size");
    is_error(syscall(SYS_rt_sigsuspend, (void *)8, 8), EFAULT, "rt_sigsuspend with a bad set");
}

int main(void)
{
    test_nodefer();
    test_mask();
    test_resethand();
    test_siginfo();
    test_flag_bits();
    test_no_restorer();
    test_errors();
    return tap_done();
}
