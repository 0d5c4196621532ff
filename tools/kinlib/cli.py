"""The host command's interface: tools/kin."""
import argparse
import contextlib
import os
import signal
import stat
import sys
import tempfile

from . import machine, terminal
from .request import Request, RequestError
from .session import EXIT_NOT_UP, Session, complain

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXIT_USAGE = 2
EXIT_NOT_FOUND = 127
DEFAULT_TIMEOUT = 60
STDIN_FILE_MAX = 32 << 20

DESCRIPTION = "Boots Kin in QEMU and runs a program on it."
EPILOG = """\
exit status:
  N        the program's own; 128+N if signal N ended it
  124      the time-out; the kernel's list of processes is on standard error
  125      a kernel panic or a triple fault; the report is on standard error
  126      the machine did not come up, and why
  127      PROGRAM was not found, or is not a static x86_64 ELF

environment:
  KIN_BUILD     the build directory (build)
  KIN_CPU       QEMU's CPU model
  KIN_FIRMWARE  the UEFI firmware, an OVMF.fd
  ACCEL=kvm     use KVM in place of emulation
"""
RUN_EPILOG = """\
The program's standard input, output and error are those of the host, byte for byte. If standard
input and output are a terminal, the program gets the machine's console in their place; Ctrl-] then
leaves the machine.

examples:
  tools/kin run ./hello a b
  tools/kin run --smp 4 --add data.txt --env LANG=C ./sum data.txt < input > output
  tools/kin run --log kernel.log /bin/busybox ls -l /
""" + "\n" + EPILOG


def build_parser():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="kin", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a static Linux program", epilog=RUN_EPILOG,
                              formatter_class=raw,
                              usage="kin run [OPTION]... [--] PROGRAM [ARGS...]")
    add_options(run)
    run.add_argument("program", metavar="PROGRAM", help="a static x86_64 Linux ELF of the host")
    run.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER)

    shell = commands.add_parser("sh", help="a shell (Debian's busybox)", epilog=EPILOG,
                                formatter_class=raw,
                                usage="kin sh [OPTION]... [-c COMMANDS | SCRIPT [ARGS...]]")
    add_options(shell)
    shell.add_argument("-c", dest="commands", metavar="COMMANDS", help="run these and end")
    shell.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER,
                       help="as for sh: a script in the guest (see --add) and its arguments")

    boot = commands.add_parser("boot", help="boot as a computer would: the demo, then a shell",
                               epilog=EPILOG, formatter_class=raw, usage="kin boot [OPTION]...")
    add_options(boot)
    boot.add_argument("--volume", metavar="IMAGE",
                      help="boot this disk image through UEFI, in place of what was built")
    return parser


def add_options(parser):
    add = parser.add_argument
    add("--smp", type=number_from(1), default=2, metavar="N", help="processors (2)")
    add("--mem", type=number_from(16), default=256, metavar="MIB", help="memory in MiB (256)")
    add("--timeout", type=float, metavar="S",
        help=f"seconds until it is stopped, 0: never ({DEFAULT_TIMEOUT}; never on a terminal)")
    add("--door", choices=("pvh", "uefi"), default="pvh",
        help="QEMU's quick loader, or firmware and our own (pvh)")
    add("--add", action="append", default=[], metavar="HOST[:GUEST]",
        help="put a file or directory into the guest, under its own name or GUEST")
    add("--env", action="append", default=[], metavar="K=V", help="a variable of the environment")
    add("--icount", action="store_true",
        help="count instructions in place of time: the same run each time")
    add("--append", default="", metavar="WORDS", help="the kernel's command line")
    add("--log", metavar="FILE", help="the kernel's log to a file; - is standard error")
    add("--gdb", action="store_true", help="wait for gdb before the first instruction")
    add("--gdb-port", type=number_from(1), default=1234, metavar="PORT", help="where (1234)")
    add("--times", action="store_true", help="say how long it took to come up")


