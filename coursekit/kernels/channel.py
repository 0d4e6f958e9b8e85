"""Messages between the grader, the zygote and a starting kernel: JSON, a packet each."""

import json
import socket

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
    return parse(data), descriptors


def parse(data):
    """Read a packet: its message, or None for the empty one that the end of a connection gives."""
    return json.loads(data) if data else None
