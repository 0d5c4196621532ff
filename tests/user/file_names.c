/*
 * Every call that takes a name × names of every shape: what it answers, and, where it succeeds,
 * what the tree looks like afterwards.
 */
#include "file_tree.h"

#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <utime.h>

static const char *const names[] = {
    "",       "f",         "f/",          "f/.",    "f/..",    "f/x",      "d",     "d/",
    "d//",    "d/.",       "d/..",        "d/x",    "d/x/",    "e",        "e/",    "e/../e",
    "new",    "new/",      "new/x",       "d/new",  "d/new/",  "lf",       "lf/",   "ld",
    "ld/",    "ld/x",      "ld/.",        "dangle", "dangle/", "dangle/x", "loop",  "loop/",
    "loop/x", "lslash",    "lslash/x",    "ldots",  "ldots/x", "into",     "into/", "p",
    "p/",     ".",         "..",          "./",     "/",       "//",       "/.",    "/..",
    "lroot",  "lroot/tmp", "d/./../d/./x"};

static char long_name[256], too_long_name[257], long_path[5000], deep_path[4096];

static void fill_names(void)
{
    memset(long_name, 'n', 255);
    memset(too_long_name, 'n', 256);
    for (size_t i = 0; i + 2 < sizeof(long_path); i += 2)
        memcpy(long_path + i, "./", 3);
    for (size_t i = 0; i + 2 < sizeof(deep_path) - 2; i += 2)
        memcpy(deep_path + i, "./", 3);
    strcat(deep_path, "f");
}

static void make_tree(void)
{
    tree_file("f", "file", 0644);
    if (mkdir("d", 0755) || mkdir("e", 0755))
        tap_bail_out("mkdir");
    tree_file("d/x", "in d", 0600);
    if (symlink("f", "lf") || symlink("d", "ld") || symlink("missing", "dangle") ||
        symlink("loop", "loop") || symlink("d/", "lslash") || symlink("d/../ld/", "ldots") ||
        symlink("d/made", "into") || symlink("/", "lroot") || mkfifo("p", 0644))
        tap_bail_out("the links");
}

/* --- The calls --- */

static int opened(int file)
{
    if (file >= 0)
        close(file);
    return file < 0 ? -1 : 0;
}

#define OPEN_CASE(function, flags)                                                                 \
    static int function(const char *name)                                                          \
    {                                                                                              \
        return opened(open(name, (flags) | O_NONBLOCK, 0666));                                     \
    }
OPEN_CASE(open_read, O_RDONLY)
OPEN_CASE(open_write, O_RDWR)
OPEN_CASE(open_truncate, O_RDONLY | O_TRUNC)
OPEN_CASE(open_create, O_RDWR | O_CREAT)
OPEN_CASE(open_create_read, O_RDONLY | O_CREAT)
OPEN_CASE(open_create_truncate, O_RDWR | O_CREAT | O_TRUNC)
OPEN_CASE(open_exclusive, O_RDWR | O_CREAT | O_EXCL)
OPEN_CASE(open_create_nofollow, O_RDWR | O_CREAT | O_NOFOLLOW)
OPEN_CASE(open_directory, O_RDONLY | O_DIRECTORY)
OPEN_CASE(open_nofollow, O_RDONLY | O_NOFOLLOW)
OPEN_CASE(open_directory_nofollow, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
OPEN_CASE(open_path, O_PATH)
OPEN_CASE(open_path_nofollow, O_PATH | O_NOFOLLOW)
OPEN_CASE(open_path_directory, O_PATH | O_DIRECTORY)
OPEN_CASE(open_mode_3, 3)

static int do_stat(const char *name)
{
    struct stat status;

    return stat(name, &status);
}

static int do_lstat(const char *name)
{
    struct stat status;

    return lstat(name, &status);
}

static int do_statx(const char *name)
{
    char status[256];

    return (int)syscall(SYS_statx, AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, 0x7ff, status);
}

static int do_statfs(const char *name)
{
    struct statfs status;

    return statfs(name, &status);
}

static int do_access(const char *name)
{
    return access(name, X_OK);
}

static int do_access_link(const char *name)
{
    return (int)syscall(SYS_faccessat2, AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int do_chdir(const char *name)
{
    int before = open(".", O_RDONLY | O_DIRECTORY);
    int result = chdir(name), error = errno;

    if (fchdir(before))
        tap_bail_out("fchdir");
    close(before);
    errno = error;
    return result;
}

static int do_readlink(const char *name)
{
    char text[100];

    return readlink(name, text, sizeof(text)) < 0 ? -1 : 0;
}

static int do_mkdir(const char *name)
{
    return mkdir(name, 0777);
}

static int do_mkfifo(const char *name)
{
    return (int)syscall(SYS_mknod, name, S_IFIFO | 0600, 0);
}

static int do_mknod(const char *name)
{
    return (int)syscall(SYS_mknod, name, 0644, 0);
}

static int do_symlink(const char *name)
{
    return symlink("target", name);
}

static int do_rename_from(const char *name)
{
    return rename(name, "new");
}

static int do_rename_file_to(const char *name)
{
    return rename("f", name);
}

static int do_rename_directory_to(const char *name)
{
    return rename("d", name);
}

static int do_rename_empty_to(const char *name)
{
    return rename("e", name);
}

static int do_rename_link_to(const char *name)
{
    return rename("lf", name);
}

static int do_rename_noreplace(const char *name)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, name, 1);
}

static int do_rename_exchange(const char *name)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, name, 2);
}

