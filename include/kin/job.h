/*
 * The job object: Kin's calls beyond Linux's, for user space and kernel alike. docs/jobs.md is the
 * manual. Results are as Linux's: a value >= 0 or -errno from the kernel.
 */
#pragma once

#include <linux/types.h>

/* --- The calls, in order of number --- */
#define KIN_NR_job_create 1024
#define KIN_NR_job_open   1025
#define KIN_NR_job_adopt  1026
#define KIN_NR_job_set    1027
#define KIN_NR_job_get    1028
#define KIN_NR_job_stat   1029
#define KIN_NR_job_list   1030
#define KIN_NR_job_signal 1031
#define KIN_NR_job_kill   1032
#define KIN_NR_job_freeze 1033
#define KIN_NR_job_events 1034
#define KIN_NR_JOB_FIRST  1024
#define KIN_NR_JOB_COUNT  11

/* In place of a job descriptor: the caller's own job. */
#define JOB_SELF (-1)

#define JOB_NAME_SIZE 32 /* the NUL included */
#define JOB_DEPTH_MAX 32

/* --- Rights of a descriptor: they only shrink --- */
#define JOB_RIGHT_QUERY  (1u << 0)
#define JOB_RIGHT_EVENTS (1u << 1)
#define JOB_RIGHT_SPAWN  (1u << 2)
#define JOB_RIGHT_ADOPT  (1u << 3)
#define JOB_RIGHT_SET    (1u << 4)
#define JOB_RIGHT_SIGNAL (1u << 5)
#define JOB_RIGHT_KILL   (1u << 6)
#define JOB_RIGHT_FREEZE (1u << 7)
#define JOB_RIGHT_CREATE (1u << 8)
#define JOB_RIGHTS_ALL   ((1u << 9) - 1)

/* --- job_create --- */
#define JOB_KILL_ON_CLOSE    (1ull << 0) /* closing the owner kills the job; job_set can change it */
#define JOB_BREAKAWAY_OK     (1ull << 1) /* CLONE_JOB_BREAKAWAY leaves it */
#define JOB_SILENT_BREAKAWAY (1ull << 2) /* every child leaves it */
#define JOB_AUTOREAP         (1ull << 3) /* orphans in it leave no zombies */
#define JOB_FROZEN           (1ull << 4) /* born frozen: job_set(JOB_LIMIT_FLAGS) without it thaws */

struct job_create_args {
    __u64 flags;
    __u32 rights; /* of the returned descriptor; 0: all */
    __u32 pad;
    char name[JOB_NAME_SIZE]; /* "" for none; no '/' */
};

/* clone3: a birth that leaves the job, where every job left permits it. */
#define CLONE_JOB_BREAKAWAY (1ull << 40)

/* --- job_open --- */
#define JOB_OPEN_BY_ID (1u << 0) /* `id` instead of `path` */
#define JOB_OPEN_PIDFD (1u << 1) /* dirfd is a pidfd: the job that its process is in */

/* --- job_adopt --- */
#define JOB_ADOPT_TREE (1u << 0) /* with all living descendants that are in the same job */

/* --- Limits: bits of mask, and what each field's zero or maximum means --- */
#define JOB_LIMIT_FLAGS      (1ull << 0)
#define JOB_LIMIT_PROCS      (1ull << 1)
#define JOB_LIMIT_THREADS    (1ull << 2)
#define JOB_LIMIT_JOBS       (1ull << 3)
#define JOB_LIMIT_DEPTH      (1ull << 4)
#define JOB_LIMIT_PROC_USER  (1ull << 5)
#define JOB_LIMIT_JOB_USER   (1ull << 6)
#define JOB_LIMIT_JOB_CPU    (1ull << 7)
#define JOB_LIMIT_PROC_MEM   (1ull << 8)
#define JOB_LIMIT_JOB_MEM    (1ull << 9)
#define JOB_LIMIT_BANDWIDTH  (1ull << 10) /* quota, period and burst */
#define JOB_LIMIT_WEIGHT     (1ull << 11)
#define JOB_LIMIT_CLASS      (1ull << 12)
#define JOB_LIMIT_NICE_FLOOR (1ull << 13)
#define JOB_LIMIT_AFFINITY   (1ull << 14)
#define JOB_LIMIT_ACTIONS    (1ull << 15)
#define JOB_LIMIT_COUNT      16
#define JOB_LIMITS_KNOWN     ((1ull << JOB_LIMIT_COUNT) - 1)

#define JOB_UNLIMITED_COUNT (~(__u32)0)
#define JOB_UNLIMITED       (~(__u64)0)

/* What happens at a limit; action[] is indexed by enum job_action_index. */
enum job_action {
    JOB_ACTION_FAIL,
    JOB_ACTION_KILL_PROC,
    JOB_ACTION_KILL_JOB,
    JOB_ACTION_NOTIFY,
    JOB_ACTION_FREEZE,
    JOB_ACTION_SIGXCPU,
    JOB_ACTION_COUNT
};
enum job_action_index {
    JOB_ON_PROCS,
    JOB_ON_THREADS,
    JOB_ON_PROC_USER,
    JOB_ON_JOB_USER,
    JOB_ON_JOB_CPU,
    JOB_ON_PROC_MEM,
    JOB_ON_JOB_MEM,
    JOB_ON_DEADLINE,
    JOB_ON_COUNT
};

