/* Stop and continue: what runs, what is cancelled, what is reported; orphaned groups; SIGKILL. */
#include <sys/mman.h>
#include <time.h>

#include "raw_signal.h"
#include "tap.h"

static volatile int *shared;

static void count(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    shared[1]++;
}

/* Counts as long as it runs. */
static pid_t runner(void)
{
    pid_t child = fork();

    if (child == 0) {
        setpgid(0, 0);
        for (;;)
            shared[0]++;
    }
    setpgid(child, child);
    return child;
}

static int wait_for(pid_t child, int options)
{
    int status = 0;

    return waitpid(child, &status, options) == child ? status : -1;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    is_int(wait_for(child, 0), SIGKILL, "SIGKILL ends it");
}

static void pause_ms(int ms)
{
    struct timespec time = {0, ms * 1000000};

    nanosleep(&time, NULL);
}

static void test_runs_nothing(int signal)
{
    pid_t child = runner();
    int before;

    while (shared[0] == 0)
        ;
    kill(child, signal);
    is_int(wait_for(child, WUNTRACED), signal << 8 | 0x7f, "signal %d stops a running process",
           signal);
    before = shared[0];
    pause_ms(20);
    is_int(shared[0], before, "stopped, it runs no instruction");
    is_int(waitpid(child, NULL, WUNTRACED | WNOHANG), 0, "the stop is reported once");
    kill(child, signal);
    is_int(waitpid(child, NULL, WUNTRACED | WNOHANG), 0, "a second stop is no news");
    kill(child, SIGCONT);
    is_int(waitpid(child, NULL, WUNTRACED | WNOHANG), 0, "a continue is no stop");
    is_int(wait_for(child, WCONTINUED), 0xffff, "it is reported to WCONTINUED");
    is_int(waitpid(child, NULL, WCONTINUED | WNOHANG), 0, "once");
    while (shared[0] == before)
        ;
    ok(true, "it runs again");
    kill(child, SIGCONT);
    is_int(waitpid(child, NULL, WCONTINUED | WNOHANG), 0,
           "SIGCONT to a running process is no news");
    end(child);
    shared[0] = 0;
}

static void test_kill_stopped(void)
{
    pid_t child = runner();

    kill(child, SIGSTOP);
    wait_for(child, WUNTRACED);
    kill(child, SIGTERM);
    pause_ms(5);
    is_int(waitpid(child, NULL, WNOHANG), 0, "SIGTERM waits while it is stopped");
    kill(child, SIGKILL);
    is_int(wait_for(child, 0), SIGKILL, "SIGKILL does not");
}

static void test_stop_replaced(void)
{
    pid_t child = runner();
    siginfo_t info;
    int status;

    kill(child, SIGSTOP);
    waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT);
    kill(child, SIGCONT);
    status = wait_for(child, WUNTRACED | WCONTINUED);
    is_int(status, 0xffff, "a continue replaces a stop that nobody has waited for");
    kill(child, SIGSTOP);
    wait_for(child, WUNTRACED);
    end(child);
}

/* SIGCONT works blocked and ignored; its handler runs if there is one. */
static pid_t careful(bool blocks, bool ignores)
{
    pid_t child;

    shared[2] = 0;
    child = fork();
    if (child == 0) {
        struct raw_action action = {.handler = RAW_IGNORE};

        setpgid(0, 0);
        if (ignores)
            raw_sigaction(SIGCONT, &action, NULL);
        else
            raw_handle(SIGCONT, count, SA_SIGINFO);
        if (blocks)
            raw_mask(SIG_SETMASK, RAW_BIT(SIGCONT));
        shared[2] = 1;
        for (;;)
            shared[0]++;
    }
    while (!shared[2])
        ;
    return child;
}

static void test_continue(void)
{
    for (int form = 0; form < 4; form++) {
        bool blocks = form & 1, ignores = form & 2;
        pid_t child = careful(blocks, ignores);
        int before;

        shared[1] = 0;
        kill(child, SIGSTOP);
        wait_for(child, WUNTRACED);
        before = shared[0];
        kill(child, SIGCONT);
        is_int(wait_for(child, WCONTINUED), 0xffff, "SIGCONT, %s, %s: continued",
               blocks ? "blocked" : "not blocked", ignores ? "ignored" : "handled");
        while (shared[0] == before)
            ;
        is_int(shared[1], !blocks && !ignores, "its handler runs only if neither");
        end(child);
    }
}

/* Pending stops and continues cancel each other. All in one process, with both blocked. */
static void test_cancel(void)
{
    static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};

    raw_mask(SIG_SETMASK, ~0ull);
    raw_handle(SIGCONT, count, SA_SIGINFO);
    for (int i = 0; i < 3; i++) {
        kill(getpid(), stops[i]);
        ok(raw_pending() & RAW_BIT(stops[i]), "signal %d is pending", stops[i]);
    }
    kill(getpid(), SIGCONT);
    ok(raw_pending() == RAW_BIT(SIGCONT), "SIGCONT cancels them all");
    kill(getpid(), SIGTTIN);
    ok(raw_pending() == RAW_BIT(SIGTTIN), "a stop signal cancels SIGCONT");
    kill(getpid(), SIGCONT);
    shared[1] = 0;
    raw_mask(SIG_SETMASK, 0);
    is_int(shared[1], 1, "the last one counts");
}

/* A group whose members have no parent in their session outside it: terminal stops are ignored. */
static void test_orphaned_group(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        setsid();
        kill(getpid(), SIGTSTP);
        kill(getpid(), SIGTTIN);
        kill(getpid(), SIGTTOU);
        _exit(4);
    }
    waitpid(child, &status, WUNTRACED);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 4, "terminal stops in an orphaned group");
    child = fork();
    if (child == 0) {
        setsid();
        kill(getpid(), SIGSTOP);
        _exit(4);
    }
    waitpid(child, &status, WUNTRACED);
    ok(WIFSTOPPED(status), "but SIGSTOP stops");
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    is_int(WEXITSTATUS(status), 4, "until SIGCONT");
}

/* Stop and continue as fast as they can: in the end it runs, and every report was legal. */
static void test_storm(void)
{
    pid_t child = runner();
    int before;

    for (int i = 0; i < 500; i++) {
        kill(child, SIGSTOP);
        kill(child, SIGCONT);
    }
    while (waitpid(child, NULL, WUNTRACED | WCONTINUED | WNOHANG) > 0)
        ;
    before = shared[0];
    while (shared[0] == before)
        ;
    ok(true, "500 stops and continues: it runs");
    for (int i = 0; i < 500; i++) {
        kill(child, SIGCONT);
        kill(child, SIGSTOP);
    }
    while (!WIFSTOPPED(wait_for(child, WUNTRACED)))
        ;
    before = shared[0];
    pause_ms(5);
    is_int(shared[0], before, "500 continues and stops: it stands");
    end(child);
}

int main(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        tap_bail_out("mmap");
    test_runs_nothing(SIGSTOP);
    test_runs_nothing(SIGTSTP);
    test_kill_stopped();
    test_stop_replaced();
    test_continue();
    test_cancel();
    test_orphaned_group();
    test_storm();
    return tap_done();
}
