#!/usr/bin/env python3
"""Turns the function symbols of a kernel image into the assembly of its embedded symbol table.

    symbols.py IMAGE [--nm NM] > ksyms.S       the table; without IMAGE an empty one
    symbols.py --check FIRST SECOND [--nm NM]  fails if a function moved between the two links

kernel/lib/symbols.h declares what is generated.
"""
import argparse
import subprocess
import sys

BOUNDARIES = ("kernel_text_start", "kernel_image_start", "kernel_rodata_start")
TEXT_END = "kernel_text_end"  # closes the table

HEADER = """    .section .ksyms, "a"
    .balign 8
    .globl kernel_symbols, kernel_symbol_count
kernel_symbols:
"""


def read_functions(nm, image):
    """Sorted (address, name) of the text symbols, one an address, global names preferred."""
    listing = subprocess.run([nm, "-n", image], check=True, capture_output=True, text=True).stdout
    functions = {}
    for line in listing.splitlines():
        address, kind, name = line.rsplit(maxsplit=2)
        if name in BOUNDARIES or (kind not in "tTwW" and name != TEXT_END):
            continue
        if kind in "TW" or address not in functions:
            functions[address] = name
    return [(int(address, 16), name) for address, name in sorted(functions.items())]


def write_table(functions, out):
    offset = 0
    out.write(HEADER)
    for address, name in functions:
        out.write(f"    .quad {address:#x}, kernel_symbol_names + {offset}\n")
        offset += len(name) + 1
    out.write("kernel_symbol_count:\n")
    out.write(f"    .quad {len(functions)}\n")
    out.write("kernel_symbol_names:\n")
    for _, name in functions:
        out.write(f'    .asciz "{name}"\n')
    out.write('    .section .note.GNU-stack, "", @progbits\n')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("images", nargs="*")
    arguments = parser.parse_args()
    tables = [read_functions(arguments.nm, image) for image in arguments.images]
    if arguments.check:
        if tables[0] != tables[1]:
            sys.exit("symbols.py: functions moved between the two links")
        return
    write_table(tables[0] if tables else [], sys.stdout)


if __name__ == "__main__":
    main()
