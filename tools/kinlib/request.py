"""What init is told to run: the file /etc/kin/run of an extra initrd.

NUL-terminated fields KEY=VALUE: stdin, stdout, stderr (where each goes), console_size, cwd, path,
then env and arg as often as there are variables and arguments. user/init.c reads them.
"""
import os
import shutil

from . import cpio, elf

RUN_FILE = "etc/kin/run"
STDIN_FILE = "etc/kin/stdin"
DEFAULT_ENVIRONMENT = {
    "PATH": "/sbin:/usr/sbin:/bin:/usr/bin",
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/sh",
}


class RequestError(Exception):
    """The program can't be run: exit status 127."""


class Request:
    """A program, its arguments and environment, and the files that it wants to find."""

    def __init__(self):
        self.path = None  # guest path; None: init does what it does on its own
        self.arguments = []
        self.environment = dict(DEFAULT_ENVIRONMENT)
        self.streams = {"stdin": "console", "stdout": "console", "stderr": "console"}
        self.console_size = None  # "ROWSxCOLUMNS"
        self._archive = cpio.Archive()

    def set_host_program(self, name, arguments):
        """A program of the host. Absolute names stay what they are in the guest."""
        host = _find_program(name)
        problem = elf.why_not_static(host)
        if problem:
            raise RequestError(f"{name}: {problem}")
        name_in_guest = host if os.path.isabs(host) else "/kin/" + os.path.basename(host)
        self.path = os.path.normpath(name_in_guest)
        with open(host, "rb") as file:
            self._archive.add_file(self.path, file.read(), 0o755)
        self.arguments = [name, *arguments]

    def set_guest_program(self, path, arguments):
        """A program of the base initrd; arguments begin with its name."""
        self.path = path
        self.arguments = list(arguments)

    def add(self, spec):
        """HOST[:GUEST]."""
        host, separator, guest = spec.partition(":")
        if not separator:
            guest = os.path.normpath("/" + host)
            while guest.startswith("/.."):
                guest = guest[3:]
        elif guest.endswith("/"):
            guest += os.path.basename(host.rstrip("/"))
        try:
            self._archive.add_host(os.path.realpath(host), guest)
        except (OSError, ValueError) as error:
            raise RequestError(f"--add {spec}: {error}") from error

    def add_standard_input(self):
        """Standard input is a regular file: what is left of it, from its position on."""
        position = os.lseek(0, 0, os.SEEK_CUR)
        size = max(os.fstat(0).st_size - position, 0)
        self._archive.add_file(STDIN_FILE, os.pread(0, size, position))

    def set_variable(self, spec):
        name, separator, value = spec.partition("=")
        if not separator or not name:
            raise RequestError(f"--env {spec}: not of the form NAME=VALUE")
        self.environment[name] = value

    def initrd(self):
        fields = [f"{stream}={where}" for stream, where in self.streams.items()]
        if self.console_size:
            fields.append(f"console_size={self.console_size}")
        if self.path is not None:
            fields += ["cwd=/", f"path={self.path}"]
            fields += [f"arg={argument}" for argument in self.arguments]
        fields += [f"env={name}={value}" for name, value in self.environment.items()]
        data = b"".join(os.fsencode(field) + b"\0" for field in fields)
        self._archive.add_file(RUN_FILE, data)
        return self._archive.bytes()


def _find_program(name):
    host = name if "/" in name else shutil.which(name)
    if not host or not os.path.exists(host):
        raise RequestError(f"{name}: not found")
    if not os.path.isfile(host):
        raise RequestError(f"{name}: not a file")
    if not os.access(host, os.R_OK):
        raise RequestError(f"{name}: not readable")
    return host
