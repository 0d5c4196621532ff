/* Dispositions from parent to child: who sees whose changes, by fork, vfork, CLONE_SIGHAND, exec.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "raw_signal.h"
#include "tap.h"

/* clone(2)'s; the C libraries' headers do not all agree on the old ones. */
#define CLONE_FLAGS_COMMON (CLONE_VM | CLONE_VFORK | CLONE_SIGHAND | SIGCHLD)

static const char *program;
static volatile sig_atomic_t handled;

static void first_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled = 1;
}

static void second_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled = 2;
}

/* What stands for a signal: d(efault), i(gnored), 1, 2 (the handlers) or ?, with + for any flag but
 * SA_RESTORER, and m for a mask. */
static const char *state_of(int signal, char text[4])
{
    struct raw_action action;
    size_t length = 1;

    raw_sigaction(signal, NULL, &action);
    text[0] = '?';
    if (action.handler == RAW_DEFAULT)
        text[0] = 'd';
    if (action.handler == RAW_IGNORE)
        text[0] = 'i';
    if (action.handler == first_handler)
        text[0] = '1';
    if (action.handler == second_handler)
        text[0] = '2';
    if (action.flags & ~(unsigned long)SA_RESTORER)
        text[length++] = '+';
    if (action.mask)
        text[length++] = 'm';
    text[length] = '\0';
    return text;
}

static const char *states(char text[32])
{
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGWINCH};
    char one[4];

    text[0] = '\0';
    for (int i = 0; i < 4; i++) {
        strcat(text, state_of(signals[i], one));
        strcat(text, i < 3 ? " " : "");
    }
    return text;
}

static void check_states(const char *expected, const char *when)
{
    char text[32];

    is_string(states(text), expected, "%s: %s", when, expected);
}

/* USR1 handled, USR2 ignored, TERM and WINCH default, WINCH with a flag. */
static void begin(void)
{
    struct raw_action ignored = {.handler = RAW_IGNORE, .mask = RAW_BIT(SIGHUP)};
    struct raw_action flagged = {.handler = RAW_DEFAULT, .flags = SA_NOCLDSTOP};
    struct raw_action plain = {.handler = RAW_DEFAULT};

    raw_handle(SIGUSR1, first_handler, SA_SIGINFO);
    raw_sigaction(SIGUSR2, &ignored, NULL);
    raw_sigaction(SIGTERM, &plain, NULL);
    raw_sigaction(SIGWINCH, &flagged, NULL);
}

#define AT_BEGIN "1+ im d d+"

static void change_all(void)
{
    struct raw_action ignored = {.handler = RAW_IGNORE};

    raw_handle(SIGUSR1, second_handler, 0);
    raw_handle(SIGUSR2, second_handler, 0);
    raw_sigaction(SIGTERM, &ignored, NULL);
    raw_sigaction(SIGWINCH, &ignored, NULL);
}

#define ALL_CHANGED "2 2 i i"

static void expect_outcome(pid_t child, const char *expected, const char *what)
{
    char text[32];
    int status;

    waitpid(child, &status, 0);
    is_string(raw_outcome(status, text), expected, "%s: %s", what, expected);
}

/* 0 if the states are those. */
static int states_differ(const char *expected)
{
    char text[32];

    return strcmp(states(text), expected) != 0;
}

/* --- fork --- */

static void child_changes(void)
{
    pid_t child;

    begin();
    child = fork();
    if (child == 0) {
        if (states_differ(AT_BEGIN))
            _exit(1);
        change_all();
        raise(SIGUSR1);
        _exit(states_differ(ALL_CHANGED) ? 2 : handled);
    }
    expect_outcome(child, "exited 2", "the child's changes hold for it");
    check_states(AT_BEGIN, "and not for its parent");
    raise(SIGUSR1);
    is_int(handled, 1, "whose handler still runs");
}

/* Two generations, then changes from the oldest to the youngest. */
static void parent_changes(void)
{
    int told[2];
    pid_t child;
    char byte;

    if (pipe(told) != 0)
        tap_bail_out("pipe");
    begin();
    child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        char text[32];
        int status;

        if (read(told[0], &byte, 1) != 1 || states_differ(AT_BEGIN))
            _exit(1);
        if (grandchild == 0)
            _exit(0);
        raw_handle(SIGTERM, second_handler, 0);
        waitpid(grandchild, &status, 0);
        _exit(strcmp(raw_outcome(status, text), "exited 0") != 0);
    }
    change_all();
    raw_handle(SIGWINCH, first_handler, 0);
    if (write(told[1], "xx", 2) != 2)
        tap_bail_out("write");
    expect_outcome(child, "exited 0", "a parent's changes are not its descendants'");
    close(told[0]);
    close(told[1]);
}

static void reset_in_child(void)
{
    pid_t child;

    begin();
    raw_handle(SIGUSR1, first_handler, SA_RESETHAND | SA_NODEFER);
    child = fork();
    if (child == 0) {
        raise(SIGUSR1);
        raise(SIGUSR1);
        _exit(1);
    }
    expect_outcome(child, "killed 10", "SA_RESETHAND: the child's second signal is fatal to it");
    check_states(AT_BEGIN, "and the parent still has the handler");
    raise(SIGUSR1);
    check_states("d+ im d d+", "until it has its own");
}