static int do_rename_exchange_file(const char *name)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, name, 2);
}

static int do_link_from(const char *name)
{
    return link(name, "new");
}

static int do_link_follow(const char *name)
{
    return linkat(AT_FDCWD, name, AT_FDCWD, "new", AT_SYMLINK_FOLLOW);
}

static int do_link_to(const char *name)
{
    return link("f", name);
}

static int do_truncate(const char *name)
{
    return truncate(name, 2);
}

static int do_chmod(const char *name)
{
    return chmod(name, 0700);
}

static int do_chown(const char *name)
{
    return lchown(name, 0, 0);
}

static int do_utimensat(const char *name)
{
    return utimensat(AT_FDCWD, name, NULL, 0);
}

static int do_utime(const char *name)
{
    return (int)syscall(SYS_utime, name, NULL);
}

static int do_execve(const char *name)
{
    char *const nothing[] = {NULL};

    return (int)syscall(SYS_execve, name, nothing, nothing);
}

/* Names that belong to the whole system are only looked at. */
static bool is_outside(const char *name)
{
    return name[0] == '/' || !strcmp(name, "..") || !strncmp(name, "lroot", 5);
}

static const struct {
    const char *name;
    int (*call)(const char *name);
    bool changes;
} calls[] = {
    {"open(O_RDONLY)", open_read, false},
    {"open(O_RDWR)", open_write, false},
    {"open(O_TRUNC)", open_truncate, true},
    {"open(O_RDWR|O_CREAT)", open_create, true},
    {"open(O_RDONLY|O_CREAT)", open_create_read, true},
    {"open(O_RDWR|O_CREAT|O_TRUNC)", open_create_truncate, true},
    {"open(O_CREAT|O_EXCL)", open_exclusive, true},
    {"open(O_CREAT|O_NOFOLLOW)", open_create_nofollow, true},
    {"open(O_DIRECTORY)", open_directory, false},
    {"open(O_NOFOLLOW)", open_nofollow, false},
    {"open(O_DIRECTORY|O_NOFOLLOW)", open_directory_nofollow, false},
    {"open(O_PATH)", open_path, false},
    {"open(O_PATH|O_NOFOLLOW)", open_path_nofollow, false},
    {"open(O_PATH|O_DIRECTORY)", open_path_directory, false},
    {"open(3)", open_mode_3, false},
    {"stat", do_stat, false},
    {"lstat", do_lstat, false},
    {"statx", do_statx, false},
    {"statfs", do_statfs, false},
    {"access(X_OK)", do_access, false},
    {"faccessat2(nofollow)", do_access_link, false},
    {"chdir", do_chdir, false},
    {"readlink", do_readlink, false},
    {"mkdir", do_mkdir, true},
    {"rmdir", rmdir, true},
    {"unlink", unlink, true},
    {"mknod(fifo)", do_mkfifo, true},
    {"mknod(0)", do_mknod, true},
    {"symlink", do_symlink, true},
    {"rename(.., new)", do_rename_from, true},
    {"rename(f, ..)", do_rename_file_to, true},
    {"rename(d, ..)", do_rename_directory_to, true},
    {"rename(e, ..)", do_rename_empty_to, true},
    {"rename(lf, ..)", do_rename_link_to, true},
    {"rename(f, .., NOREPLACE)", do_rename_noreplace, true},
    {"rename(d, .., EXCHANGE)", do_rename_exchange, true},
    {"rename(f, .., EXCHANGE)", do_rename_exchange_file, true},
    {"link(.., new)", do_link_from, true},
    {"linkat(.., new, FOLLOW)", do_link_follow, true},
    {"link(f, ..)", do_link_to, true},
    {"truncate", do_truncate, true},
    {"chmod", do_chmod, true},
    {"lchown", do_chown, true},
    {"utimensat", do_utimensat, true},
    {"utime", do_utime, true},
    {"execve", do_execve, false},
};

static void cell(size_t call, const char *name, const char *shown)
{
    char after[4096] = "";
    int result;

    if (calls[call].changes && is_outside(name))
        return;
    errno = 0;
    result = calls[call].call(name);
    int error = result ? errno : 0;

    if (!error && calls[call].changes) {
        tree_describe(".", after, sizeof(after));
        tree_clear(".");
        make_tree();
    }
    ok(true, "%s %s: %s%s", calls[call].name, shown, error_name(error), after);
}

int main(void)
{
    fill_names();
    tree_begin();
    make_tree();
    for (size_t call = 0; call < sizeof(calls) / sizeof(calls[0]); call++) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            cell(call, names[i], *names[i] ? names[i] : "(empty)");
        cell(call, long_name, "(255 letters)");
        cell(call, too_long_name, "(256 letters)");
        cell(call, long_path, "(too long)");
        cell(call, deep_path, "(4095 bytes)");
    }
    tree_end();
    return tap_done();
}
