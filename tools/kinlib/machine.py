"""The machine: QEMU's command line, and the wires between it and us.

docs/boot.md describes the devices. Every wire is a pipe or a socket that QEMU inherits.
"""
import ctypes
import os
import shutil
import signal
import socket
import subprocess

QEMU = "qemu-system-x86_64"
CPU = "qemu64,+rdrand,+smep,+smap"
FIRMWARE = ("/usr/share/ovmf/OVMF.fd", "/usr/share/qemu/OVMF.fd", "/usr/share/OVMF/OVMF.fd")
KERNEL_PORTS = {"log": 0xE9, "stdout": 0xEA, "stderr": 0xEB, "control": 0xEC}
EXIT_PORT = 0x501
PR_SET_PDEATHSIG = 1

# QEMU's exit statuses for what the kernel writes to the exit port: boot/handoff.h.
EXIT_POWEROFF, EXIT_PANIC, EXIT_BOOT, EXIT_INIT_DIED = (value << 1 | 1
                                                        for value in (0x10, 0x11, 0x12, 0x13))


class MachineError(Exception):
    """The machine can't be started: exit status 126."""


class Machine:
    """A running QEMU. `readers` maps a channel's name to the descriptor that its bytes come from;
    `console` and `stdin` are sockets."""

    def __init__(self, settings, boot_options):
        self._inherited = []
        self._settings = settings
        self.readers = {}
        command = [_find_qemu(), *self._board(), *boot_options]
        for name, port in KERNEL_PORTS.items():
            command += self._output_port(name, port)
        self.console, arguments = self._serial("console")
        command += arguments
        self.stdin, arguments = self._serial("stdin")
        command += arguments
        self.readers["qemu"], errors = os.pipe()
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors,
                                         stderr=errors, pass_fds=self._inherited,
                                         preexec_fn=_die_with_parent, start_new_session=True)
        os.close(errors)
        for descriptor in self._inherited:
            os.close(descriptor)

    def wait(self):
        return self._process.wait()

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()

    def _board(self):
        settings = self._settings
        board = ["-machine", "q35", "-m", str(settings.mem), "-smp", str(settings.smp),
                 "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                 "-device", f"isa-debug-exit,iobase={EXIT_PORT:#x},iosize=4"]
        if settings.icount:
            board += ["-accel", "tcg", "-cpu", CPU, "-icount", "shift=0,sleep=off", "-seed", "1",
                      "-rtc", "base=2024-01-01T00:00:00,clock=vm"]
        elif os.environ.get("ACCEL") == "kvm":
            board += ["-accel", "kvm", "-cpu", os.environ.get("KIN_CPU", "host")]
        else:
            board += ["-accel", "tcg", "-cpu", os.environ.get("KIN_CPU", CPU)]
        if settings.gdb:
            board += ["-S", "-gdb", f"tcp:127.0.0.1:{settings.gdb_port}"]
        return board

    def _output_port(self, name, port):
        ours, theirs = os.pipe()
        self.readers[name] = ours
        self._inherited.append(theirs)
        return ["-chardev", f"file,id={name},path=/proc/self/fd/{theirs}",
                "-device", f"isa-debugcon,iobase={port:#x},chardev={name}"]

    def _serial(self, name):
        ours, theirs = socket.socketpair()
        descriptor = theirs.detach()
        self._inherited.append(descriptor)
        ours.setblocking(False)
        return ours, ["-chardev", f"socket,id={name},fd={descriptor}", "-serial", f"chardev:{name}"]


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _find_qemu():
    qemu = shutil.which(QEMU)
    if not qemu:
        raise MachineError(f"{QEMU} is not installed (Debian: apt-get install qemu-system-x86)")
    return qemu


def pvh_options(directory, kernel, initrds, command_line):
    """QEMU's own loader: one initrd, so all are joined."""
    joined = os.path.join(directory, "initrd")
    with open(joined, "wb") as out:
        for path in initrds:
            with open(path, "rb") as file:
                shutil.copyfileobj(file, out)
    return ["-kernel", kernel, "-initrd", joined, "-append", command_line]


def uefi_options(directory, loader, kernel, initrds, command_line):
    """The firmware, and a volume with the loader and its files."""
    volume = os.path.join(directory, "volume.img")
    build_volume(volume, loader, kernel, initrds, command_line)
    return uefi_volume_options(volume)


def uefi_volume_options(volume):
    candidates = [os.environ.get("KIN_FIRMWARE"), *FIRMWARE]
    firmware = next((path for path in candidates if path and os.path.exists(path)), None)
    if not firmware:
        raise MachineError("there is no UEFI firmware OVMF.fd (Debian: apt-get install ovmf)")
    return ["-bios", firmware, "-boot", "menu=off",
            "-drive", f"if=none,id=volume,format=raw,snapshot=on,file={volume}",
            "-device", "virtio-blk-pci,drive=volume,bootindex=0"]


def build_volume(volume, loader, kernel, initrds, command_line):
    """A FAT file system with \\EFI\\BOOT\\BOOTX64.EFI and the directory \\kin."""
    files = {"EFI/BOOT/BOOTX64.EFI": loader, "kin/kernel.elf": kernel}
    for index, path in enumerate(initrds):
        files[f"kin/{'initrd' if index == 0 else f'extra{index}'}.cpio"] = path
    text = volume + ".cmdline"
    with open(text, "w", encoding="utf-8") as file:
        file.write(command_line + "\n")
    files["kin/cmdline"] = text
    size = sum(os.path.getsize(path) for path in files.values())
    with open(volume, "wb") as file:
        file.truncate(((size >> 20) + 34) << 20)
    _mtools("mformat", "-i", volume, "::")
    _mtools("mmd", "-i", volume, "::EFI", "::EFI/BOOT", "::kin")
    for name, path in files.items():
        _mtools("mcopy", "-i", volume, path, "::" + name)
    os.unlink(text)


def _mtools(*command):
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise MachineError("mtools are not installed (Debian: apt-get install mtools)") from error
    except subprocess.CalledProcessError as error:
        raise MachineError(f"{command[0]}: {error.stderr.strip()}") from error
