/*
 * The job object: holds processes together as one thing. The model and its rules stand in
 * docs/jobs.md; user space's view in <kin/job.h>.
 *
 * Every process is in one job, its immediate job, and so in each ancestor of it: its chain.
 * Counters of a job are over its whole subtree and move only with the member's link, move and exit,
 * under family_lock; so entered = active + exited holds whenever the lock is free.
 *
 * Who holds a reference to a job: each descriptor (job_file.c), each member, each child job, and
 * each fork that has reserved a place. With the last one it leaves its parent's list and is freed.
 *
 * Field tags as in process.h: (F) family_lock; (const); (atomic).
 */
#pragma once

#include <kin/job.h>

#include "lib/list.h"
#include "lib/refcount.h"
#include "mm/address_space.h"
#include "proc/job_place.h"
#include "proc/process.h"
#include "sched/group.h"

struct job {
    struct refcount refs;
    uint64_t id;              /* (const) never given again */
    char name[JOB_NAME_SIZE]; /* (const) "" if it has none */
    struct job *parent;       /* (const) reference; NULL: the root job */
    uint32_t depth;           /* (const) 0: the root job */
    uint32_t creator_uid;     /* (const) effective uid: may open it through JOB_SELF */
    struct list sibling;      /* (F) in parent->children */
    struct list children;     /* (F) struct job by sibling, oldest first */
    struct list id_link;      /* (F) in the table by id */

    enum job_state state; /* (F) written by job_set_state_locked() only */
    enum job_cause cause; /* (F) why it is KILLING or DEAD */
    uint64_t flags;       /* (F) JOB_KILL_ON_CLOSE ... */
    uint64_t kill_gen;    /* (F) kills that reached it */
    uint64_t signal_gen;  /* (F) broadcasts that reached it */
    int last_signal;      /* (F) the newest of them */
    uint64_t asked_ns;    /* (F) the first kill since it was last empty */
    uint64_t empty_ns;    /* (F) when it last became empty */

    struct list members; /* (F) struct process by job_link, in order of entry: immediate members */
    struct list zombies; /* (F) the same, no members any more: unreaped, for listings */

    /* Over the subtree. */
    uint32_t active;             /* (F) members */
    uint32_t reserved;           /* (F) places held by forks that have not linked yet */
    uint32_t threads;            /* (F) of members, and reserved */
    uint32_t peak_active;        /* (F) */
    uint32_t descendants;        /* (F) jobs below */
    uint32_t living_descendants; /* (F) of these, not DEAD */
    uint64_t entered, exited;    /* (F) */
    uint64_t limit_killed, refused, refused_events; /* (F) */

    struct job_limits limits;           /* (F) */
    struct job_memory *memory;          /* (const) owned: charged commitments, job_memory.c */
    struct job_account *account;        /* (const) owned: what members used, job_acct.c */
    struct sched_group group;           /* what the scheduler knows of it */
    bool is_divided;                    /* (F) its children share the CPUs as one each, by weight */
    bool class_is_set;                  /* (F) it or one above has set a sched_class */
    struct cpu_time period_base_cycles; /* (F) of the group, at the period's start */

    uint32_t freeze_tokens; /* (F) own; the chain's decide */
    uint64_t frozen_since;  /* (F) while freeze_tokens > 0 */
    uint64_t frozen_ns;     /* (F) finished freezes */

    struct list streams;    /* (F) struct job_stream by link */
    uint32_t stream_count;  /* (F) */
    uint64_t event_seq;     /* (F) of the last event in the subtree */
    bool limit_is_news;     /* (F) POLLPRI until JOB_ACK */
    bool frozen_by_limit;   /* (F) one of the tokens is a limit's */
    uint32_t disarmed;      /* (F) bit per enum job_action_index: has notified, until set again */
    struct wait_queue wait; /* descriptor pollers, killers who wait, frozen threads */
};

extern struct job *root_job;

/* At boot, before pid 1, who then is its first member. */
void job_init(void);

/* --- job.c: the tree --- */
void job_get(struct job *job);
/* No lock held. */
void job_put(struct job *job);
/* A child of `parent`, which stays referenced by the caller. A reference, or an error: -ENODEV
 * -EAGAIN -EEXIST -EINVAL -ENOMEM. */
