"""The interactive console: a terminal on both ends."""
import os

import pexpect
import pytest
from conftest import BUILD, KIN


@pytest.fixture
def boot():
    """Starts the host command on a pseudo-terminal."""
    started = []

    def start(*words):
        environment = dict(os.environ, KIN_BUILD=str(BUILD), TERM="vt100")
        child = pexpect.spawn(str(KIN), list(words), timeout=60, env=environment, dimensions=(30, 100))
        started.append(child)
        return child
    yield start
    for child in started:
        child.close(force=True)


def finish(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_shell_and_end_of_input(boot):
    child = boot("sh")
    child.expect_exact("# ")
    child.sendline("echo $((6*7))")
    child.expect_exact("\n42\r\n")
    child.expect_exact("# ")
    child.send("\x04")
    assert finish(child) == 0


def test_shell_status(boot):
    child = boot("sh")
    child.expect_exact("# ")
    child.sendline("exit 9")
    assert finish(child) == 9


def test_power_off(boot):
    child = boot("boot")
    child.expect_exact("# ")
    child.sendline("poweroff")
    assert finish(child) == 0


def test_terminal_has_a_size(boot):
    child = boot("sh")
    child.expect_exact("# ")
    child.sendline("stty size")
    child.expect_exact("30 100")


def test_leaving(boot):
    child = boot("sh")
    child.expect_exact("# ")
    child.send("\x1d")
    assert finish(child) == 130
