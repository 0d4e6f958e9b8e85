"""The grader's side of a kernel's socket: Jupyter's client, whose channels share it."""

import asyncio
import json
from contextlib import suppress
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient

from coursekit.kernels import pieces

WAITING = 2**24  # bytes of messages that nobody has taken yet; beyond, the kernel has to wait
OVERHEAD = 100  # bytes that a message takes beside its own
MOST_PARTS = 2_500_000  # of one message; a part takes up to 64 bytes once it is read
PARTS = ("header", "parent_header", "metadata", "content")


class SandboxClient(AsyncKernelClient):
    """Asks a forked kernel, and takes what it answers, which may be anything.

    What is held of it at a time is bounded: a kernel that sends more than is taken waits.
    """

    def start_channels(self, **_):
        """Begin to listen; there has to be a running event loop."""
        self._line = _Line(self.parent.provisioner.speaking.dup(), self.session)
        self._shell_channel = _Channel(self._line, replies=True)
        self._iopub_channel = _Channel(self._line, replies=False)

    def stop_channels(self):
        """Hang up."""
        if self._shell_channel is not None:
            self._line.close()
        self._shell_channel = self._iopub_channel = None

    @property
    def channels_running(self):
        """Whether there is a connection."""
        return self._shell_channel is not None

    async def _async_wait_for_ready(self, timeout=None):
        """Return at once: a kernel that was started listens."""

    wait_for_ready = _async_wait_for_ready


class _Channel:
    """One of Jupyter's channels."""

    def __init__(self, line, replies):
        self._line, self._replies = line, replies

    def send(self, message):
        """Ask the kernel."""
        self._line.send(message)

    async def get_msg(self, timeout=None):
        """Take the next message; raises Empty if none comes in time, ValueError if it is odd."""
        return await self._line.take(self._replies, timeout)

    def is_alive(self):
        """Say yes."""
        return True


class _Line:
    """The socket, and what has come over it and was not taken yet.

    Parameters
    ----------
    socket : socket.socket
        Not blocking; closed at the end.
    session : jupyter_client.session.Session
        Writes what is sent.
    """

    def __init__(self, socket, session):
        self._socket, self._session = socket, session
        self._loop = asyncio.get_running_loop()
        self._joined = pieces.Joined()
        self._queues = {True: asyncio.Queue(), False: asyncio.Queue()}  # replies, and others
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._sending = set()
        self._loop.add_reader(socket, self._receive)

    def send(self, message):
        packets = pieces.cut(self._session.pack(message))
        task = self._loop.create_task(self._send(packets))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def take(self, replies, timeout):
        try:
            data = await asyncio.wait_for(self._queues[replies].get(), timeout)
        except TimeoutError:
            raise Empty from None
        left = self._waiting - OVERHEAD - len(data)
        if self._waiting > WAITING >= left:
            self._loop.add_reader(self._socket, self._receive)
        self._waiting = left
        return _message(data)

    def close(self):
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        for task in self._sending:
            task.cancel()
        self._socket.close()

    async def _send(self, packets):
        async with self._turn:
            with suppress(OSError):  # the kernel has gone, of which the zygote tells
                for packet in packets:
                    await self._loop.sock_sendall(self._socket, packet)

    def _receive(self):
        try:
            packet = self._socket.recv(pieces.PIECE + 1)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:  # the kernel has gone
            self._loop.remove_reader(self._socket)
            return
        try:
            message = self._joined.add(packet)
        except pieces.BrokenMessageError:
            message = b"", False  # which nobody can read
        if message:
            data, reply = message
            self._queues[reply].put_nowait(data)
            self._waiting += OVERHEAD + len(data)
            if self._waiting > WAITING:
                self._loop.remove_reader(self._socket)


def _message(data):
    """Read a message; raises ValueError if it is none of Jupyter's, or has too many parts."""
    if sum(map(data.count, (b"[", b"{", b","))) > MOST_PARTS:
        raise ValueError("a message has too many parts")
    message = json.loads(data, parse_constant=_nothing)
    if b"\\u" in data:  # half a character, perhaps, which no file can hold
        whole = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
        message = json.loads(whole)
    if not (
        isinstance(message, dict)
        and isinstance(message.get("msg_type"), str)
        and all(isinstance(message.get(part), dict) for part in PARTS)
    ):
        raise ValueError("this is no message of Jupyter's")
    return message


def _nothing(_):
    """Stand for NaN and infinity, which JSON does not know."""
