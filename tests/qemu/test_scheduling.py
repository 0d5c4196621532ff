"""
CPUs are shared as the weights, masks and policies say; time adds up; sleepers wake in order.

On one CPU, figures are measured in counted instructions (--icount): a busy host then changes nothing.
With more, QEMU lets a CPU wait for as long as the others' timers are silent, so it is wall time there, and
the figures are such that the host's own switching does not matter.
"""
import os

import pytest
from conftest import program, run

SMP = (1, 2, 4, 8)
SOAK_SECONDS = int(os.environ.get("KIN_SOAK_SECONDS", "15"))


def lines(guest):
    assert guest.status == 0, guest
    return [line.split() for line in guest.out.decode().splitlines()]


def measured(cpus):
    return ["--icount"] if cpus == 1 else []


def shares(cpus, seconds, cpu, *nice_values):
    guest = run(*measured(cpus), "--smp", cpus, "--timeout", 120, program("share"), seconds, cpu, *nice_values)
    return [(int(nice), int(ns), int(switches), int(mask, 16))
            for nice, ns, switches, mask in lines(guest)]


@pytest.mark.parametrize("cpus", SMP)
def test_equal_shares(cpus):
    """16 processes that compute: all CPUs are used, and soon nobody has had 5% more than another."""
    results = shares(cpus, 60, -1, *[0] * 16)
    times = [ns for _, ns, _, _ in results]
    used = 0
    for _, _, _, mask in results:
        used |= mask
    assert used == (1 << cpus) - 1, results
    assert max(times) - min(times) <= 0.05 * max(times), results


def test_nice_weights():
    """Nice 0 against nice 5 on one CPU: 1024 to 335, over at least 200 slices."""
    (_, heavy, heavy_slices, _), (_, light, light_slices, _) = shares(1, 4, 0, 0, 5)
    assert heavy_slices + light_slices >= 200
    assert heavy / light == pytest.approx(1024 / 335, rel=0.05)


@pytest.mark.parametrize("cpus", (2, 4))
def test_affinity(cpus):
    [(_, pushed, _, violations)] = lines(run("--smp", cpus, "--timeout", 120,
                                             program("affinity"), 100000))
    assert int(pushed) > 100
    assert int(violations) == 0


@pytest.mark.parametrize("cpus", (1, 2, 4))
def test_realtime_first(cpus):
    """What an ordinary process gets while a FIFO process computes on its CPU: nothing."""
    results = lines(run(*measured(cpus), "--smp", cpus, "--timeout", 120, program("realtime"), cpus))
    assert len(results) == cpus + 2
    assert all(int(ns) == 0 for _, ns in results[:-1]), results
    assert results[-1] == ["pulled", "1"]


@pytest.mark.parametrize("cpus", (1, 2, 4))
def test_time_adds_up(cpus):
    [line] = lines(run(*measured(cpus), "--smp", cpus, "--timeout", 120, program("time_sum"), 4))
    figures = dict(zip(line[::2], map(int, line[1::2])))
    assert figures["cpus"] == cpus
    assert figures["used"] + figures["idle"] == pytest.approx(figures["elapsed"] * cpus, rel=0.01)


@pytest.mark.parametrize("cpus", (1, 2, 4))
def test_sleepers(cpus):
    """1,000 sleepers wake in order, none early, none lost; then nothing disturbs the idle machine."""
    (_, woken, _, early, _, overtaken), (_, interrupts) = lines(
        run(*measured(cpus), "--smp", cpus, "--timeout", 120, program("sleepers"), 1000))
    assert (int(woken), int(early)) == (1000, 0)
    if cpus == 1:
        assert int(overtaken) == 0
    # The sleep of the program itself ends by one.
    assert int(interrupts) <= 1 + cpus


@pytest.mark.parametrize("cpus", (1, 4))
def test_soak(cpus):
    guest = run("--smp", cpus, "--timeout", SOAK_SECONDS + 60, program("soak"), SOAK_SECONDS, cpus)
    assert guest.status == 0, guest
    assert guest.out == b"failed 0 check ok\n", guest
