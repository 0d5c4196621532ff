/*
 * Who decides what happens next: a seed, or the explorer.
 *
 * The explorer runs a scenario again and again. Each run takes a prefix of decisions that it is
 * told and the default, option 0, after that; all decisions are recorded. The next prefix is the
 * last one with one decision changed, as near to the end as the budget of preemptions allows: a
 * depth-first walk over all schedules within the budget, without remembering any.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define CHOICE_MAX (1u << 20)

struct choice {
    uint8_t options;
    uint8_t taken;
    uint8_t costly;  /* so many at the end always cost a preemption */
    bool free_first; /* every option but 0 costs one */
};

static struct choice choices[CHOICE_MAX];
static size_t count;  /* decisions of this run */
static size_t prefix; /* how many of them are given */

static const struct sim_plan *plan;
static uint64_t schedule_state, dice_state;
static unsigned switch_shift, timer_shift;

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x * 0x2545f4914f6cdd1dull >> 16;
}

static uint64_t seed_state(uint64_t seed)
{
    /* splitmix64, so that neighbouring seeds have nothing in common */
    seed += 0x9e3779b97f4a7c15ull;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ull;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebull;
    seed ^= seed >> 31;
    return seed ? seed : 1;
}

void choice_begin_run(const struct sim_plan *new_plan)
{
    uint64_t seed = new_plan->mode == SIM_RANDOM ? new_plan->seed : 0;

    plan = new_plan;
    count = 0;
    schedule_state = seed_state(seed * 2);
    dice_state = seed_state(seed * 2 + 1);
    /* Some runs switch at every other point, some rarely: either finds what the other misses. */
    switch_shift = 1 + next_random(&schedule_state) % 6;
    timer_shift = 5 + next_random(&schedule_state) % 6;
}

static bool one_in_power(unsigned shift)
{
    return (next_random(&schedule_state) & ((1ull << shift) - 1)) == 0;
}

bool choice_wanted(void)
{
    return plan->mode == SIM_EXPLORE || one_in_power(switch_shift);
}

bool choice_timer_wanted(void)
{
    return plan->mode == SIM_EXPLORE || one_in_power(timer_shift);
}

bool choice_atomics(void)
{
    return plan->mode == SIM_RANDOM || plan->atomics;
}

uint64_t choice_random(uint64_t bound)
{
    return bound ? next_random(&dice_state) % bound : 0;
}

unsigned choice_take(unsigned options, bool free_first, unsigned costly)
{
    struct choice *choice;

    if (options <= 1)
        return 0;
    if (plan->mode == SIM_RANDOM)
        return next_random(&schedule_state) % options;
    if (count >= CHOICE_MAX)
        return 0;
    choice = &choices[count];
    if (count >= prefix)
        choice->taken = 0;
    else if (choice->taken >= options)
        sim_fail("the schedule does not fit this scenario: decision %zu has %u options, not %u",
                 count, options, choice->taken + 1);
    choice->options = options;
    choice->free_first = free_first;
    choice->costly = costly;
    count++;
    return choice->taken;
}

static unsigned cost_of(const struct choice *choice, unsigned option)
{
    if (option == 0 && choice->free_first)
        return 0;
    return choice->free_first || option + choice->costly >= choice->options ? 1 : 0;
}

void explorer_reset(void)
{
    count = 0;
    prefix = 0;
}

bool explorer_next(unsigned preemptions)
{
    unsigned spent = 0;

    for (size_t i = 0; i < count; i++)
        spent += cost_of(&choices[i], choices[i].taken);
    for (size_t i = count; i-- > 0;) {
        struct choice *choice = &choices[i];

        spent -= cost_of(choice, choice->taken);
        for (unsigned option = choice->taken + 1; option < choice->options; option++) {
            if (spent + cost_of(choice, option) > preemptions)
                continue;
            choice->taken = option;
            prefix = i + 1;
            return true;
        }
    }
    return false;
}

void choice_print_schedule(char *buffer, size_t size)
{
    size_t length = 0;

    buffer[0] = '\0';
    for (size_t i = 0; i < count && length + 24 < size; i++)
        if (choices[i].taken)
            length += snprintf(buffer + length, size - length, "%s%zu:%u", length ? "," : "", i,
                               choices[i].taken);
    if (!length)
        snprintf(buffer, size, "default");
}

bool choice_set_schedule(const char *text)
{
    prefix = 0;
    if (!strcmp(text, "default"))
        return true;
    while (*text) {
        char *end;
        unsigned long index = strtoul(text, &end, 10);
        unsigned long option;

        if (*end != ':' || index >= CHOICE_MAX || index < prefix)
            return false;
        option = strtoul(end + 1, &end, 10);
        if (option > UINT8_MAX)
            return false;
        while (prefix < index)
            choices[prefix++].taken = 0;
        choices[prefix++].taken = option;
        text = *end == ',' ? end + 1 : end;
        if (*end && *end != ',')
            return false;
    }
    return true;
}

uint64_t choice_count(void)
{
    return count;
}
