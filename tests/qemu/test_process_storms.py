"""Storms of processes. After each the kernel proves its family consistent, and has back what it gave."""
import pytest
from conftest import check_balance, program, run

# The first rounds warm caches up: what they leave behind is kept for good. So are the files of what is
# noted.
SCRIPT = """
cat /proc/kin/memory > /tmp/after
cat /proc/kin/memory > /tmp/before
for warm in reparent bomb killed-at-once bomb; do /kin/storm $warm >/dev/null || exit 90; done
cat /proc/kin/memory > /tmp/before
/kin/storm {storm} || exit 91
cat /proc/kin/memory > /tmp/after
cat /proc/kin/check /tmp/before /tmp/after
"""


# The pid space is wrapped around on one CPU: what counts there is the number of births, not the races.
@pytest.mark.parametrize("storm, cpus, said", [
    ("bomb", 4, "bomb: defused"),
    ("ten-thousand", 4, "ten thousand: 10000 lived at once"),
    ("killed-at-once", 4, "killed at once: 300"),
    ("wrap-around", 1, "wrap around: 1 times"),
    ("reparent", 4, "reparent: 1260 reaped"),
])
def test_storm(storm, cpus, said):
    guest = run("--smp", cpus, "--mem", 2048, "--timeout", 300,
                "--add", f"{program('process_storm')}:/kin/storm",
                "/bin/busybox", "sh", "-c", SCRIPT.format(storm=storm))
    lines = guest.out.decode().splitlines()
    assert guest.status == 0, guest
    assert lines[0].startswith(said) and lines[1] == "ok", guest
    check_balance(lines, guest)
