/* Formatted text into a buffer. Pure: no state, no locks. */
#include "lib/printf.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

struct output {
    char *buffer;
    size_t size;
    size_t length; /* of the whole text, also what does not fit */
};

struct conversion {
    bool left, zero, alternate, plus, space;
    int width;
    int precision; /* -1: none */
    char length;   /* 'H' hh, 'h', 0, 'l' (also ll, z, j, t: all 64 bits) */
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = c;
    out->length++;
}

static void put_repeated(struct output *out, char c, int count)
{
    for (; count > 0; count--)
        put(out, c);
}

static void put_bytes(struct output *out, const char *bytes, int count)
{
    for (; count > 0; count--)
        put(out, *bytes++);
}

/* The digits of value, ending at `end`; returns their start. */
static char *format_digits(char *end, uint64_t value, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value; value /= base)
        *--end = digits[value % base];
    return end;
}

/* prefix is the sign or the "0x"; it stands before zeros and after blanks. */
static void put_number(struct output *out, const struct conversion *spec, const char *prefix,
                       uint64_t value, unsigned base, bool upper)
{
    char buffer[24];
    char *end = buffer + sizeof(buffer);
    char *start = format_digits(end, value, base, upper);
    int digits = (int)(end - start);
    int minimum = spec->precision >= 0 ? spec->precision : 1;
    int prefix_length = (int)strlen(prefix);

    if (base == 8 && spec->alternate && minimum <= digits)
        minimum = digits + 1;
    if (spec->zero && !spec->left && spec->precision < 0 && spec->width - prefix_length > minimum)
        minimum = spec->width - prefix_length;

    int zeros = minimum > digits ? minimum - digits : 0;
    int blanks = spec->width - prefix_length - zeros - digits;

    if (!spec->left)
        put_repeated(out, ' ', blanks);
    put_bytes(out, prefix, prefix_length);
    put_repeated(out, '0', zeros);
    put_bytes(out, start, digits);
    if (spec->left)
        put_repeated(out, ' ', blanks);
}

static void put_signed(struct output *out, const struct conversion *spec, int64_t value)
{
    const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

    put_number(out, spec, sign, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, false);
}

static void put_unsigned(struct output *out, const struct conversion *spec, char kind,
                         uint64_t value)
{
    bool prefixed = spec->alternate && value;

    if (kind == 'x')
        put_number(out, spec, prefixed ? "0x" : "", value, 16, false);
    else if (kind == 'X')
        put_number(out, spec, prefixed ? "0X" : "", value, 16, true);
    else
        put_number(out, spec, "", value, kind == 'o' ? 8 : 10, false);
}

static void put_text(struct output *out, const struct conversion *spec, const char *text,
                     size_t length)
{
    int blanks = spec->width - (int)length;

    if (!spec->left)
        put_repeated(out, ' ', blanks);
    put_bytes(out, text, (int)length);
    if (spec->left)
        put_repeated(out, ' ', blanks);
}

static void put_string(struct output *out, const struct conversion *spec, const char *string)
{
    if (!string)
        string = "(null)";
    put_text(out, spec, string,
             strnlen(string, spec->precision >= 0 ? (size_t)spec->precision : SIZE_MAX));
}

static int parse_number(const char **format)
{
    int value = 0;

    for (; **format >= '0' && **format <= '9'; (*format)++)
        value = value * 10 + (**format - '0');
    return value;
}

static void parse_flags(const char **format, struct conversion *spec)
{
    for (;; (*format)++) {
        switch (**format) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '#':
            spec->alternate = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        default:
            return;
        }
    }
}

static void parse_length(const char **format, struct conversion *spec)
{
    char c = **format;

    if (c == 'h') {
        bool twice = *++*format == 'h';

        spec->length = twice ? 'H' : 'h';
        *format += twice;
    } else if (c == 'l' || c == 'z' || c == 'j' || c == 't') {
        spec->length = 'l';
        *format += 1 + (c == 'l' && (*format)[1] == 'l');
    }
}

static int64_t truncate_signed(const struct conversion *spec, int64_t value)
{
    return spec->length == 'H'   ? (signed char)value
           : spec->length == 'h' ? (short)value
           : spec->length == 'l' ? value
                                 : (int)value;
}

static uint64_t truncate_unsigned(const struct conversion *spec, uint64_t value)
{
    return spec->length == 'H'   ? (unsigned char)value
           : spec->length == 'h' ? (unsigned short)value
           : spec->length == 'l' ? value
                                 : (unsigned)value;
}

/* An integer argument: 64 bits with a length of 'l', else promoted to int. */
#define NEXT_INTEGER(spec, arguments)                                                              \
    ((spec)->length == 'l' ? va_arg(arguments, long) : (long)va_arg(arguments, int))

static void put_conversion(struct output *out, const struct conversion *spec, char kind,
                           va_list *arguments)
{
    char c;
    uint64_t value;

    switch (kind) {
    case 'd':
    case 'i':
        put_signed(out, spec, truncate_signed(spec, NEXT_INTEGER(spec, *arguments)));
        break;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        value = truncate_unsigned(spec, (uint64_t)NEXT_INTEGER(spec, *arguments));
        put_unsigned(out, spec, kind, value);
        break;
    case 'p':
        put_number(out, spec, "0x", (uint64_t)va_arg(*arguments, void *), 16, false);
        break;
    case 'c':
        c = (char)va_arg(*arguments, int);
        put_text(out, spec, &c, 1);
        break;
    case 's':
        put_string(out, spec, va_arg(*arguments, const char *));
        break;
    default:
        put(out, '%');
        if (kind != '%')
            put(out, kind);
    }
}

/* *format stands behind the '%', and afterwards behind the conversion. */
static void format_one(struct output *out, const char **format, va_list *arguments)
{
    struct conversion spec = {.precision = -1};

    parse_flags(format, &spec);
    if (**format == '*') {
        (*format)++;
        spec.width = va_arg(*arguments, int);
        spec.left |= spec.width < 0;
        spec.width = spec.width < 0 ? -spec.width : spec.width;
    } else {
        spec.width = parse_number(format);
    }
    if (**format == '.') {
        (*format)++;
        if (**format == '*') {
            (*format)++;
            spec.precision = va_arg(*arguments, int);
        } else {
            spec.precision = parse_number(format);
        }
    }
    parse_length(format, &spec);
    if (**format)
        put_conversion(out, &spec, *(*format)++, arguments);
}

size_t kvsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct output out = {.buffer = buffer, .size = size};
    va_list rest;

    va_copy(rest, arguments);
    while (*format) {
        if (*format == '%') {
            format++;
            format_one(&out, &format, &rest);
        } else {
            put(&out, *format++);
        }
    }
    va_end(rest);
    if (size)
        buffer[out.length < size ? out.length : size - 1] = '\0';
    return out.length;
}

size_t ksnprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t length = kvsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
