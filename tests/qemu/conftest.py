"""What the tests in QEMU share: running the host command, and finding what was built."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("KIN_BUILD", "build")
KIN = ROOT / "tools" / "kin"
DOORS = ("pvh", "uefi")
CPU_COUNTS = (1, 2, 4)

sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True


SHOWN = 8000  # characters of the beginning, and of the end


def shown(text):
    if len(text) <= 2 * SHOWN:
        return text
    return f"{text[:SHOWN]}\n[{len(text) - 2 * SHOWN} characters]\n{text[-SHOWN:]}"


class Result(str):
    """How a command ended and what it said, as bytes. As a text it is the report of a test that
    fails: pytest cuts what is no text short."""

    def __new__(cls, completed):
        out, err = (stream.decode(errors="replace") for stream in (completed.stdout, completed.stderr))
        failed = "".join(line for line in out.splitlines(True) if line.startswith("not ok"))
        result = super().__new__(cls, f"status {completed.returncode}\n{failed}"
                                      f"out: {shown(out)}\nerr: {shown(err)}")
        result.status = completed.returncode
        result.out = completed.stdout
        result.err = completed.stderr
        return result


def execute(command, data=None, **options):
    """Runs to the end; without `data` standard input is empty."""
    source = {"input": data} if data is not None else {"stdin": subprocess.DEVNULL}
    options.setdefault("timeout", 600)
    return Result(subprocess.run([str(word) for word in command], capture_output=True, check=False,
                                 **source, **options))


def kin(*words, data=None, build=BUILD, **options):
    """tools/kin with these words."""
    environment = dict(os.environ, KIN_BUILD=str(build), **options.pop("environment", {}))
    return execute([KIN, *words], data, env=environment, **options)


def run(*words, **options):
    """tools/kin run."""
    return kin("run", *words, **options)


def sh(commands, *options, **keywords):
    """Commands for Kin's busybox shell."""
    return kin("sh", *options, "-c", commands, **keywords)


def program(name):
    """A test program of tests/qemu/programs or tests/user."""
    for directory in ("tests/qemu", "tests/user"):
        path = BUILD / directory / name
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} was not built: make test-programs")


def check_balance(lines, guest):
    """Two times /proc/kin/memory is among the lines: was all given back in between? The same objects may
    lie in a slab more or less than before, and the kernel stack of the one who asks in a page table of
    its own or not."""
    values = {"free_frames": [], "slab_frames": [], "live_objects": []}
    for line in lines:
        word, _, number = line.partition(" ")
        if word in values:
            values[word].append(int(number))
    frames = [free + slabs for free, slabs in zip(values["free_frames"], values["slab_frames"])]
    objects = values["live_objects"]
    assert len(frames) == 2 and objects[0] == objects[1] and abs(frames[0] - frames[1]) <= 1, guest


@pytest.fixture
def build_copy(tmp_path):
    """A build directory of one's own, to break things in: links to the real files."""
    copy = tmp_path / "build"
    (copy / "boot").mkdir(parents=True)
    for name in ("kernel.elf", "initrd.cpio", "boot/bootx64.efi"):
        (copy / name).symlink_to(BUILD / name)
    return copy
