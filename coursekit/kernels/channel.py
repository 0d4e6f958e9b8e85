"""Messages between the grader, the zygote and a starting kernel: JSON, a packet each."""

import json
import socket
from asyncio import get_running_loop

LONGEST = 2**18


def pair():
    """Make two connected sockets that keep messages apart.

    Returns
    -------
    tuple of socket.socket
    """
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock, descriptors=(), /, **message):
    """Send a message, with open files where there are any."""
    data = json.dumps(message).encode()
    if descriptors:
        socket.send_fds(sock, [data], descriptors)
    else:
        sock.send(data)  # a locked kernel may do no more


def receive(sock):
    """Receive a message and the open files that came with it.

    Parameters
    ----------
    sock : socket.socket

    Returns
    -------
    message : dict or None
        None if the other side has gone.
    descriptors : list of int
    """
    try:
        data, descriptors, _, _ = socket.recv_fds(sock, LONGEST, 2)
    except ConnectionError:
        return None, []
    return json.loads(data) if data else None, descriptors  # the end of a connection is empty


async def readable(sock):
    """Wait until there is something to receive."""
    loop = get_running_loop()
    ready = loop.create_future()
    loop.add_reader(sock, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(sock)
