"""The job object: each rule of docs/jobs.md, its storms, and fork bombs. The tools: test_job_tool.py."""
import re

import pytest
from conftest import BUILD, CPU_COUNTS, ROOT, program, run

PROGRAMS = sorted(path.stem for path in (ROOT / "tests/jobs").glob("*.c"))
FIGURES = [name for name in PROGRAMS if name.startswith("figures_")]


def check_tap(guest):
    lines = [line for line in guest.out.decode().splitlines() if not line.startswith("# ")]
    assert guest.status == 0, guest
    assert not [line for line in lines if not re.match(r"ok |1\.\.", line)], guest
    assert lines[-1] == f"1..{len(lines) - 1}", guest


@pytest.mark.parametrize("cpus", CPU_COUNTS)
@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in FIGURES])
def test_rules_and_storms(name, cpus):
    check_tap(run("--smp", cpus, "--timeout", 300, BUILD / "tests/jobs" / name))


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name):
    check_tap(run("--icount", "--smp", 1, "--timeout", 300, BUILD / "tests/jobs" / name))


BOMBS = {"shell": ["sh", "-c", "f() { f | f & }; f; sleep 1000"], "c": []}
MILLISECOND = 1_000_000


def run_bomb(cpus, bomb, *options):
    counted = ["--icount"] if cpus == 1 else []
    guest = run(*counted, "--smp", cpus, "--timeout", 300, program("job_bomb"), *options, *BOMBS[bomb])
    out = guest.out.decode()
    assert guest.status == 0, guest
    found = re.search(r"entered (\d+), exited (\d+), live 0", out)
    assert found and found[1] == found[2], guest
    assert "\nok\n" in out and "job: bomb: No such file or directory" in out, guest
    return {name: int(ns) for name, ns in re.findall(r"^([a-z ]+) (\d+)$", out, re.M)}


@pytest.mark.parametrize("cpus", CPU_COUNTS)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_fork_bomb(bomb, cpus):
    """A shell outside answers while 200 processes fork on; then it ends them all, and they are proven gone.

    How soon is measured on one CPU with counted instructions: with more, the answer waits for the host. A
    command of the shell is a new process, which has its first turn after all others: 200 slices of 1 ms.
    """
    longest = run_bomb(cpus, bomb)
    if cpus == 1:
        assert longest["line"] <= 100 * MILLISECOND, longest
        assert longest["command"] <= 500 * MILLISECOND, longest


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_fork_bomb_with_a_weight(bomb):
    """All of the bomb together weighs as much as one thread: a command, too, is done soon."""
    longest = run_bomb(1, bomb, "--weight=100")
    assert longest["line"] <= 100 * MILLISECOND, longest
    assert longest["command"] <= 100 * MILLISECOND, longest
