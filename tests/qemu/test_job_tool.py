"""`job` and `workload` as a person at a shell uses them: answers, complaints and exit codes."""
import os
import re
import subprocess
import time

import pytest
from conftest import BUILD, KIN, ROOT, execute, run, sh

MARK = "-----"
COMMANDS = ("run", "ls", "stat", "kill", "freeze", "thaw", "signal", "set", "events")


def session(*lines, before="", cpus=2):
    """What each line did: (status, standard output, standard error). All in one shell."""
    script = [before] + [f"{{ {line}\n}} > /tmp/out 2> /tmp/err; echo $?; cat /tmp/out; echo {MARK}; "
                         f"cat /tmp/err; echo {MARK}" for line in lines]
    guest = sh("\n".join(script), "--smp", cpus, "--timeout", 120)
    assert guest.status == 0, guest
    parts = guest.out.decode().split(MARK + "\n")
    assert len(parts) == 2 * len(lines) + 1, guest
    heads = [part.partition("\n") for part in parts[:-1:2]]
    return [(int(status), out, err) for (status, _, out), err in zip(heads, parts[1::2])]


def check(cases, **keywords):
    """Each case: a line, its status, and patterns that its output and its complaint must match."""
    for (line, status, out, err), got in zip(cases, session(*[case[0] for case in cases], **keywords)):
        assert got[0] == status, (line, got)
        assert re.fullmatch(out, got[1], re.S), (line, got)
        assert re.fullmatch(err, got[2], re.S), (line, got)


def test_help():
    got = session("job --help", "job -h", "job", *[f"job {name} --help" for name in COMMANDS])
    (status, usage, complaint), short, (failed, nothing, usage_error) = got[:3]
    assert (status, complaint) == (0, "") and short[1] == usage
    assert (failed, nothing) == (125, "") and usage_error == usage
    for name, (status, out, err) in zip(COMMANDS, got[3:]):
        assert (status, err) == (0, ""), name
        assert out.startswith(f"usage: job {name} "), out
        assert out.split("\n")[0].partition("job ")[2].split() == \
            re.search(rf"^  job ({name} .*)$", usage, re.M)[1].split(), name
        assert "exit status: CMD's" in out and ("--procs=N" in out) == (name in ("run", "set"))


# Run on Linux by env(1), and here by job run: the exit codes must be the same.
PROGRAMS = ("true", "false", "sh -c 'exit 3'", "nosuch", "/etc", "/etc/passwd", "./nosuch", "/etc/passwd/x",
            "sh -c 'kill -TERM $$'", "sh -c 'kill -KILL $$'")


def test_exit_codes_are_those_of_env():
    linux = [execute(["sh", "-c", f"env {words}; exit $?"]).status for words in PROGRAMS]
    kin = session(*[f"job run {words}" for words in PROGRAMS])
    assert [got[0] for got in kin] == linux
    assert kin[3][2] == "job: nosuch: No such file or directory\n"
    assert kin[4][2] == "job: /etc: Permission denied\n"


NOT_THERE = r"job: nosuch: No such file or directory\n"
TRY_HELP = r".*\nTry 'job --help'\.\n"


