#!/usr/bin/env python3
"""A test of the tests: kernels with a fault put in on purpose, each of which a scenario must find.

    mutants.py CONFIG [--jobs N] [NAME]...

CONFIG is what the build wrote: compiler, flags and object files, as JSON. Each fault is a piece of a source
file and what replaces it; the mutant is built from the same objects except that one file. The simulator
must fail on it, and fail again when it is run with the seed or schedule that it printed. Prints TAP.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys

from table import MUTANTS

TIMEOUT = 120


class Survived(Exception):
    pass


def mutate(mutant, directory):
    """Writes the changed source file and returns its path."""
    with open(mutant["file"], encoding="utf-8") as file:
        source = file.read()
    if source.count(mutant["old"]) != 1:
        raise Survived(f"{mutant['file']} holds the text to be replaced "
                       f"{source.count(mutant['old'])} times: bring the table up to date")
    path = os.path.join(directory, os.path.basename(mutant["file"]))
    with open(path, "w", encoding="utf-8") as file:
        file.write(source.replace(mutant["old"], mutant["new"]))
    return path


def build(mutant, config, directory):
    """Compiles the one file, links the simulator; returns its path."""
    source = mutate(mutant, directory)
    changed = os.path.join(directory, "changed.o")
    kernel = os.path.join(directory, "kernel.o")
    binary = os.path.join(directory, mutant["simulator"])
    original = os.path.join(config["objects"], mutant["file"].removesuffix(".c") + ".o")
    objects = config["simulators"][mutant["simulator"]].split()
    if original not in objects:
        raise Survived(f"{original} is not part of {mutant['simulator']}")
    run = lambda *command: subprocess.run(command, check=True)
    run(config["cc"], *config["cflags"].split(), "-Wno-error", "-w", "-MF", os.devnull, "-c", "-o",
        changed, source)
    run(*config["gather"].split(), "-o", kernel,
        *[changed if name == original else name for name in objects])
    run(config["cc"], *config["ldflags"].split(), "-o", binary, kernel, *config["machine"].split())
    return binary


def simulate(command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          timeout=TIMEOUT)


def check(mutant, config):
    """Raises Survived unless the fault is found and found again."""
    directory = os.path.join(config["objects"], "mutants", mutant["name"].replace(" ", "_"))
    os.makedirs(directory, exist_ok=True)
    binary = build(mutant, config, directory)
    found = simulate([binary, "--scenario", mutant["scenario"]])
    replay = re.search(r"^  replay: (.*)$", found.stdout, re.MULTILINE)
    if found.returncode == 0:
        raise Survived("nothing was found")
    if not replay:
        raise Survived(f"no replay is shown (status {found.returncode}):\n{found.stdout[-2000:]}")
    again = simulate(replay.group(1).split())
    if again.returncode == 0:
        raise Survived(f"not found again by {replay.group(1)}")
    reason = re.search(r"^# [^:]*: (.*)$", found.stdout, re.MULTILINE)
    return f"{reason.group(1)[:100] if reason else '?'} | {replay.group(1).partition(' --cpus')[2]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    with open(arguments.config, encoding="utf-8") as file:
        config = json.load(file)
    chosen = [m for m in MUTANTS if not arguments.names or m["name"] in arguments.names]
    failed = 0
    print(f"1..{len(chosen)}")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for mutant, outcome in zip(chosen, [pool.submit(check, m, config) for m in chosen]):
            try:
                print(f"ok {mutant['name']} # {outcome.result()}")
            except (Survived, subprocess.SubprocessError) as error:
                failed += 1
                print(f"not ok {mutant['name']} # {error}")
            sys.stdout.flush()
    print(f"mutants: {len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
