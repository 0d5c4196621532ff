"""One run of the machine: moves the bytes, watches the clock, and finds the verdict."""
import os
import re
import selectors
import signal
import sys
import time

from . import machine as m
from .terminal import LEAVE_KEY

EXIT_TIMEOUT = 124
EXIT_PANIC = 125
EXIT_NOT_UP = 126
EXIT_LEFT = 130

CHUNK = 65536
LOG_KEPT = 256 * 1024
STDIN_PENDING_MAX = 256 * 1024
# After it said that it is at its end, and after each part of a panic's report, the machine has this
# long to stop.
FAREWELL_SECONDS = 10
# The console's keys for the list of processes, how long it may take to begin, and to go on.
LISTING_KEYS = b"\x14p"
LISTING_SECONDS = 10
LISTING_PAUSE_SECONDS = 1
PANIC_HEADER = re.compile(rb"^.*\bpanic: ", re.MULTILINE)


class Finished(Exception):
    """Ends the run with an exit status, whatever the machine does."""

    def __init__(self, status, message=None):
        super().__init__(message)
        self.status = status
        self.message = message


class Session:
    """`streams` are the request's; `log` a descriptor or None; `timeout` seconds or None."""

    def __init__(self, machine, streams, timeout, log):
        self._machine = machine
        self._streams = streams
        self._timeout = timeout
        self._log = log
        self._start = time.monotonic()
        self._deadline = self._start + timeout if timeout else None
        self._selector = selectors.PollSelector()
        self._kept = {"log": bytearray(), "console": bytearray(), "qemu": bytearray()}
        self._control = bytearray()
        self._stdin_pending = bytearray()
        self._console_pending = bytearray()
        self._stdin_open = False
        self.up_seconds = None
        self._status = None
        self._said = set()
        self._listing_asked = False

    def run(self):
        """The exit status of the host command; messages go to standard error."""
        self._connect()
        try:
            while self._open_readers:
                self._step()
        except Finished as end:
            self._machine.kill()
            if end.message:
                complain(end.message)
            return end.status
        except BaseException:
            self._machine.kill()
            raise
        return self._verdict(self._machine.wait())

    # --- Wires ---

    def _connect(self):
        self._open_readers = set(self._machine.readers.values())
        for name, descriptor in self._machine.readers.items():
            self._selector.register(descriptor, selectors.EVENT_READ,
                                    lambda fd, name=name: self._read_channel(fd, name))
        self._selector.register(self._machine.console, selectors.EVENT_READ, self._serve_console)
        if self._streams["stdin"] == "console":
            self._selector.register(0, selectors.EVENT_READ, self._read_keys)

    def _connect_input(self):
        """Called when the machine is up: until then its serial lines may drop what they get."""
        if self._streams["stdin"] == "host":
            self._stdin_open = True
            self._selector.register(0, selectors.EVENT_READ, self._read_stdin)
        elif self._console_pending:
            self._flush(self._machine.console, self._console_pending, self._serve_console)

    def _step(self):
        wait = None
        if self._deadline is not None:
            wait = self._deadline - time.monotonic()
            if wait <= 0:
                self._time_out()
        for key, _ in self._selector.select(wait):
            key.data(key.fd)

    def _read_channel(self, descriptor, name):
        data = os.read(descriptor, CHUNK)
        if not data:
            self._selector.unregister(descriptor)
            self._open_readers.discard(descriptor)
        elif name == "stdout":
            self._write_out(1, data)
        elif name == "stderr":
            self._write_out(2, data)
        elif name == "control":
            self._read_control(data)
        else:
            self._keep(name, data)
            if name == "log" and self._log is not None:
                _write_all(self._log, data)
            if name == "log" and "panic" in self._said:
                self._deadline = time.monotonic() + FAREWELL_SECONDS

    def _keep(self, name, data):
        kept = self._kept[name]
        kept += data
        if len(kept) > LOG_KEPT:
            del kept[:len(kept) - LOG_KEPT]

    def _write_out(self, descriptor, data):
        try:
            _write_all(descriptor, data)
        except BrokenPipeError:
            raise Finished(128 + signal.SIGPIPE) from None

    def _serve_console(self, _descriptor):
        if self._console_pending and self.up_seconds is not None:
            self._flush(self._machine.console, self._console_pending, self._serve_console)
        try:
            data = self._machine.console.recv(CHUNK)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(self._machine.console)
        elif "console" in self._streams.values():
            self._write_out(1, data)
        else:
            self._keep("console", data)
            if self._listing_asked:
                self._deadline = time.monotonic() + LISTING_PAUSE_SECONDS

    def _read_keys(self, _descriptor):
        data = os.read(0, CHUNK)
        if LEAVE_KEY in data:
            raise Finished(EXIT_LEFT, "left with Ctrl-]")
        if not data:
            self._selector.unregister(0)
        self._console_pending += data
        if self.up_seconds is not None:
            self._flush(self._machine.console, self._console_pending, self._serve_console)

    def _read_stdin(self, descriptor):
        try:
            data = os.read(descriptor, CHUNK)
        except OSError:
            data = b""
        if data:
            self._stdin_pending += data.replace(b"\xff", b"\xff\xff")
        else:
            self._stdin_pending += b"\xff\x00"
            self._stdin_open = False
            self._selector.unregister(descriptor)
        self._serve_stdin(None)

    def _serve_stdin(self, _descriptor):
        self._flush(self._machine.stdin, self._stdin_pending, self._serve_stdin)
        if not self._stdin_open:
            return
        full = len(self._stdin_pending) > STDIN_PENDING_MAX
        registered = 0 in self._selector.get_map()
        if full and registered:
            self._selector.unregister(0)
        elif not full and not registered:
            self._selector.register(0, selectors.EVENT_READ, self._read_stdin)

    def _flush(self, sock, pending, handler):
        """Sends what the socket takes; `handler` is called again when it takes more."""
        try:
            while pending:
                del pending[:sock.send(pending[:CHUNK])]
        except BlockingIOError:
            pass
        except OSError:
            pending.clear()
        read = selectors.EVENT_READ if sock is self._machine.console else 0
        events = read | (selectors.EVENT_WRITE if pending else 0)
        registered = sock.fileno() in self._selector.get_map()
        if registered and events:
            self._selector.modify(sock, events, handler)
        elif registered:
            self._selector.unregister(sock)
        elif events and pending:
            self._selector.register(sock, events, handler)

    # --- What the kernel says ---

    def _read_control(self, data):
        self._control += data
        while b"\n" in self._control:
            line, _, rest = bytes(self._control).partition(b"\n")
            self._control[:] = rest
            self._obey(line.decode("ascii", "replace").split())

    def _obey(self, words):
        if not words:
            return
        self._said.add(words[0])
        if words[0] == "up" and self.up_seconds is None:
            self.up_seconds = time.monotonic() - self._start
            self._connect_input()
        elif words[0] == "status" and len(words) == 3 and words[2].isdigit():
            number = int(words[2])
            self._status = 128 + number if words[1] == "signalled" else number
        if words[0] in ("panic", "poweroff", "restart"):
            self._deadline = time.monotonic() + FAREWELL_SECONDS

    def _time_out(self):
        if "panic" in self._said:
            raise Finished(self._report_panic(), "the machine did not stop after the panic")
        if self._said & {"poweroff", "restart"}:
            raise Finished(EXIT_PANIC, "the machine did not stop when it was switched off")
        if self.up_seconds is None:
            raise Finished(EXIT_TIMEOUT,
                           f"time-out after {self._timeout:g} s (no user program had started)")
        if not self._listing_asked and "console" not in self._streams.values():
            self._ask_for_listing()
            return
        complain(f"time-out after {self._timeout:g} s")
        self._show_tail("console", 60)
        raise Finished(EXIT_TIMEOUT)

    def _ask_for_listing(self):
        """The kernel's own key, which works even if all programs hang: who is there, doing what?"""
        self._listing_asked = True
        self._deadline = time.monotonic() + LISTING_SECONDS
        self._kept["console"].clear()
        self._console_pending += LISTING_KEYS
        self._flush(self._machine.console, self._console_pending, self._serve_console)

    # --- The verdict ---

    def _verdict(self, code):
        if code == m.EXIT_PANIC or "panic" in self._said:
            return self._report_panic()
        if code == m.EXIT_INIT_DIED:
            complain("the first process, init, ended")
            self._show_tail("log")
            return EXIT_PANIC
        if code == m.EXIT_BOOT:
            complain("the machine did not come up: the boot loader gave up")
            self._show_tail("log")
            return EXIT_NOT_UP
        if code == m.EXIT_POWEROFF or (code == 0 and "restart" in self._said):
            return 0 if self._status is None else self._status
        if code == 0:
            complain("the machine reset itself: a triple fault")
            self._show_tail("log")
            return EXIT_PANIC
        complain(f"the machine did not come up: QEMU ended with status {code}"
                 if self.up_seconds is None else f"QEMU ended with status {code}")
        self._show_tail("qemu")
        return EXIT_NOT_UP

    def _report_panic(self):
        log = bytes(self._kept["log"])
        header = PANIC_HEADER.search(log)
        complain("kernel panic")
        _write_all(2, log[header.start():] if header else log)
        return EXIT_PANIC

    def _show_tail(self, name, lines=20):
        text = [line for line in bytes(self._kept[name]).splitlines() if line.strip()]
        for line in text[-lines:]:
            _write_all(2, b"    " + line + b"\n")


def complain(message):
    sys.stderr.write(f"kin: {message}\n")
    sys.stderr.flush()


def _write_all(descriptor, data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view):]
        except BlockingIOError:
            time.sleep(0.001)
