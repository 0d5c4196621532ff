"""The host's terminal, while the guest's console has it."""
import fcntl
import os
import struct
import sys
import termios
import tty

LEAVE_KEY = b"\x1d"  # Ctrl-]


class RawTerminal:
    """A context in which the host's terminal passes keys on as they are."""

    def __enter__(self):
        self._saved = termios.tcgetattr(0)
        tty.setraw(0)
        return self

    def __exit__(self, *_):
        termios.tcsetattr(0, termios.TCSADRAIN, self._saved)


def is_interactive():
    return sys.stdin.isatty() and sys.stdout.isatty()


def size():
    """Rows and columns of the host's terminal."""
    try:
        packed = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
        rows, columns = struct.unpack("HHHH", packed)[:2]
    except OSError:
        rows, columns = 0, 0
    return rows or 24, columns or 80


def same_file(first, second):
    """Do both descriptors lead to the same place?"""
    a, b = os.fstat(first), os.fstat(second)
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
