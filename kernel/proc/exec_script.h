/* #! scripts (execve(2), "Interpreter scripts"). */
#pragma once

#include "proc/exec.h"

/* As long as *executable is a script: takes its interpreter instead, giving up the script's
 * reference, and puts the interpreter, its optional argument and the script's path before the
 * arguments. Not a script: 0 and nothing changed. -ENOEXEC, -ELOOP (more than 5 deep), -ENOENT
 * -EACCES ... of the interpreter. */
int exec_resolve_scripts(struct executable **executable, const char *path,
                         struct exec_strings *strings);
