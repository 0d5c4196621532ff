/* Ends in the way that its first argument names. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_ADDRESS 0xffffffff80200000

static void read_null(void)
{
    printf("%d\n", *(volatile int *)0);
}

static void execute_kernel(void)
{
    ((void (*)(void))KERNEL_ADDRESS)();
}

static void write_kernel(void)
{
    *(volatile int *)KERNEL_ADDRESS = 1;
}

static void read_far(void)
{
    printf("%d\n", *(volatile int *)0x8000000000000000);
}

static void divide(void)
{
    volatile int one = 1, zero = 0;

    printf("%d\n", one / zero);
}

static void execute_nothing(void)
{
    __asm__ volatile("ud2");
}

static void privileged(void)
{
    __asm__ volatile("cli");
}

static void execute_stack(void)
{
    static const unsigned char ret = 0xc3;
    unsigned char code[16];

    memcpy(code, &ret, 1);
    ((void (*)(void))(void *)code)();
}

static void write_text(void)
{
    *(volatile char *)(void *)read_null = 0;
}

__attribute__((noinline)) static int recurse(volatile int depth)
{
    volatile char space[4096];

    space[0] = (char)depth;
    return recurse(depth + 1) + space[0];
}

static void exhaust_stack(void)
{
    recurse(0);
}

static const struct {
    const char *name;
    void (*end)(void);
} ends[] = {
    {"read-null", read_null},
    {"execute-kernel", execute_kernel},
    {"write-kernel", write_kernel},
    {"read-far", read_far},
    {"divide", divide},
    {"execute-nothing", execute_nothing},
    {"privileged", privileged},
    {"execute-stack", execute_stack},
    {"write-text", write_text},
    {"exhaust-stack", exhaust_stack},
    {"abort", abort},
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (argc == 3 && strcmp(argv[1], "signal") == 0)
        raise(atoi(argv[2]));
    for (size_t i = 0; argc == 2 && i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(argv[1], ends[i].name) == 0)
            ends[i].end();
    return 99;
}
