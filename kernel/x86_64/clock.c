/*
 * The clock. Its rate comes from CPUID where the CPU states it, else it is measured against the
 * ACPI timer, or the old interval timer. All is constant after clock_init_machine(); any context
 * may read.
 */
#include "x86_64/clock.h"

#include "lib/klog.h"
#include "port.h"
#include "x86_64/acpi.h"
#include "x86_64/instructions.h"

#define NS_PER_SECOND       1000000000ul
#define FRACTION_BITS       32
#define PM_TIMER_HZ         3579545ul
#define PIT_HZ              1193182ul
#define MEASURE_PER_SECOND  50 /* a measurement takes this part of a second */
#define SAMPLE_TRIES        5
#define SPINS_BETWEEN_READS 5000

#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND   0x43
#define PIT_ONE_SHOT  0xb0 /* channel 2, both bytes, mode 0 */
#define PIT_GATE      0x61
#define PIT_GATE_ON   1
#define PIT_SPEAKER   2
#define PIT_OUTPUT    0x20

static uint64_t ns_per_cycle; /* fixed point, FRACTION_BITS */
static uint64_t cycles_per_ns;
static uint64_t cycles_at_zero;

static inline uint64_t multiply_shift(uint64_t value, uint64_t factor)
{
    return (uint64_t)((unsigned __int128)value * factor >> FRACTION_BITS);
}

/* The fraction as fixed point. It is less than 2^32. */
static uint64_t divide_shifted(uint64_t numerator, uint64_t denominator)
{
    uint64_t quotient, remainder;

    __asm__("divq %4"
            : "=a"(quotient), "=d"(remainder)
            : "a"(numerator << FRACTION_BITS), "d"(numerator >> (64 - FRACTION_BITS)),
              "rm"(denominator));
    return quotient;
}

uint64_t port_cycles_to_ns(uint64_t cycles)
{
    return multiply_shift(cycles, ns_per_cycle);
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
    return multiply_shift(ns, cycles_per_ns);
}

uint64_t port_clock_ns(void)
{
    return multiply_shift(port_cycles() - cycles_at_zero, ns_per_cycle);
}

uint64_t clock_cycles_at(uint64_t ns)
{
    return cycles_at_zero + multiply_shift(ns, cycles_per_ns);
}

void clock_wait_ns(uint64_t ns)
{
    uint64_t start = port_cycles(), cycles = port_ns_to_cycles(ns);

    while (port_cycles() - start < cycles)
        port_relax();
}

static uint64_t rate_from_cpuid(void)
{
    struct cpuid_result ratio = {0};

    if (cpuid(0, 0).eax >= 0x15)
        ratio = cpuid(0x15, 0);
    return ratio.eax && ratio.ebx ? (uint64_t)ratio.ecx * ratio.ebx / ratio.eax : 0;
}

struct sample {
    uint64_t cycles;
    uint32_t ticks;
};

/* Both counters at one time, as nearly as can be: of some tries, the one that took least. */
static struct sample sample_pm_timer(void)
{
    struct sample sample = {0};
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
        uint64_t before = port_cycles();
        uint32_t ticks = in32(acpi_machine.pm_timer_port);
        uint64_t taken = port_cycles() - before;

        if (taken < best) {
            best = taken;
            sample = (struct sample){before + taken / 2, ticks};
        }
    }
    return sample;
}

static void spin_a_little(void)
{
    for (unsigned i = 0; i < SPINS_BETWEEN_READS; i++)
        __asm__ volatile("");
}

static uint64_t rate_from_pm_timer(void)
{
    uint32_t mask = acpi_machine.pm_timer_32bit ? UINT32_MAX : 0xffffff;
    struct sample start, end;

    if (!acpi_machine.pm_timer_port)
        return 0;
    start = sample_pm_timer();
    do {
        spin_a_little();
        end = sample_pm_timer();
    } while (((end.ticks - start.ticks) & mask) < PM_TIMER_HZ / MEASURE_PER_SECOND);
    return (end.cycles - start.cycles) * PM_TIMER_HZ / ((end.ticks - start.ticks) & mask);
}

static uint64_t rate_from_pit(void)
{
    uint16_t count = PIT_HZ / MEASURE_PER_SECOND;
    uint64_t start;

    out8(PIT_GATE, (uint8_t)((in8(PIT_GATE) & ~PIT_SPEAKER) | PIT_GATE_ON));
    out8(PIT_COMMAND, PIT_ONE_SHOT);
    out8(PIT_CHANNEL_2, (uint8_t)count);
    start = port_cycles();
    out8(PIT_CHANNEL_2, (uint8_t)(count >> 8));
    while (!(in8(PIT_GATE) & PIT_OUTPUT))
        spin_a_little();
    return (port_cycles() - start) * MEASURE_PER_SECOND;
}

void clock_init_machine(uint64_t start_cycles)
{
    const char *source = "cpuid";
    uint64_t rate = rate_from_cpuid();

    if (!rate) {
        source = "acpi timer";
        rate = rate_from_pm_timer();
    }
    if (!rate) {
        source = "pit";
        rate = rate_from_pit();
    }
    ns_per_cycle = divide_shifted(NS_PER_SECOND, rate);
    cycles_per_ns = divide_shifted(rate, NS_PER_SECOND);
    cycles_at_zero = start_cycles;
    klog("clock: %lu.%03lu MHz by %s", rate / 1000000, rate / 1000 % 1000, source);
}