struct job_limits {
    __u64 mask; /* job_set: the fields to change; job_get: those that are limited */
    __u64 flags;
    __u64 restrict_bits; /* reserved: 0 */
    __u32 max_procs, max_threads, max_jobs, max_depth;
    __u64 proc_user_ns, job_user_ns, job_cpu_ns;
    __u64 deadline_ns; /* reserved: 0 */
    __u64 proc_mem_bytes, job_mem_bytes;
    __u64 rss_max_bytes; /* reserved: 0 */
    __u64 quota_ns, period_ns, burst_ns;
    __u32 weight;      /* 1..10000, 100 at first */
    __u32 sched_class; /* quantum 0..9, 5 at first */
    __s32 nice_floor;  /* -20..19, -20 at first */
    __u32 pad;
    __u64 affinity;                                                  /* CPUs 0..63 */
    __u64 note_mem_bytes, note_cpu_ns, note_rd_bytes, note_wr_bytes; /* reserved: 0 */
    __u8 action[JOB_ON_COUNT];
    /* job_get(JOB_GET_EFFECTIVE): by the number of the mask's bit, the id of the job whose limit it
     * is; 0: nobody's. job_set() does not look at it. */
    __u64 binding_job[JOB_LIMIT_COUNT];
};

#define JOB_SET_STRICT    (1u << 0) /* EBUSY if the new limit is below what is in use */
#define JOB_GET_EFFECTIVE (1u << 0) /* the strictest in the chain */

/* --- job_stat --- */
struct job_usage {
    __u64 user_ns, kern_ns, queued_ns, minflt, majflt;
    __u64 rd_ops, wr_ops, ot_ops; /* calls that read, wrote, controlled, and did not fail */
    __u64 rd_bytes, wr_bytes, ot_bytes;
    __u64 peak_mem_bytes; /* a maximum, not a sum */
};

enum job_state { JOB_OPEN, JOB_KILLING, JOB_DEAD };
enum job_cause { JOB_CAUSE_NONE, JOB_CAUSE_KILL, JOB_CAUSE_CLOSE, JOB_CAUSE_LIMIT };

struct job_stat {
    __u64 job_id, parent_id, ev_seq, time_ns, period_start_ns;
    struct job_usage total, period;
    __u64 entered, exited, limit_killed, refused, refused_events;
    __u32 active, threads, child_jobs, peak_active, state, cause;
    __u64 mem_bytes, peak_proc_bytes, nr_throttled, throttled_ns, frozen_ns, kill_gen;
};
#define JOB_PERIOD_RESET (1u << 0) /* a new period starts, atomically with the reading */
#define JOB_ACK          (1u << 1) /* the limit that raised POLLPRI has been seen */

/* --- job_list --- */
struct job_member {
    __u64 puid; /* never given to another process */
    __u64 start_ns, job_id;
    __s32 pid, ppid;
    __u32 threads, state;
};
enum job_member_state { JOB_MEMBER_ALIVE, JOB_MEMBER_EXITING, JOB_MEMBER_ZOMBIE };

/* With JOB_LIST_JOBS, in place of members: the job itself and those below it, with members or not,
 * each before its children, siblings in order of creation. */
struct job_entry {
    __u64 job_id, parent_id;
    __u32 depth;  /* below the job that was listed, which is 0 */
    __u32 state;  /* enum job_state */
    __u32 active; /* members, of jobs below too */
    __u32 pad;
    char name[JOB_NAME_SIZE];
};
#define JOB_LIST_ZOMBIES (1u << 0)
#define JOB_LIST_JOBS    (1u << 1)

/* --- job_kill --- */
struct job_cert {
    __u64 job_id, kill_gen, ev_seq, entered, exited, live, asked_ns, empty_ns;
};
#define JOB_KILL_KEEP (1u << 0) /* the job stays open for new members */

/* --- job_events --- */
enum job_event_type {
    JOB_EVENT_NEW,
    JOB_EVENT_EXIT,
    JOB_EVENT_ABNORMAL_EXIT,
    JOB_EVENT_EMPTY,
    JOB_EVENT_DEAD,
    JOB_EVENT_MOVED,
    JOB_EVENT_LIMIT,
    JOB_EVENT_PROC_TIME,
    JOB_EVENT_JOB_TIME,
    JOB_EVENT_THRESHOLD,
    JOB_EVENT_CHILD_JOB,
    JOB_EVENT_FROZEN,
    JOB_EVENT_THAWED,
    JOB_EVENT_GAP,
    JOB_EVENT_TYPE_COUNT
};
#define JOB_EVENT_BIT(type) (1ull << (type))
#define JOB_EVENTS_ALL      (JOB_EVENT_BIT(JOB_EVENT_TYPE_COUNT) - 1)

struct job_event {
    __u64 seq; /* GAP: the first that was lost */
    __u64 time_ns;
    __u64 job_id;    /* where it happened */
    __u64 limit_job; /* LIMIT: whose limit; GAP: the last seq that was lost */
    __u64 puid;
    __s32 pid;
    __s32 status; /* EXIT: wait(2) encoding */
    __u16 type;
    __u16 cause; /* LIMIT and the times: enum job_action_index; DEAD: enum job_cause */
    __u32 count; /* LIMIT: how often in a row; GAP: how many were lost */
    /* EXIT: all that the process used in its life. MOVED: what it had used before, which the jobs
     * that it enters are not charged. */
    struct job_usage use;
};

struct job_events_args {
    __u64 mask;     /* JOB_EVENT_BIT(...); 0: all. GAP comes in any case */
    __u64 from_seq; /* without FROM_NOW: what is older is not wanted */
    __u32 slots;    /* records kept for a slow reader, 1..65536; 0: 256 */
    __u32 flags;
    __u64 snapshot; /* address of a struct job_stat to be filled at the stream's start; 0: none */
};
#define JOB_EVENTS_FROM_NOW (1u << 0)
