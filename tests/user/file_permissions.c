/* Who may do what: modes × owners × calls, as an ordinary user; set-id bits, sticky directories,
 * umask, chmod and chown rules. */
#include "file_tree.h"

#include <grp.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { USER = 1000, OTHER = 1001, GROUP = 2000, EXTRA = 2001 };

static const mode_t modes[] = {0000, 0001, 0002, 0004, 0007, 0010, 0020, 0040, 0070,
                               0100, 0200, 0400, 0700, 0707, 0077, 0755, 0111, 0222};

/* Runs the check as another user, in a child that prints and ends. */
static void as_user(uid_t uid, gid_t gid, void (*check)(void))
{
    gid_t extra = EXTRA;
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (setgroups(1, &extra) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
            tap_bail_out("the user");
        check();
        _exit(tap_count);
    }
    waitpid(child, &status, 0);
    tap_count = WEXITSTATUS(status);
}

static void append(char *text, const char *what, int result)
{
    char part[40];

    snprintf(part, sizeof(part), " %s:%s", what, result < 0 ? error_name(errno) : "0");
    strcat(text, part);
}

static void try_file(const char *name)
{
    char text[500] = "";
    struct stat status;
    int file;

    append(text, "r", file = open(name, O_RDONLY));
    close(file);
    append(text, "w", file = open(name, O_WRONLY));
    close(file);
    append(text, "t", file = open(name, O_RDONLY | O_TRUNC));
    close(file);
    append(text, "a", access(name, R_OK | W_OK));
    append(text, "x", access(name, X_OK));
    append(text, "trunc", truncate(name, 0));
    append(text, "stat", stat(name, &status));
    append(text, "now", utimensat(AT_FDCWD, name, NULL, 0));
    struct timespec times[2] = {{1, 0}, {1, 0}};

    append(text, "time", utimensat(AT_FDCWD, name, times, 0));
    append(text, "noatime", file = open(name, O_RDONLY | O_NOATIME));
    close(file);
    ok(true, "%s%s", name, text);
}

static void try_directory(const char *name)
{
    char text[500] = "", inside[64];
    struct stat status;
    int file;

    append(text, "r", file = open(name, O_RDONLY));
    close(file);
    append(text, "cd", chdir(name));
    if (chdir(tree_top))
        tap_bail_out("chdir");
    snprintf(inside, sizeof(inside), "%s/there", name);
    append(text, "stat", stat(inside, &status));
    snprintf(inside, sizeof(inside), "%s/missing", name);
    append(text, "miss", stat(inside, &status));
    append(text, "unlink", unlink(inside));
    snprintf(inside, sizeof(inside), "%s/new", name);
    append(text, "make", mkdir(inside, 0700));
    append(text, "drop", rmdir(inside));
    snprintf(inside, sizeof(inside), "%s/there/x", name);
    append(text, "below", stat(inside, &status));
    ok(true, "%s%s", name, text);
}

static void each_mode(void (*try)(const char *name), const char *prefix)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char name[64];

        snprintf(name, sizeof(name), "%s%04o", prefix, modes[i]);
        try(name);
    }
}

static void check_all(void)
{
    each_mode(try_file, "user-");
    each_mode(try_file, "group-");
    each_mode(try_file, "other-");
    each_mode(try_directory, "duser-");
    each_mode(try_directory, "dgroup-");
    each_mode(try_directory, "dother-");
}

static void make_all(const char *prefix, uid_t uid, gid_t gid)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char name[64], inside[80];

        snprintf(name, sizeof(name), "%s-%04o", prefix, modes[i]);
        tree_file(name, "text", 0600);
        if (chown(name, uid, gid) || chmod(name, modes[i]))
            tap_bail_out(name);
        snprintf(name, sizeof(name), "d%s-%04o", prefix, modes[i]);
        if (mkdir(name, 0700))
            tap_bail_out(name);
        snprintf(inside, sizeof(inside), "%s/there", name);
        tree_file(inside, "x", 0644);
        if (chown(name, uid, gid) || chmod(name, modes[i]))
            tap_bail_out(name);
    }
}

/* --- chmod and chown --- */

static void show_mode(const char *what, const char *name)
{
    struct stat status;

    if (lstat(name, &status))
        ok(true, "%s: %s", what, error_name(errno));
    else
        ok(true, "%s: %o %u %u", what, status.st_mode, status.st_uid, status.st_gid);
}

#define TRY(call, name)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int try_result = (int)(call);                                                              \
        char try_text[200];                                                                        \
        snprintf(try_text, sizeof(try_text), "%s %s", #call,                                       \
                 try_result < 0 ? error_name(errno) : "0");                                        \
        show_mode(try_text, name);                                                                 \
    } while (0)

static void check_changes(void)
{
    TRY(chmod("mine", 06777), "mine");
    TRY(chown("mine", USER, EXTRA), "mine");
    TRY(chmod("mine", 06777), "mine");
    TRY(chown("mine", USER, 3000), "mine");
    TRY(chown("mine", OTHER, -1), "mine");
    TRY(chown("mine", -1, -1), "mine");
    TRY(chmod("mine", 06755), "mine");
    int file = open("mine", O_WRONLY);

    TRY(write(file, "x", 1), "mine");
    TRY(chmod("mine", 02745), "mine");
    TRY(write(file, "x", 1), "mine");
    TRY(ftruncate(file, 0), "mine");
    close(file);
    TRY(chmod("theirs", 0777), "theirs");
    TRY(chown("theirs", USER, -1), "theirs");
    TRY(chown("theirs", -1, -1), "theirs");
    TRY(chmod("alien", 02775), "alien");
    TRY(chmod("alien-directory", 02775), "alien-directory");
    TRY(chmod("link", 0700), "mine");
    TRY(lchown("link", USER, EXTRA), "link");
    TRY(syscall(SYS_fchmodat, AT_FDCWD, "missing", 0), "missing");
}