def test_complaints():
    check([
        ("job nosuch", 125, "", "job: no command 'nosuch'" + TRY_HELP),
        ("job run", 125, "", "job: run: which command\\?" + TRY_HELP),
        ("job run --nosuch true", 125, "", "job: run: no option '--nosuch'" + TRY_HELP),
        ("job run --procs=x true", 125, "", "job: --procs=x: not a number" + TRY_HELP),
        ("job run --procs=-1 true", 125, "", "job: --procs=-1: not a number" + TRY_HELP),
        ("job run --memory=1Q true", 125, "", "job: --memory=1Q: not a number" + TRY_HELP),
        ("job run --memory=99999999T true", 125, "", ".*not a number" + TRY_HELP),
        ("job run --cpu-time=soon true", 125, "", "job: --cpu-time=soon: not a time" + TRY_HELP),
        ("job run --bandwidth=half true", 125, "", ".*neither a percentage nor.*" + TRY_HELP),
        ("job run --cpus=3-1 true", 125, "", ".*not a list of CPUs" + TRY_HELP),
        ("job run --at-procs=smile true", 125, "", ".*no such action" + TRY_HELP),
        ("job run --name=a/b true", 125, "", "job: cannot create the job a/b: Invalid argument\n"),
        (f"job run --name={'x' * 32} true", 125, "", ".*the name is too long" + TRY_HELP),
        ("job run --procs=0 true", 125, "", "job: cannot start a process in the job: .*unavailable\n"),
        ("job run --name=taken job run --name=taken true", 0, "", ""),
        ("job ls a b", 125, "", "job: ls: at most one job" + TRY_HELP),
        ("job ls nosuch", 125, "", NOT_THERE),
        ("job ls -l", 125, "", "job: no option '-l'" + TRY_HELP),
        ("job ls '#999'", 125, "", "job: #999: No such file or directory\n"),
        ("job ls pid:999", 125, "", "job: pid:999: No such process\n"),
        ("job stat", 125, "", "job: stat: one job" + TRY_HELP),
        ("job stat nosuch", 125, "", NOT_THERE),
        ("job kill", 125, "", "job: kill: one job" + TRY_HELP),
        ("job kill --now a", 125, "", "job: kill: no option '--now'" + TRY_HELP),
        ("job kill --wait=soon a", 125, "", "job: kill: --wait=soon: not a time" + TRY_HELP),
        ("job kill nosuch", 125, "", NOT_THERE),
        ("job kill .", 125, "", r"job: \.: Permission denied\n"),
        ("job freeze .", 125, "", "job: freeze: a job, and the command.*" + TRY_HELP),
        ("job freeze nosuch true", 125, "", NOT_THERE),
        ("job thaw", 125, "", "job: thaw: one job" + TRY_HELP),
        ("job thaw nosuch", 125, "", NOT_THERE),
        ("job signal TERM", 125, "", "job: signal: a signal's name.*" + TRY_HELP),
        ("job signal SMILE .", 125, "", "job: signal: a signal's name.*" + TRY_HELP),
        ("job signal TERM nosuch", 125, "", NOT_THERE),
        ("job set a", 125, "", "job: set: at least one limit.*" + TRY_HELP),
        ("job set --procs=1 nosuch", 125, "", NOT_THERE),
        ("job set --procs=1 .", 125, "", r"job: \.: Permission denied\n"),
        ("job events", 125, "", "job: events: one job" + TRY_HELP),
        ("job events nosuch", 125, "", NOT_THERE),
    ])


# A job with three members, of which one is in a job below it.
BUILD_JOB = """
    job run --name=build --procs=20 --memory=64M sh -c 'job run --name=tests sleep 1000 & exec sleep 1000' &
    until job ls build 2> /dev/null | grep -q '    [0-9]* sleep'; do :; done
    """
LINE = r"  \[job \d+: %s active, %s entered, cpu [\d.]+ s, memory \d+ KiB\]\n"


def test_looking():
    tree = ("build" + LINE % (3, 3) + r"  \d+ sleep\n  \d+ job\n" +
            "  tests" + LINE % (1, 1) + r"    \d+ sleep\n")
    check([
        ("job ls build", 0, tree, ""),
        ("job ls /build", 0, "/" + tree, ""),
        ("job ls build/tests", 0, "build/tests" + LINE % (1, 1) + r"  \d+ sleep\n", ""),
        ("job ls", 0, r"\.  \[job 1: .*\n  1 init\n.*  build" + LINE % (3, 3) + ".*", ""),
        ("job ls | grep -c tests", 0, r"1\n", ""),
        ("job stat build | head -4", 0, r"job +2\nparent +1\nstate +open\nactive +3\n", ""),
        ("job stat build | grep max", 0, r"max procs +20 \(of job 2\)\nmax memory +67108864 \(of job 2\)\n", ""),
        ("job stat build/tests | grep 'max procs'", 0, r"max procs +20 \(of job 2\)\n", ""),
        ("job stat $(job ls build | sed -n 's/.*tests.*job \\([0-9]*\\).*/#\\1/p') | grep active", 0,
         r"active +1\npeak active +1\n", ""),
        ("job stat pid:$(job ls build | sed -n 's/^  \\([0-9]*\\) sleep/\\1/p') | grep ^job", 0, r"job +2\n", ""),
        ("cat /proc/$(job ls build | sed -n 's/^    \\([0-9]*\\) sleep/\\1/p')/cgroup", 0, r"0::/build/tests\n", ""),
        ("job run --stats true 2>&1 | grep -E '^(entered|exited)'", 0, r"entered +1\nexited +1\n", ""),
    ], before=BUILD_JOB)


def test_acting():
    check([
        ("job signal 0 build", 0, r"3 members\n", ""),
        ("job signal SIGCONT build/tests", 0, r"1 member\n", ""),
        ("job signal -WINCH build", 0, r"3 members\n", ""),
        ("job set --procs=2 --nice=3 build", 0, "", ""),
        ("job stat build | grep 'max procs'", 0, r"max procs +2 .*", ""),
        ("job freeze build sh -c 'job stat build | grep frozen; exit 5'", 5, r"frozen time +0\.0\d* s\n", ""),
        ("job freeze build nosuch", 127, "", NOT_THERE),
        ("job freeze . true", 125, "", r"job: \.: .*\n"),
        ("job thaw build", 125, "", "job: build was not born frozen; .*\n"),
        ("job kill --keep build/tests; while job stat build/tests > /dev/null 2>&1; do :; done", 0, "", ""),
        ("job stat build | grep -E '^(state|active)'", 0, r"state +open\nactive +1\n", ""),
        ("job kill --wait=10s build", 0, r"job 2: entered 3, exited 3, live 0; empty [\d.]+ ms after the kill\n", ""),
        ("wait; job kill build", 125, "", "job: build: No such file or directory\n"),
    ], before=BUILD_JOB)


