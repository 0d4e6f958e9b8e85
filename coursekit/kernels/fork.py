"""One forked kernel, as the grader sees it: its folders, its process, what it is told."""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import KitError
from coursekit.kernels import channel, folders

PATIENCE = 60  # seconds until a process that should answer counts as hung


class SandboxError(KitError):
    """Student code cannot be run in the sandbox, so it is not run at all."""


@dataclass(frozen=True)
class Workspace:
    """The private folder of one kernel, and the work folder in it.

    Attributes
    ----------
    root : Path
        Holds the others.
    work : Path
        Where student code reads and writes.
    """

    root: Path

    @property
    def work(self):
        """Folder in which student code runs."""
        return self.root / "work"

    def remove(self):
        """Remove the folders and all that student code left there."""
        folders.remove(self.root)


class ForkedKernel:
    """A kernel process that the zygote forked.

    Parameters
    ----------
    connection : socket.socket
        To the zygote; closing it kills the kernel.
    speaking : socket.socket
        To the kernel itself.

    Attributes
    ----------
    speaking : socket.socket
        As given, and not blocking.
    pid : int or None
        Known once the kernel is ready.
    exit_code : int or None
        None while it runs; negative for a signal.
    reason : str
        What the kernel did that the zygote killed it for, to follow "the kernel"; may be empty.
    """

    def __init__(self, connection, speaking):
        self._connection, self.speaking = connection, speaking
        self._process = None  # a file descriptor
        self.pid = None
        self.exit_code = None
        self.reason = ""
        connection.setblocking(False)
        speaking.setblocking(False)

    async def ready(self):
        """Wait until the kernel is locked in and listens.

        Raises
        ------
        SandboxError
            If it did not get that far.
        """
        try:
            self.pid, (self._process,) = await self._told("forked")
            await self._told("ready")
        except SandboxError:
            self.close()
            raise

    async def _told(self, word):
        """Receive what a message says under a word, and the open files that came with it."""
        try:
            await asyncio.wait_for(channel.readable(self._connection), PATIENCE)
            message, descriptors = channel.receive(self._connection)
        except TimeoutError:
            message, descriptors = {"failed": "it does not answer"}, []
        return _understand(self._connection, message, word), descriptors

    def poll(self):
        """Look whether the kernel has ended.

        Returns
        -------
        int or None
            As `exit_code`.
        """
        if self.exit_code is None:
            with suppress(BlockingIOError):
                message, _ = channel.receive(self._connection)
                message = message or {"exit": -9, "reason": "died with the process that started it"}
                self.exit_code, self.reason = message["exit"], message["reason"]
                self._let_go()
        return self.exit_code

    def close(self):
        """Give the kernel up; the zygote kills it."""
        self._let_go()
        self.speaking.close()

    def send_signal(self, number):
        """Send the kernel a signal, if it still runs; it comes before what it is asked next."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, number)

    def _let_go(self):
        self._connection.close()
        if self._process is not None:
            os.close(self._process)
            self._process = None


def told(connection, word):
    """Receive a message and give what it says under a word.

    Parameters
    ----------
    connection : socket.socket
        Closed if the message says something else.
    word : str

    Returns
    -------
    object

    Raises
    ------
    SandboxError
        With the reason that the other side gives.
    """
    try:
        message, _ = channel.receive(connection)
    except TimeoutError:
        message = {"failed": "the process that forks kernels does not answer"}
    return _understand(connection, message, word)


def _understand(connection, message, word):
    if message is None or word not in message:
        connection.close()
        reason = (message or {}).get("failed") or "the process that forks kernels has died"
        raise SandboxError(f"No kernel could be started in the sandbox: {reason}.")
    return message[word]
