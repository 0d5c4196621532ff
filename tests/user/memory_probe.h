/* What an access to an address does, for the memory tests. */
#pragma once

#include <setjmp.h>
#include <stdint.h>

#include "tap.h"

#define PAGE 4096ul

static sigjmp_buf probe_return;
static volatile sig_atomic_t probe_signal, probe_code;

static void probe_handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    probe_signal = signal;
    probe_code = info->si_code;
    siglongjmp(probe_return, 1);
}

/* "fine", or the signal with its reason. `access` is 'r', 'w' (what is there is written back) or
 * 'x' (calls what stands there). */
__attribute__((unused)) static const char *probe(void *address, char access)
{
    struct sigaction action = {.sa_sigaction = probe_handler, .sa_flags = SA_SIGINFO};
    volatile unsigned char *byte = address;

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    if (sigsetjmp(probe_return, 1)) {
        if (probe_signal == SIGBUS)
            return probe_code == BUS_ADRERR ? "SIGBUS" : "SIGBUS with a strange code";
        return probe_code == SEGV_MAPERR   ? "not mapped"
               : probe_code == SEGV_ACCERR ? "no permission"
                                           : "SIGSEGV with a strange code";
    }
    if (access == 'r')
        (void)*byte;
    else if (access == 'w')
        *byte = *byte;
    else
        ((void (*)(void))(uintptr_t)address)();
    return "fine";
}

/* The page at the address for all three: "r- w+ x-". The page begins with a return instruction if
 * it may be executed. */
__attribute__((unused)) static const char *probe_all(void *address)
{
    static char text[32];

    snprintf(text, sizeof(text), "r%c w%c x%c", *probe(address, 'r') == 'f' ? '+' : '-',
             *probe(address, 'w') == 'f' ? '+' : '-', *probe(address, 'x') == 'f' ? '+' : '-');
    return text;
}
