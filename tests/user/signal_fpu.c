/*
 * FPU and SIMD registers across handlers: a process computes with all of them live while signals
 * come, whose handlers use them too, and other processes compute with theirs on the same CPUs. Also
 * the image in the handler's frame, and what a handler starts with.
 *
 *     signal_fpu [HANDLERS]      20000; for the 100000 say so
 */
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/ucontext.h>

#include "raw_signal.h"
#include "tap.h"

#define WORKERS    4
#define REGISTERS  16
#define FXSR_MAGIC 0x46505853u
#define END_MAGIC  0x46505845u

struct registers {
    uint64_t xmm[REGISTERS][2];
};

static volatile sig_atomic_t calls;
static volatile uint16_t control_inside;
static volatile uint32_t mxcsr_inside;
static volatile bool image_is_right;

/* Loads all SSE registers and three of the x87's, calls the kernel, and reads them back. */
static void live_through_kill(struct registers *values, uint64_t x87[3], pid_t self, int signal)
{
    long result = SYS_kill;

    __asm__ volatile("fninit\n"
                     "fildq 0(%[x87])\n fildq 8(%[x87])\n fildq 16(%[x87])\n"
                     "movdqu 0(%[v]), %%xmm0\n movdqu 16(%[v]), %%xmm1\n"
                     "movdqu 32(%[v]), %%xmm2\n movdqu 48(%[v]), %%xmm3\n"
                     "movdqu 64(%[v]), %%xmm4\n movdqu 80(%[v]), %%xmm5\n"
                     "movdqu 96(%[v]), %%xmm6\n movdqu 112(%[v]), %%xmm7\n"
                     "movdqu 128(%[v]), %%xmm8\n movdqu 144(%[v]), %%xmm9\n"
                     "movdqu 160(%[v]), %%xmm10\n movdqu 176(%[v]), %%xmm11\n"
                     "movdqu 192(%[v]), %%xmm12\n movdqu 208(%[v]), %%xmm13\n"
                     "movdqu 224(%[v]), %%xmm14\n movdqu 240(%[v]), %%xmm15\n"
                     "syscall\n"
                     "movdqu %%xmm0, 0(%[v])\n movdqu %%xmm1, 16(%[v])\n"
                     "movdqu %%xmm2, 32(%[v])\n movdqu %%xmm3, 48(%[v])\n"
                     "movdqu %%xmm4, 64(%[v])\n movdqu %%xmm5, 80(%[v])\n"
                     "movdqu %%xmm6, 96(%[v])\n movdqu %%xmm7, 112(%[v])\n"
                     "movdqu %%xmm8, 128(%[v])\n movdqu %%xmm9, 144(%[v])\n"
                     "movdqu %%xmm10, 160(%[v])\n movdqu %%xmm11, 176(%[v])\n"
                     "movdqu %%xmm12, 192(%[v])\n movdqu %%xmm13, 208(%[v])\n"
                     "movdqu %%xmm14, 224(%[v])\n movdqu %%xmm15, 240(%[v])\n"
                     "fistpq 16(%[x87])\n fistpq 8(%[x87])\n fistpq 0(%[x87])\n"
                     : "+a"(result)
                     : [v] "r"(values), [x87] "r"(x87), "D"((long)self), "S"((long)signal)
                     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
}

/* Uses everything up. */
static void trample(int signal, siginfo_t *info, void *context)
{
    uint64_t junk = 0x5a5a5a5a00000000ull + (uint64_t)calls;

    (void)signal;
    (void)info;
    (void)context;
    __asm__ volatile("fninit; fld1; fldpi; faddp; fstp %%st(0)\n"
                     "movq %0, %%xmm0; movq %0, %%xmm1; movq %0, %%xmm7; movq %0, %%xmm8\n"
                     "movq %0, %%xmm14; movq %0, %%xmm15; punpcklqdq %%xmm15, %%xmm3\n" ::"r"(junk)
                     : "xmm0", "xmm1", "xmm3", "xmm7", "xmm8", "xmm14", "xmm15");
    calls++;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The number of rounds in which a register was not what it should be. */
static int compute(int rounds, uint64_t seed)
{
    struct registers before, after;
    uint64_t x87[3], x87_before[3];
    int wrong = 0;

    for (int i = 0; i < rounds; i++) {
        for (int r = 0; r < REGISTERS; r++)
            for (int half = 0; half < 2; half++)
                before.xmm[r][half] = next_random(&seed);
        for (int r = 0; r < 3; r++)
            x87[r] = x87_before[r] = next_random(&seed) >> 2;
        after = before;
        live_through_kill(&after, x87, getpid(), SIGUSR1);
        wrong += memcmp(&before, &after, sizeof(before)) != 0 ||
                 memcmp(x87, x87_before, sizeof(x87)) != 0;
    }
    return wrong;
}

static void test_intact(int handlers)
{
    struct itimerval often = {{0, 997}, {0, 997}};
    int status, wrong = 0;

    for (int worker = 0; worker < WORKERS; worker++) {
        if (fork() != 0)
            continue;
        raw_handle(SIGUSR1, trample, SA_SIGINFO | SA_RESTART);
        raw_handle(SIGALRM, trample, SA_SIGINFO | SA_RESTART);
        setitimer(ITIMER_REAL, &often, NULL);
        _exit(compute(handlers / WORKERS, 88172645463325252ull + (uint64_t)worker) != 0);
    }
    while (wait(&status) > 0)
        wrong += status != 0;
    is_int(wrong, 0, "the registers of %d processes are intact across %d handlers", WORKERS,
           handlers);
}

/* --- what the handler starts with, and what its frame holds --- */

static void look(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;
    const unsigned char *image = (const unsigned char *)user->uc_mcontext.fpregs;
    uint16_t control;
    uint32_t mxcsr, magic, extended, size, end;
    uint64_t features;

    (void)signal;
    (void)info;
    __asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(control), "=m"(mxcsr));
    control_inside = control;
    mxcsr_inside = mxcsr;
    memcpy(&control, image, 2);
    memcpy(&mxcsr, image + 24, 4);
    image_is_right = control == 0x027f && mxcsr == 0x3f80 && (uintptr_t)image % 64 == 0;
    if (!(user->uc_flags & 1))
        return; /* no XSAVE */
    memcpy(&magic, image + 464, 4);
    memcpy(&extended, image + 468, 4);
    memcpy(&features, image + 472, 8);
    memcpy(&size, image + 480, 4);
    memcpy(&end, image + size, 4);
    image_is_right = image_is_right && magic == FXSR_MAGIC && extended == size + 4 && size >= 576 &&
                     (features & 3) == 3 && end == END_MAGIC;
}

/* Changes a register in the image: the interrupted code sees it. */
static void change(int signal, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)signal;
    (void)info;
    user->uc_mcontext.fpregs->_xmm[5].element[0] = 0xabcd;
    user->uc_mcontext.fpregs->_xmm[5].element[1] = 0;
    user->uc_mcontext.fpregs->_xmm[5].element[2] = 0x1234;
    user->uc_mcontext.fpregs->_xmm[5].element[3] = 0;
}

