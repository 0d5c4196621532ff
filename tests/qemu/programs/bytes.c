/* All byte values, on both outputs, in writes of several sizes; then a row of marked lines that
 * show the order of the two. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned char all[256];

    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    if (argc > 1 && strcmp(argv[1], "order") == 0) {
        for (int i = 0; i < 200; i++)
            dprintf(i % 2 ? STDERR_FILENO : STDOUT_FILENO, "%d\n", i);
        return 0;
    }
    for (int size = 1; size <= 256; size *= 2)
        for (int at = 0; at < 256; at += size)
            if (write(STDOUT_FILENO, all + at, (size_t)size) != size)
                return 1;
    return write(STDERR_FILENO, all, 256) == 256 ? 0 : 1;
}
