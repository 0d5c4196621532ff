/*
 * Accounts of jobs. What members use flows up the tree whenever a thread of theirs stops running
 * (sched/group.h); when one exits, its times are converted as they are in its EXIT record, so that
 * the records' sum is exactly the total; of a job that adopted, that sum less what MOVED tells.
 * Totals are over the subtree, jobs already gone included, and never fall.
 */
#include "lib/assert.h"
#include "mm/slab.h"
#include "proc/job.h"

/* Times in ns. */
struct times {
    uint64_t user, system, ready;
};

struct job_account {
    struct times folded;           /* (F) of exited members, each converted by itself */
    struct cpu_time folded_cycles; /* (F) the same in cycles: what the group has beyond is alive */
    struct times shown;            /* (F) the last given out: later ones are never less */
    struct job_usage period_base;  /* (F) the total at the period's start */
    uint64_t period_start_ns;      /* (F) */
};

static SLAB_CACHE(account_cache, struct job_account);

struct job_account *job_account_create(void)
{
    struct job_account *account = slab_alloc(&account_cache);

    if (account)
        account->period_start_ns = port_clock_ns();
    return account;
}

void job_account_destroy(struct job_account *account)
{
    slab_free(&account_cache, account);
}

/* What a job does not count stays 0: no fault waits for a disk, no control moves bytes. */
static void set_counts(struct job_usage *use, const uint64_t counts[THREAD_COUNTS])
{
    use->minflt = counts[COUNT_FAULTS];
    use->rd_ops = counts[COUNT_READS];
    use->wr_ops = counts[COUNT_WRITES];
    use->ot_ops = counts[COUNT_CONTROLS];
    use->rd_bytes = counts[COUNT_READ_BYTES];
    use->wr_bytes = counts[COUNT_WRITTEN_BYTES];
}

void job_account_fold_locked(struct job *job, struct process *process, const struct cpu_time *used,
                             struct job_usage *use)
{
    const struct usage_totals *totals = &process->usage.self;

    spin_assert_held(&family_lock);
    *use = (struct job_usage){
        .user_ns = totals->user_ns,
        .kern_ns = totals->system_ns,
        .queued_ns = totals->ready_ns,
        .peak_mem_bytes = totals->peak_resident_pages * PAGE_SIZE,
    };
    set_counts(use, process->usage.counts);
    for (; job; job = job->parent) {
        struct job_account *account = job->account;

        account->folded.user += use->user_ns;
        account->folded.system += use->kern_ns;
        account->folded.ready += use->queued_ns;
        account->folded_cycles.user += used->user;
        account->folded_cycles.system += used->system;
        account->folded_cycles.ready += used->ready;
    }
}

/* What is folded when it exits is all of its life; so what it had used before it came is taken off
 * now. Unsigned, the sums may be below zero until then; with what it uses they are not. */
void job_account_join_locked(struct job *job, const struct job *top, const struct group_usage *used,
                             struct job_usage *before)
{
    spin_assert_held(&family_lock);
    *before = (struct job_usage){
        .user_ns = port_cycles_to_ns(used->time.user),
        .kern_ns = port_cycles_to_ns(used->time.system),
        .queued_ns = port_cycles_to_ns(used->time.ready),
    };
    set_counts(before, used->counts);
    for (; job != top; job = job->parent) {
        struct job_account *account = job->account;

        account->folded.user -= before->user_ns;
        account->folded.system -= before->kern_ns;
        account->folded.ready -= before->queued_ns;
        account->folded_cycles.user -= used->time.user;
        account->folded_cycles.system -= used->time.system;
        account->folded_cycles.ready -= used->time.ready;
    }
}

bool job_account_is_settled_locked(const struct job *job)
{
    const struct cpu_time *folded = &job->account->folded_cycles;
    const struct sched_group *group = &job->group;

    return atomic_load_explicit(&group->user, memory_order_relaxed) == folded->user &&
           atomic_load_explicit(&group->system, memory_order_relaxed) == folded->system &&
           atomic_load_explicit(&group->ready, memory_order_relaxed) == folded->ready;
}

/* Those of exited members, and what living ones have used by now, but not less than before: a sum
 * of conversions is a little less than the conversion of the sum. */
