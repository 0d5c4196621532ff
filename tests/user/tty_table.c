/* Terminals, seen through a pseudo-terminal: editing, echo, modes, signals, sessions, jobs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "tap.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static int master, slave;
static char text[8192];
static volatile sig_atomic_t caught;

static void note(int signal)
{
    caught = signal;
}

static void open_pair(void)
{
    int number, unlock = 0;
    char name[32];

    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0 ||
        ioctl(master, TIOCGPTN, &number) != 0)
        tap_bail_out("/dev/ptmx");
    snprintf(name, sizeof(name), "/dev/pts/%d", number);
    slave = open(name, O_RDWR | O_NOCTTY);
    if (slave < 0)
        tap_bail_out(name);
}

static void close_pair(void)
{
    close(slave);
    close(master);
}

static void type(const char *keys)
{
    if (write(master, keys, strlen(keys)) < 0)
        tap_bail_out("write to the master");
}

/* Escapes what is not printable, so that it can be shown in a test's name. */
static const char *shown(const char *bytes, long length)
{
    static char out[4][1024];
    static unsigned turn;
    char *to = out[turn++ % 4], *start = to;

    for (long i = 0; i < length && to - start < 1000; i++)
        to += (unsigned char)bytes[i] < ' ' || (unsigned char)bytes[i] > 126 || bytes[i] == '\\'
                  ? sprintf(to, "\\%03o", (unsigned char)bytes[i])
                  : sprintf(to, "%c", bytes[i]);
    *to = '\0';
    return start;
}

static bool is_readable(int file, int time_ms)
{
    struct pollfd list = {.fd = file, .events = POLLIN};

    return poll(&list, 1, time_ms) == 1 && (list.revents & POLLIN);
}

/* Linux handles what one side writes a moment later, and may hand it over in parts: what is to come
 * is waited for, and what is not to come is given a moment. */
#define PATIENCE_MS 60000
#define MOMENT_MS   100

static bool becomes_readable(int file)
{
    return is_readable(file, PATIENCE_MS);
}

static bool stays_silent(int file)
{
    return !is_readable(file, MOMENT_MS);
}

static long read_at_once(int file, char *to, size_t size)
{
    int flags = fcntl(file, F_GETFL);
    long count;

    fcntl(file, F_SETFL, flags | O_NONBLOCK);
    count = read(file, to, size);
    fcntl(file, F_SETFL, flags);
    return count;
}

/* What comes, until it is as long as what is expected, or until nothing comes. */
static const char *read_as_long_as(int file, const char *expected)
{
    const char *so_far = "";
    long length = 0, count;

    while (strlen(so_far) < strlen(expected) && becomes_readable(file)) {
        count = read_at_once(file, text + length, sizeof(text) - (size_t)length);
        if (count <= 0)
            break;
        length += count;
        so_far = shown(text, length);
    }
    return so_far;
}

static void reads(int file, const char *expected, const char *what)
{
    is_string(read_as_long_as(file, expected), expected, "%s", what);
}

static void is_empty(int file, const char *what)
{
    stays_silent(file);
    is_error(read_at_once(file, text, sizeof(text)), EAGAIN, "%s", what);
}

static void set_modes(tcflag_t in, tcflag_t out, tcflag_t local)
{
    struct termios modes;

    tcgetattr(slave, &modes);
    modes.c_iflag = in;
    modes.c_oflag = out;
    modes.c_lflag = local;
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    tcsetattr(slave, TCSANOW, &modes);
}

#define USUAL_IN    (ICRNL | IXON)
#define USUAL_OUT   (OPOST | ONLCR)
#define USUAL_LOCAL (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN)

static void test_defaults(void)
{
    struct termios modes;
    struct winsize size;
    int number;

    open_pair();
    is_int(isatty(slave), 1, "it is a terminal");
    is_int(tcgetattr(slave, &modes), 0, "tcgetattr");
    is_int(modes.c_iflag, USUAL_IN, "input modes");
    is_int(modes.c_oflag, USUAL_OUT, "output modes");
    is_int(modes.c_lflag, USUAL_LOCAL, "local modes");
    is_int(modes.c_cflag, B38400 | CS8 | CREAD, "control modes");
    is_int(modes.c_cc[VINTR] + modes.c_cc[VEOF] * 256, 3 + 4 * 256, "characters");
    is_int(ioctl(slave, TIOCGWINSZ, &size), 0, "window size");
    is_int(size.ws_row + size.ws_col, 0, "is unknown");
    is_error(ioctl(slave, TIOCGPGRP, &number), ENOTTY, "not our controlling terminal");
    is_error(ioctl(slave, TIOCGSID, &number), ENOTTY, "of no session of ours");
    int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    struct stat by_name, by_peer;

    fstat(slave, &by_name);
    fstat(peer, &by_peer);
    ok(by_name.st_ino == by_peer.st_ino && by_name.st_rdev == by_peer.st_rdev, "TIOCGPTPEER");
    close(peer);
    is_error(lseek(slave, 0, SEEK_SET), ESPIPE, "lseek");
    is_error(ioctl(slave, 0x5499, &number), ENOTTY, "an unknown command");
    close_pair();
}

