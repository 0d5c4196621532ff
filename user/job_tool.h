/* What the files of the job tool share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/libjob.h"

#define EXIT_TIMED_OUT   124
#define EXIT_OWN_FAILURE 125
#define EXIT_NOT_RUN     126
#define EXIT_NOT_FOUND   127

/* Each command: words[0] is its name; returns the exit status. */
int command_run(int count, char **words);
int command_ls(int count, char **words);
int command_stat(int count, char **words);
int command_kill(int count, char **words);
int command_freeze(int count, char **words);
int command_thaw(int count, char **words);
int command_signal(int count, char **words);
int command_set(int count, char **words);
int command_events(int count, char **words);

/* "job: ...: why", from errno. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);
__attribute__((format(printf, 1, 2))) void complain_about_use(const char *format, ...);
/* A descriptor, or -1 after a complaint. */
int open_job(const char *name, uint32_t rights);
int open_job_of_pid(int pid, uint32_t rights);

/* --- job_limits.c --- */
/* Takes "--procs=5" and the like into `limits`. 1: taken; 0: no limit's option; -1: after a
 * complaint. */
int parse_limit(const char *word, struct job_limits *limits);
/* "1.5", "1.5s", "20ms", "100us" or "2m" at the text's start, in ns; `end` is what follows. */
bool parse_time(const char *text, const char **end, uint64_t *ns);
/* After the last one: limits on time kill, where nothing else is said. */
void complete_limits(struct job_limits *limits);

/* --- job_show.c --- */
void show_stat(int job, bool to_error);

/* --- job_run.c --- */
/* The exit status that stands for a wait status. */
int exit_status_of(int status);
/* Runs a command in place of this process; returns what to exit with. */
int execute(char **words);