static void drop(int signal, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)signal;
    (void)info;
    user->uc_mcontext.fpregs = NULL;
}

static void test_image(void)
{
    struct registers values = {0};
    uint64_t x87[3] = {1, 2, 3};
    uint16_t control = 0x027f;
    uint32_t mxcsr = 0x3f80;

    raw_handle(SIGUSR1, look, SA_SIGINFO);
    __asm__ volatile("fldcw %0; ldmxcsr %1" ::"m"(control), "m"(mxcsr));
    kill(getpid(), SIGUSR1);
    __asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(control), "=m"(mxcsr));
    is_int(control_inside, 0x037f, "a handler starts with the initial x87 control word");
    is_int(mxcsr_inside, 0x1f80, "and the initial MXCSR");
    ok(image_is_right, "its frame holds the program's, with Linux's magic numbers");
    is_int(control, 0x027f, "which are back after it: control word");
    is_int(mxcsr, 0x3f80, "and MXCSR");
    raw_handle(SIGUSR1, change, SA_SIGINFO);
    live_through_kill(&values, x87, getpid(), SIGUSR1);
    ok(values.xmm[5][0] == 0xabcd && values.xmm[5][1] == 0x1234, "a handler can change registers");
    values.xmm[3][0] = 99;
    raw_handle(SIGUSR1, drop, SA_SIGINFO);
    live_through_kill(&values, x87, getpid(), SIGUSR1);
    ok(values.xmm[3][0] == 0 && values.xmm[5][0] == 0, "no image: the registers are initial");
}

int main(int count, char **arguments)
{
    test_image();
    test_intact(count > 1 ? atoi(arguments[1]) : 20000);
    return tap_done();
}
