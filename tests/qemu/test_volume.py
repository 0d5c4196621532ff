"""The UEFI loader on a volume with missing or broken files: a message and an explicit code."""
import subprocess

import pexpect
import pytest
from conftest import BUILD, KIN, kin
from kinlib import machine


@pytest.fixture
def volume(tmp_path):
    """A good volume."""
    path = tmp_path / "volume.img"
    machine.build_volume(str(path), str(BUILD / "boot/bootx64.efi"), str(BUILD / "kernel.elf"),
                         [str(BUILD / "initrd.cpio")], "quiet")
    return path


def remove(volume, name):
    subprocess.run(["mdel", "-i", volume, f"::kin/{name}"], check=True)


def replace(volume, name, data, tmp_path):
    path = tmp_path / "data"
    path.write_bytes(data)
    subprocess.run(["mcopy", "-o", "-i", volume, path, f"::kin/{name}"], check=True)


def refused(volume, reason):
    guest = kin("boot", "--volume", volume, "--timeout", 60)
    assert guest.status == 126, guest
    assert b"cannot boot" in guest.err and reason in guest.err, guest


def test_good_volume(volume):
    child = pexpect.spawn(str(KIN), ["boot", "--volume", str(volume)], timeout=60)
    child.expect_exact("/ # ")
    child.sendline("poweroff")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("name", ("kernel.elf", "initrd.cpio", "cmdline"))
def test_missing_file(volume, name):
    remove(volume, name)
    refused(volume, name.encode() + b": Not Found")


def test_missing_directory(volume):
    subprocess.run(["mdeltree", "-i", volume, "::kin"], check=True)
    refused(volume, b"kin: Not Found")


def broken_kernels():
    """(name, bytes, reason)"""
    good = (BUILD / "kernel.elf").read_bytes()

    def patched(offset, data):
        return good[:offset] + data + good[offset + len(data):]

    first_segment = int.from_bytes(good[32:40], "little")
    return [
        ("empty", b"", b"not an ELF64 file"),
        ("text", b"hello" * 100, b"not an ELF64 file"),
        ("header only", good[:64], b"program headers are not in the file"),
        ("cut short", good[:8192], b"cut short"),
        ("32-bit", patched(4, b"\1"), b"not an ELF64 file"),
        ("other machine", patched(18, b"\xf3\0"), b"not an executable for x86_64"),
        ("relocatable", patched(16, b"\1\0"), b"not an executable for x86_64"),
        ("far headers", patched(32, b"\xf8" + b"\xff" * 7), b"program headers are not in the file"),
        ("no headers", patched(56, b"\0\0"), b"program headers are not in the file"),
        ("entry outside", patched(24, bytes(8)), b"entry point is not in its code"),
        ("huge segment", patched(first_segment + 40, b"\xff" * 8), b"not where a kernel's belongs"),
        ("low segment", patched(first_segment + 24, bytes(8)), b"not where a kernel's belongs"),
        ("far contents", patched(first_segment + 8, b"\xff" * 8), b"cut short"),
    ]


@pytest.mark.parametrize("data, reason", [pytest.param(data, reason, id=name)
                                          for name, data, reason in broken_kernels()])
def test_broken_kernel(volume, tmp_path, data, reason):
    replace(volume, "kernel.elf", data, tmp_path)
    refused(volume, reason)


@pytest.mark.parametrize("kind", ("empty", "text", "cut short"))
def test_broken_initrd(volume, tmp_path, kind):
    good = (BUILD / "initrd.cpio").read_bytes()
    data = {"empty": b"", "text": b"hello" * 100, "cut short": good[:100_000]}[kind]
    replace(volume, "initrd.cpio", data, tmp_path)
    refused(volume, b"initrd.cpio is broken")


def test_long_command_line(volume, tmp_path):
    replace(volume, "cmdline", b"x" * 5000, tmp_path)
    refused(volume, b"longer than")
