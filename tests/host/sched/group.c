/*
 * Groups of threads: shares of the CPUs while threads change their group, their weight, their CPU;
 * and the arithmetic of bandwidth against a model that goes period by period.
 */
#include "sched/group.h"

#include "scenarios.h"
#include "sched/fair_queue.h"
#include "sched/group_share.h"
#include "sched/sched.h"
#include "workers.h"

/* --- Groups change under running threads --- */

#define GROUP_COUNT  4
#define WORKER_COUNT 5
#define CHANGE_COUNT 40

static struct sched_group groups[GROUP_COUNT]; /* 0 on top, 1 and 2 below it, 3 below 1 */
static const int parents[GROUP_COUNT] = {-1, 0, 0, 1};
static bool stop;

static bool never(void *argument)
{
    (void)argument;
    return stop;
}

static void restless(struct worker *self)
{
    (void)self;
    while (!stop) {
        if (sim_branch(2) == 0)
            sched_yield_current();
        else
            thread_sleep(never, NULL, SLEEP_UNINTERRUPTIBLE, port_clock_ns() + 1000);
        sim_point();
    }
}

static int64_t null_call(const uint64_t arguments[6])
{
    (void)arguments;
    return 0;
}

static void restless_program(uintptr_t argument)
{
    const uint64_t none[6] = {0};

    (void)argument;
    while (!stop) {
        sim_relax();
        sim_call(null_call, none);
    }
    worker_program_exit();
}

static bool is_in(const struct thread *thread, const struct fair_share *share,
                  const struct cpu *cpu)
{
    const struct fair_share *at = share_on(thread->share, cpu);

    while (at && at != share)
        at = at->parent;
    return at == share;
}

/* Weight of the share's threads that are queued or run on the CPU, whose lock is held. */
static uint64_t count_runnable(const struct cpu *cpu, const struct fair_share *share)
{
    uint64_t weight = 0;

    for (unsigned i = 0; i < worker_count; i++) {
        const struct thread *thread = &workers[i].thread;

        if (thread->cpu == cpu && thread->share && is_in(thread, share, cpu) &&
            (thread->on_queue ||
             (thread == cpu->run_queue.current && thread->state != THREAD_DEAD)))
            weight += thread->fair.weight;
    }
    return weight;
}

static uint64_t count_queued(const struct fair_queue *fair)
{
    uint64_t weight = 0;

    for (struct rb_node *node = rb_first(&fair->entities); node; node = rb_next(node))
        weight += fair_entity_of(node)->weight;
    return weight;
}

static void check_share(struct cpu *cpu, const struct fair_share *share)
{
    SIM_CHECK_EQUAL(rb_node_is_linked(&share->entity.node),
                    !rb_tree_is_empty(&share->queue.entities));
    SIM_CHECK_EQUAL(fair_queue_weight(&share->queue), count_queued(&share->queue));
    SIM_CHECK_EQUAL(share->runnable, count_runnable(cpu, share));
}

static void check_cpus(void)
{
    for (unsigned id = 0; id < port_cpu_count(); id++) {
        struct cpu *cpu = port_cpu(id);
        irq_state_t interrupts = spin_lock_irq_save(&cpu->run_queue.lock);

        SIM_CHECK_EQUAL(fair_queue_weight(&cpu->run_queue.fair),
                        count_queued(&cpu->run_queue.fair));
        for (int i = 0; i < GROUP_COUNT; i++)
            if (groups[i].own_share)
                check_share(cpu, share_on(groups[i].own_share, cpu));
        spin_unlock_irq_restore(&cpu->run_queue.lock, interrupts);
    }
}

static void share_anew(unsigned index)
{
    if (!groups[index].own_share)
        SIM_CHECK_EQUAL(sched_group_create_share(&groups[index], 100 + sim_random(3000)), 0);
    for (unsigned i = 0; i < GROUP_COUNT; i++)
        sched_group_inherit_share(&groups[i]);
    for (unsigned i = 0; i < worker_count; i++)
        thread_regroup(&workers[i].thread);
}

static void change_something(void)
{
    struct thread *thread = &workers[sim_random(worker_count)].thread;
    struct sched_attributes attributes = {.nice = (int)sim_random(40) - 20};
    unsigned index = (unsigned)sim_random(GROUP_COUNT);

    switch (sim_random(6)) {
    case 0:
        share_anew(index);
        break;
    case 1:
        thread_set_attributes(thread, &attributes);
        break;
    case 2:
        thread_set_affinity(thread, 1 + sim_random((1ull << port_cpu_count()) - 1));
        break;
    case 3:
        if (groups[index].own_share)
            sched_group_set_weight(&groups[index], 100 + sim_random(3000));
        break;
    case 4:
        attributes.policy = sim_random(2) ? SCHED_IDLE : SCHED_BATCH;
        thread_set_attributes(thread, &attributes);
        break;
    default:
        thread_set_group(thread, sim_random(5) ? &groups[index] : NULL, NULL);
    }
}

static void check_nothing_left(void)
{
    for (int i = 0; i < GROUP_COUNT; i++) {
        if (groups[i].own_share)
            SIM_CHECK_EQUAL(groups[i].own_share->runnable, 0);
        for (unsigned id = 0; groups[i].own_share && id < port_cpu_count(); id++)
            SIM_CHECK_EQUAL(groups[i].own_share->cpus[id].runnable, 0);
    }
}