int job_create(struct job *parent, const struct job_create_args *args, struct job **job);
/* A reference to the descendant of `from` with that path ("a/b"), or with that id; with `above`, an
 * ancestor's too; NULL: none. */
struct job *job_find_path(struct job *from, const char *path) MUST_CHECK;
struct job *job_find_id(struct job *from, uint64_t id, bool above) MUST_CHECK;
/* A reference to the job that the process is in; NULL if it has exited. */
struct job *job_of_process(struct process *process) MUST_CHECK;
bool job_is_in_subtree(const struct job *job, const struct job *root);
/* The next job of root's subtree in preorder, NULL after the last; begins with root itself. */
struct job *job_next_locked(struct job *job, const struct job *root) REQUIRES(family_lock);
/* "/a/b" as /proc/<pid>/cgroup prints it; jobs without a name are "#<id>". Returns the length. */
size_t job_format_path(struct process *process, char *buffer, size_t size);
/* The only writer of job->state; panics at an illegal step. */
void job_set_state_locked(struct job *job, enum job_state state) REQUIRES(family_lock);

/* --- job_member.c: birth, death, adoption --- */

/* -ENODEV (killing), -EXDEV (outside the caller's subtree), -EPERM (may not break away), -EAGAIN (a
 * count is exhausted), -EDQUOT (job time is). */
int job_reserve(const struct job_birth *birth, struct job_place *place);
void job_cancel(struct job_place *place);
/* Does the place still stand? -ENODEV (killed meanwhile); -EINVAL (the child may run on no CPU of
 * the job's); -ERESTARTNOINTR: the parent was moved, or too much has happened; the birth is to
 * begin again. */
int job_check_place_locked(const struct job_place *place, const struct user_thread *thread)
    REQUIRES(family_lock);
/* At once after that, when the child is linked: makes it a member, which takes over the place's
 * reference. */
void job_enter_locked(struct job_place *place, struct process *process) REQUIRES(family_lock);
/* pid 1. */
void job_enter_root_locked(struct process *process) REQUIRES(family_lock);
/* The member has given up memory and files and its accounts are closed: folds them, counts it out,
 * tells. The reference that it held is the caller's to put after the lock. */
struct job *job_exit_locked(struct process *process, const struct cpu_time *used)
    REQUIRES(family_lock) MUST_CHECK;
/* JOB_AUTOREAP: is the zombie an orphan in such a job, its parent outside? */
bool job_autoreaps_locked(const struct process *zombie) REQUIRES(family_lock);
/* A zombie is reaped. */
void job_forget_zombie_locked(struct process *process) REQUIRES(family_lock);
/* One more member, whose threads are to be counted too. */
void job_count_in_locked(struct job *job, uint32_t threads) REQUIRES(family_lock);

/* --- job_adopt.c: job_adopt(2). 0 if it is there already; -EXDEV -ESRCH -ENODEV -EAGAIN -ENOMEM
 * -EINVAL, and then nothing has changed. --- */
int job_adopt(struct job *job, struct process *process, uint32_t flags);

/* --- job_list.c: all members at one instant, oldest first, in memory that the caller kfree()s.
 * Their number, or -ENOMEM -EINVAL. --- */
int64_t job_list(struct job *job, uint32_t flags, struct job_member **entries);
/* The same for the jobs of the subtree, each before its children. */
int64_t job_list_jobs(struct job *job, struct job_entry **entries);

/* --- job_kill.c --- */
/* -EPERM for the root job. When it returns every member has SIGKILL pending, and unless `keep`
 * nobody can enter the subtree any more. */
int job_kill(struct job *job, bool keep, enum job_cause cause);
/* Sleeps until the job is empty (after job_kill: dead). -ETIMEDOUT -ERESTARTSYS */
int job_wait_empty(struct job *job, uint64_t deadline);
void job_certify(struct job *job, struct job_cert *cert);
/* job_signal(2): number of members reached; 0 only counts them. -ESRCH -EINVAL */
int64_t job_signal(struct job *job, int signal);
void job_signal_member_locked(struct process *member, int signal) REQUIRES(family_lock);
/* SIGKILL for all members by a limit's action; the job stays open. */
void job_kill_members_locked(struct job *job) REQUIRES(family_lock);
/* After a member left: EMPTY and DEAD, up the chain. */
void job_note_departure_locked(struct job *job) REQUIRES(family_lock);

