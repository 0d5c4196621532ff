#!/usr/bin/env python3
"""Runs test programs and pytest suites, and ends with one line: N passed, N failed.

    run_tests.py [PROGRAM]... [--pytest DIRECTORY]

A program that prints TAP counts by its lines (cmocka's do, by CMOCKA_MESSAGE_OUTPUT), any other as
one test, by its exit status. The status is 1 if a test failed.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

PROGRAM_SECONDS = 1200
TAP_LINE = re.compile(r"^(not )?ok\b(?!.*# SKIP)", re.MULTILINE | re.IGNORECASE)


def run_program(path):
    """(passed, failed) of a test program; its output is shown if something failed."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    print(f"{path} ...", end=" ", flush=True)
    try:
        done = subprocess.run([path], env=environment, capture_output=True, text=True,
                              errors="replace", check=False, timeout=PROGRAM_SECONDS)
    except subprocess.TimeoutExpired as error:
        print(f"still running after {PROGRAM_SECONDS} s\n{error.stdout}")
        return 0, 1
    verdicts = TAP_LINE.findall(done.stdout)
    failed = sum(1 for verdict in verdicts if verdict)
    passed = len(verdicts) - failed
    if not verdicts and done.returncode == 0:
        passed = 1
    if done.returncode != 0 and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed", flush=True)
    if failed:
        print(done.stdout + done.stderr, flush=True)
    return passed, failed


def run_pytest(directory):
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-ra",
                   "--junitxml", report.name, directory]
        status = subprocess.run(command, check=False).returncode
        try:
            suites = xml.etree.ElementTree.parse(report.name).iter("testsuite")
            counts = [[int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")]
                      for suite in suites]
        except xml.etree.ElementTree.ParseError:
            return 0, 1
    total, failures, errors, skipped = (sum(column) for column in zip(*counts))
    failed = failures + errors
    if status not in (0, 1) and failed == 0:
        failed = 1
    return total - failures - errors - skipped, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--pytest", metavar="DIRECTORY")
    arguments = parser.parse_args()
    results = [run_program(program) for program in arguments.programs]
    if arguments.pytest:
        results.append(run_pytest(arguments.pytest))
    passed = sum(result[0] for result in results)
    failed = sum(result[1] for result in results)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