void scenario_group_storm(void)
{
    struct sim_memory before;

    sim_memory_now(&before);
    stop = false;
    for (int i = 0; i < GROUP_COUNT; i++)
        sched_group_init(&groups[i], parents[i] < 0 ? NULL : &groups[parents[i]]);
    for (int i = 0; i < WORKER_COUNT; i++)
        if (i % 2)
            worker_start_program("program", restless_program, 0);
        else
            worker_start("restless", restless, NULL);
    for (int i = 0; i < CHANGE_COUNT; i++) {
        change_something();
        check_cpus();
        sim_point();
    }
    /* As an exiting process does: its threads die in no group. */
    for (unsigned i = 0; i < worker_count; i++)
        thread_set_group(&workers[i].thread, NULL, NULL);
    stop = true;
    workers_join();
    check_nothing_left();
    for (int i = 0; i < GROUP_COUNT; i++)
        sched_group_destroy(&groups[i]);
    sim_check_leaks(&before);
}

/* --- Sums are read while a thread leaves its CPU --- */

static struct sched_group account;
static _Atomic uint64_t spent;
static _Atomic uint64_t counted;

static void spender(struct worker *self)
{
    for (int i = 0; i < 2; i++) {
        spent = thread_read_cycles(&self->thread.usage.system_cycles);
        thread_count(i == 0 ? COUNT_FAULTS : COUNT_READ_BYTES, 10);
        counted += 10;
        sim_point();
        thread_sleep(never, NULL, SLEEP_UNINTERRUPTIBLE, port_clock_ns() + 10000);
    }
}

/* Whatever the thread had used before the account is read is in it. */
static void auditor(struct worker *self)
{
    (void)self;
    for (int i = 0; i < 2; i++) {
        uint64_t least = spent, least_count = counted;
        struct group_usage usage;

        sched_group_read(&account, &usage);
        SIM_CHECK(usage.time.system >= least);
        SIM_CHECK(usage.counts[COUNT_FAULTS] + usage.counts[COUNT_READ_BYTES] >= least_count);
        SIM_CHECK(usage.counts[COUNT_FAULTS] <= 10 && usage.counts[COUNT_READ_BYTES] <= 10);
    }
}

void scenario_group_read(void)
{
    struct worker *target = worker_create("spender", spender, NULL);

    sched_group_init(&account, NULL);
    thread_init_group(&target->thread, &account);
    thread_start(&target->thread);
    worker_start("auditor", auditor, NULL);
    workers_join();
}

/* --- Limits are noticed --- */

static struct sched_group limited;
static unsigned noticed;

/* What the owner of groups does on the way to user mode. */
static void heed_limits(struct user_frame *frame)
{
    (void)frame;
    if (thread_has_work(current_thread(), THREAD_WORK_CPU_LIMIT)) {
        thread_clear_work(current_thread(), THREAD_WORK_CPU_LIMIT);
        sched_group_set_alarms(&limited, ALARM_NEVER, ALARM_NEVER);
        noticed++;
    }
    if (thread_has_work(current_thread(), THREAD_WORK_RESCHEDULE))
        sched_point();
}

void boot_group_alarm(void)
{
    port_handlers.user_return = heed_limits;
}

/* Computes until the limit of its group is noticed: by an interrupt, since it makes no calls. */
static void computing_program(uintptr_t argument)
{
    (void)argument;
    while (noticed == 0)
        sim_relax();
    worker_program_exit();
}

void scenario_group_alarm(void)
{
    struct sim_memory before;
    struct worker *worker;

    sim_memory_now(&before);
    noticed = 0;
    sched_group_init(&limited, NULL);
    worker = worker_start_program("computing", computing_program, 0);
    /* It runs by now, alone on its CPU, or will. */
    thread_set_group(&worker->thread, &limited, NULL);
    limited.is_watched = true;
    sched_group_set_alarms(&limited, 1, ALARM_NEVER);
    thread_regroup(&worker->thread);
    sched_group_limits_changed();
    workers_join();
    SIM_CHECK(noticed > 0);
    sched_group_destroy(&limited);
    sim_check_leaks(&before);
}

/* --- Bandwidth --- */

struct plain_bandwidth {
    uint64_t quota, period, burst, period_end;
    int64_t left;
};

/* One period after the other. */
static void replenish_plainly(struct plain_bandwidth *plain, uint64_t now)
{
    for (; plain->period_end <= now; plain->period_end += plain->period) {
        int64_t kept = plain->left < (int64_t)plain->burst ? plain->left : (int64_t)plain->burst;

        plain->left = kept + (int64_t)plain->quota;
    }
}

static uint64_t available_plainly(struct plain_bandwidth plain)
{
    uint64_t at = 0;

    while (plain.left <= 0) {
        at = plain.period_end;
        replenish_plainly(&plain, at);
    }
    return at;
}

void scenario_bandwidth(void)
{
    static struct bandwidth bandwidth;
    uint64_t now = 1 + sim_random(1000);
    struct plain_bandwidth plain = {.quota = 1 + sim_random(50), .period = 10 + sim_random(100)};

    plain.burst = sim_random(plain.quota + 1);
    plain.period_end = now + plain.period;
    plain.left = (int64_t)plain.quota;
    bandwidth_init(&bandwidth);
    bandwidth_set(&bandwidth, plain.quota, plain.period, plain.burst, now);
    for (int i = 0; i < 100; i++) {
        uint64_t cycles = sim_random(sim_random(10) == 0 ? 500 : 30);

        now += sim_random(sim_random(10) == 0 ? 5000 : 60);
        bandwidth_charge(&bandwidth, cycles, now);
        replenish_plainly(&plain, now);
        plain.left -= (int64_t)cycles;
        now += sim_random(20);
        replenish_plainly(&plain, now);
        SIM_CHECK_EQUAL(bandwidth_left(&bandwidth, now), plain.left > 0 ? plain.left : 0);
        SIM_CHECK_EQUAL(bandwidth_available_at(&bandwidth, now),
                        plain.left > 0 ? now : available_plainly(plain));
    }
}