/* --- job_freeze.c --- */
/* A token: the job's members run no user code until job_thaw(). Returns when none does. -EDEADLK
 * for the caller's own chain. */
int job_freeze(struct job *job);
void job_thaw(struct job *job);
void job_thaw_locked(struct job *job) REQUIRES(family_lock);
/* The token that a limit's JOB_ACTION_FREEZE holds, at most one a job. */
void job_freeze_by_limit_locked(struct job *job) REQUIRES(family_lock);
void job_thaw_by_limit_locked(struct job *job) REQUIRES(family_lock);
/* Whoever waits in the subtree looks again. */
void job_wake_subtree_locked(struct job *job) REQUIRES(family_lock);
bool job_is_frozen_locked(const struct job *job) REQUIRES(family_lock);
/* On the way to user mode with THREAD_WORK_FREEZE: sleeps until thawed or killed. */
void job_park(void);

/* --- job_limit.c, and job_limit_act.c: what happens at a limit --- */
int job_set_limits(struct job *job, const struct job_limits *limits, uint32_t flags);
void job_get_limits(struct job *job, struct job_limits *limits, bool effective);
void job_limits_init(struct job_limits *limits);
/* Is there room for one process with that many threads in the whole chain? -EAGAIN, with the
 * refusal noted at the job that refuses; -EDQUOT. */
int job_check_counts_locked(struct job *job, uint32_t processes, uint32_t threads)
    REQUIRES(family_lock);
/* The same for the part of the chain below `top`. */
int job_check_counts_below_locked(struct job *job, const struct job *top, uint32_t processes,
                                  uint32_t threads) REQUIRES(family_lock);
/* `limited` would be exceeded by the current process, about `job`: counts, tells and acts. False:
 * the limit only notifies, go on. */
bool job_limit_reached_locked(struct job *limited, struct job *job, enum job_action_index index)
    REQUIRES(family_lock);
/* What else happens when a limit on time is reached: tells, with the times used, and acts. The
 * process that reached it may be NULL: nobody in particular. */
void job_limit_act_locked(struct job *limited, struct process *process, enum job_event_type type,
                          enum job_action_index index) REQUIRES(family_lock);
/* The same for another job below: -EAGAIN. */
int job_check_child_locked(struct job *parent) REQUIRES(family_lock);

/* --- job_acct.c --- */
void job_get_stat(struct job *job, struct job_stat *stat, uint32_t flags);
void job_fill_stat_locked(struct job *job, struct job_stat *stat) REQUIRES(family_lock);
/* What members have used since the period's start. */
void job_get_period_locked(struct job *job, struct job_usage *period) REQUIRES(family_lock);
struct job_account *job_account_create(void) MUST_CHECK;
void job_account_destroy(struct job_account *account);
/* A member that had used that much joins the jobs from `job` up to, not including, `top`: it is not
 * charged to them, though its EXIT will contain it. */
void job_account_join_locked(struct job *job, const struct job *top, const struct group_usage *used,
                             struct job_usage *before) REQUIRES(family_lock);
/* Without members all that was used is of exited ones. */
bool job_account_is_settled_locked(const struct job *job) REQUIRES(family_lock);
/* Adds an exited member's use to each account of the chain. */
void job_account_fold_locked(struct job *job, struct process *process, const struct cpu_time *used,
                             struct job_usage *use) REQUIRES(family_lock);

/* --- job_time.c: limits on CPU time --- */
int job_time_check_limits(const struct job_limits *limits); /* -EINVAL */
/* The limits of the mask have been set. */
void job_time_apply_locked(struct job *job, uint64_t mask) REQUIRES(family_lock);
/* Would they be below what has been used? */
bool job_time_is_below_use_locked(const struct job *job, const struct job_limits *limits)
    REQUIRES(family_lock);
/* Does used-up time keep others from joining, and which? */
bool job_time_is_used_up_locked(const struct job *job, enum job_action_index *index)
    REQUIRES(family_lock);
