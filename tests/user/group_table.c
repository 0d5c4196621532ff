/* setpgid, getpgid, setsid, getsid: who may move whom where, and every error. */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "tap.h"

/* A child that does what it is told by bytes, and answers with a byte. */
struct puppet {
    pid_t pid;
    int orders;
    int answers;
};

static void obey(int orders, int answers)
{
    char order;

    while (read(orders, &order, 1) == 1) {
        char answer = 0;

        if (order == 's')
            answer = setsid() == -1 ? (char)errno : 0;
        if (order == 'g')
            answer = setpgid(0, 0) == -1 ? (char)errno : 0;
        if (order == 'e') {
            char in[16], out[16];

            snprintf(in, sizeof(in), "%d", orders);
            snprintf(out, sizeof(out), "%d", answers);
            execl("/proc/self/exe", "group_table", in, out, NULL);
            answer = (char)errno;
        }
        if (order == 'q')
            _exit(0);
        if (write(answers, &answer, 1) != 1)
            _exit(1);
    }
    _exit(0);
}

static struct puppet make_puppet(void)
{
    struct puppet puppet;
    int orders[2], answers[2];

    if (pipe(orders) != 0 || pipe(answers) != 0)
        tap_bail_out("pipe");
    puppet.pid = fork();
    if (puppet.pid == 0) {
        close(orders[1]);
        close(answers[0]);
        obey(orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    puppet.orders = orders[1];
    puppet.answers = answers[0];
    return puppet;
}

static int tell(const struct puppet *puppet, char order)
{
    char answer;

    if (write(puppet->orders, &order, 1) != 1 || read(puppet->answers, &answer, 1) != 1)
        tap_bail_out("puppet");
    return answer;
}

static void end(const struct puppet *puppet)
{
    if (write(puppet->orders, "q", 1) != 1)
        tap_bail_out("puppet");
    close(puppet->orders);
    close(puppet->answers);
    waitpid(puppet->pid, NULL, 0);
}

static void errors(void)
{
    struct puppet child = make_puppet();
    struct puppet other = make_puppet();

    is_error(setpgid(0, -1), EINVAL, "setpgid(0, -1)");
    is_error(setpgid(999999, 0), ESRCH, "setpgid of nobody");
    is_error(setpgid(-5, 0), EINVAL, "setpgid of a negative pid to its own group");
    is_error(setpgid(-5, 1), ESRCH, "setpgid of a negative pid to another");
    is_error(setpgid(getppid(), 0), ESRCH, "setpgid of the parent");
    is_error(setpgid(1, 0), ESRCH, "setpgid of pid 1");
    is_error(setpgid(child.pid, 999999), EPERM, "setpgid to a group that is not");
    is_error(setpgid(child.pid, 1), EPERM, "setpgid to pid 1's group");
    is_error(setpgid(child.pid, other.pid), EPERM, "setpgid to a process that leads no group");
    is_error(getpgid(999999), ESRCH, "getpgid of nobody");
    is_error(getpgid(-1), ESRCH, "getpgid(-1)");
    is_error(getsid(999999), ESRCH, "getsid of nobody");
    is_error(getsid(-1), ESRCH, "getsid(-1)");
    end(&child);
    end(&other);
}

static void moves(void)
{
    struct puppet first = make_puppet();
    struct puppet second = make_puppet();

    is_int(getpgid(first.pid), getpgrp(), "a child is born in its parent's group");
    is_int(getsid(first.pid), getsid(0), "and session");
    is_int(setpgid(first.pid, first.pid), 0, "a parent makes its child a leader");
    is_int(getpgid(first.pid), first.pid, "so it is");
    is_int(setpgid(first.pid, first.pid), 0, "twice is no error");
    is_int(setpgid(second.pid, first.pid), 0, "the other child joins");
    is_int(getpgid(second.pid), first.pid, "so it did");
    end(&first);
    is_int(getpgid(second.pid), first.pid, "the group outlives its leader");
    is_int(tell(&second, 's'), 0, "a member that leads nothing can start a session");
    is_int(getsid(second.pid), second.pid, "its number is the session's");
    is_int(getpgid(second.pid), second.pid, "and the group's");
    is_error(setpgid(second.pid, second.pid), EPERM, "a child in another session cannot be moved");
    is_int(tell(&second, 's'), EPERM, "setsid twice");
    is_int(tell(&second, 'g'), EPERM, "a session leader cannot change its group");
    end(&second);
}

static void leaders(void)
{
    struct puppet child = make_puppet();

    is_int(tell(&child, 'g'), 0, "setpgid(0, 0)");
    is_int(tell(&child, 's'), EPERM, "a group leader cannot setsid");
    is_int(setpgid(child.pid, getpgrp()), 0, "back to the parent's group");
    is_int(tell(&child, 's'), 0, "now it can");
    end(&child);
}

static void after_exec(void)
{
    struct puppet child = make_puppet();

    is_int(setpgid(child.pid, child.pid), 0, "before exec a parent may move its child");
    is_int(tell(&child, 'e'), 0, "exec");
    is_error(setpgid(child.pid, getpgrp()), EACCES, "after exec it may not");
    is_int(tell(&child, 'g'), 0, "but the child itself may");
    end(&child);
}

static void zombies(void)
{
    struct puppet child = make_puppet();
    siginfo_t info;

    setpgid(child.pid, child.pid);
    if (write(child.orders, "q", 1) != 1)
        tap_bail_out("puppet");
    waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT);
    is_int(getpgid(child.pid), child.pid, "a zombie still has its group");
    is_int(getsid(child.pid), getsid(0), "and its session");
    is_int(setpgid(child.pid, getpgrp()), 0, "and can be moved");
    is_int(kill(child.pid, 0), 0, "kill(zombie, 0) finds it");
    is_int(kill(child.pid, SIGKILL), 0, "and so does SIGKILL");
    waitpid(child.pid, NULL, 0);
    is_error(kill(child.pid, 0), ESRCH, "once reaped it is gone");
    is_error(getpgid(child.pid), ESRCH, "for getpgid too");
    is_error(kill(-child.pid, 0), ESRCH, "its group is gone");
    close(child.orders);
    close(child.answers);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        char done = 0;

        if (write(atoi(argv[2]), &done, 1) != 1)
            _exit(1);
        obey(atoi(argv[1]), atoi(argv[2]));
    }
    setpgid(0, 0);
    errors();
    moves();
    leaders();
    after_exec();
    zombies();
    return tap_done();
}
