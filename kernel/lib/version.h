/* What the system calls itself: uname(2), /proc/version, the boot message. */
#pragma once

/* Programs look at the name and the release to learn which system calls to expect. */
#define KERNEL_NAME     "Linux"
#define KERNEL_RELEASE  "6.1.0-kin"
#define KERNEL_VERSION  "#1 SMP Kin"
#define KERNEL_MACHINE  "x86_64"
#define KERNEL_COMPILER "gcc " __VERSION__
