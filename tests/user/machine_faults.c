/*
 * What the processor's exceptions become: for each way to fault, the signal, its code and its
 * address; and the registers and flags that a system call keeps.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tap.h"

#define FLAG_TRAP      0x100ul
#define FLAG_DIRECTION 0x400ul
#define FLAG_ALIGN     0x40000ul

static sigjmp_buf escape;
static volatile siginfo_t seen;
static volatile uintptr_t seen_ip;
static volatile unsigned seen_count;

static void note_and_escape(int signal, siginfo_t *info, void *context)
{
    memcpy((void *)&seen, info, sizeof(seen));
    seen_ip = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(escape, 1);
}

static void catch_all(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = note_and_escape,
                               .sa_flags = SA_SIGINFO | SA_NODEFER};

    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}

static uintptr_t target;

static void divide_by_zero(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $1, %%eax; divl %%ecx" ::
                         : "eax", "ecx", "edx");
}
static void divide_overflow(void)
{
    __asm__ volatile("movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx" ::
                         : "eax", "ecx", "edx");
}
static void undefined_instruction(void)
{
    __asm__ volatile("ud2");
}
static void breakpoint(void)
{
    __asm__ volatile("int3");
}
static void overflow_interrupt(void)
{
    __asm__ volatile("int $4");
}
static void forbidden_interrupt(void)
{
    __asm__ volatile("int $0x20");
}
static void page_fault_interrupt(void)
{
    __asm__ volatile("int $14");
}
static void halt(void)
{
    __asm__ volatile("hlt");
}
static void mask_interrupts(void)
{
    __asm__ volatile("cli");
}
static void read_control_register(void)
{
    __asm__ volatile("movq %%cr3, %%rax" ::: "rax");
}
static void write_port(void)
{
    __asm__ volatile("outb %%al, $0xe9" ::"a"(0));
}
static void read_target(void)
{
    (void)*(volatile char *)target;
}
static void write_target(void)
{
    *(volatile char *)target = 1;
}
static void jump_to_target(void)
{
    ((void (*)(void))target)();
}
static void x87_error(void)
{
    uint16_t control = 0x037f & ~4u; /* division by zero unmasked */

    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" ::"m"(control));
}
static void load_bad_selector(void)
{
    __asm__ volatile("movl %0, %%ds" ::"r"(0x1238));
}

enum address { ADDRESS_NONE, ADDRESS_TARGET, ADDRESS_INSTRUCTION };

static const struct fault_case {
    const char *name;
    void (*act)(void);
    uintptr_t target;
    int signal, code;
    enum address address;
} cases[] = {
    {"division by zero", divide_by_zero, 0, SIGFPE, FPE_INTDIV, ADDRESS_INSTRUCTION},
    {"division overflow", divide_overflow, 0, SIGFPE, FPE_INTDIV, ADDRESS_INSTRUCTION},
    {"ud2", undefined_instruction, 0, SIGILL, ILL_ILLOPN, ADDRESS_INSTRUCTION},
    {"int3", breakpoint, 0, SIGTRAP, SI_KERNEL, ADDRESS_NONE},
    {"int 4", overflow_interrupt, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"int 0x20", forbidden_interrupt, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"int 14", page_fault_interrupt, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"hlt", halt, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"cli", mask_interrupts, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"mov from cr3", read_control_register, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"out", write_port, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"load of a bad selector", load_bad_selector, 0, SIGSEGV, SI_KERNEL, ADDRESS_NONE},
    {"read of page 0", read_target, 8, SIGSEGV, SEGV_MAPERR, ADDRESS_TARGET},
    {"write to page 0", write_target, 8, SIGSEGV, SEGV_MAPERR, ADDRESS_TARGET},
    {"jump to page 0", jump_to_target, 8, SIGSEGV, SEGV_MAPERR, ADDRESS_TARGET},
    {"read of the kernel's image", read_target, 0xffffffff81000000, SIGSEGV, SEGV_MAPERR,
     ADDRESS_TARGET},
    {"jump to the kernel's image", jump_to_target, 0xffffffff81000000, SIGSEGV, SEGV_MAPERR,
     ADDRESS_TARGET},
    {"write to the kernel's half", write_target, 0xffff800000000000, SIGSEGV, SEGV_MAPERR,
     ADDRESS_TARGET},
    {"read of a non-canonical address", read_target, 0x8000000000000000, SIGSEGV, SI_KERNEL,
     ADDRESS_NONE},
    {"jump to a non-canonical address", jump_to_target, 0x8000000000000000, SIGSEGV, SI_KERNEL,
     ADDRESS_NONE},
    {"x87 division by zero", x87_error, 0, SIGFPE, FPE_FLTDIV, ADDRESS_INSTRUCTION},
};

