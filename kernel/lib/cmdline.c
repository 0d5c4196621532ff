/*
 * The kernel's command line. Written only by cmdline_set(), at boot.
 */
#include "lib/cmdline.h"

static char text[CMDLINE_SIZE];

void cmdline_set(const char *line)
{
    size_t i = 0;

    for (; i + 1 < sizeof(text) && line[i]; i++)
        text[i] = line[i];
    text[i] = '\0';
}

const char *cmdline_text(void)
{
    return text;
}

static const char *skip_spaces(const char *at)
{
    while (*at == ' ')
        at++;
    return at;
}

/* Where the value begins if the word at `at` is `name`: at "=" + 1, or at the word's end. */
static const char *match_word(const char *at, const char *name)
{
    for (; *name; at++, name++)
        if (*at != *name)
            return NULL;
    if (*at == '=')
        return at + 1;
    return *at == ' ' || *at == '\0' ? at : NULL;
}

static const char *find_value(const char *name)
{
    const char *found = NULL;

    for (const char *at = skip_spaces(text); *at; at = skip_spaces(at)) {
        const char *value = match_word(at, name);

        if (value)
            found = value;
        while (*at && *at != ' ')
            at++;
    }
    return found;
}

bool cmdline_get(const char *name, char *buffer, size_t size)
{
    const char *value = find_value(name);
    size_t i = 0;

    if (!value)
        return false;
    if (size == 0)
        return true;
    for (; i + 1 < size && value[i] && value[i] != ' '; i++)
        buffer[i] = value[i];
    buffer[i] = '\0';
    return true;
}

uint64_t cmdline_get_number(const char *name, uint64_t fallback)
{
    const char *value = find_value(name);
    uint64_t number = 0;

    if (!value || *value < '0' || *value > '9')
        return fallback;
    for (; *value >= '0' && *value <= '9'; value++)
        number = number * 10 + (uint64_t)(*value - '0');
    return number;
}
