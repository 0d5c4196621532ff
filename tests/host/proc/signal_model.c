/*
 * Masks and pending sets against a model: a process that sends itself all kinds of signals, blocks,
 * unblocks, takes and ignores them, and whose handlers write down what arrived. What arrives, and
 * in which order, must be what the model of signal(7) says.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "scenarios.h"
#include "system.h"

#define OPERATIONS 2000
#define QUEUE_MAX  48
#define LOG_MAX    256

static const uint8_t signals[] = {SIGHUP,  SIGUSR1,  SIGSEGV, SIGUSR2, SIGALRM, SIGTERM, SIGCHLD,
                                  SIGCONT, SIGWINCH, SIGFPE,  34,      35,      40,      64};

enum action { ACTION_HANDLER, ACTION_IGNORE, ACTION_DEFAULT };

struct arrival {
    int signal;
    uint64_t value;
};

/* --- The model --- */

struct model_queue {
    struct arrival entries[QUEUE_MAX];
    unsigned count;
};

static struct {
    struct model_queue own, shared;
    signal_set blocked;
    enum action actions[SIGNAL_COUNT + 1];
    signal_set action_masks[SIGNAL_COUNT + 1];
    bool no_defer[SIGNAL_COUNT + 1];
} model;

static struct arrival expected[LOG_MAX], seen[LOG_MAX];
static unsigned expected_count, seen_count;

static bool is_ignored_by_default(int signal)
{
    return signal == SIGCHLD || signal == SIGCONT || signal == SIGWINCH;
}

static bool ignores(int signal)
{
    return model.actions[signal] == ACTION_IGNORE ||
           (model.actions[signal] == ACTION_DEFAULT && is_ignored_by_default(signal));
}

static bool has(const struct model_queue *queue, int signal)
{
    for (unsigned i = 0; i < queue->count; i++)
        if (queue->entries[i].signal == signal)
            return true;
    return false;
}

static void remove_entry(struct model_queue *queue, unsigned index)
{
    for (queue->count--; index < queue->count; index++)
        queue->entries[index] = queue->entries[index + 1];
}

static void flush(struct model_queue *queue, int signal)
{
    for (unsigned i = queue->count; i-- > 0;)
        if (queue->entries[i].signal == signal)
            remove_entry(queue, i);
}

static void model_send(struct model_queue *queue, int signal, uint64_t value)
{
    if (ignores(signal) && !(model.blocked & SIGNAL_BIT(signal)))
        return;
    if (signal < 32 && has(queue, signal))
        return;
    queue->entries[queue->count++] = (struct arrival){signal, value};
}

static bool is_synchronous(int signal)
{
    return signal == SIGSEGV || signal == SIGFPE;
}

/* Faults first, then the lowest number; of one number the oldest. */
static bool take_from(struct model_queue *queue, signal_set wanted, struct arrival *arrival)
{
    int best = -1;

    for (unsigned i = 0; i < queue->count; i++) {
        int signal = queue->entries[i].signal;
        int held = best < 0 ? 0 : queue->entries[best].signal;

        if (!(wanted & SIGNAL_BIT(signal)))
            continue;
        if (best < 0 || is_synchronous(signal) > is_synchronous(held) ||
            (is_synchronous(signal) == is_synchronous(held) && signal < held))
            best = (int)i;
    }
    if (best < 0)
        return false;
    *arrival = queue->entries[best];
    remove_entry(queue, (unsigned)best);
    return true;
}

static bool model_take(signal_set wanted, struct arrival *arrival)
{
    return take_from(&model.own, wanted, arrival) || take_from(&model.shared, wanted, arrival);
}

/* The way back to user mode: frames are pushed for all that gets through; the last one runs first,
 * and after each the mask of before is back. */
static void model_deliver(void)
{
    struct {
        struct arrival arrival;
        signal_set mask;
    } frames[32];
    unsigned count = 0;
    struct arrival arrival;

    for (;;) {
        while (model_take(~model.blocked, &arrival)) {
            if (ignores(arrival.signal))
                continue;
            SIM_CHECK(count < array_length(frames));
            frames[count].arrival = arrival;
            frames[count++].mask = model.blocked;
            model.blocked |= model.action_masks[arrival.signal];
            if (!model.no_defer[arrival.signal])
                model.blocked |= SIGNAL_BIT(arrival.signal);
        }
        if (count == 0)
            return;
        SIM_CHECK(expected_count < LOG_MAX);
        expected[expected_count++] = frames[--count].arrival;
        model.blocked = frames[count].mask;
    }
}

/* --- The same by the kernel --- */

