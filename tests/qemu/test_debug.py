"""make debug: gdb stops in the kernel and knows its symbols."""
import os

from conftest import BUILD, ROOT, execute, program


def test_breakpoint_in_kmain():
    environment = dict(os.environ, KIN_BUILD=str(BUILD), KIN_GDB_PORT="18234",
                       KIN_GDB_ARGS="-batch -ex backtrace -ex kill")
    result = execute([ROOT / "tools/debug", program("hello")], env=environment, timeout=120)
    assert b"kmain (" in result.out, result
