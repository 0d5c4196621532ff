#!/usr/bin/env python3
"""Prints a compilation database for editors: compile_commands.py 'COMPILER FLAGS' FILE..."""
import json
import os
import sys


def main():
    command, files = sys.argv[1], sys.argv[2:]
    directory = os.getcwd()
    entries = [{"directory": directory, "file": file, "command": f"{command} -c {file}"}
               for file in files]
    json.dump(entries, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
