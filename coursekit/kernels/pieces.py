"""Long messages over a socket that keeps packets apart: in pieces, and put together again."""

PIECE = 2**16  # bytes; much larger packets do not fit into a socket
FIRST, LAST, REPLY = 1, 2, 4
LARGEST = 2**24  # bytes of one message


class BrokenMessageError(ValueError):
    """Somebody sent what is no message."""


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
        self._data = None  # of the message that is not complete yet

    def add(self, packet):
        """Take a packet.

        Parameters
        ----------
        packet : bytes
            Not empty.

        Returns
        -------
        (bytearray, bool) or None
            The message that it completes, and whether that is a reply.

        Raises
        ------
        BrokenMessageError
            If the piece is empty, or no message should be that long; its other pieces are dropped.
        """
        mark = packet[0]
        if mark & FIRST:
            self._data = bytearray()
        if self._data is None:  # the rest of something that was dropped
            return None
        self._data += packet[1:]
        if len(packet) == 1 or len(self._data) > LARGEST:
            self._data = None
            raise BrokenMessageError(f"a piece is empty, or a message longer than {LARGEST} bytes")
        if not mark & LAST:
            return None
        data, self._data = self._data, None
        return data, bool(mark & REPLY)
