"""Long messages over a socket that keeps packets apart: in pieces, and put together again."""

PIECE = 2**16  # bytes; much larger packets do not fit into a socket
FIRST, LAST, REPLY = 1, 2, 4
LARGEST = 2**24  # bytes of one message


class TooLongError(ValueError):
    """Somebody sent a message that is longer than messages are."""


def cut(data, *, reply=False):
    """Cut a message into packets.

    If only some of them are sent, the next message takes their place.

    Parameters
    ----------
    data : bytes
        Not empty.
    reply : bool
        Whether it is an answer, and not what is told while it is prepared.

    Yields
    ------
    bytes
    """
    for start in range(0, len(data), PIECE):
        end = start + PIECE
        mark = FIRST * (start == 0) | LAST * (end >= len(data)) | REPLY * reply
        yield bytes([mark]) + data[start:end]


class Joined:
    """Puts the messages together that arrive at one socket."""

    def __init__(self):
        self._pieces, self._size = None, 0

    def add(self, packet):
        """Take a packet.

        Parameters
        ----------
        packet : bytes
            Not empty.

        Returns
        -------
        (bytes, bool) or None
            The message that it completes, and whether that is a reply.

        Raises
        ------
        TooLongError
            If no message should be that long; its other pieces are dropped.
        """
        mark = packet[0]
        if mark & FIRST:
            self._pieces, self._size = [], 0
        if self._pieces is None:  # the rest of something that was dropped
            return None
        self._pieces.append(packet[1:])
        self._size += len(packet) - 1
        if self._size > LARGEST:
            self._pieces = None
            raise TooLongError(f"a message is longer than {LARGEST >> 20} MiB")
        if not mark & LAST:
            return None
        data, self._pieces = b"".join(self._pieces), None
        return data, bool(mark & REPLY)
