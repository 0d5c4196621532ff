/*
 * Forged frames for rt_sigreturn: random bytes, and good frames with one part spoiled (selectors,
 * addresses that are not canonical or the kernel's, flags, FPU state). At worst the program dies of
 * a fault; the kernel goes on. Deterministic.
 *
 *     signal_forged [FRAMES]     20000; for the 100000 say so
 */
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#include "raw_signal.h"
#include "tap.h"

#define FRAME_SIZE 8192 /* what is copied: frame and FPU state */

static struct shared {
    volatile int done;
    volatile int survived; /* sigreturn went where the frame said */
    volatile int faulted;  /* a handler caught what came of it */
    volatile uint64_t random;
} * shared;

static unsigned char template[FRAME_SIZE] __attribute__((aligned(64)));
static unsigned char forged[FRAME_SIZE] __attribute__((aligned(64)));
static unsigned char alternate[65536], landing_stack[8192];
static size_t state_offset, state_size;
static sigjmp_buf escape;

static uint64_t next_random(void)
{
    uint64_t state = shared->random;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    shared->random = state;
    return state;
}

/* A frame as the kernel made it, from the return address on, FPU state included. */
static void take_template(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;
    const unsigned char *frame = (const unsigned char *)context - 8;
    const unsigned char *state = (const unsigned char *)user->uc_mcontext.fpregs;
    uint32_t size = 512;

    (void)signal;
    (void)info;
    if (user->uc_flags & 1) {
        memcpy(&size, state + 480, 4);
        size += 4;
    }
    /* The state must be aligned in the copy too. */
    state_offset = 1024;
    state_size = size;
    memcpy(template, frame, 440);
    memcpy(template + state_offset, state, size);
}

static void landed(void)
{
    shared->survived++;
    siglongjmp(escape, 1);
}

static void fault(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    shared->faulted++;
    siglongjmp(escape, 1);
}

static ucontext_t *forged_context(void)
{
    return (ucontext_t *)(forged + 8);
}

static void make_good(void)
{
    ucontext_t *user;

    memcpy(forged, template, sizeof(forged));
    user = forged_context();
    user->uc_mcontext.fpregs = (void *)(forged + state_offset);
    user->uc_mcontext.gregs[REG_RIP] = (greg_t)landed;
    user->uc_mcontext.gregs[REG_RSP] = (greg_t)(landing_stack + 8192 - 64 - 8);
    user->uc_mcontext.gregs[REG_EFL] = 0x202;
}

static const uint64_t bad_addresses[] = {
    0,
    8,
    0x00007ffffffff000ull,
    0x00007fffffffffffull,
    0x0000800000000000ull,
    0x8000000000000000ull,
    0xffff7fffffffffffull,
    0xffff800000000000ull,
    0xffffffff80000000ull,
    0xffffffffffffffffull,
};

static uint64_t bad_address(void)
{
    uint64_t choice = next_random();

    return choice & 16 ? bad_addresses[choice % 10] : next_random();
}

static void spoil_everything(void)
{
    for (size_t i = 0; i < sizeof(forged); i += 8) {
        uint64_t value = next_random();

        memcpy(forged + i, &value, 8);
    }
}

static void spoil_selectors(void)
{
    static const uint16_t selectors[] = {0,    3,    8,    0x10, 0x13, 0x18, 0x1b, 0x20,  0x23,
                                         0x28, 0x2b, 0x30, 0x33, 0x38, 0x3b, 0x40, 0xffff};
    uint64_t choice = next_random();
    uint64_t code = choice & 256 ? (uint16_t)next_random() : selectors[choice % 17];
    uint64_t data = choice & 512 ? (uint16_t)next_random() : selectors[(choice >> 8) % 17];

    /* Compatibility mode is there on Linux, but not for this program: 0x23 would run it as another.
     */
    if ((code | 3) == 0x23)
        code = 8;
    forged_context()->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)(code | data << 48);
}