static uintptr_t expected_address(const struct fault_case *test)
{
    if (test->address == ADDRESS_TARGET)
        return test->target;
    return test->address == ADDRESS_INSTRUCTION ? seen_ip : 0;
}

static void run_case(const struct fault_case *test)
{
    memset((void *)&seen, 0, sizeof(seen));
    target = test->target;
    if (sigsetjmp(escape, 1) == 0)
        test->act();
    ok(seen.si_signo == test->signal && seen.si_code == test->code &&
           (uintptr_t)seen.si_addr == expected_address(test),
       "%s: signal %d code %d", test->name, test->signal, test->code);
    if (seen.si_signo != test->signal || seen.si_code != test->code)
        tap_line("# got signal %d, code %d\n", seen.si_signo, seen.si_code);
}

static void test_protection(void)
{
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct fault_case write = {"write to a read-only page",
                                     write_target,
                                     (uintptr_t)page + 5,
                                     SIGSEGV,
                                     SEGV_ACCERR,
                                     ADDRESS_TARGET};
    const struct fault_case execute = {"execution of a page without PROT_EXEC",
                                       jump_to_target,
                                       (uintptr_t)page,
                                       SIGSEGV,
                                       SEGV_ACCERR,
                                       ADDRESS_TARGET};

    run_case(&write);
    run_case(&execute);
    munmap(page, 4096);
}

/* --- Registers and flags across a system call --- */

static void test_registers_kept(void)
{
    uint64_t r[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    uint64_t flags_in, flags_out, rcx_out, r11_out, here;

    __asm__ volatile("movq 0(%[r]), %%rbx; movq 8(%[r]), %%rdx; movq 16(%[r]), %%rsi\n\t"
                     "movq 24(%[r]), %%r8; movq 32(%[r]), %%r9; movq 40(%[r]), %%r10\n\t"
                     "movq 48(%[r]), %%r12; movq 56(%[r]), %%r13; movq 64(%[r]), %%r14\n\t"
                     "movl %[call], %%eax; stc; pushfq; popq %[in]\n\t"
                     "stc; syscall\n"
                     "1:\tpushfq; popq %[out]\n\t"
                     "movq %%rcx, %[rcx]; movq %%r11, %[r11]; leaq 1b(%%rip), %%rcx\n\t"
                     "movq %%rcx, %[here]\n\t"
                     "movq %%rbx, 0(%[r]); movq %%rdx, 8(%[r]); movq %%rsi, 16(%[r])\n\t"
                     "movq %%r8, 24(%[r]); movq %%r9, 32(%[r]); movq %%r10, 40(%[r])\n\t"
                     "movq %%r12, 48(%[r]); movq %%r13, 56(%[r]); movq %%r14, 64(%[r])"
                     : [in] "=m"(flags_in), [out] "=m"(flags_out), [rcx] "=m"(rcx_out),
                       [r11] "=m"(r11_out), [here] "=m"(here)
                     : [r] "D"(r), [call] "i"(SYS_getppid)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "memory", "cc");
    bool kept = true;

    for (unsigned i = 0; i < 9; i++)
        kept = kept && r[i] == i + 1;
    ok(kept, "a call keeps all registers but rax, rcx and r11");
    ok(flags_in == flags_out, "a call keeps the flags");
    ok(rcx_out == here && r11_out == flags_out, "rcx is the return address, r11 the flags");
}

static void test_flag_kept(uint64_t flag, const char *name)
{
    uint64_t flags;
    long result;

    __asm__ volatile("pushfq; orq %[flag], (%%rsp); popfq\n\t"
                     "syscall\n\t"
                     "pushfq; popq %[flags]\n\t"
                     "pushfq; andq %[mask], (%%rsp); popfq"
                     : [flags] "=&r"(flags), "=a"(result)
                     : "a"(SYS_getpid), [flag] "r"(flag), [mask] "r"(~flag)
                     : "rcx", "r11", "memory", "cc");
    ok((flags & flag) && result == getpid(), "a call with the %s flag set keeps it", name);
}

static volatile unsigned traps;

static void count_trap(int signal, siginfo_t *info, void *context)
{
    traps++;
}

static void test_single_step(void)
{
    struct sigaction action = {.sa_sigaction = count_trap, .sa_flags = SA_SIGINFO};
    long result;

    sigaction(SIGTRAP, &action, NULL);
    traps = 0;
    __asm__ volatile("pushfq; orq %[trap], (%%rsp); popfq\n\t"
                     "nop\n\t"
                     "syscall\n\t"
                     "nop\n\t"
                     "pushfq; andq %[mask], (%%rsp); popfq"
                     : "=a"(result)
                     : "a"(SYS_getpid), [trap] "r"(FLAG_TRAP), [mask] "r"(~FLAG_TRAP)
                     : "rcx", "r11", "memory", "cc");
    ok(result == getpid(), "a single-stepped call works");
    is_int(traps, 5, "a trap behind each instruction, the call and its successor counting as one");
    catch_all();
}

/* --- A handler's return to an address that no program may have --- */

static void bend_ip(int signal, siginfo_t *info, void *context)
{
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)0x8000000000000000;
}