static void log_handler(int signal, const void *data)
{
    const struct signal_info *info = data;

    SIM_CHECK(seen_count < LOG_MAX);
    SIM_CHECK_EQUAL(info->signal, signal);
    seen[seen_count++] = (struct arrival){signal, info->code == SI_QUEUE ? info->value : 0};
}

static signal_set random_mask(void)
{
    signal_set mask = 0;

    for (unsigned i = 0; i < array_length(signals); i++)
        if (sim_random(3) == 0)
            mask |= SIGNAL_BIT(signals[i]);
    return mask;
}

static int64_t do_send_thread(const uint64_t a[6])
{
    struct signal_info info;

    signal_info_from_current(&info, (int)a[0], a[1] ? SI_QUEUE : SI_TKILL);
    if (a[1])
        info.value = a[1];
    return signal_kill_thread(0, 1, (int)a[0], &info);
}

static void send(int signal)
{
    uint64_t value = sim_random(2) ? 1 + sim_random(1000000) : 0;
    bool to_thread = sim_random(2);
    struct model_queue *queue = to_thread ? &model.own : &model.shared;
    const uint64_t a[6] = {(uint64_t)signal, value};

    if (queue->count > QUEUE_MAX - 2)
        return;
    model_send(queue, signal, value);
    model_deliver();
    if (to_thread)
        SIM_CHECK_EQUAL(sim_call(do_send_thread, a), 0);
    else if (value)
        SIM_CHECK_EQUAL(call_sigqueue(1, signal, value), 0);
    else
        SIM_CHECK_EQUAL(call_kill(1, signal), 0);
}

static int64_t do_set_action(const uint64_t a[6])
{
    const struct kernel_sigaction action = {.handler = a[1], .flags = a[2], .mask = a[3]};

    return signal_set_action((int)a[0], &action, NULL);
}

static void set_action(int signal)
{
    enum action action = sim_random(4) == 0 ? ACTION_IGNORE : ACTION_HANDLER;
    signal_set mask = sim_random(2) ? 0 : random_mask();
    bool no_defer = sim_random(4) == 0;
    uintptr_t handler;

    if (is_ignored_by_default(signal) && sim_random(3) == 0)
        action = ACTION_DEFAULT;
    handler = action == ACTION_HANDLER ? (uintptr_t)log_handler : action == ACTION_IGNORE;
    model.actions[signal] = action;
    model.action_masks[signal] = mask;
    model.no_defer[signal] = no_defer;
    if (ignores(signal)) {
        flush(&model.own, signal);
        flush(&model.shared, signal);
    }
    sim_call(do_set_action, (const uint64_t[6]){(uint64_t)signal, handler,
                                                SA_SIGINFO | (no_defer ? SA_NODEFER : 0), mask});
}

static void set_mask(void)
{
    signal_set mask = random_mask();
    signal_set old = model.blocked;

    model.blocked = mask;
    model_deliver();
    SIM_CHECK_EQUAL(call_sigprocmask(mask), old);
}

static void take(void)
{
    signal_set wanted = random_mask();
    struct arrival arrival;
    struct signal_info info = {0};
    int result = call_sigtimedwait(wanted, 0, &info);

    if (!model_take(wanted, &arrival)) {
        SIM_CHECK_EQUAL(result, -EAGAIN);
        return;
    }
    SIM_CHECK_EQUAL(result, arrival.signal);
    SIM_CHECK_EQUAL(info.code == SI_QUEUE ? info.value : 0, arrival.value);
}

static void compare(void)
{
    signal_set pending = 0;

    SIM_CHECK_EQUAL(seen_count, expected_count);
    for (unsigned i = 0; i < seen_count; i++) {
        SIM_CHECK_EQUAL(seen[i].signal, expected[i].signal);
        SIM_CHECK_EQUAL(seen[i].value, expected[i].value);
    }
    seen_count = expected_count = 0;
    for (unsigned i = 0; i < array_length(signals); i++)
        if (has(&model.own, signals[i]) || has(&model.shared, signals[i]))
            pending |= SIGNAL_BIT(signals[i]);
    SIM_CHECK_EQUAL(call_sigpending(), pending);
}

static void signal_model(void)
{
    for (unsigned i = 0; i < array_length(signals); i++)
        set_action(signals[i]);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        int signal = signals[sim_random(array_length(signals))];
        uint64_t dice = sim_random(10);

        if (dice < 5)
            send(signal);
        else if (dice < 7)
            set_mask();
        else if (dice < 9)
            take();
        else
            set_action(signal);
        compare();
    }
    sim_count("operations", OPERATIONS);
    /* All that is pending goes, so that nothing is left at the end. */
    for (unsigned i = 0; i < array_length(signals); i++)
        call_sigaction(signals[i], HANDLER_IGNORE, 0);
}

void scenario_signal_model(void)
{
    system_run(signal_model);
}