static uint64_t total_time(uint64_t folded, uint64_t living_cycles, uint64_t *shown)
{
    uint64_t total = folded + port_cycles_to_ns(living_cycles);

    if (total < *shown)
        total = *shown;
    *shown = total;
    return total;
}

static void read_total_locked(struct job *job, struct job_usage *total, struct cpu_time *time)
    REQUIRES(family_lock);
static void read_total_locked(struct job *job, struct job_usage *total, struct cpu_time *time)
{
    struct job_account *account = job->account;
    const struct cpu_time *gone = &account->folded_cycles;
    const struct times *folded = &account->folded;
    struct group_usage usage;

    sched_group_read(&job->group, &usage);
    *time = usage.time;
    *total = (struct job_usage){
        .user_ns = total_time(folded->user, time->user - gone->user, &account->shown.user),
        .kern_ns = total_time(folded->system, time->system - gone->system, &account->shown.system),
        .queued_ns = total_time(folded->ready, time->ready - gone->ready, &account->shown.ready),
        .peak_mem_bytes = job_memory_peak_bytes(job),
    };
    set_counts(total, usage.counts);
}

static void subtract(struct job_usage *period, const struct job_usage *total,
                     const struct job_usage *base)
{
    *period = *total;
    period->user_ns -= base->user_ns;
    period->kern_ns -= base->kern_ns;
    period->queued_ns -= base->queued_ns;
    period->minflt -= base->minflt;
    period->majflt -= base->majflt;
    period->rd_ops -= base->rd_ops;
    period->wr_ops -= base->wr_ops;
    period->ot_ops -= base->ot_ops;
    period->rd_bytes -= base->rd_bytes;
    period->wr_bytes -= base->wr_bytes;
    period->ot_bytes -= base->ot_bytes;
}

static uint64_t frozen_so_far(const struct job *job, uint64_t now)
{
    return job->frozen_ns + (job->freeze_tokens > 0 ? now - job->frozen_since : 0);
}

static void fill_stat_locked(struct job *job, struct job_stat *stat, struct cpu_time *time)
    REQUIRES(family_lock);
static void fill_stat_locked(struct job *job, struct job_stat *stat, struct cpu_time *time)
{
    uint64_t now = port_clock_ns();
    struct bandwidth_usage throttled;

    bandwidth_read(&job->group.bandwidth, port_cycles(), &throttled);
    *stat = (struct job_stat){
        .job_id = job->id,
        .parent_id = job->parent ? job->parent->id : 0,
        .ev_seq = job->event_seq,
        .time_ns = now,
        .period_start_ns = job->account->period_start_ns,
        .entered = job->entered,
        .exited = job->exited,
        .limit_killed = job->limit_killed,
        .refused = job->refused,
        .refused_events = job->refused_events,
        .active = job->active,
        .threads = job->threads - job->reserved,
        .child_jobs = job->descendants,
        .peak_active = job->peak_active,
        .state = job->state,
        .cause = job->cause,
        .mem_bytes = job_memory_bytes(job),
        .peak_proc_bytes = job_memory_peak_process_bytes(job),
        .nr_throttled = throttled.throttle_count,
        .throttled_ns = throttled.throttled_ns,
        .frozen_ns = frozen_so_far(job, now),
        .kill_gen = job->kill_gen,
    };
    read_total_locked(job, &stat->total, time);
    subtract(&stat->period, &stat->total, &job->account->period_base);
}

void job_fill_stat_locked(struct job *job, struct job_stat *stat)
{
    struct cpu_time time;

    spin_assert_held(&family_lock);
    fill_stat_locked(job, stat, &time);
}

void job_get_period_locked(struct job *job, struct job_usage *period)
{
    struct job_usage total;
    struct cpu_time time;

    spin_assert_held(&family_lock);
    read_total_locked(job, &total, &time);
    subtract(period, &total, &job->account->period_base);
}

void job_get_stat(struct job *job, struct job_stat *stat, uint32_t flags)
{
    struct cpu_time time;

    spin_lock(&family_lock);
    fill_stat_locked(job, stat, &time);
    if (flags & JOB_PERIOD_RESET) {
        job->account->period_base = stat->total;
        job->account->period_start_ns = stat->time_ns;
        job_time_begin_period_locked(job, &time);
    }
    if (flags & JOB_ACK)
        job->limit_is_news = false;
    spin_unlock(&family_lock);
}