static void return_to_nowhere(void)
{
    struct sigaction action = {.sa_sigaction = bend_ip, .sa_flags = SA_SIGINFO};

    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void test_bent_return(void)
{
    const struct fault_case bent = {"return of a handler to a non-canonical address",
                                    return_to_nowhere,
                                    0,
                                    SIGSEGV,
                                    SI_KERNEL,
                                    ADDRESS_NONE};

    run_case(&bent);
}

static void bend_flags(int signal, siginfo_t *info, void *context)
{
    /* I/O privilege 3, no interrupts, nested task, virtual 8086: none of them is a program's. */
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] |= 0x3000 | 0x4000 | 0x20000;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x200;
}

static void test_bent_flags(void)
{
    struct sigaction action = {.sa_sigaction = bend_flags, .sa_flags = SA_SIGINFO};
    uint64_t flags;

    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    ok((flags & (0x3000 | 0x4000 | 0x20000 | 0x200)) == 0x200,
       "a handler can't return with the flags of the kernel");
}

/* --- FPU --- */

static void clobber(int signal)
{
    __asm__ volatile("pcmpeqd %%xmm7, %%xmm7; fninit; fldpi" ::: "xmm7");
}

static void test_fpu_kept(void)
{
    uint64_t in[2] = {0x1122334455667788, 0x99aabbccddeeff00}, out[2] = {0};
    struct sigaction action = {.sa_handler = clobber};
    long result;

    sigaction(SIGUSR1, &action, NULL);
    __asm__ volatile("movups (%[in]), %%xmm7\n\t"
                     "syscall\n\t"
                     "movups %%xmm7, (%[out])"
                     : "=a"(result)
                     : "a"(SYS_kill), "D"((long)getpid()),
                       "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out)
                     : "rcx", "r11", "xmm7", "memory");
    ok(memcmp(in, out, sizeof(in)) == 0, "a handler's use of the FPU is undone by its return");

    pid_t child = fork();

    if (child == 0) {
        for (unsigned i = 0; i < 200; i++) {
            __asm__ volatile("movq %0, %%xmm7" ::"r"((uint64_t)i) : "xmm7");
            syscall(SYS_sched_yield);
        }
        _exit(0);
    }
    bool kept = true;

    for (unsigned i = 0; i < 200; i++) {
        __asm__ volatile("movups (%[in]), %%xmm7\n\t"
                         "syscall\n\t"
                         "movups %%xmm7, (%[out])"
                         : "=a"(result)
                         : "a"(SYS_sched_yield), [in] "r"(in), [out] "r"(out)
                         : "rcx", "r11", "xmm7", "memory");
        kept = kept && memcmp(in, out, sizeof(in)) == 0;
    }
    waitpid(child, NULL, 0);
    ok(kept, "the FPU registers of two processes do not mix");
}

/* --- arch_prctl --- */

static void test_arch_prctl(void)
{
    uint64_t base = 0, gs_value;
    static uint64_t place = 0x1234;

    ok(syscall(SYS_arch_prctl, ARCH_GET_FS, &base) == 0 && base != 0, "ARCH_GET_FS");
    ok(syscall(SYS_arch_prctl, ARCH_SET_GS, &place) == 0, "ARCH_SET_GS");
    __asm__ volatile("movq %%gs:0, %0" : "=r"(gs_value));
    ok(gs_value == 0x1234, "gs leads there");
    ok(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0 && base == (uintptr_t)&place,
       "ARCH_GET_GS");
    ok(syscall(SYS_arch_prctl, ARCH_SET_FS, 0x8000000000000000) == -1 && errno == EPERM,
       "ARCH_SET_FS to a non-canonical address: EPERM");
    ok(syscall(SYS_arch_prctl, ARCH_SET_GS, 0xffff800000000000) == -1 && errno == EPERM,
       "ARCH_SET_GS into the kernel's half: EPERM");
    ok(syscall(SYS_arch_prctl, ARCH_GET_FS, 8) == -1 && errno == EFAULT,
       "ARCH_GET_FS to a bad address: EFAULT");
    ok(syscall(SYS_arch_prctl, 0x7777, 0) == -1 && errno == EINVAL, "unknown code: EINVAL");
}

int main(void)
{
    catch_all();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_case(&cases[i]);
    test_protection();
    test_registers_kept();
    test_flag_kept(FLAG_DIRECTION, "direction");
    test_flag_kept(FLAG_ALIGN, "alignment-check");
    test_single_step();
    test_bent_return();
    test_bent_flags();
    test_fpu_kept();
    test_arch_prctl();
    return tap_done();
}