def number_from(low):
    def parse(text):
        value = int(text)
        if value < low:
            raise argparse.ArgumentTypeError(f"at least {low}")
        return value
    parse.__name__ = "number"
    return parse


def main():
    options = build_parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return execute(options)
    except RequestError as error:
        complain(error)
        return EXIT_NOT_FOUND
    except machine.MachineError as error:
        complain(f"the machine did not come up: {error}")
        return EXIT_NOT_UP
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def execute(options):
    request = build_request(options)
    interactive = terminal.is_interactive()
    if not getattr(options, "volume", None):  # which has no request: all is on the console
        request.streams = choose_streams(interactive)
        if request.streams["stdin"] == "file":
            request.add_standard_input()
    if interactive:
        request.environment.setdefault("TERM", os.environ.get("TERM", "vt100"))
        rows, columns = terminal.size()
        request.console_size = f"{rows}x{columns}"
    timeout = options.timeout
    if timeout is None:
        timeout = 0 if interactive or options.gdb else DEFAULT_TIMEOUT
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="kin-"))
        log = open_log(options.log, stack)
        booted = machine.Machine(options, boot_options(options, request, directory))
        if options.gdb:
            complain(f"waiting for gdb: target remote :{options.gdb_port}")
        if interactive:
            stack.enter_context(terminal.RawTerminal())
        session = Session(booted, request.streams, timeout, log)
        status = session.run()
    if options.times and session.up_seconds is not None:
        complain(f"first user instruction after {session.up_seconds:.3f} s")
    return status


def build_request(options):
    request = Request()
    for spec in options.env:
        request.set_variable(spec)
    for spec in options.add:
        request.add(spec)
    if options.command == "run":
        request.set_host_program(options.program, strip_separator(options.arguments))
    elif options.command == "sh":
        commands = [] if options.commands is None else ["-c", options.commands]
        request.set_guest_program("/bin/busybox",
                                  ["sh", *commands, *strip_separator(options.arguments)])
    return request


def strip_separator(arguments):
    return arguments[1:] if arguments[:1] == ["--"] else arguments


def choose_streams(interactive):
    """Where the program's streams lead. If the host's output and error are one, the program's are
    too, and keep their order."""
    if interactive:
        error = "console" if sys.stderr.isatty() else "host"
        return {"stdin": "console", "stdout": "console", "stderr": error}
    error = "stdout" if terminal.same_file(1, 2) else "host"
    return {"stdin": choose_stdin(), "stdout": "host", "stderr": error}


def choose_stdin():
    """An empty input needs no wire, and leaves nothing to chance in counted runs; a file is a file
    in the guest too, unless it is too big to be put there."""
    try:
        status = os.fstat(0)
    except OSError:
        return "null"
    null = os.stat(os.devnull)
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == null.st_rdev:
        return "null"
    return "file" if stat.S_ISREG(status.st_mode) and status.st_size <= STDIN_FILE_MAX else "host"


def open_log(name, stack):
    if name is None:
        return None
    if name == "-":
        return 2
    try:
        return stack.enter_context(open(name, "wb", buffering=0)).fileno()
    except OSError as error:
        raise machine.MachineError(f"--log {name}: {error.strerror}") from error


def boot_options(options, request, directory):
    if getattr(options, "volume", None):
        return machine.uefi_volume_options(options.volume)
    build = os.environ.get("KIN_BUILD", os.path.join(ROOT, "build"))
    kernel, loader, base = (os.path.join(build, name) for name in
                            ("kernel.elf", "boot/bootx64.efi", "initrd.cpio"))
    for path in (kernel, base) + ((loader,) if options.door == "uefi" else ()):
        if not os.path.exists(path):
            raise machine.MachineError(f"{path} is missing: run make first")
    extra = os.path.join(directory, "request.cpio")
    with open(extra, "wb") as file:
        file.write(request.initrd())
    if options.door == "uefi":
        return machine.uefi_options(directory, loader, kernel, [base, extra], options.append)
    return machine.pvh_options(directory, kernel, [base, extra], options.append)
