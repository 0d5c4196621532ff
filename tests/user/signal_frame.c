/* The handler's frame: contexts that are read, changed and left; the alternate stack; siglongjmp.
 */
#include <setjmp.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#include "raw_signal.h"
#include "tap.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

#define STACK_SIZE 32768
/* C libraries declare a longer ucontext_t than the kernel stores. */
#define KERNEL_CONTEXT_SIZE 304

static unsigned char *stack; /* the alternate stack, with a guard page below */
static volatile uintptr_t handler_sp;
static volatile int depth, calls;
static volatile uint64_t flags_inside;
static ucontext_t context_inside;
static sigjmp_buf escape;

static bool is_on_stack(uintptr_t address)
{
    return address >= (uintptr_t)stack && address < (uintptr_t)stack + STACK_SIZE;
}

static void look(int signal, siginfo_t *info, void *context)
{
    uint64_t flags;

    (void)signal;
    (void)info;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    flags_inside = flags;
    handler_sp = (uintptr_t)&flags;
    memcpy(&context_inside, context, KERNEL_CONTEXT_SIZE);
    calls++;
}

/* --- what the context holds --- */

static void test_context(void)
{
    uint64_t result, self = (uint64_t)getpid();
    const greg_t *registers = context_inside.uc_mcontext.gregs;

    raw_handle(SIGUSR1, look, SA_SIGINFO);
    raw_mask(SIG_SETMASK, RAW_BIT(SIGHUP) | RAW_BIT(60));
    /* kill(2) with known registers all around it, and the direction flag set. */
    {
        register uint64_t r8 __asm__("r8") = 0x88, r9 __asm__("r9") = 0x99;
        register uint64_t r10 __asm__("r10") = 0xaa, r12 __asm__("r12") = 0xcc;
        register uint64_t r13 __asm__("r13") = 0xdd, r14 __asm__("r14") = 0xee;
        register uint64_t r15 __asm__("r15") = 0xff;

        __asm__ volatile("std; syscall; cld"
                         : "=a"(result), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r13),
                           "+r"(r14), "+r"(r15)
                         : "a"((uint64_t)SYS_kill), "D"(self), "S"((uint64_t)SIGUSR1), "d"(0xd0ull)
                         : "rcx", "r11", "memory", "cc");
        ok(r8 == 0x88 && r9 == 0x99 && r10 == 0xaa && r12 == 0xcc && r13 == 0xdd && r14 == 0xee &&
               r15 == 0xff,
           "all registers come back");
    }
    is_int((long long)result, 0, "the call's result too");
    ok(registers[REG_R8] == 0x88 && registers[REG_R9] == 0x99 && registers[REG_R10] == 0xaa &&
           registers[REG_R12] == 0xcc && registers[REG_R13] == 0xdd && registers[REG_R14] == 0xee &&
           registers[REG_R15] == 0xff && registers[REG_RDX] == 0xd0 &&
           registers[REG_RSI] == SIGUSR1 && registers[REG_RDI] == (greg_t)self,
       "the context holds them");
    is_int(registers[REG_RAX], 0, "the result is in rax");
    is_int(registers[REG_RCX] == registers[REG_RIP], 1, "rcx is the return address");
    ok(registers[REG_EFL] & 0x400, "the direction flag was set");
    ok(!(flags_inside & 0x400), "the handler starts with it clear");
    is_int(registers[REG_CSGSFS] & 0xffff, 0x33, "cs");
    is_int((registers[REG_CSGSFS] >> 48) & 0xffff, 0x2b, "ss");
    is_int(context_inside.uc_flags & 6, 6, "uc_flags: SS is saved, and strictly restored");
    ok(context_inside.uc_link == NULL, "no link");
    is_int((long long)*(uint64_t *)&context_inside.uc_sigmask,
           (long long)(RAW_BIT(SIGHUP) | RAW_BIT(60)), "the mask to come back");
    raw_mask(SIG_SETMASK, 0);
}

static void change(int signal, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)signal;
    (void)info;
    user->uc_mcontext.gregs[REG_RAX] = 4242;
    *(uint64_t *)&user->uc_sigmask = RAW_BIT(SIGUSR2) | RAW_BIT(SIGKILL);
    user->uc_mcontext.gregs[REG_EFL] |= 0x3000; /* I/O privilege: refused silently */
}

static void test_change(void)
{
    uint64_t flags;

    raw_handle(SIGUSR1, change, SA_SIGINFO);
    is_int(syscall(SYS_kill, getpid(), SIGUSR1), 4242, "a handler can change the call's result");
    ok(raw_mask(SIG_SETMASK, 0) == RAW_BIT(SIGUSR2), "and the mask, but for SIGKILL");
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    ok(!(flags & 0x3000), "but not the I/O privilege level");
}

