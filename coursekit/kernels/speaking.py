"""The kernel's side of its one socket, over which it is asked and answers, in Jupyter's messages.

Jupyter's own five channels of ZMQ take a kernel four threads and 5 ms a cell, and a folder for its
sockets. Here the same messages, as JSON and without signatures, go over a socket that the kernel
was born with: there is nobody else to talk to.
"""

import io
import json
import os
import signal
from collections import deque
from threading import RLock
from time import monotonic

from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session, extract_header
from traitlets import Any

from coursekit.kernels import channel, pieces

IOPUB = object()  # stands for the socket on which a kernel publishes
FULL, SECONDS = 2**18, 0.2  # after so many characters, or so long, what was printed is sent
LEFT_OUT = "(An output of this cell was left out: it was too long.)"


class SocketSession(Session):
    """Jupyter's session, for a kernel that has a single socket."""

    socket = Any()

    def __init__(self, socket):
        super().__init__(key=b"", socket=socket)
        self._lock = RLock()
        self._left = deque()
        self._is_sending = False

    def send(
        self,
        stream,
        msg_or_type,
        content=None,
        parent=None,
        ident=None,
        buffers=None,
        track=False,
        header=None,
        metadata=None,
    ):
        """Send a message, see Jupyter's; without buffers, which only widgets have."""
        message = msg_or_type
        if not isinstance(message, dict):
            message = self.msg(message, content, parent, header, metadata)
        reply = stream is not IOPUB
        data = _packed(message)
        if len(data) > pieces.LARGEST:
            data = _packed(self._short(message, reply))
        with self._lock:
            self._left.append((data, reply))
            if not self._is_sending:  # else a signal's handler or a finalizer speaks meanwhile
                self._send_left()
        return message

    def _send_left(self):
        self._is_sending = True
        try:
            while self._left:
                data, reply = self._left.popleft()
                for packet in pieces.cut(data, reply=reply):
                    self.socket.send(packet)
        finally:
            self._is_sending = False

    def _short(self, message, reply):
        """Give what is sent in place of a message that is too long."""
        if reply:
            content = {part: message["content"].get(part) for part in ("status", "ename")}
            return message | {"content": content | {"evalue": LEFT_OUT, "traceback": []}}
        note = self.msg("stream", {"name": "stderr", "text": f"{LEFT_OUT}\n"})
        return note | {"parent_header": message["parent_header"]}

    def feed_identities(self, msg_list, copy=True):
        """Name nobody: there is but one who asks."""
        return [], msg_list

    def deserialize(self, msg_list, content=True, copy=True):
        """Leave a request as it is: read already."""
        return msg_list


class Printed(io.TextIOBase):
    """What student code prints, and what its libraries write to the file descriptor.

    Parameters
    ----------
    name : str
        ``stdout`` or ``stderr``.
    descriptor : int
    session : SocketSession
    """

    encoding = "UTF-8"

    def __init__(self, name, descriptor, session):
        self.name, self._descriptor = name, descriptor
        self._both = [self]
        self._session, self._parent = session, {}
        self._parts, self._size, self._since = [], 0, 0.0
        self._file = os.memfd_create(name)
        os.set_inheritable(self._file, False)
        os.dup2(self._file, descriptor)

    def set_parent(self, parent):
        """Tell which request it is that prints."""
        self._parent = extract_header(parent)

    def pair_with(self, other):
        """Keep the order with another stream: what is old there is sent before what is new here."""
        self._both = other._both = [self, other]

    def fileno(self):
        """Give the file descriptor."""
        return self._descriptor

    def writable(self):
        """Say yes."""
        return True

    def write(self, text):
        """Take a text, to be sent soon."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        now = monotonic()
        for stream in self._both:
            if stream._parts and now - stream._since > SECONDS and stream._parts[-1][-1:] == "\n":
                stream.flush()
        if not self._parts:
            self._since = now
        self._parts.append(text)
        self._size += len(text)
        if self._size > FULL:
            self.flush()
        return len(text)

    def flush(self):
        """Send what was printed."""
        parts, self._parts, self._size = self._parts, [], 0
        text = self._written_by_libraries() + "".join(parts)
        for start in range(0, len(text), FULL):
            content = {"name": self.name, "text": text[start : start + FULL]}
            self._session.send(IOPUB, "stream", content, parent=self._parent)

    def _written_by_libraries(self):
        size = os.fstat(self._file).st_size
        if not size:
            return ""
        written = os.pread(self._file, size, 0)
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        return written.decode("utf-8", "replace")


def _packed(message):
    """Write a message; halves of characters, which are none, become question marks."""
    return json.dumps(message, default=json_default, ensure_ascii=False).encode("utf-8", "replace")


async def answer(kernel, socket):
    """Let a kernel answer the requests that come in, one after the other, until nobody asks.

    Parameters
    ----------
    kernel : ipykernel.ipkernel.IPythonKernel
        With a `SocketSession` of this socket.
    socket : socket.socket
    """
    joined = pieces.Joined()
    while True:
        await channel.readable(socket)
        packet = socket.recv(pieces.PIECE + 1)
        if not packet:
            os._exit(0)
        request = joined.add(packet)
        if request:
            try:
                await kernel.dispatch_shell(json.loads(request[0]))
            except (Exception, KeyboardInterrupt):
                # What student code has put in the place of something failed, or an interrupt came
                # as the cell ended. It has no answer then, and its time runs out; the kernel goes
                # on, and takes no interrupt between two cells.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                kernel._publish_status("idle", "shell")