static const struct editing {
    const char *keys, *line, *echo;
} editing[] = {
    {"hello\r", "hello\\012", "hello\\015\\012"},
    {"helxo\177\177lo\n", "hello\\012", "helxo\\010 \\010\\010 \\010lo\\015\\012"},
    {"\177\n", "\\012", "\\015\\012"},
    {"one two  \027x\n", "one x\\012",
     "one two  \\010 \\010\\010 \\010\\010 \\010\\010 \\010\\010 \\010x\\015\\012"},
    {"gone\025kept\n", "kept\\012",
     "gone\\010 \\010\\010 \\010\\010 \\010\\010 \\010kept\\015\\012"},
    {"a\026\003b\n", "a\\003b\\012", "a^\\010^Cb\\015\\012"},
    {"a\001\177b\n", "ab\\012", "a^A\\010 \\010\\010 \\010b\\015\\012"},
    {"ab\tc\177\177d\n", "abd\\012",
     "ab\\011c\\010 \\010\\010\\010\\010\\010\\010\\010d\\015\\012"},
    {"re\022print\n", "reprint\\012", "re^R\\015\\012reprint\\015\\012"},
    {"part\004", "part", "part"},
    {"", "EAGAIN", ""},
};

static void test_editing(void)
{
    open_pair();
    for (unsigned i = 0; i + 1 < sizeof(editing) / sizeof(editing[0]); i++) {
        type(editing[i].keys);
        is_string(read_as_long_as(slave, editing[i].line), editing[i].line, "the line of %s",
                  shown(editing[i].keys, (long)strlen(editing[i].keys)));
        reads(master, editing[i].echo, "its echo");
    }
    close_pair();
}

static void test_canonical(void)
{
    int count;

    open_pair();
    is_empty(slave, "nothing to read");
    type("half");
    ok(stays_silent(slave), "half a line is nothing");
    is_int(ioctl(slave, FIONREAD, &count), 0, "FIONREAD");
    is_int(count, 0, "does not count it");
    type(" line\nnext\n");
    for (int ms = 0; count < 15 && ms < PATIENCE_MS; ms++) {
        poll(NULL, 0, 1);
        ioctl(slave, FIONREAD, &count);
    }
    is_int(count, 15, "it counts whole lines");
    is_int(read(slave, text, 4), 4, "a part of a line");
    reads(slave, " line\\012", "the rest of it");
    reads(slave, "next\\012", "one line at a time");
    type("\004");
    ok(becomes_readable(slave), "end of file is something");
    is_int(read(slave, text, 10), 0, "of no bytes");
    is_empty(slave, "once");
    type("abc\004");
    is_int(read(slave, text, 3), 3, "exactly what was typed");
    is_empty(slave, "swallows the end of file");
    type("flushed\n");
    becomes_readable(slave);
    tcflush(slave, TCIFLUSH);
    is_empty(slave, "tcflush");
    close_pair();
    open_pair();
    set_modes(USUAL_IN, USUAL_OUT, USUAL_LOCAL & ~ECHO);
    type("silent\n");
    reads(slave, "silent\\012", "without echo");
    ok(stays_silent(master), "there is none");
    set_modes(USUAL_IN, USUAL_OUT, (USUAL_LOCAL & ~ECHO) | ECHONL);
    type("newline\n");
    reads(slave, "newline\\012", "a line that is not echoed");
    reads(master, "\\015\\012", "ECHONL");
    close_pair();
}

static void test_input_modes(void)
{
    open_pair();
    set_modes(0, 0, ICANON);
    type("a\rb\n");
    reads(slave, "a\\015b\\012", "no translation");
    set_modes(IGNCR, 0, ICANON);
    type("a\rb\n");
    reads(slave, "ab\\012", "IGNCR");
    set_modes(INLCR, 0, 0);
    type("a\nb");
    reads(slave, "a\\015b", "INLCR");
    set_modes(ISTRIP, 0, 0);
    type("\301");
    reads(slave, "A", "ISTRIP");
    set_modes(0, 0, ICANON | ECHO | ECHOE);
    type("x\303\251\177\n");
    reads(slave, "x\\303\\012", "bytes are erased one by one");
    reads(master, "x\\303\\251\\010 \\010\\012", "and echoed so");
    set_modes(IUTF8, 0, ICANON | ECHO | ECHOE);
    type("x\303\251\177\n");
    reads(slave, "x\\012", "IUTF8: characters");
    reads(master, "x\\303\\251\\010 \\010\\012", "with one column each");
    close_pair();
}

