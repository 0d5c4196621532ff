/* The system as a whole: uname(2), sethostname(2), setdomainname(2), getrandom(2), reboot(2). */
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/utsname.h>

#include "lib/klog.h"
#include "lib/string.h"
#include "lib/version.h"
#include "port.h"
#include "port_devices.h"
#include "proc/cred.h"
#include "proc/host_name.h"
#include "proc/process.h"
#include "sched/sched.h"
#include "sys/syscall.h"

_Static_assert(HOST_NAME_MAX == __NEW_UTS_LEN, "names fit struct new_utsname");

SYSCALL1(uname, uintptr_t, address)
{
    struct new_utsname names = {
        .sysname = KERNEL_NAME,
        .release = KERNEL_RELEASE,
        .version = KERNEL_VERSION,
        .machine = KERNEL_MACHINE,
    };

    host_name_get(HOST_NAME, names.nodename);
    host_name_get(HOST_DOMAIN, names.domainname);
    return copy_to_user(address, &names, sizeof(names));
}

static int64_t set_name(enum host_name_kind kind, uintptr_t address, int length)
{
    char name[HOST_NAME_MAX];

    if (!credentials_is_privileged(current_credentials()))
        return -EPERM;
    if (length < 0 || length > HOST_NAME_MAX)
        return -EINVAL;
    if (copy_from_user(name, address, length) != 0)
        return -EFAULT;
    host_name_set(kind, name, length);
    return 0;
}

SYSCALL2(sethostname, uintptr_t, address, int, length)
{
    return set_name(HOST_NAME, address, length);
}

SYSCALL2(setdomainname, uintptr_t, address, int, length)
{
    return set_name(HOST_DOMAIN, address, length);
}

#define RANDOM_PIECE 256

/* Interrupted only after a first piece, as Linux does for large requests. */
static int64_t fill_random(uintptr_t address, size_t size)
{
    uint8_t piece[RANDOM_PIECE];
    size_t done = 0;

    while (done < size) {
        size_t part = size - done < sizeof(piece) ? size - done : sizeof(piece);

        port_random(piece, part);
        size_t copied = copy_to_user_partial(address + done, piece, part);

        done += copied;
        if (copied < part)
            return done ? (int64_t)done : -EFAULT;
        if (done % PORT_PAGE_SIZE == 0) {
            if (signal_is_pending())
                break;
            sched_point();
        }
    }
    return done;
}

SYSCALL3(getrandom, uintptr_t, address, size_t, size, unsigned, flags)
{
    if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if ((flags & GRND_RANDOM) && (flags & GRND_INSECURE))
        return -EINVAL;
    return fill_random(address, size < INT32_MAX ? size : INT32_MAX);
}

static bool is_reboot_magic(uint32_t magic, uint32_t magic2)
{
    return magic == LINUX_REBOOT_MAGIC1 &&
           (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
            magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

/* Does not return if the command is one that ends the machine. */
SYSCALL4(reboot, uint32_t, magic, uint32_t, magic2, uint32_t, command, uintptr_t, argument)
{
    if (!credentials_is_privileged(current_credentials()))
        return -EPERM;
    if (!is_reboot_magic(magic, magic2))
        return -EINVAL;
    switch (command) {
    case LINUX_REBOOT_CMD_CAD_OFF:
    case LINUX_REBOOT_CMD_CAD_ON:
        return 0;
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        klog("power off, as pid %d asks", process_number(current_process()));
        port_power_off();
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_RESTART2:
        klog("restart, as pid %d asks", process_number(current_process()));
        port_restart();
    default:
        return -EINVAL;
    }
}
