"""Storms of processes on four CPUs. After each the kernel proves its family consistent, and has back what it gave."""
import pytest
from conftest import program, run

# The first round warms caches up: what it leaves behind is kept for good.
SCRIPT = """
/kin/storm reparent >/dev/null || exit 90
before=$(cat /proc/kin/memory)
before=$(cat /proc/kin/memory)
/kin/storm {storm} || exit 91
cat /proc/kin/check
after=$(cat /proc/kin/memory)
[ "$before" = "$after" ] || {{ echo "$before"; echo "$after"; exit 92; }}
"""


@pytest.mark.parametrize("storm, said", [
    ("bomb", "bomb: defused"),
    ("ten-thousand", "ten thousand: 10000 lived at once"),
    ("killed-at-once", "killed at once: 300"),
    ("wrap-around", "wrap around: 1 times"),
    ("reparent", "reparent: 1260 reaped"),
])
def test_storm(storm, said):
    guest = run("--smp", 4, "--mem", 2048, "--timeout", 300,
                "--add", f"{program('process_storm')}:/kin/storm",
                "/bin/busybox", "sh", "-c", SCRIPT.format(storm=storm))
    lines = guest.out.decode().splitlines()
    assert guest.status == 0, guest
    assert lines[0].startswith(said) and lines[1] == "ok", guest
