/* The wall clock chip (MC146818 and its heirs), read once at boot, on the boot CPU. Taken to be in
 * UTC. */
#include "port.h"
#include "x86_64/instructions.h"

#define CMOS_INDEX      0x70
#define CMOS_DATA       0x71
#define STATUS_A        0x0a
#define STATUS_B        0x0b
#define UPDATE_GOING_ON 0x80
#define FORMAT_24_HOURS 0x02
#define FORMAT_BINARY   0x04
#define AFTERNOON       0x80
#define READ_TRIES      100000
#define SECONDS_PER_DAY 86400l
#define NS_PER_SECOND   1000000000ul

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, FIELD_COUNT };
static const uint8_t field_registers[FIELD_COUNT] = {0, 2, 4, 7, 8, 9};

static uint8_t cmos_read(uint8_t reg)
{
    out8(CMOS_INDEX, reg);
    return in8(CMOS_DATA);
}

static void read_fields(uint8_t fields[FIELD_COUNT])
{
    for (unsigned tries = 0; cmos_read(STATUS_A) & UPDATE_GOING_ON && tries < READ_TRIES; tries++)
        ;
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        fields[i] = cmos_read(field_registers[i]);
}

/* Two readings that agree: no update fell in between. */
static void read_stable(uint8_t fields[FIELD_COUNT])
{
    uint8_t again[FIELD_COUNT];
    bool same = false;

    for (unsigned tries = 0; !same && tries < READ_TRIES; tries++) {
        read_fields(fields);
        read_fields(again);
        same = __builtin_memcmp(fields, again, FIELD_COUNT) == 0;
    }
}

static uint8_t from_bcd(uint8_t value)
{
    return (uint8_t)((value >> 4) * 10 + (value & 15));
}

static void decode(uint8_t fields[FIELD_COUNT])
{
    uint8_t format = cmos_read(STATUS_B);
    bool afternoon = fields[HOUR] & AFTERNOON;

    fields[HOUR] &= (uint8_t)~AFTERNOON;
    if (!(format & FORMAT_BINARY))
        for (unsigned i = 0; i < FIELD_COUNT; i++)
            fields[i] = from_bcd(fields[i]);
    if (!(format & FORMAT_24_HOURS))
        fields[HOUR] = (uint8_t)(fields[HOUR] % 12 + (afternoon ? 12 : 0));
}

/* Days from 1970-01-01, Gregorian: years are counted from March, so that the leap day comes last.
 */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) {
        year--;
        month += 12;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 -
           719468;
}

static uint64_t read_seconds(void)
{
    uint8_t f[FIELD_COUNT];

    read_stable(f);
    decode(f);
    return (uint64_t)(days_from_date(2000 + f[YEAR], f[MONTH], f[DAY]) * SECONDS_PER_DAY +
                      f[HOUR] * 3600l + f[MINUTE] * 60l + f[SECOND]);
}

uint64_t port_boot_realtime_ns(void)
{
    static uint64_t boot_ns;

    if (!boot_ns)
        boot_ns = read_seconds() * NS_PER_SECOND - port_clock_ns();
    return boot_ns;
}