static void change_all(int signal, siginfo_t *info, void *context)
{
    static const int names[] = {REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15, REG_RDI,
                                REG_RSI, REG_RDX, REG_R8,  REG_R9,  REG_R10};
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)signal;
    (void)info;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        registers[names[i]] += 0x1000;
}

/* Also those that a call leaves alone: the way back must not take it for the end of the call, with
 * the return address in rcx and the flags in r11. */
static void test_change_of_all(void)
{
    raw_handle(SIGUSR1, change_all, SA_SIGINFO);

    uint64_t self = (uint64_t)getpid();
    uint64_t rax, rbx = 1, rdi = self, rsi = SIGUSR1, rdx = 2;
    register uint64_t r8 __asm__("r8") = 3, r9 __asm__("r9") = 4, r10 __asm__("r10") = 5;
    register uint64_t r12 __asm__("r12") = 6, r13 __asm__("r13") = 7, r14 __asm__("r14") = 8;
    register uint64_t r15 __asm__("r15") = 9;

    __asm__ volatile("syscall"
                     : "=a"(rax), "+b"(rbx), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9),
                       "+r"(r10), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)
                     : "0"(SYS_kill)
                     : "rcx", "r11", "memory");
    uint64_t sum = rbx + r12 + r13 + r14 + r15;
    uint64_t arguments = rdi - self + rsi - SIGUSR1 + rdx + r8 + r9 + r10;

    is_int((long long)rax, 0, "a handler that changes registers: the call's result");
    is_int((long long)sum, 0x5000 + 1 + 6 + 7 + 8 + 9, "those that functions preserve");
    is_int((long long)arguments, 0x6000 + 2 + 3 + 4 + 5, "those of arguments");
}

/* --- nesting and leaving --- */

static void nest(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    if (++depth < 50)
        kill(getpid(), signal == SIGUSR1 ? SIGUSR2 : SIGUSR1);
    calls++;
}

static void test_nesting(void)
{
    depth = calls = 0;
    raw_handle(SIGUSR1, nest, SA_NODEFER);
    raw_handle(SIGUSR2, nest, SA_NODEFER);
    kill(getpid(), SIGUSR1);
    is_int(depth, 50, "handlers nest 50 deep");
    is_int(calls, 50, "and all return");
}

static void leave(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    siglongjmp(escape, signal);
}

static void test_longjmp(void)
{
    volatile int rounds = 0;

    raw_handle(SIGUSR1, leave, SA_SIGINFO);
    if (sigsetjmp(escape, 1) != 0)
        rounds++;
    if (rounds < 1000)
        kill(getpid(), SIGUSR1);
    is_int(rounds, 1000, "siglongjmp out of 1000 handlers");
    ok(raw_mask(SIG_BLOCK, 0) == 0, "with the mask restored");
}

/* --- the alternate stack --- */

static int set_stack(void *base, size_t size, int flags)
{
    stack_t new_stack = {.ss_sp = base, .ss_size = size, .ss_flags = flags};

    return (int)syscall(SYS_sigaltstack, &new_stack, NULL);
}

static stack_t inside;
static volatile int error_inside, rearms = 1;

static void ask(int signal, siginfo_t *info, void *context)
{
    look(signal, info, context);
    syscall(SYS_sigaltstack, NULL, &inside);
    if (rearms)
        error_inside = set_stack(stack, STACK_SIZE, 0) == 0 ? 0 : errno;
}

