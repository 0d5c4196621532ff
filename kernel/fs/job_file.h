/*
 * Jobs as descriptors: each carries rights, which only shrink. The one that job_create(2) returns
 * is the job's owner: when the last descriptor of that open file description is closed, a job with
 * JOB_KILL_ON_CLOSE is killed; a fork does not inherit it then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"

struct file;
struct job;
struct job_events_args;
struct job_stat;

/* Files that take over the caller's reference to the job on success. NULL if memory is short. */
struct file *job_file_create(struct job *job, uint32_t rights, bool owner) MUST_CHECK;
/* A freeze token: its release thaws. The job is frozen already. */
struct file *job_token_create(struct job *job) MUST_CHECK;
/* An event stream; takes its own reference. -ENOMEM -EINVAL. */
int job_stream_file_create(struct job *job, const struct job_events_args *args,
                           struct job_stat *snapshot, struct file **file) MUST_CHECK;

/* A reference to the job behind a descriptor, which must carry all of `rights`; JOB_SELF: the
 * caller's own, with JOB_RIGHT_QUERY and JOB_RIGHT_EVENTS. *carried, if wanted, becomes its rights.
 * -EBADF, -EINVAL (another kind of file), -EACCES. */
int MUST_CHECK job_from_descriptor(int descriptor, uint32_t rights, struct job **job,
                                   uint32_t *carried);
