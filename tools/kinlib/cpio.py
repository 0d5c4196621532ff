"""Writing newc cpio archives, the initrds' format.

Everything in them belongs to root. Directories above a member are added when they are missing.
"""
import os
import stat

HEADER_FIELDS = 13
TRAILER = "TRAILER!!!"

# Directories of the base initrd, so that an added file below one of them keeps its mode.
DIRECTORY_MODES = {"tmp": 0o1777, "var/tmp": 0o1777, "dev/shm": 0o1777, "root": 0o700}


class Archive:
    """Members are collected in memory; bytes() gives the archive."""

    def __init__(self):
        self._parts = []
        self._directories = set()
        self._next_inode = 1

    def add(self, name, mode, data=b"", mtime=0):
        """A member with its whole mode (type and permissions). `name` is a guest path."""
        name = name.strip("/")
        self._add_parents(name)
        if stat.S_ISDIR(mode):
            if name in self._directories or not name:
                return
            self._directories.add(name)
        self._append(name, mode, data, mtime)

    def add_directory(self, name, mode=None):
        if mode is None:
            mode = DIRECTORY_MODES.get(name.strip("/"), 0o755)
        self.add(name, stat.S_IFDIR | mode)

    def add_file(self, name, data, mode=0o644, mtime=0):
        self.add(name, stat.S_IFREG | mode, data, mtime)

    def add_link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def add_host(self, host, guest):
        """A host's file, link or directory with all that is below it."""
        status = os.lstat(host) if os.path.islink(host) else os.stat(host)
        mtime = int(status.st_mtime)
        if stat.S_ISLNK(status.st_mode):
            self.add(guest, status.st_mode, os.fsencode(os.readlink(host)), mtime)
        elif stat.S_ISDIR(status.st_mode):
            self.add(guest, status.st_mode, mtime=mtime)
            for entry in sorted(os.listdir(host)):
                self.add_host(os.path.join(host, entry), f"{guest.rstrip('/')}/{entry}")
        elif stat.S_ISREG(status.st_mode):
            with open(host, "rb") as file:
                self.add(guest, status.st_mode, file.read(), mtime)
        else:
            raise ValueError(f"{host}: not a file, directory or symbolic link")

    def bytes(self):
        parts = self._parts + [_member(TRAILER, 0, 0, b"", 0)]
        data = b"".join(parts)
        return data + bytes(-len(data) % 512)

    def _add_parents(self, name):
        parent = os.path.dirname(name)
        if parent and parent not in self._directories:
            self.add_directory(parent)

    def _append(self, name, mode, data, mtime):
        self._parts.append(_member(name, self._next_inode, mode, data, mtime))
        self._next_inode += 1


def _member(name, inode, mode, data, mtime):
    raw_name = os.fsencode(name) + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = [inode, mode, 0, 0, links, mtime, len(data), 0, 0, 0, 0, len(raw_name), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw_name
    return b"".join([head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)])
