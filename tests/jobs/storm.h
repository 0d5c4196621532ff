/* What the storms share: fork bombs, and how often to do it all. */
#pragma once

#include "jobs.h"

/* The first argument, for longer runs by hand. */
UNUSED_HELPER unsigned rounds_of(int count, char **words, unsigned usual)
{
    return count > 1 ? (unsigned)strtoul(words[1], NULL, 10) : usual;
}

/* Everybody forks until there is no room; nobody ends by itself. */
UNUSED_HELPER int fork_bomb(void *argument)
{
    for (;;)
        if (fork() < 0)
            pause();
    return 0;
}

/* Everybody forks and half of them end: orphans and zombies all the time. */
UNUSED_HELPER int fork_storm(void *argument)
{
    for (;;) {
        pid_t child = fork();

        if (child < 0)
            sched_yield();
        else if (child > 0 && (child & 3) == 0)
            _exit(0);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    return 0;
}

UNUSED_HELPER void wait_for_active(int job, uint32_t count)
{
    int stream = open_stream(job, JOB_EVENT_BIT(JOB_EVENT_NEW), 0);

    while (stat_of(job).active < count)
        next_event(stream);
    close(stream);
}

UNUSED_HELPER void reap_all(void)
{
    while (wait(NULL) > 0)
        continue;
}
