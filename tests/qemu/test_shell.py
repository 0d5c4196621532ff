"""Shells as people use them: line editing, job control, keys; and a long script."""
import hashlib
import os
import pathlib

import pexpect
import pytest
from conftest import BUILD, CPU_COUNTS, KIN, execute, run

SHELLS = {
    "busybox": ("run", "/bin/busybox", "sh"),
    "bash": ("run", "/bin/bash-static", "--norc", "--noediting"),
}
SCRIPT = pathlib.Path(__file__).parent / "programs" / "script.sh"


@pytest.fixture(params=SHELLS)
def shell(request):
    environment = dict(os.environ, KIN_BUILD=str(BUILD), TERM="dumb", PS1="ready> ")
    child = pexpect.spawn(str(KIN), [SHELLS[request.param][0], "--env", "PS1=ready> ", "--env", "TERM=dumb",
                                     *SHELLS[request.param][1:]], timeout=60, env=environment)
    child.expect_exact("ready> ")
    yield child
    child.close(force=True)


def say(child, line, answer):
    child.sendline(line)
    child.expect(answer)
    child.expect_exact("ready> ")


def test_interrupt_key(shell):
    shell.sendline("cat")
    shell.sendline("heard")
    shell.expect_exact("heard\r\nheard\r\n")
    shell.send("\x03")
    shell.expect_exact("ready> ")
    say(shell, "echo status $?", r"\nstatus 130\r\n")


def test_end_of_file_key(shell):
    shell.sendline("cat; echo over")
    shell.sendline("some")
    shell.expect_exact("some\r\nsome\r\n")
    shell.send("\x04")
    shell.expect(r"over\r\n")


def test_erasing_keys(shell):
    shell.sendline("cat")
    shell.send("wrong\x15tyqo\x7f\x7fpo\r")
    shell.expect(r"\ntypo\r\n")
    shell.send("\x04")
    shell.expect_exact("ready> ")


def test_stop_and_continue(shell):
    shell.sendline("cat")
    shell.sendline("before")
    shell.expect_exact("before\r\nbefore\r\n")
    shell.send("\x1a")
    shell.expect_exact("ready> ")
    say(shell, "jobs", r"Stopped.*cat")
    shell.sendline("fg")
    shell.expect("cat")
    shell.sendline("after")
    shell.expect_exact("after\r\nafter\r\n")
    shell.send("\x04")
    shell.expect_exact("ready> ")


def test_reading_in_the_background(shell):
    say(shell, "cat &", "")
    say(shell, "while kill -0 $! && ! grep -q 'State:.T' /proc/$!/status; do :; done; jobs", r"Stopped.*cat")
    say(shell, "kill -9 $!; while grep -q 'State:.T' /proc/$!/status; do :; done; echo gone", r"\ngone\r\n")


def test_background_job_and_wait(shell):
    say(shell, "(exit 3) & wait $!; echo got $?", r"got 3\r\n")


def test_quit_key(shell):
    shell.sendline("cat")
    shell.sendline("heard")
    shell.expect_exact("heard\r\nheard\r\n")
    shell.send("\x1c")
    shell.expect_exact("ready> ")
    say(shell, "echo status $?", r"\nstatus 131\r\n")


def test_process_listing_key(shell):
    shell.sendline("cat")
    shell.sendline("heard")
    shell.expect_exact("heard\r\nheard\r\n")
    shell.send("\x14p")
    shell.expect(r"pid +ppid")
    shell.expect(r"1 +0 +1 alive.*init")
    shell.expect(r"sleeping.*cat|sleeping.*busybox")


@pytest.mark.parametrize("cpus", CPU_COUNTS)
def test_long_script(cpus):
    """As on the host, to the last byte and the exit status."""
    words = ["/bin/busybox", "sh", SCRIPT]
    guest = run("--smp", cpus, "--add", SCRIPT, *words)
    host = execute(["/bin/busybox", "sh", str(SCRIPT)])
    assert guest.out == host.out and guest.status == host.status, guest


def test_pasting_more_than_fits(shell):
    """Input that nobody reads yet waits in the device, and none of it is lost."""
    lines = [f"line {number} of what is pasted" for number in range(1500)]
    say(shell, "stty -echo", "")
    shell.sendline("sleep 1; md5sum")
    shell.send("".join(line + "\n" for line in lines))
    shell.send("\x04")
    shell.expect_exact(hashlib.md5("".join(line + "\n" for line in lines).encode()).hexdigest())
