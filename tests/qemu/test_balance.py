"""What programs use, the kernel gets back."""
from conftest import program, run


def test_a_thousand_programs():
    """Free memory and live objects after the thousandth are those after the first."""
    guest = run("--smp", 1, "--timeout", 300, "--add", f"{program('hello')}:/kin/hello",
                program("many"), 1000, "/kin/hello", "a")
    assert guest.status == 0, guest
    lines = guest.out.decode().splitlines()
    first = [line.split(None, 1)[1] for line in lines if line.startswith("first ")]
    last = [line.split(None, 1)[1] for line in lines if line.startswith("last ")]
    assert first and first == last, "\n".join(lines)
