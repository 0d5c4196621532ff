/* Every signal × default, ignored, handled, blocked × sent by kill, by tgkill, by sigqueue. */
#include "raw_signal.h"
#include "tap.h"

#define SIGNAL_MAX 64

static volatile sig_atomic_t handled;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    handled = signal;
}

static bool is_in(int signal, const int *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (set[i] == signal)
            return true;
    return false;
}

static const char *default_outcome(int signal, char text[32])
{
    static const int ignored[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
    static const int stopping[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

    if (is_in(signal, ignored, 4))
        return "exited 7";
    snprintf(text, 32, is_in(signal, stopping, 4) ? "stopped %d" : "killed %d", signal);
    return text;
}

enum sender { BY_KILL, BY_TGKILL, BY_QUEUE, SENDER_COUNT };
static const char *const sender_names[] = {"kill", "tgkill", "sigqueue"};

static void send(enum sender sender, int signal)
{
    if (sender == BY_KILL)
        kill(getpid(), signal);
    else if (sender == BY_TGKILL)
        syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal);
    else
        raw_queue(getpid(), signal, SI_QUEUE, 1);
}

/* Runs `body` in a child and reports how it ended; a stopped child is killed. */
static void run(void (*body)(enum sender, int), enum sender sender, int signal, char text[32])
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        /* The child leads a group of its own under a parent in this session: not an orphaned one,
         * so that terminal stops work. */
        setpgid(0, 0);
        body(sender, signal);
        _exit(7);
    }
    if (waitpid(child, &status, WUNTRACED) != child)
        tap_bail_out("waitpid");
    raw_outcome(status, text);
    if (WIFSTOPPED(status)) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
}

static void body_default(enum sender sender, int signal)
{
    struct raw_action action = {.handler = RAW_DEFAULT};

    raw_sigaction(signal, &action, NULL);
    send(sender, signal);
}

static void body_ignored(enum sender sender, int signal)
{
    struct raw_action action = {.handler = RAW_IGNORE};

    if (raw_sigaction(signal, &action, NULL) != 0)
        _exit(errno == EINVAL ? 22 : 99);
    send(sender, signal);
}

static void body_handled(enum sender sender, int signal)
{
    if (raw_handle(signal, note, SA_SIGINFO) != 0)
        _exit(errno == EINVAL ? 22 : 99);
    send(sender, signal);
    _exit(handled == signal ? 8 : 9);
}

/* Blocked: pending, and not acted upon; then unblocked with a handler: run. */
static void body_blocked(enum sender sender, int signal)
{
    raw_mask(SIG_SETMASK, ~0ull);
    send(sender, signal);
    if (!(raw_pending() & RAW_BIT(signal)))
        _exit(10);
    raw_handle(signal, note, SA_SIGINFO);
    raw_mask(SIG_SETMASK, 0);
    _exit(handled == signal ? 8 : 9);
}

/* Pending, then ignored: discarded. */
static void body_discarded(enum sender sender, int signal)
{
    struct raw_action action = {.handler = RAW_IGNORE};

    raw_mask(SIG_SETMASK, ~0ull);
    send(sender, signal);
    raw_sigaction(signal, &action, NULL);
    _exit(raw_pending() & RAW_BIT(signal) ? 10 : 11);
}

/* Ignored and blocked at once: kept pending all the same. */
static void body_ignored_and_blocked(enum sender sender, int signal)
{
    struct raw_action action = {.handler = RAW_IGNORE};

    raw_sigaction(signal, &action, NULL);
    raw_mask(SIG_SETMASK, ~0ull);
    send(sender, signal);
    _exit(raw_pending() & RAW_BIT(signal) ? 10 : 11);
}

static void check(const char *name, void (*body)(enum sender, int), enum sender sender, int signal,
                  const char *expected)
{
    char text[32];

    run(body, sender, signal, text);
    is_string(text, expected, "signal %d by %s, %s: %s", signal, sender_names[sender], name,
              expected);
}

static void check_all(enum sender sender, int signal)
{
    bool beyond_reach = signal == SIGKILL || signal == SIGSTOP;
    char text[32];
    const char *by_default = default_outcome(signal, text);

    check("default", body_default, sender, signal, by_default);
    check("ignored", body_ignored, sender, signal, beyond_reach ? "exited 22" : "exited 7");
    check("handled", body_handled, sender, signal, beyond_reach ? "exited 22" : "exited 8");
    check("blocked", body_blocked, sender, signal, beyond_reach ? by_default : "exited 8");
    check("then ignored", body_discarded, sender, signal, beyond_reach ? by_default : "exited 11");
    check("ignored and blocked", body_ignored_and_blocked, sender, signal,
          beyond_reach ? by_default : "exited 10");
}

int main(void)
{
    for (int sender = 0; sender < SENDER_COUNT; sender++)
        for (int signal = 1; signal <= SIGNAL_MAX; signal++)
            check_all((enum sender)sender, signal);
    return tap_done();
}
