/*
 * A small tree of files of all kinds in a fresh directory, made anew for each case of a table; and
 * what it looks like afterwards, as one line of text.
 */
#pragma once

#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tap.h"

static char tree_top[64];

/* Leaves the caller in a new empty directory below /tmp. */
__attribute__((unused)) static void tree_begin(void)
{
    umask(022);
    strcpy(tree_top, "/tmp/files-XXXXXX");
    if (!mkdtemp(tree_top) || chmod(tree_top, 0755) || chdir(tree_top))
        tap_bail_out("a new directory below /tmp");
}

__attribute__((unused)) static void tree_file(const char *name, const char *text, mode_t mode)
{
    int file = open(name, O_CREAT | O_TRUNC | O_WRONLY, mode);

    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text) || close(file))
        tap_bail_out(name);
}

/* Everything below the directory, not the directory itself. */
__attribute__((unused)) static void tree_clear(const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;

    if (!stream)
        return;
    while ((entry = readdir(stream))) {
        char name[512];

        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(name, sizeof(name), "%s/%s", directory, entry->d_name);
        if (unlink(name) && (errno == EISDIR || errno == EPERM)) {
            chmod(name, 0700);
            tree_clear(name);
            rmdir(name);
        }
    }
    closedir(stream);
}

__attribute__((unused)) static void tree_end(void)
{
    tree_clear(tree_top);
    if (chdir("/") || rmdir(tree_top))
        tap_bail_out("removal of the test's directory");
}

static int tree_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static char tree_letter(mode_t mode)
{
    return "?pc?d?b?-?l?s???"[mode >> 12 & 15];
}

/* One entry: type, permissions, links, and what is in it. */
static void tree_describe_entry(const char *name, char *text, size_t size)
{
    struct stat status;
    char content[64] = "";
    ssize_t length = 0;

    if (lstat(name, &status)) {
        snprintf(text, size, " %s:%s", name, error_name(errno));
        return;
    }
    if (S_ISLNK(status.st_mode)) {
        length = readlink(name, content, sizeof(content) - 1);
    } else if (S_ISREG(status.st_mode)) {
        int file = open(name, O_RDONLY);

        length = read(file, content, 20);
        close(file);
    }
    content[length > 0 ? length : 0] = '\0';
    snprintf(text, size, " %.20s=%c%o.%u%s%s", name + 2, tree_letter(status.st_mode),
             status.st_mode & 07777, (unsigned)status.st_nlink, *content ? ":" : "", content);
}

/* " name=type and mode.links:content", sorted, all directories below. */
__attribute__((unused)) static void tree_describe(const char *directory, char *text, size_t size)
{
    char *names[64];
    int count = 0;
    DIR *stream = opendir(directory);
    struct dirent *entry;

    while (stream && (entry = readdir(stream)) && count < 64)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            names[count++] = strdup(entry->d_name);
    if (stream)
        closedir(stream);
    qsort(names, (size_t)count, sizeof(*names), tree_compare);
    for (int i = 0; i < count; i++) {
        char name[512];
        struct stat status;
        size_t used = strlen(text);

        snprintf(name, sizeof(name), "%s/%s", directory, names[i]);
        free(names[i]);
        tree_describe_entry(name, text + used, size - used);
        if (!lstat(name, &status) && S_ISDIR(status.st_mode))
            tree_describe(name, text, size);
    }
}