static void test_output_modes(void)
{
    open_pair();
    write(slave, "a\nb\tc\r", 6);
    reads(master, "a\\015\\012b\\011c\\015", "ONLCR");
    set_modes(0, 0, 0);
    write(slave, "a\nb", 3);
    reads(master, "a\\012b", "no processing");
    set_modes(0, OPOST | XTABS, 0);
    write(slave, "\rab\tc", 5);
    reads(master, "\\015ab      c", "XTABS");
    set_modes(0, OPOST | OCRNL, 0);
    write(slave, "a\rb", 3);
    reads(master, "a\\012b", "OCRNL");
    set_modes(0, OPOST | OLCUC, 0);
    write(slave, "loud", 4);
    reads(master, "LOUD", "OLCUC");
    close_pair();
}

static void set_minimum(int minimum, int deciseconds)
{
    struct termios modes;

    tcgetattr(slave, &modes);
    modes.c_cc[VMIN] = (cc_t)minimum;
    modes.c_cc[VTIME] = (cc_t)deciseconds;
    tcsetattr(slave, TCSANOW, &modes);
}

static void test_raw(void)
{
    open_pair();
    set_modes(0, 0, 0);
    type("a");
    reads(slave, "a", "raw: each byte at once");
    set_minimum(3, 0);
    type("ab");
    ok(stays_silent(slave), "VMIN 3: two bytes are not enough");
    type("c");
    ok(becomes_readable(slave), "VMIN 3: three are");
    is_int(read(slave, text, 2), 2, "but a smaller read is content");
    is_int(read(slave, text, 1), 1, "to the last");
    set_minimum(0, 0);
    is_int(read(slave, text, 10), 0, "VMIN 0: nothing is fine");
    set_minimum(0, 1);
    is_int(read(slave, text, 10), 0, "VTIME: nothing in time");
    set_minimum(5, 1);
    type("xy");
    is_int(read(slave, text, 10), 2, "VMIN and VTIME: a pause ends it");
    set_modes(0, 0, ICANON);
    type("begun");
    ok(stays_silent(slave), "a line that is not finished");
    set_modes(0, 0, 0);
    reads(slave, "begun", "can be read once the mode is raw");
    type("raw");
    becomes_readable(slave);
    set_modes(0, 0, ICANON);
    reads(slave, "raw", "raw bytes become a line");
    close_pair();
}

static void test_flow(void)
{
    open_pair();
    set_modes(USUAL_IN, USUAL_OUT, ICANON);
    type("\023line\n");
    reads(slave, "line\\012", "what follows ^S");
    fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
    is_error(write(slave, "x", 1), EAGAIN, "stopped by ^S");
    type("\021line\n");
    reads(slave, "line\\012", "what follows ^Q");
    is_int(write(slave, "x", 1), 1, "started by ^Q");
    reads(master, "x", "they have no echo");
    fcntl(slave, F_SETFL, O_RDWR);
    close_pair();
}

static void test_hang_up(void)
{
    open_pair();
    struct pollfd list = {.fd = master, .events = POLLIN | POLLOUT};

    write(slave, "last", 4);
    close(slave);
    reads(master, "last", "what was written before the close");
    is_error(read(master, text, 1), EIO, "then EIO");
    poll(&list, 1, 0);
    is_int(list.revents & POLLHUP, POLLHUP, "and POLLHUP");
    close(master);
    open_pair();
    close(master);
    is_int(read(slave, text, 1), 0, "without a master: end of file");
    is_error(write(slave, "x", 1), EIO, "and EIO");
    struct termios modes;

    is_error(tcgetattr(slave, &modes), EIO, "also for modes");
    close(slave);
}

/* Runs `body` in a child that leads a session with the terminal, and tells whether it was content.
 */
static void in_session(int (*body)(void), const char *name)
{
    int status;

    open_pair();
    pid_t child = fork();

    if (child == 0) {
        setsid();
        if (ioctl(slave, TIOCSCTTY, 0) != 0)
            _exit(100);
        _exit(body());
    }
    waitpid(child, &status, 0);
    is_int(status, 0, "%s", name);
    close_pair();
}

