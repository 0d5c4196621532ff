"""Every program of tests/user prints and ends on Kin as it does on the host's Linux."""
import pytest
from conftest import BUILD, CPU_COUNTS, execute, run

NAMES = sorted(path.name for path in (BUILD / "tests/user").glob("*")
               if path.suffix != ".d") if (BUILD / "tests/user").exists() else []


@pytest.fixture(scope="session")
def reference():
    """How each program ended on the host; run once."""
    results = {}

    def of(name):
        if name not in results:
            results[name] = execute([BUILD / "tests/user" / name], cwd="/")
        return results[name]
    return of


# All with musl on each number of CPUs; with glibc once.
CASES = [(name, cpus) for name in NAMES for cpus in ((2,) if ".glibc" in name else CPU_COUNTS)]


@pytest.mark.parametrize("name, cpus", CASES)
def test_as_on_linux(name, cpus, reference):
    host = reference(name)
    guest = run("--smp", cpus, "--timeout", 120, BUILD / "tests/user" / name)
    assert guest.out.decode(errors="replace") == host.out.decode(errors="replace"), guest
    assert guest.status == host.status, guest
    assert b"not ok" not in host.out, "the program fails on Linux, the reference"
