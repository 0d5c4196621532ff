#!/usr/bin/env python3
"""Writes the base initrd: our programs, Debian's static busybox and bash, and what they expect.

    mkinitrd.py -o INITRD PROGRAM...    a program named init becomes /init, others go to /bin
"""
import argparse
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from kinlib import cpio, elf  # noqa: E402

BUSYBOX = "/bin/busybox"
BASH = "/bin/bash-static"
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/hostname": "kin\n",
}


def read_static(path, package):
    """A static program of the host's Debian."""
    problem = elf.why_not_static(path) if os.path.exists(path) else "not there"
    if problem:
        sys.exit(f"mkinitrd: {path}: {problem} (Debian: apt-get install {package})")
    with open(path, "rb") as file:
        return file.read()


def busybox_links():
    """Guest paths of all the applets."""
    listing = subprocess.run([BUSYBOX, "--list-full"], check=True, capture_output=True, text=True)
    return sorted(set(listing.stdout.split()) - {"bin/busybox"})


def build(programs):
    archive = cpio.Archive()
    for directory in ("bin", "sbin", "usr/bin", "usr/sbin", "dev", "dev/shm", "etc", "proc", "root",
                      "tmp", "var", "var/tmp"):
        archive.add_directory(directory)
    for program in programs:
        name = os.path.basename(program)
        with open(program, "rb") as file:
            archive.add_file("init" if name == "init" else f"bin/{name}", file.read(), 0o755)
    archive.add_file("bin/busybox", read_static(BUSYBOX, "busybox-static"), 0o755)
    archive.add_file("bin/bash-static", read_static(BASH, "bash-static"), 0o755)
    archive.add_link("bin/bash", "bash-static")
    for link in busybox_links():
        archive.add_link(link, "/bin/busybox")
    for name, text in FILES.items():
        archive.add_file(name, text.encode())
    return archive.bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", dest="output", required=True)
    parser.add_argument("programs", nargs="+")
    arguments = parser.parse_args()
    data = build(arguments.programs)
    with open(arguments.output, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
