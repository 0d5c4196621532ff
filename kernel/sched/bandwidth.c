/* CPU bandwidth of one group: see bandwidth.h. */
#include "sched/bandwidth.h"

void bandwidth_init(struct bandwidth *bandwidth)
{
    spin_init(&bandwidth->lock, LOCK_RANK_BANDWIDTH);
}

/* How many quotas must come before something is left. */
static uint64_t periods_in_debt(const struct bandwidth *bandwidth)
{
    return bandwidth->left > 0 ? 0 : (uint64_t)-bandwidth->left / bandwidth->quota + 1;
}

static uint64_t available_at_locked(const struct bandwidth *bandwidth) REQUIRES(bandwidth->lock);
static uint64_t available_at_locked(const struct bandwidth *bandwidth)
{
    return bandwidth->period_end + (periods_in_debt(bandwidth) - 1) * bandwidth->period;
}

static void end_throttle_locked(struct bandwidth *bandwidth, uint64_t now)
    REQUIRES(bandwidth->lock);
static void end_throttle_locked(struct bandwidth *bandwidth, uint64_t now)
{
    if (bandwidth->throttled_since == 0)
        return;
    bandwidth->throttled += now - bandwidth->throttled_since;
    bandwidth->throttled_since = 0;
}

/* Gives the quotas of the periods that have begun since the last look. */
static void replenish_locked(struct bandwidth *bandwidth, uint64_t now) REQUIRES(bandwidth->lock);
static void replenish_locked(struct bandwidth *bandwidth, uint64_t now)
{
    uint64_t begun, needed = periods_in_debt(bandwidth);
    int64_t kept;

    if ((int64_t)(now - bandwidth->period_end) < 0)
        return;
    begun = (now - bandwidth->period_end) / bandwidth->period + 1;
    if (needed > begun) {
        bandwidth->left += (int64_t)(begun * bandwidth->quota);
    } else {
        if (needed > 0)
            end_throttle_locked(bandwidth, available_at_locked(bandwidth));
        /* After so many periods the rest is full anyhow. */
        if (begun > bandwidth->burst / bandwidth->quota + needed + 1)
            kept = (int64_t)bandwidth->burst;
        else
            kept = bandwidth->left + (int64_t)((begun - 1) * bandwidth->quota);
        if (kept > (int64_t)bandwidth->burst)
            kept = (int64_t)bandwidth->burst;
        bandwidth->left = kept + (int64_t)bandwidth->quota;
    }
    bandwidth->period_end += begun * bandwidth->period;
}

void bandwidth_set(struct bandwidth *bandwidth, uint64_t quota, uint64_t period, uint64_t burst,
                   uint64_t now)
{
    irq_state_t interrupts = spin_lock_irq_save(&bandwidth->lock);

    end_throttle_locked(bandwidth, now);
    atomic_store_explicit(&bandwidth->quota, quota, memory_order_relaxed);
    bandwidth->period = period;
    bandwidth->burst = burst;
    bandwidth->period_end = now + period;
    bandwidth->left = (int64_t)quota;
    spin_unlock_irq_restore(&bandwidth->lock, interrupts);
}

void bandwidth_charge(struct bandwidth *bandwidth, uint64_t cycles, uint64_t now)
{
    irq_state_t interrupts = spin_lock_irq_save(&bandwidth->lock);

    if (bandwidth_is_limited(bandwidth)) {
        replenish_locked(bandwidth, now);
        bandwidth->left -= (int64_t)cycles;
        if (bandwidth->left <= 0 && bandwidth->throttled_since == 0) {
            bandwidth->throttled_since = now;
            bandwidth->throttle_count++;
        }
    }
    spin_unlock_irq_restore(&bandwidth->lock, interrupts);
}

uint64_t bandwidth_left(struct bandwidth *bandwidth, uint64_t now)
{
    irq_state_t interrupts = spin_lock_irq_save(&bandwidth->lock);
    uint64_t left = UINT64_MAX;

    if (bandwidth_is_limited(bandwidth)) {
        replenish_locked(bandwidth, now);
        left = bandwidth->left > 0 ? (uint64_t)bandwidth->left : 0;
    }
    spin_unlock_irq_restore(&bandwidth->lock, interrupts);
    return left;
}

uint64_t bandwidth_available_at(struct bandwidth *bandwidth, uint64_t now)
{
    irq_state_t interrupts = spin_lock_irq_save(&bandwidth->lock);
    uint64_t at = now;

    if (bandwidth_is_limited(bandwidth)) {
        replenish_locked(bandwidth, now);
        if (bandwidth->left <= 0)
            at = available_at_locked(bandwidth);
    }
    spin_unlock_irq_restore(&bandwidth->lock, interrupts);
    return at;
}

void bandwidth_read(struct bandwidth *bandwidth, uint64_t now, struct bandwidth_usage *usage)
{
    irq_state_t interrupts = spin_lock_irq_save(&bandwidth->lock);
    uint64_t throttled;

    if (bandwidth_is_limited(bandwidth))
        replenish_locked(bandwidth, now);
    throttled = bandwidth->throttled;
    if (bandwidth->throttled_since != 0)
        throttled += now - bandwidth->throttled_since;
    usage->throttle_count = bandwidth->throttle_count;
    usage->throttled_ns = port_cycles_to_ns(throttled);
    spin_unlock_irq_restore(&bandwidth->lock, interrupts);
}
