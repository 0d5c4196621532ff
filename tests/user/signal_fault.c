/* Faults: signal, code, address and context of each; blocked or ignored they kill all the same. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#include "raw_signal.h"
#include "tap.h"

static volatile int *nothing;
static char *readable, *file_end, *edge;

struct report {
    int signal, code;
    bool at_address, at_instruction, no_address;
    int trap, error, cr2_matches;
};
static volatile struct report *report;
static volatile uintptr_t expected_address;

static void divide(void)
{
    expected_address = 0;
    __asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx" ::
                         : "rax", "rcx", "rdx");
}

static void read_nothing(void)
{
    expected_address = (uintptr_t)nothing;
    (void)*nothing;
}

static void write_nothing(void)
{
    expected_address = (uintptr_t)nothing;
    *nothing = 1;
}

static void write_readable(void)
{
    expected_address = (uintptr_t)readable + 5;
    *(volatile char *)(readable + 5) = 1;
}

static void execute_data(void)
{
    expected_address = (uintptr_t)readable;
    __asm__ volatile("call *%0" ::"r"(readable));
}

static void read_guard(void)
{
    expected_address = (uintptr_t)edge;
    (void)*(volatile char *)edge;
}

static void read_past_file(void)
{
    expected_address = (uintptr_t)file_end;
    (void)*(volatile char *)file_end;
}

static void read_kernel(void)
{
    expected_address = 0xffff800000001000ul;
    (void)*(volatile char *)expected_address;
}

static void read_non_canonical(void)
{
    (void)*(volatile char *)0x8000000000000000ul;
}

static void illegal(void)
{
    __asm__ volatile("ud2");
}

static void privileged(void)
{
    __asm__ volatile("hlt");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void one_step(void)
{
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop" ::: "cc", "memory");
}

static void bad_interrupt(void)
{
    __asm__ volatile("int $0x50");
}

static void x87_divide(void)
{
    uint16_t control = 0x037f & ~4;

    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" ::"m"(control));
}

#define SI_ANY (-999)

/* Not here, because emulators do not raise them: SSE exceptions and alignment checks. */
static const struct row {
    const char *name;
    void (*fault)(void);
    int signal, code;
    char where; /* a: expected_address, i: the instruction, 0: no address */
    int trap, error;
} rows[] = {
    {"integer division by zero", divide, SIGFPE, FPE_INTDIV, 'i', 0, 0},
    {"reading where nothing is", read_nothing, SIGSEGV, SEGV_MAPERR, 'a', 14, 4},
    {"writing where nothing is", write_nothing, SIGSEGV, SEGV_MAPERR, 'a', 14, 6},
    {"writing a read-only page", write_readable, SIGSEGV, SEGV_ACCERR, 'a', 14, 7},
    {"executing data", execute_data, SIGSEGV, SEGV_ACCERR, 'a', 14, 21},
    {"reading a page without access", read_guard, SIGSEGV, SEGV_ACCERR, 'a', 14, SI_ANY},
    {"reading past the end of a file", read_past_file, SIGBUS, BUS_ADRERR, 'a', 14, 4},
    {"reading the kernel", read_kernel, SIGSEGV, SEGV_MAPERR, 'a', 14, 5},
    {"a non-canonical address", read_non_canonical, SIGSEGV, SI_KERNEL, '0', 13, 0},
    {"an illegal instruction", illegal, SIGILL, ILL_ILLOPN, 'i', 6, 0},
    {"a privileged instruction", privileged, SIGSEGV, SI_KERNEL, '0', 13, 0},
    {"a breakpoint", breakpoint, SIGTRAP, SI_KERNEL, '0', 3, 0},
    {"a single step", one_step, SIGTRAP, TRAP_TRACE, 'i', 1, 0},
    {"an interrupt that is not for programs", bad_interrupt, SIGSEGV, SI_KERNEL, '0', 13, SI_ANY},
    {"x87 division by zero", x87_divide, SIGFPE, FPE_FLTDIV, 'i', 16, 0},
};

static void note(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;
    const greg_t *registers = user->uc_mcontext.gregs;
    uintptr_t address = (uintptr_t)info->si_addr;

    report->signal = signal;
    report->code = info->si_code;
    report->at_address = address == expected_address;
    report->at_instruction = address == (uintptr_t)registers[REG_RIP];
    report->no_address = address == 0;
    report->trap = (int)registers[REG_TRAPNO];
    report->error = (int)registers[REG_ERR];
    report->cr2_matches = (uintptr_t)registers[REG_CR2] == expected_address;
    _exit(1);
}

static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

static void check_handled(const struct row *row)
{
    pid_t child;

    *report = (struct report){0};
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 5; i++)
            raw_handle(fault_signals[i], note, SA_SIGINFO);
        row->fault();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    is_int(report->signal, row->signal, "%s: the signal", row->name);
    is_int(report->code, row->code, "%s: its code", row->name);
    ok(row->where == 'a'   ? report->at_address
       : row->where == 'i' ? report->at_instruction
                           : report->no_address,
       "%s: the address is %s", row->name,
       row->where == 'a'   ? "the one accessed"
       : row->where == 'i' ? "the instruction's"
                           : "none");
    is_int(report->trap, row->trap, "%s: the trap's number", row->name);
    if (row->error != SI_ANY)
        is_int(report->error, row->error, "%s: its error code", row->name);
    if (row->trap == 14)
        ok(report->cr2_matches, "%s: cr2", row->name);
}

static void check_killed(const struct row *row, bool blocked)
{
    struct raw_action action = {.handler = RAW_IGNORE};
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (blocked) {
            raw_handle(row->signal, note, SA_SIGINFO);
            raw_mask(SIG_SETMASK, ~0ull);
        } else {
            raw_sigaction(row->signal, &action, NULL);
        }
        row->fault();
        _exit(0);
    }
    waitpid(child, &status, 0);
    is_int(WIFSIGNALED(status) ? WTERMSIG(status) : -1, row->signal, "%s, %s: it kills", row->name,
           blocked ? "blocked" : "ignored");
}

static void set_up(void)
{
    int file = open("/tmp/signal_fault", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    report = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (file < 0 || pages == MAP_FAILED || report == MAP_FAILED || write(file, "x", 1) != 1)
        tap_bail_out("set up");
    file_end = mmap(NULL, 2 * 4096, PROT_READ, MAP_SHARED, file, 0);
    if (file_end == MAP_FAILED)
        tap_bail_out("mmap of a file");
    file_end += 4096;
    close(file);
    unlink("/tmp/signal_fault");
    pages[0] = pages[4096] = 0;
    mprotect(pages, 4096, PROT_READ);
    mprotect(pages + 4096, 4096, PROT_NONE);
    munmap(pages + 2 * 4096, 4096);
    readable = pages;
    edge = pages + 4096;
    nothing = (int *)(pages + 2 * 4096);
}

int main(void)
{
    set_up();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_handled(&rows[i]);
        check_killed(&rows[i], true);
        check_killed(&rows[i], false);
    }
    return tap_done();
}
