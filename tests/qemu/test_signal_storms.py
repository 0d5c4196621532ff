"""Signals in great numbers on four CPUs. After each the kernel is consistent and has back what it gave.

KIN_STORM_MS=60000 makes the storm last a minute, in each of its three parts.
"""
import os

import pytest
from conftest import check_balance, program, run

SCRIPT = """
cat /proc/kin/memory > /tmp/after
cat /proc/kin/memory > /tmp/before
/kin/storm {small} >/dev/null || exit 90
cat /proc/kin/memory > /tmp/before
/kin/storm {large} || exit 91
cat /proc/kin/memory > /tmp/after
cat /proc/kin/check /tmp/before /tmp/after
"""
STORM_MS = os.environ.get("KIN_STORM_MS", "2000")


@pytest.mark.parametrize("name, small, large", [
    ("signal_fpu", "1000", "100000"),
    ("signal_forged", "1000", "100000"),
    ("signal_storm", "64 100", f"64 {STORM_MS}"),
])
def test_storm(name, small, large):
    guest = run("--smp", 4, "--timeout", 240 + 10 * int(STORM_MS) // 1000,
                "--add", f"{program(name)}:/kin/storm",
                "/bin/busybox", "sh", "-c", SCRIPT.format(small=small, large=large))
    assert guest.status == 0, guest
    assert b"not ok" not in guest.out and b"\nok\n" in guest.out, guest
    check_balance(guest.out.decode().splitlines(), guest)


def test_init_is_protected():
    """Nothing that a program sends ends or stops pid 1, but what it has asked for: SIGTERM and its kin."""
    guest = run("/bin/busybox", "sh", "-c",
                "for s in KILL STOP SEGV TSTP QUIT 35; do kill -$s 1 || exit 1; done; echo alive")
    assert guest.status == 0 and guest.out == b"alive\n", guest