static int check_links(void)
{
    int group = 0, session = 0, terminal = open("/dev/tty", O_RDWR);

    if (terminal < 0)
        return 1;
    if (ioctl(terminal, TIOCGPGRP, &group) != 0 || group != getpgrp())
        return 2;
    if (ioctl(slave, TIOCGSID, &session) != 0 || session != getsid(0))
        return 3;
    if (ioctl(slave, TIOCSCTTY, 0) != 0)
        return 4;
    if (tcsetpgrp(slave, 999999) == 0 || errno != ESRCH)
        return 5;
    if (tcsetpgrp(slave, -1) == 0 || errno != EINVAL)
        return 6;
    if (tcsetpgrp(slave, getppid()) == 0 || errno != EPERM)
        return 7;
    signal(SIGHUP, note);
    if (ioctl(slave, TIOCNOTTY) != 0 || caught != SIGHUP)
        return 8;
    if (open("/dev/tty", O_RDWR) >= 0 || errno != ENXIO)
        return 9;
    return 0;
}

static int check_signals(void)
{
    static const struct {
        const char *key;
        int signal;
    } keys[] = {{"\003", SIGINT}, {"\034", SIGQUIT}, {"\032", SIGTSTP}};
    struct winsize size = {.ws_row = 24, .ws_col = 80};

    for (int i = 0; i < 3; i++) {
        signal(keys[i].signal, note);
        caught = 0;
        type("lost");
        type(keys[i].key);
        for (int tries = 0; tries < PATIENCE_MS && !caught; tries++)
            usleep(1000);
        if (caught != keys[i].signal)
            return 1 + i;
        if (is_readable(slave, 0))
            return 10;
    }
    signal(SIGWINCH, note);
    caught = 0;
    ioctl(master, TIOCSWINSZ, &size);
    for (int tries = 0; tries < PATIENCE_MS && !caught; tries++)
        usleep(1000);
    if (caught != SIGWINCH)
        return 11;
    size.ws_row = 0;
    ioctl(slave, TIOCGWINSZ, &size);
    return size.ws_row == 24 && size.ws_col == 80 ? 0 : 12;
}

/* A child in a group of its own does `act` in the background; returns its wait status. */
static int in_background(int (*act)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        setpgid(0, 0);
        _exit(act());
    }
    setpgid(child, child);
    waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status)) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return status;
}

static int act_read(void)
{
    return read(slave, text, 1) < 0 ? errno : 0;
}

static int act_read_ignoring(void)
{
    signal(SIGTTIN, SIG_IGN);
    return act_read();
}

static int act_write(void)
{
    return write(slave, "x", 1) < 0 ? errno : 0;
}

static int act_modes(void)
{
    struct termios modes;

    tcgetattr(slave, &modes);
    return tcsetattr(slave, TCSANOW, &modes) < 0 ? errno : 0;
}

static int act_modes_ignoring(void)
{
    signal(SIGTTOU, SIG_IGN);
    return act_modes();
}

static int act_foreground(void)
{
    return tcsetpgrp(slave, getpgrp()) < 0 ? errno : 0;
}

static int check_background(void)
{
    struct termios modes;
    int status = in_background(act_read);

    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTIN)
        return 1;
    status = in_background(act_read_ignoring);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EIO)
        return 2;
    status = in_background(act_write);
    if (status != 0)
        return 3;
    tcgetattr(slave, &modes);
    modes.c_lflag |= TOSTOP;
    tcsetattr(slave, TCSANOW, &modes);
    status = in_background(act_write);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTOU)
        return 4;
    status = in_background(act_modes);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTOU)
        return 5;
    if (in_background(act_modes_ignoring) != 0)
        return 6;
    status = in_background(act_foreground);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTOU)
        return 7;
    signal(SIGTTOU, SIG_IGN);
    return in_background(act_foreground) == 0 ? 0 : 8;
}

/* The session's end: its foreground group gets SIGHUP. */
static void test_end_of_session(void)
{
    int status, report[2];
    char byte = 0;

    open_pair();
    pipe(report);
    pid_t leader = fork();

    if (leader == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        if (fork() == 0) {
            signal(SIGHUP, note);
            write(report[1], "r", 1);
            while (!caught)
                usleep(1000);
            byte = (char)caught;
            write(report[1], &byte, 1);
            _exit(0);
        }
        pause();
        _exit(0);
    }
    read(report[0], &byte, 1);
    kill(leader, SIGKILL);
    waitpid(leader, &status, 0);
    read(report[0], &byte, 1);
    is_int(byte, SIGHUP, "the foreground group learns that its session ended");
    close(report[0]);
    close(report[1]);
    close_pair();
}

int main(void)
{
    test_defaults();
    test_editing();
    test_canonical();
    test_input_modes();
    test_output_modes();
    test_raw();
    test_flow();
    test_hang_up();
    in_session(check_links, "a session and its terminal");
    in_session(check_signals, "keys that send signals");
    in_session(check_background, "the background");
    test_end_of_session();
    return tap_done();
}