def test_a_kill_that_does_not_wait_long_enough():
    """On one CPU nobody can die before the killer has given it up."""
    check([
        ("job kill --wait=0 build", 124, "", "job: build: .*timed out\n"),
        ("wait; job kill build", 125, "", "job: build: No such file or directory\n"),
    ], before=BUILD_JOB, cpus=1)


def test_born_frozen():
    check([
        ("job ls frozen", 0, "frozen" + LINE % (1, 1) + r"  \d+ job\n", ""),
        ("cat /tmp/touched", 1, "", ".*No such file.*"),
        ("job thaw frozen && wait && cat /tmp/touched", 0, r"here\n", ""),
    ], before="""
        job run --frozen --name=frozen sh -c 'echo here > /tmp/touched' &
        until job stat frozen 2> /dev/null | grep -q 'active  *1'; do :; done
        """)


def test_events():
    """What a job tells, a line an event: frozen and thawed by us, a fork refused, deaths, the end."""
    [(status, out, err)] = session("""
        : > /tmp/events; : > /tmp/to_empty
        job events --follow told > /tmp/events & follower=$!
        job events told > /tmp/to_empty & other=$!
        until grep -q FROZEN /tmp/events && grep -q FROZEN /tmp/to_empty; do job freeze told true; done
        echo go > /tmp/gate
        wait $follower && wait $other && cat /tmp/events && tail -1 /tmp/to_empty
        """, before="""
        mkfifo /tmp/gate
        job run --name=told --procs=2 sh -c 'read x < /tmp/gate; (exit 3); sleep 1000 & true & exit 4' 2> /dev/null &
        until job stat told > /dev/null 2>&1; do :; done
        """)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    events = [re.fullmatch(r"(\d+) [\d.]+ job 2 ([A-Z_]+)(.*)", line) for line in lines]
    assert all(events), out
    told = [(event[2], re.sub(r"pid \d+", "pid", event[3]).strip()) for event in events[:-1]]
    while told[:2] == [("FROZEN", ""), ("THAWED", "")]:
        told = told[2:]
    assert told == [("NEW", "pid"), ("EXIT", "pid status 3"), ("NEW", "pid"), ("LIMIT", "pid of job 2"),
                    ("EXIT", "pid status 2"), ("ABNORMAL_EXIT", "pid signal 9"), ("EMPTY", ""), ("DEAD", "")], told
    assert sorted(int(event[1]) for event in events[:-1]) == [int(event[1]) for event in events[:-1]], out
    assert events[-1][2] == "EMPTY", out


def test_limits():
    loop = "sh -c 'while :; do :; done'"
    check([
        (f"job run --cpu-time=50ms {loop}", 137, "", ""),
        (f"job run --proc-time=50ms {loop}", 137, "", ""),
        (f"job run --proc-time=50ms --at-proc-time=sigxcpu {loop}", 128 + 24, "", ".*"),
        ("job run --procs=1 sh -c 'true | true'", 2, "", "sh: can't fork: Resource temporarily unavailable\n"),
        ("job run --memory=1M dd if=/dev/zero of=/dev/null bs=4M count=1", 1, "", "dd: out of memory\n"),
        ("job run --nice=7 cut -d ' ' -f 19 /proc/self/stat", 0, r"7\n", ""),
        ("job run --cpus=1 grep Cpus_allowed_list /proc/self/status", 0, r"Cpus_allowed_list:\t1\n", ""),
        ("job run --weight=300 --class=3 --bandwidth=25% --depth=2 sh -c 'job stat . | tail -3'", 0,
         r"bandwidth +25\.0 ms of 100\.0 ms \(of job (\d+)\)\nweight +300\nclass +3 \(of job \1\)\n", ""),
    ])


def test_what_a_command_leaves_behind():
    check([
        ("job run sh -c 'sleep 1000 & exit 3'", 3, "", ""),
        ("job ls | grep -c sleep", 1, r"0\n", ""),
        ("job run --keep sh -c '(read x < /tmp/gate; echo late) & exit 4' & echo go > /tmp/gate; wait $!", 4,
         r"late\n", ""),
        ("job run --breakaway sh -c 'exit 0'", 0, "", ""),
    ], before="mkfifo /tmp/gate")


