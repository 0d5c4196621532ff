"""Scripts print the same in Debian's busybox shell on Kin as on the host."""
import pathlib
import subprocess

import pytest
from conftest import CPU_COUNTS, execute, kin, sh

SCRIPTS = sorted((pathlib.Path(__file__).parent / "scripts").glob("*.sh"))
BUSYBOX = "/bin/busybox"


@pytest.fixture(scope="session")
def applets(tmp_path_factory):
    """Busybox's own tools, as in the guest; the host's would differ."""
    directory = tmp_path_factory.mktemp("applets")
    subprocess.run([BUSYBOX, "--install", "-s", directory], check=True)
    return directory


@pytest.mark.parametrize("cpus", CPU_COUNTS)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(script, cpus, applets, tmp_path):
    host = execute([BUSYBOX, "sh", script, tmp_path], env={"PATH": str(applets), "HOME": "/root"})
    guest = kin("sh", "--smp", cpus, "--add", f"{script}:/script.sh", "/script.sh", "/tmp")
    assert guest.out.decode() == host.out.decode(), guest
    assert guest.status == host.status, guest


@pytest.mark.parametrize("commands, status, out", (
    ("exit 5", 5, b""), ("echo a; false", 1, b"a\n"), ("kill -9 $$", 137, b""),
    ("echo $0", 0, b"sh\n"), ("nonsense", 127, b""), ("id -u; pwd", 0, b"0\n/\n")))
def test_commands(commands, status, out):
    guest = sh(commands)
    assert (guest.status, guest.out) == (status, out), guest


def test_script_from_standard_input():
    guest = kin("sh", data=b"for i in 1 2 3; do echo $i; done\nexit 4\n")
    assert (guest.status, guest.out) == (4, b"1\n2\n3\n"), guest
