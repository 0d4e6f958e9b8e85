"""Ctrl-C that waits for a good moment: no file or database is left in the middle of a write."""

import signal
import threading

PATIENCE = 0.2  # seconds after which a loop that waits should look


class Interrupt:
    """Keeps Ctrl-C waiting until it is asked for; a context of the main thread.

    A second Ctrl-C ends the program where it stands, as always.
    """

    def __init__(self):
        self.asked = False
        self._before = None

    def __enter__(self):
        """Begin to keep it waiting."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *problem):
        """Let Ctrl-C end the program at once again."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number, frame):
        self.asked = True
        signal.signal(signal.SIGINT, self._before)

    def check(self):
        """End here if Ctrl-C was pressed.

        Raises
        ------
        KeyboardInterrupt
        """
        if self.asked:
            raise KeyboardInterrupt