static void check_setgid_directory(void)
{
    TRY(mkdir("shared/sub", 0755), "shared/sub");
    TRY(open("shared/file", O_CREAT | O_WRONLY, 02755), "shared/file");
    TRY(open("shared/plain", O_CREAT | O_WRONLY, 02644), "shared/plain");
    TRY(mkdir("plain", 07777), "plain");
    umask(0);
    TRY(mkdir("plain2", 07777), "plain2");
    TRY(open("plain3", O_CREAT | O_WRONLY, 07777), "plain3");
    TRY(mknod("plain4", S_IFIFO | 07666, 0), "plain4");
    umask(0777);
    TRY(mkdir("plain5", 0777), "plain5");
    TRY(open("plain6", O_CREAT | O_RDWR, 0777), "plain6");
    TRY(symlink("x", "plain7"), "plain7");
    TRY(mknod("device", S_IFCHR | 0666, 0x103), "device");
    TRY(mknod("device", S_IFDIR | 0666, 0), "device");
    TRY(mknod("device", S_IFLNK | 0666, 0), "device");
    TRY(chroot("."), ".");
}

static void check_sticky(void)
{
    TRY(unlink("sticky/mine"), "sticky/mine");
    TRY(unlink("sticky/theirs"), "sticky/theirs");
    TRY(rename("sticky/theirs", "sticky/other"), "sticky/theirs");
    TRY(rename("sticky/mine2", "sticky/theirs"), "sticky/theirs");
    TRY(rename("sticky/mine2", "sticky/new"), "sticky/new");
    TRY(rmdir("sticky/directory"), "sticky/directory");
    TRY(unlink("own-sticky/theirs"), "own-sticky/theirs");
    /* A directory that moves must be writable itself: its ".." changes. */
    TRY(rename("movable/locked", "movable/locked2"), "movable/locked2");
    TRY(rename("movable/locked2", "target/locked"), "target/locked");
}

static void owned_file(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
    tree_file(name, "x", 0600);
    if (chown(name, uid, gid) || chmod(name, mode))
        tap_bail_out(name);
}

static void owned_directory(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
    if (mkdir(name, 0700) || chown(name, uid, gid) || chmod(name, mode))
        tap_bail_out(name);
}

static void make_changes(void)
{
    owned_file("mine", USER, GROUP, 0644);
    owned_file("theirs", OTHER, GROUP, 0644);
    owned_file("alien", USER, 3000, 0644);
    owned_directory("alien-directory", USER, 3000, 0755);
    if (symlink("mine", "link") || lchown("link", USER, GROUP))
        tap_bail_out("link");
    owned_directory("shared", USER, 3000, 02777);
    owned_directory("sticky", 0, 0, 01777);
    owned_file("sticky/mine", USER, GROUP, 0600);
    owned_file("sticky/mine2", USER, GROUP, 0600);
    owned_file("sticky/theirs", OTHER, GROUP, 0666);
    owned_directory("sticky/directory", OTHER, GROUP, 0777);
    owned_directory("own-sticky", USER, 0, 01777);
    owned_file("own-sticky/theirs", OTHER, GROUP, 0600);
    owned_directory("movable", USER, GROUP, 0777);
    owned_directory("movable/locked", USER, GROUP, 0555);
    owned_directory("target", USER, GROUP, 0777);
}

static void check_root(void)
{
    char text[300] = "";

    append(text, "r", access("user-0000", R_OK | W_OK));
    append(text, "x", access("user-0000", X_OK));
    append(text, "x1", access("user-0001", X_OK));
    append(text, "d", access("duser-0000", X_OK));
    ok(true, "root:%s", text);
    /* access(2) asks for the real user. */
    text[0] = '\0';
    if (setresuid(USER, 0, 0))
        tap_bail_out("setresuid");
    append(text, "real", access("other-0000", R_OK));
    append(text, "effective", (int)syscall(SYS_faccessat2, AT_FDCWD, "other-0000", R_OK, 0x200));
    append(text, "flags", (int)syscall(SYS_faccessat2, AT_FDCWD, "other-0000", R_OK, 1));
    append(text, "mode", access("other-0000", 8));
    if (setresuid(0, 0, 0))
        tap_bail_out("setresuid back");
    ok(true, "real and effective:%s", text);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    tree_begin();
    if (chmod(".", 0777))
        tap_bail_out("chmod");
    make_all("user", USER, 3000);
    make_all("group", OTHER, GROUP);
    make_all("other", OTHER, 3000);
    make_changes();
    check_root();
    as_user(USER, GROUP, check_all);
    as_user(USER, GROUP, check_changes);
    as_user(USER, GROUP, check_setgid_directory);
    as_user(USER, GROUP, check_sticky);
    tree_end();
    return tap_done();
}
