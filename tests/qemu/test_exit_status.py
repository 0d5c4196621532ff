"""The host command's exit status, for every way in which a run can end."""
import os
import re
import signal

import pytest
from conftest import BUILD, execute, kin, program, run, sh


@pytest.mark.parametrize("status", (0, 1, 42, 123, 124, 255))
def test_own_status(status):
    assert run(program("fault"), "exit", status).status == status


@pytest.mark.parametrize("end, number", (
    ("read-null", signal.SIGSEGV), ("execute-kernel", signal.SIGSEGV),
    ("write-kernel", signal.SIGSEGV), ("read-far", signal.SIGSEGV), ("divide", signal.SIGFPE),
    ("execute-nothing", signal.SIGILL), ("privileged", signal.SIGSEGV),
    ("execute-stack", signal.SIGSEGV), ("write-text", signal.SIGSEGV),
    ("exhaust-stack", signal.SIGSEGV), ("abort", signal.SIGABRT)))
def test_faults(end, number):
    host = execute([program("fault"), end])
    guest = run(program("fault"), end)
    assert host.status == -number
    assert (guest.status, guest.out, guest.err) == (128 + number, b"", b""), guest


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1))
def test_signals(number):
    assert run(program("fault"), "signal", int(number)).status == 128 + number


def test_time_out():
    guest = run("--timeout", 3, "/bin/busybox", "sleep", "1000")
    assert guest.status == 124 and b"time-out after 3 s" in guest.err
    assert b"busybox" in guest.err, "the list of processes"


@pytest.mark.parametrize("door", ("pvh", "uefi"))
def test_panic(door):
    guest = run("--door", door, "--append", "panic=test", program("hello"))
    report = guest.err.decode()
    assert guest.status == 125, guest
    assert "panic: panic=test" in report and "cr3" in report and "processes:" in report, guest
    names = ("panic_test_innermost", "panic_test_middle", "panic_test_outermost", "kmain")
    assert re.search(r".*".join(rf" {name}(\.cold)?\+0x" for name in names), report, re.DOTALL), guest


@pytest.mark.parametrize("door", ("pvh", "uefi"))
def test_triple_fault(door):
    guest = run("--door", door, "--append", "triplefault=test", program("hello"))
    assert guest.status == 125 and b"triple fault" in guest.err, guest


@pytest.mark.parametrize("words, status", (("exit 3", 0x300), ("divide", signal.SIGFPE)))
def test_death_of_init(words, status, tmp_path):
    """The first process ends: an /init that is a script and does what a program in trouble does."""
    script = tmp_path / "init"
    script.write_text(f"#!/bin/sh\nexec /bin/fault {words}\n")
    script.chmod(0o755)
    guest = run("--add", f"{program('fault')}:/bin/fault", "--add", f"{script}:/init", "/bin/busybox",
                "true")
    assert guest.status == 125 and b"the first process, init, ended" in guest.err, guest
    assert f"wait status {int(status):#x}".encode() in guest.err, guest


def test_power_off_and_restart_by_a_program():
    assert sh("poweroff -f").status == 0
    assert sh("reboot -f").status == 0


@pytest.mark.parametrize("door", ("pvh", "uefi"))
def test_no_kernel(door, build_copy):
    (build_copy / "kernel.elf").unlink()
    guest = run("--door", door, program("hello"), build=build_copy)
    assert guest.status == 126 and b"kernel.elf is missing" in guest.err


def test_no_qemu(tmp_path):
    for tool in ("/usr/bin/python3", "/usr/bin/env"):
        (tmp_path / os.path.basename(tool)).symlink_to(tool)
    guest = run(program("hello"), environment={"PATH": str(tmp_path)})
    assert guest.status == 126 and b"apt-get install qemu-system-x86" in guest.err


def test_broken_kernel(build_copy):
    (build_copy / "kernel.elf").unlink()
    (build_copy / "kernel.elf").write_bytes(b"not a kernel")
    guest = run(program("hello"), build=build_copy)
    assert guest.status == 126 and b"did not come up" in guest.err, guest


def test_missing_program(tmp_path):
    guest = run(tmp_path / "nothing")
    assert guest.status == 127 and b"not found" in guest.err


@pytest.mark.parametrize("path, reason", (
    ("/etc/passwd", b"not an ELF file"), ("/bin", b"not a file"),
    ("/usr/bin/python3", b"not static"), (BUILD / "kernel/lib/printf.o", b"not an executable")))
def test_unfit_programs(path, reason):
    guest = run(path)
    assert guest.status == 127 and reason in guest.err, guest


def test_absent_added_file():
    guest = kin("run", "--add", "/does/not/exist", program("hello"))
    assert guest.status == 127 and b"--add /does/not/exist" in guest.err
