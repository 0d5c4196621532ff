#!/usr/bin/env python3
"""Proves that an object needs nothing but what the given headers declare.

    check_seam.py [--nm NM] OBJECT HEADER...
"""
import argparse
import re
import subprocess
import sys

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
# Made by the build from the finished kernel: kernel/lib/symbols.h.
GENERATED = {"kernel_symbols", "kernel_symbol_count"}


def declared_names(headers):
    names = set()
    for header in headers:
        with open(header, encoding="utf-8") as file:
            names |= set(re.findall(r"\b[A-Za-z_]\w*\b", COMMENT.sub(" ", file.read())))
    return names


def undefined_names(nm, path):
    listing = subprocess.run([nm, "-u", path], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in listing.splitlines()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nm", default="nm")
    parser.add_argument("object")
    parser.add_argument("headers", nargs="+")
    arguments = parser.parse_args()
    needed = undefined_names(arguments.nm, arguments.object)
    beyond = sorted(needed - declared_names(arguments.headers) - GENERATED)
    for name in beyond:
        print(f"beyond the seam: {name}", file=sys.stderr)
    if beyond:
        sys.exit(1)
    print(f"the seam holds: {len(needed)} names needed, all declared by it")


if __name__ == "__main__":
    main()
