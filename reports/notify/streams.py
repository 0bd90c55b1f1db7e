"""What a program writes, handed on unchanged and at once to where it would have gone, and to others who look at it.

Where that is a terminal the program gets one as well, so that it writes as it would without anybody in between.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

_CHUNK = 65_536
OUT, ERR = 1, 2


class Streams:
    """The program's standard output and error: `given` for its start, `begin` after it, and `end` once it is over."""

    def __init__(self, look: Callable[[int, bytes], object]) -> None:
        self._look = look
        self._ours: list[tuple[int, int]] = []  # what is read, and where it goes
        self._theirs: list[int] = []
        self._threads: list[threading.Thread] = []
        self.given: dict[str, Any] = {}
        terminal = [number for number in (OUT, ERR) if os.name == "posix" and os.isatty(number)]
        if terminal:
            self._as_terminal(terminal)
        for number in (OUT, ERR):
            if number not in terminal:
                self._as_pipe(number)

    def _as_terminal(self, numbers: Sequence[int]) -> None:
        import pty  # noqa: PLC0415  of POSIX alone
        import termios  # noqa: PLC0415

        ours, theirs = pty.openpty()
        modes = termios.tcgetattr(theirs)
        modes[1] &= ~termios.OPOST  # the real one does that
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        with contextlib.suppress(termios.error):
            termios.tcsetwinsize(theirs, termios.tcgetwinsize(numbers[0]))
        self.given |= {_name(number): theirs for number in numbers}
        self._ours.append((ours, numbers[0]))
        self._theirs.append(theirs)

    def _as_pipe(self, number: int) -> None:
        ours, theirs = os.pipe()
        self.given[_name(number)] = theirs
        self._ours.append((ours, number))
        self._theirs.append(theirs)

    def begin(self) -> None:
        """The program has its ends by now."""
        for one in self._theirs:
            os.close(one)
        for ours, number in self._ours:
            thread = threading.Thread(target=self._hand_on, args=(ours, number), name="output", daemon=True)
            thread.start()
            self._threads.append(thread)

    def resize(self) -> None:
        """The terminal has another size now."""
        import termios  # noqa: PLC0415  of POSIX alone

        for ours, number in self._ours:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetwinsize(ours, termios.tcgetwinsize(number))

    def end(self, seconds: float) -> None:
        """Waits for the rest; what the program has left behind may write on, and is not waited for longer."""
        for one in self._threads:
            one.join(seconds)

    def abandon(self) -> None:
        """There is no program after all."""
        for one in [*self._theirs, *(ours for ours, _ in self._ours)]:
            os.close(one)

    def _hand_on(self, ours: int, number: int) -> None:
        try:
            while chunk := _read(ours):
                self._look(number, chunk)
                _write(number, chunk)
        except OSError:
            """Nobody reads any more what it writes; it is told so by its own next write."""
        finally:
            os.close(ours)


def _read(file: int) -> bytes:
    try:
        return os.read(file, _CHUNK)
    except OSError:  # a terminal whose other side is closed
        return b""


def _write(file: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(file, chunk) :]


def _name(number: int) -> str:
    return "stdout" if number == OUT else "stderr"


def failed(error: OSError) -> int:
    """The exit status that shells give for a program that cannot be begun."""
    return 127 if isinstance(error, FileNotFoundError) else 126