/* Acts where the time of a job of the chain has been used up; by the process, or NULL. */
void job_time_check_locked(struct job *job, struct process *process) REQUIRES(family_lock);
void job_time_begin_period_locked(struct job *job, const struct cpu_time *base)
    REQUIRES(family_lock);
/* The process has become a member, and was one of `from` (NULL: newborn). */
void job_time_enter_locked(struct process *process, const struct job *from) REQUIRES(family_lock);
/* On the way to user mode with THREAD_WORK_CPU_LIMIT: limits take effect; sleeps until there is
 * bandwidth, or until killed. */
void job_heed_cpu_limits(void);

/* --- job_cpu.c: how members run --- */
int job_cpu_check(const struct job_limits *limits); /* -EINVAL -EPERM */
/* May the job have that affinity? -EINVAL if somebody in it would be left without a CPU. */
int job_cpu_check_affinity_locked(struct job *job, uint64_t mask) REQUIRES(family_lock);
/* May a process with that thread be a member? -EINVAL */
int job_cpu_check_thread_locked(const struct job *job, const struct user_thread *thread)
    REQUIRES(family_lock);
/* The groups of the subtree have changed: its threads follow. */
void job_cpu_regroup_locked(struct job *job) REQUIRES(family_lock);
/* Limits of this kind have been set: the subtree follows. */
void job_cpu_apply_locked(struct job *job) REQUIRES(family_lock);
/* The job, and so each of its siblings, is to share the CPUs as one from now on. -ENOMEM */
int job_cpu_divide_locked(struct job *job) REQUIRES(family_lock);
void job_cpu_set_weight_locked(struct job *job) REQUIRES(family_lock);
/* A new job takes over what holds for its parent. -ENOMEM */
int job_cpu_enter_tree_locked(struct job *job) REQUIRES(family_lock);

/* --- job_memory.c --- */
struct job_memory *job_memory_create(struct job *job) MUST_CHECK;
void job_memory_destroy(struct job_memory *memory);
/* What a member's address space charges. */
struct address_space_account *job_memory_account(struct job *job);
void job_memory_set_limits(struct job_memory *memory, uint64_t space_bytes, uint64_t bytes);
uint64_t job_memory_bytes(const struct job *job);
uint64_t job_memory_peak_bytes(const struct job *job);
uint64_t job_memory_peak_process_bytes(const struct job *job); /* of one address space */

/* --- job_event.c --- */
struct job_stream;
/* Numbers the event in every job of the chain, and puts it into their streams. Fills seq, time and
 * job_id. */
void job_emit_locked(struct job *job, struct job_event *event) REQUIRES(family_lock);
/* The common case: an event about a process (or none). */
void job_emit_about_locked(struct job *job, enum job_event_type type, struct process *process,
                           uint16_t cause) REQUIRES(family_lock);
/* The process is in the job now; what it had used before. */
void job_emit_moved_locked(struct job *job, struct process *process, const struct job_usage *before)
    REQUIRES(family_lock);
/* The same in two halves, for birth and death, which walk the chain anyway: first number the event
 * in each job of it, then, if one has a stream, tell. No other event comes between. Returns the
 * number of this job's streams. */
static inline uint32_t job_number_event_locked(struct job *job) REQUIRES(family_lock);
static inline uint32_t job_number_event_locked(struct job *job)
{
    job->event_seq++;
    return job->stream_count;
}
void job_tell_about_locked(struct job *job, enum job_event_type type, struct process *process,
                           uint16_t cause) REQUIRES(family_lock);
void job_tell_exit_locked(struct job *job, struct process *process, const struct job_usage *use)
    REQUIRES(family_lock);
/* Reference to the job inside. -ENOMEM -EINVAL. The snapshot may be NULL. */
int job_stream_open(struct job *job, const struct job_events_args *args, struct job_stat *snapshot,
                    struct job_stream **stream);
void job_stream_close(struct job_stream *stream);
/* Up to `count` records; 0: the job is dead and all is read; -EAGAIN: nothing now. */
int64_t job_stream_read(struct job_stream *stream, struct job_event *events, size_t count);
bool job_stream_has_news(struct job_stream *stream);
bool job_stream_is_at_end(struct job_stream *stream);
struct wait_queue *job_stream_wait(struct job_stream *stream);
