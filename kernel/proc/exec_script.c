/* #! scripts: the first line names the program that runs the file. No locks. */
#include "proc/exec_script.h"

#include "lib/errno.h"
#include "lib/string.h"

/* As Linux: the first 256 bytes count, and five scripts may be each other's interpreters. */
#define LINE_SIZE 256
#define DEPTH_MAX 5

struct script_line {
    char text[LINE_SIZE];
    const char *interpreter;
    const char *argument; /* NULL if there is none */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *text)
{
    while (is_blank(*text))
        text++;
    return text;
}

/* Cuts the line into the interpreter's path and one argument, blanks trimmed at both ends. */
static int parse_line(struct script_line *line, size_t size)
{
    char *end = memchr(line->text, '\n', size);
    char *at;

    if (!end) {
        /* A path that is cut off by the end of the buffer could name the wrong program. */
        at = skip_blanks(line->text + 2);
        while (at < line->text + size && *at && !is_blank(*at))
            at++;
        if (size == LINE_SIZE - 1 && at == line->text + size)
            return -ENOEXEC;
        end = line->text + size;
    }
    while (end > line->text + 2 && is_blank(end[-1]))
        end--;
    *end = '\0';
    line->interpreter = skip_blanks(line->text + 2);
    if (*line->interpreter == '\0')
        return -ENOEXEC;
    line->argument = NULL;
    for (at = (char *)line->interpreter; *at && !is_blank(*at);)
        at++;
    if (*at) {
        *at = '\0';
        line->argument = skip_blanks(at + 1);
    }
    return 0;
}

/* 1: a script, the line is parsed. 0: something else. */
static int read_line(struct executable *executable, struct script_line *line)
{
    int64_t size = executable->operations->read(executable, line->text, LINE_SIZE - 1, 0);
    int error;

    if (size < 0)
        return (int)size;
    line->text[size] = '\0';
    if (size < 2 || line->text[0] != '#' || line->text[1] != '!')
        return 0;
    error = parse_line(line, (size_t)size);
    return error ? error : 1;
}

static int add_argument(struct exec_strings *strings, const char *string)
{
    int error = exec_strings_add(strings, string);

    if (error == 0)
        strings->argument_count++;
    return error;
}

static int rewrite_arguments(struct exec_strings *strings, const struct script_line *line,
                             const char *path)
{
    struct exec_strings fresh;
    int error;

    exec_strings_init(&fresh);
    error = add_argument(&fresh, line->interpreter);
    if (error == 0 && line->argument)
        error = add_argument(&fresh, line->argument);
    if (error == 0)
        error = add_argument(&fresh, path);
    if (error == 0)
        error = exec_strings_add_rest(&fresh, strings);
    if (error) {
        exec_strings_destroy(&fresh);
        return error;
    }
    exec_strings_destroy(strings);
    *strings = fresh;
    return 0;
}

int exec_resolve_scripts(struct executable **executable, const char *path,
                         struct exec_strings *strings)
{
    char name[LINE_SIZE];

    for (int depth = 0; depth <= DEPTH_MAX; depth++) {
        struct script_line line;
        struct executable *interpreter;
        int found = read_line(*executable, &line);

        if (found <= 0)
            return found;
        found = rewrite_arguments(strings, &line, depth == 0 ? path : name);
        if (found == 0)
            found = (*executable)->operations->open_interpreter(line.interpreter, &interpreter);
        if (found)
            return found;
        executable_put(*executable);
        *executable = interpreter;
        memcpy(name, line.interpreter, strlen(line.interpreter) + 1);
    }
    return -ELOOP;
}