static void test_alternate_stack(void)
{
    stack_t old;

    syscall(SYS_sigaltstack, NULL, &old);
    is_int(old.ss_flags, SS_DISABLE, "at first there is no alternate stack");
    is_error(set_stack(stack, 2047, 0), ENOMEM, "one that is too small");
    is_error(set_stack(stack, STACK_SIZE, 4), EINVAL, "unknown flags");
    is_error(syscall(SYS_sigaltstack, (void *)8, NULL), EFAULT, "a bad address");
    is_int(set_stack(stack, STACK_SIZE, 0), 0, "a good one");
    raw_handle(SIGUSR1, ask, SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    ok(!is_on_stack(handler_sp), "without SA_ONSTACK it is not used");
    is_int(inside.ss_flags, 0, "the handler is not on it");
    is_int(error_inside, 0, "and may change it");
    raw_handle(SIGUSR1, ask, SA_SIGINFO | SA_ONSTACK);
    kill(getpid(), SIGUSR1);
    ok(is_on_stack(handler_sp), "with SA_ONSTACK it is");
    is_int(inside.ss_flags, SS_ONSTACK, "the handler knows");
    is_int(error_inside, EPERM, "and may not change it");
    ok(context_inside.uc_stack.ss_sp == stack, "the context names it");
    is_int((long long)context_inside.uc_stack.ss_size, STACK_SIZE, "with its size");
    is_int(context_inside.uc_stack.ss_flags, 0, "and its flags");
    is_int(handler_sp % 8, 0, "the stack is aligned");
    is_int(set_stack(stack, STACK_SIZE, (int)SS_AUTODISARM), 0, "SS_AUTODISARM");
    kill(getpid(), SIGUSR1);
    ok(is_on_stack(handler_sp), "it is used");
    is_int(inside.ss_flags, SS_DISABLE, "and disarmed in the handler");
    is_int(error_inside, 0, "which may set one");
    is_int(set_stack(stack, STACK_SIZE, (int)SS_AUTODISARM), 0, "SS_AUTODISARM again");
    rearms = 0;
    kill(getpid(), SIGUSR1);
    syscall(SYS_sigaltstack, NULL, &old);
    is_int(old.ss_flags, (int)SS_AUTODISARM, "afterwards it is armed again");
    ok(old.ss_sp == stack, "the same one");
    is_int(set_stack(NULL, 0, SS_DISABLE), 0, "SS_DISABLE");
    kill(getpid(), SIGUSR1);
    ok(!is_on_stack(handler_sp), "then it is not used");
}

static void recurse(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    kill(getpid(), signal);
}

/* Runs `body` in a child: the signal that killed it, or minus its status. */
static int fate(void (*body)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        body();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void overflow_alternate(void)
{
    set_stack(stack, STACK_SIZE, 0);
    raw_handle(SIGUSR1, recurse, SA_ONSTACK | SA_NODEFER);
    kill(getpid(), SIGUSR1);
}

static void caught_overflow(int signal, siginfo_t *info, void *context)
{
    (void)context;
    _exit(signal == SIGSEGV && info->si_code == SI_KERNEL ? 5 : 6);
}

/* SIGSEGV's own handler is on the same stack, which is full: it cannot run. */
static void overflow_with_handler(void)
{
    raw_handle(SIGSEGV, caught_overflow, SA_SIGINFO | SA_ONSTACK);
    overflow_alternate();
}

static void bad_stack_pointer(void)
{
    raw_handle(SIGUSR1, look, SA_SIGINFO);
    __asm__ volatile("movq %0, %%rsp; syscall; ud2" ::"r"(0x1000ul), "a"((uint64_t)SYS_kill),
                     "D"((uint64_t)getpid()), "S"((uint64_t)SIGUSR1));
}

static void rescued_stack_pointer(void)
{
    set_stack(stack, STACK_SIZE, 0);
    raw_handle(SIGSEGV, caught_overflow, SA_SIGINFO | SA_ONSTACK);
    bad_stack_pointer();
}

static void test_overflow(void)
{
    is_int(fate(overflow_alternate), SIGSEGV, "an overflown alternate stack is SIGSEGV");
    is_int(fate(overflow_with_handler), SIGSEGV, "even if it has a handler there");
    is_int(fate(bad_stack_pointer), SIGSEGV, "a bad stack pointer is SIGSEGV");
    is_int(fate(rescued_stack_pointer), -5, "whose handler runs on the alternate stack");
}

static void exec_check(void)
{
    char *arguments[] = {(char *)"signal_frame", (char *)"stack", NULL};

    set_stack(stack, STACK_SIZE, 0);
    raw_mask(SIG_SETMASK, RAW_BIT(SIGUSR1));
    kill(getpid(), SIGUSR1);
    raw_handle(SIGUSR2, look, SA_SIGINFO);
    execv("/proc/self/exe", arguments);
    _exit(100);
}

/* After exec: no stack, no handlers; mask and pending signals as before. */
static int after_exec(void)
{
    struct raw_action action;
    stack_t old;

    syscall(SYS_sigaltstack, NULL, &old);
    raw_sigaction(SIGUSR2, NULL, &action);
    return (old.ss_flags == SS_DISABLE) + 2 * (action.handler == RAW_DEFAULT) +
           4 * (raw_mask(SIG_BLOCK, 0) == RAW_BIT(SIGUSR1)) +
           8 * (raw_pending() == RAW_BIT(SIGUSR1));
}

int main(int count, char **arguments)
{
    (void)arguments;
    if (count > 1)
        return after_exec();
    stack =
        mmap(NULL, 4096 + STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, 4096, PROT_NONE) != 0)
        tap_bail_out("mmap");
    stack += 4096;
    test_context();
    test_change();
    test_change_of_all();
    test_nesting();
    test_longjmp();
    test_alternate_stack();
    test_overflow();
    is_int(fate(exec_check), -15, "exec: stack and handlers go, mask and pending signals stay");
    return tap_done();
}