# --- The sessions that the manuals show ---

ANSWER_SECONDS = 120


class Shell:
    """A shell in a guest that is told a line at a time."""

    def __init__(self):
        self.guest = subprocess.Popen([KIN, "sh", "--timeout", "300"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                      env=dict(os.environ, KIN_BUILD=str(BUILD)))

    def say(self, line):
        """The lines of the answer."""
        self.guest.stdin.write(f"{line}\necho {MARK}\n")
        self.guest.stdin.flush()
        return list(iter(lambda: self.guest.stdout.readline().rstrip("\n"), MARK))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.guest.stdin.close()
        self.guest.wait(ANSWER_SECONDS)


def sessions(path):
    """(line, answer) of each session in the manual: a block whose lines begin with "# "."""
    found = []
    for block in re.findall(r"^```\n(.*?)^```$", (ROOT / path).read_text(), re.M | re.S):
        if re.match(r"(\$ tools/kin sh\n)?# ", block):
            found += [(part.split("\n")[0], part.split("\n")[1:-1])
                      for part in re.split(r"^# ", block, flags=re.M)[1:]]
    return found


def without_numbers(lines):
    return [re.sub(r"\d+(\.\d+)?", "N", line) for line in lines]


@pytest.mark.parametrize("manual", ("README.md", "docs/jobs.md"))
def test_session_of_the_manual(manual):
    """Who looks at a job that has just been started looks again until it is as the manual shows it."""
    lines = sessions(manual)
    assert len(lines) >= 7
    with Shell() as shell:
        for line, expected in lines:
            deadline = time.monotonic() + ANSWER_SECONDS
            answer = shell.say(line)
            while without_numbers(answer) != without_numbers(expected) and line.startswith(("job ls", "job stat")):
                assert time.monotonic() < deadline, (line, answer)
                answer = shell.say(line)
            assert without_numbers(answer) == without_numbers(expected), line
            live = re.search(r"entered (\d+), exited (\d+), live", "\n".join(answer))
            assert not live or live[1] == live[2], answer


@pytest.mark.parametrize("on", ("host", "kin"))
def test_workload(on):
    words = [BUILD / "user/workload", "-n", 8, "-t", 0.3, "-d", 2, "spin", "yield", "sleep", "pipe", "fork",
             "signal", "hang", "crash"]
    guest = execute(words) if on == "host" else run("--timeout", 120, *words)
    out = guest.out.decode()
    assert guest.status == 1, guest
    assert len(re.findall(r"^worker [0-5] \w+: [1-9]\d*$", out, re.M)) == 6, guest
    assert "worker 6 hang: no report: timed out" in out, guest
    assert "worker 7 crash: no report: signalled 6" in out, guest
    if on == "kin":
        found = re.search(r"job: entered (\d+), exited (\d+), live 0", out)
        assert found and found[1] == found[2], guest


@pytest.mark.parametrize("on", ("host", "kin"))
def test_workload_says_why(on):
    """Who left no report, and why: by signal, by exit, too late, and when nobody can wait for them."""
    words = "exec workload -n 3 -t 0.2 -d 1 crash leave hang"
    for trap, reasons in (("", ("signalled 6", "exited 7", "timed out")),
                          ("trap '' CHLD; ", ("wait failed: No child process(es)?",) * 3)):
        if on == "host":
            got = execute(["bash", "-c", f"PATH={BUILD}/user:$PATH; {trap}{words}"])
        else:
            got = run("--timeout", 60, "/bin/bash-static", "-c", trap + words)
        out = got.out.decode().splitlines()
        assert got.status == 1, got
        for index, (name, why) in enumerate(zip(("crash", "leave", "hang"), reasons)):
            assert re.fullmatch(f"worker {index} {name}: no report: {why}", out[index]), got
        assert out[-1] == "3 workers, 3 without a report", got


@pytest.mark.parametrize("on", ("host", "kin"))
def test_use_of_workload(on):
    def call(*words):
        if on == "host":
            return execute([BUILD / "user/workload", *words])
        return run("--timeout", 60, BUILD / "user/workload", *words)

    usage = call("--help")
    assert usage.status == 0 and usage.out.startswith(b"usage: workload") and not usage.err
    for words, complaint in ((["-n", "x"], b"workload: -n x: not a number\n"),
                             (["-t", "-1"], b"workload: -t -1: not a number\n"),
                             (["-n", "0"], b""), (["-z"], None),
                             (["smile"], b"workload: no work 'smile'\n")):
        got = call(*words)
        assert got.status == 125 and not got.out, got
        assert complaint is None or got.err == complaint + usage.out, got