static void spoil_instruction(void)
{
    forged_context()->uc_mcontext.gregs[REG_RIP] = (greg_t)bad_address();
}

static void spoil_stack(void)
{
    forged_context()->uc_mcontext.gregs[REG_RSP] = (greg_t)bad_address();
}

static void spoil_flags(void)
{
    forged_context()->uc_mcontext.gregs[REG_EFL] = (greg_t)next_random();
}

static void spoil_state_address(void)
{
    forged_context()->uc_mcontext.fpregs = (void *)bad_address();
}

static void spoil_state(void)
{
    uint64_t value = next_random();
    size_t place = next_random() % (state_size / 8) * 8;

    /* Mostly what the CPU looks at: MXCSR, the magic numbers, the XSAVE header. */
    if (value & 1)
        place = 24;
    else if (value & 2)
        place = 464 + value / 8 % 6 * 8;
    else if (value & 4)
        place = 512 + value / 8 % 8 * 8;
    value = next_random();
    memcpy(forged + state_offset + place, &value, 8);
}

static void spoil_unaligned_state(void)
{
    forged_context()->uc_mcontext.fpregs = (void *)(forged + state_offset + next_random() % 64);
}

static void spoil_mask_and_stack(void)
{
    ucontext_t *user = forged_context();

    *(uint64_t *)&user->uc_sigmask = next_random();
    user->uc_stack.ss_sp = (void *)next_random();
    user->uc_stack.ss_size = next_random();
    user->uc_stack.ss_flags = (int)next_random();
}

static void spoil_nothing(void)
{
}

static void (*const spoilers[])(void) = {
    spoil_everything,    spoil_selectors, spoil_instruction,     spoil_stack,
    spoil_flags,         spoil_state,     spoil_unaligned_state, spoil_mask_and_stack,
    spoil_state_address, spoil_nothing,
};
#define SPOILER_COUNT (sizeof(spoilers) / sizeof(spoilers[0]))

static void set_up_handlers(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};

    raw_mask(SIG_SETMASK, 0);
    sigaltstack(&stack, NULL);
    for (int i = 0; i < 5; i++)
        raw_handle(signals[i], fault, SA_SIGINFO | SA_ONSTACK | SA_NODEFER);
}

static void sigreturn_with(void *frame)
{
    __asm__ volatile("movq %0, %%rsp; movl $15, %%eax; syscall; ud2" ::"r"((char *)frame + 8)
                     : "memory");
    __builtin_unreachable();
}

/* Until it dies or all are done. The mask that a forged frame has set is undone each time. */
static void forge(int frames)
{

    raw_handle(SIGUSR1, take_template, SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    sigsetjmp(escape, 0);
    while (shared->done < frames) {
        __asm__ volatile("fninit; ldmxcsr %0" ::"m"(*(uint32_t[]){0x1f80}));
        __asm__ volatile("pushq $2; popfq" ::: "cc");
        set_up_handlers();
        make_good();
        spoilers[shared->done++ % SPOILER_COUNT]();
        sigreturn_with(forged);
    }
    _exit(0);
}

int main(int count, char **arguments)
{
    int frames = count > 1 ? atoi(arguments[1]) : 20000;
    int strange = 0, status;

    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        tap_bail_out("mmap");
    shared->random = 0x9e3779b97f4a7c15ull;
    while (shared->done < frames) {
        pid_t child = fork();

        if (child == 0)
            forge(frames);
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGBUS &&
            WTERMSIG(status) != SIGILL && WTERMSIG(status) != SIGFPE && WTERMSIG(status) != SIGTRAP)
            strange++;
    }
    is_int(shared->done, frames, "%d forged frames", frames);
    is_int(strange, 0, "nobody died of anything but a fault");
    ok(shared->survived >= frames / (int)SPOILER_COUNT, "good frames among them worked");
    ok(shared->faulted > frames / 10, "bad ones were caught");
    return tap_done();
}
