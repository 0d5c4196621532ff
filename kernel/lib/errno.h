/*
 * Error numbers: Linux's own, from its uapi headers. Functions return them negated.
 *
 * The ERESTART numbers never reach a program: the way back to user mode turns them into EINTR or
 * runs the call again (signal(7), "Interruption of system calls"; kernel/proc/signal_deliver.c).
 */
#pragma once

#include <asm/errno.h>

#define ERESTARTSYS           512 /* restart if the handler has SA_RESTART or there is no handler */
#define ERESTARTNOINTR        513 /* always restart */
#define ERESTARTNOHAND        514 /* restart only if no handler ran */
#define ERESTART_RESTARTBLOCK 516 /* as NOHAND, through restart_syscall(2) */
