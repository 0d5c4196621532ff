"""Debian's own programs, unmodified."""
import hashlib
import random

import pytest
from conftest import CPU_COUNTS, execute, run


def test_uname():
    guest = run("/bin/busybox", "uname", "-a")
    words = guest.out.decode().split()
    assert guest.status == 0 and "x86_64" in words, guest


@pytest.mark.parametrize("cpus", CPU_COUNTS)
def test_hash_of_an_added_file(tmp_path, cpus):
    data = random.Random(1).randbytes(5 << 20)
    path = tmp_path / "data"
    path.write_bytes(data)
    guest = run("--smp", cpus, "--add", path, "/bin/busybox", "sha256sum", path)
    assert guest.out.decode() == f"{hashlib.sha256(data).hexdigest()}  {path}\n", guest


def test_listing():
    guest = run("/bin/busybox", "ls", "-l", "/")
    names = {line.split()[8] for line in guest.out.decode().splitlines() if len(line.split()) > 8}
    assert guest.status == 0 and {"bin", "dev", "etc", "tmp", "init"} <= names, guest


def test_modes_and_links_of_added_files(tmp_path):
    (tmp_path / "tree/below").mkdir(parents=True)
    (tmp_path / "tree/below/file").write_text("text")
    (tmp_path / "tree/below/file").chmod(0o640)
    (tmp_path / "tree/link").symlink_to("below/file")
    script = "stat -c '%a %F' below/file; readlink link; cat link"
    words = ["/bin/busybox", "sh", "-c", f"cd {tmp_path}/tree && {script}"]
    assert run("--add", tmp_path / "tree", *words).out == execute(words).out


def test_an_added_link_is_what_it_leads_to(tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    guest = run("--add", f"{tmp_path}/link:/given", "/bin/busybox", "stat", "-c", "%F %s", "/given")
    assert (guest.status, guest.out) == (0, b"regular file 4\n"), guest


def test_bash():
    script = "a=(1 2 3); echo ${a[@]} $(( ${#a[@]} * 2 )); exit 7"
    guest = run("/bin/bash-static", "-c", script)
    assert (guest.status, guest.out) == (7, b"1 2 3 6\n"), guest


@pytest.mark.parametrize("model", ("qemu64", "max"))
def test_processor_models(model):
    """With the least and with all that QEMU can emulate: FXSAVE and XSAVE, with SMAP and without."""
    script = "for i in 1 2 3 4; do (awk 'BEGIN { for (x = 0; x < 20000; x++) s += x / 7; print s }') & done; wait"
    guest = run("/bin/busybox", "sh", "-c", script, environment={"KIN_CPU": model})
    assert guest.status == 0 and guest.out == b"28570000\n" * 4, guest
