/* The first program: its arguments, a variable, the heap, a file; the same on Linux and on Kin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char *copy = malloc(100000);

    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    if (!copy)
        return 1;
    memset(copy, 'x', 100000);
    printf("hello, world: %d arguments, %c\n", argc - 1, copy[99999]);
    free(copy);
    return argc > 2 ? 42 : 0;
}
