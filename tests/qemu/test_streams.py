"""Standard input, output and error, byte for byte."""
import hashlib
import random
import subprocess

import pytest
from conftest import KIN, execute, program, run, sh

NOISE = random.Random(7).randbytes(300_000)


def test_every_byte_value():
    guest = run(program("bytes"))
    assert guest.status == 0
    assert guest.out == bytes(range(256)) * 9
    assert guest.err == bytes(range(256))


def test_input_of_every_byte_value():
    guest = run("/bin/busybox", "cat", data=bytes(range(256)) * 3)
    assert guest.out == bytes(range(256)) * 3


def test_long_input_and_output():
    guest = run("/bin/busybox", "cat", data=NOISE)
    assert guest.status == 0
    assert hashlib.sha256(guest.out).digest() == hashlib.sha256(NOISE).digest(), len(guest.out)


def test_empty_input():
    for data in (None, b""):
        guest = run("/bin/busybox", "wc", "-c", data=data)
        assert (guest.status, guest.out) == (0, b"0\n"), guest


def test_input_from_a_file(tmp_path):
    """A redirected file is a file in the guest, from its position on."""
    path = tmp_path / "data"
    path.write_bytes(NOISE)
    with open(path, "rb") as file:
        file.seek(1000)
        command = [KIN, "run", "/bin/busybox", "sh", "-c", "test -f /dev/stdin && cat"]
        out = subprocess.run(command, stdin=file, capture_output=True, check=True).stdout
        assert out == NOISE[1000:] and file.tell() == 1000


def test_unread_input():
    assert run(program("hello"), data=NOISE).status == 0


def test_interactive_pipe():
    """Each line comes back before the next is sent: nothing waits for the end of the input."""
    with subprocess.Popen([KIN, "run", "/bin/busybox", "cat"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        for line in (b"one\n", b"two\n", b"three\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
        process.stdin.close()
        assert process.stdout.read() == b"" and process.wait() == 0


def test_order_of_output_and_error(tmp_path):
    """Into one file, the order is the program's."""
    with open(tmp_path / "both", "wb") as both:
        subprocess.run([KIN, "run", program("bytes"), "order"], stdin=subprocess.DEVNULL, stdout=both,
                       stderr=both, check=True)
    lines = (tmp_path / "both").read_text().split()
    assert lines == [str(number) for number in range(200)]


def test_closed_output():
    command = f"{KIN} run /bin/busybox yes | head -n 3"
    assert execute(["sh", "-c", command]).out == b"y\ny\ny\n"


def test_streams_are_not_terminals():
    guest = sh("test -t 0 || test -t 1 || test -t 2 || echo none", data=b"x")
    assert guest.out == b"none\n", guest


def test_kernel_log_goes_elsewhere(tmp_path):
    log = tmp_path / "log"
    guest = run("--log", log, program("hello"))
    assert guest.err == b"" and b"hello" in guest.out
    assert len(log.read_bytes()) > 0


@pytest.mark.parametrize("name", ("/bin/busybox", "busybox"))
def test_argument_zero_is_as_typed(name):
    guest = run(name, "sh", "-c", "tr '\\0' '\\n' < /proc/$$/cmdline | head -n 1")
    assert guest.out.decode().strip() == name, guest