static void fault_in_child(void)
{
    pid_t child;

    begin();
    raw_handle(SIGSEGV, first_handler, 0);
    child = fork();
    if (child == 0) {
        raw_mask(SIG_SETMASK, RAW_BIT(SIGSEGV));
        *(volatile int *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
        _exit(1);
    }
    expect_outcome(child, "killed 11", "a fault with its signal blocked");
    handled = 0;
    raise(SIGSEGV);
    is_int(handled, 1, "leaves the parent's handler alone");
    signal(SIGSEGV, SIG_DFL);
}

/* --- vfork, CLONE_SIGHAND --- */

static int change_and_exit(void *unused)
{
    (void)unused;
    change_all();
    _exit(0);
}

static int fork_and_exit(void *unused)
{
    pid_t child = fork();
    int status;

    (void)unused;
    if (child == 0) {
        change_all();
        _exit(states_differ(ALL_CHANGED));
    }
    waitpid(child, &status, 0);
    _exit(status != 0 || states_differ(AT_BEGIN));
}

static int exec_and_exit(void *mode)
{
    execl(program, program, mode, NULL);
    _exit(99);
}

static pid_t clone_child(int (*function)(void *), int flags, void *argument)
{
    static char stack[65536] __attribute__((aligned(16)));

    return clone(function, stack + sizeof(stack), flags, argument);
}

static void common_table(void)
{
    pid_t child;

    begin();
    child = clone_child(change_and_exit, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    expect_outcome(child, "exited 0", "a child in the same memory");
    check_states(AT_BEGIN, "has its own dispositions");
    child = clone_child(fork_and_exit, CLONE_FLAGS_COMMON, NULL);
    expect_outcome(child, "exited 0", "a child of one with CLONE_SIGHAND has its own");
    check_states(AT_BEGIN, "and its changes reach neither");
    child = clone_child(change_and_exit, CLONE_FLAGS_COMMON, NULL);
    expect_outcome(child, "exited 0", "a child with CLONE_SIGHAND");
    check_states(ALL_CHANGED, "changes them for its parent");
}

/* The parent's table is a fork's when CLONE_SIGHAND makes it common: others keep theirs. */
static void common_after_fork(void)
{
    int told[2];
    pid_t other, child;
    char byte;

    if (pipe(told) != 0)
        tap_bail_out("pipe");
    begin();
    other = fork();
    if (other == 0) {
        if (read(told[0], &byte, 1) != 1)
            _exit(1);
        _exit(states_differ(AT_BEGIN));
    }
    child = clone_child(change_and_exit, CLONE_FLAGS_COMMON, NULL);
    expect_outcome(child, "exited 0", "CLONE_SIGHAND beside a fork's child");
    check_states(ALL_CHANGED, "reaches the parent");
    if (write(told[1], "x", 1) != 1)
        tap_bail_out("write");
    expect_outcome(other, "exited 0", "and not the fork's child");
    close(told[0]);
    close(told[1]);
}

/* --- exec --- */

static void exec_each_way(void)
{
    static const struct {
        int flags;
        const char *name;
    } ways[] = {
        {SIGCHLD, "fork"},
        {CLONE_VM | CLONE_VFORK | SIGCHLD, "vfork"},
        {CLONE_FLAGS_COMMON, "CLONE_SIGHAND"},
    };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        begin();
        expect_outcome(clone_child(exec_and_exit, ways[i].flags, (void *)"-cleared"), "exited 0",
                       ways[i].name);
        check_states(AT_BEGIN, "exec clears the child's dispositions alone");
    }
}

/* Nothing of a table with only ignored signals changes by exec; what the program then does must not
 * reach its parent. */
static void exec_of_ignored(void)
{
    struct raw_action plain = {.handler = RAW_DEFAULT};
    struct raw_action ignored = {.handler = RAW_IGNORE};
    pid_t child;

    raw_sigaction(SIGUSR1, &plain, NULL);
    raw_sigaction(SIGUSR2, &ignored, NULL);
    raw_sigaction(SIGTERM, &plain, NULL);
    raw_sigaction(SIGWINCH, &plain, NULL);
    child = clone_child(exec_and_exit, SIGCHLD, (void *)"-cleared");
    expect_outcome(child, "exited 0", "a program that begins with ignored signals");
    check_states("d i d d", "changes only its own");
}

/* The program that is run: 0 if all but the ignored signal is default. */
static int cleared(void)
{
    if (states_differ("d i d d"))
        return 1;
    change_all();
    return states_differ(ALL_CHANGED);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "-cleared") == 0)
        return cleared();
    program = "/proc/self/exe";
    child_changes();
    parent_changes();
    reset_in_child();
    fault_in_child();
    common_table();
    common_after_fork();
    exec_each_way();
    exec_of_ignored();
    return tap_done();
}
