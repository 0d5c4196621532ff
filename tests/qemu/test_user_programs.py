"""Every program of tests/user prints and ends on Kin as it does on the host's Linux."""
import pytest
from conftest import BUILD, CPU_COUNTS, execute, run

def built(directory):
    """Names below BUILD/tests of the programs there."""
    paths = (BUILD / "tests" / directory).glob("*")
    return sorted(f"{directory}/{path.name}" for path in paths if path.suffix != ".d")


# All with musl on each number of CPUs; with glibc once.
CASES = [(name, cpus) for name in built("user") for cpus in CPU_COUNTS]
CASES += [(name, 2) for name in built("user-glibc")]


@pytest.fixture(scope="session")
def reference():
    """How each program ended on the host; run once."""
    results = {}

    def of(name):
        if name not in results:
            results[name] = execute([BUILD / "tests" / name], cwd="/")
        return results[name]
    return of


@pytest.mark.parametrize("name, cpus", CASES)
def test_as_on_linux(name, cpus, reference):
    host = reference(name)
    guest = run("--smp", cpus, "--timeout", 120, BUILD / "tests" / name)
    assert guest.out.decode(errors="replace") == host.out.decode(errors="replace"), guest
    assert guest.status == host.status, guest
    assert b"not ok" not in host.out, "the program fails on Linux, the reference"
