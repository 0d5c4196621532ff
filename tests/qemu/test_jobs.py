"""The job object: each rule of docs/jobs.md, its storms, and its tools as a person uses them."""
import re

import pytest
from conftest import BUILD, CPU_COUNTS, ROOT, run, sh

PROGRAMS = sorted(path.stem for path in (ROOT / "tests/jobs").glob("*.c"))


@pytest.mark.parametrize("cpus", CPU_COUNTS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_rules_and_storms(name, cpus):
    guest = run("--smp", cpus, "--timeout", 300, BUILD / "tests/jobs" / name)
    lines = guest.out.decode().splitlines()
    assert guest.status == 0, guest
    assert not [line for line in lines if not re.match(r"ok |1\.\.", line)], guest
    assert lines[-1] == f"1..{len(lines) - 1}", guest
