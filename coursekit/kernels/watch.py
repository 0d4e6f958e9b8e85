"""Watch from outside what a kernel uses, for the limits that the system does not keep."""

import math
import os
import stat
from contextlib import suppress
from time import monotonic

from coursekit.kernels import policy
from coursekit.kernels.folders import BLOCK, usage_of

INTERVAL = 0.1
HEADLESS_LOOKS = 10
DISK_EVERY = 3  # a walk through the work folder costs more than the rest


class Watch:
    """The resources of one kernel.

    Parameters
    ----------
    limits : policy.Limits
    work : str
        The kernel's work folder; what lies there at the start does not count.
    """

    def __init__(self, limits, work):
        self.limits = limits
        self._work = work
        self._mapped = os.fsencode(f" {work}/")
        self._start = monotonic()
        size, entries = usage_of(work)
        self._before = (0 if size == math.inf else size), entries
        self._looks = 0
        self._headless = 0

    def excess(self, pid):
        """Say which limit the kernel is beyond.

        Parameters
        ----------
        pid : int

        Returns
        -------
        str
            What the kernel did, to follow "the kernel"; empty if it keeps all limits.
        """
        limits = self.limits
        self._looks += 1
        if monotonic() - self._start > limits.wall_time:
            return f"ran longer than {limits.wall_time:g} s"
        state, resident, threads = _status(pid)
        self._headless = self._headless + 1 if state == b"Z" and threads > 1 else 0
        if self._headless > HEADLESS_LOOKS:  # so it is not just being killed
            return "ended its main thread"  # without which nothing of it can be seen
        if resident > limits.resident_memory:
            return f"used more than {_size(limits.resident_memory)} of memory"
        if threads > limits.threads:
            return f"started more than {limits.threads} threads"
        if self._looks % DISK_EVERY == 0:
            size, entries = usage_of(self._work)
            if size == math.inf:
                return "made folders that cannot be looked into"
            if size + self._deleted(pid) - self._before[0] > limits.disk:
                return f"wrote more than {_size(limits.disk)} of files"
            if entries - self._before[1] > limits.entries:
                return f"made more than {limits.entries} files"
        return ""

    def _deleted(self, pid):
        """Count the bytes of files that are in use but no longer in any folder."""
        total, folder = 0, f"/proc/{pid}/fd"
        with suppress(OSError):
            for name in os.listdir(folder):
                with suppress(OSError):
                    found = os.stat(f"{folder}/{name}")
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        total += found.st_blocks * BLOCK
        # How large a file is that is only mapped cannot be seen: as large as it may be.
        return total + self._deleted_but_mapped(pid) * self.limits.file_size

    def _deleted_but_mapped(self, pid):
        files = set()
        with suppress(OSError), open(f"/proc/{pid}/maps", "rb") as maps:
            for line in maps:
                if self._mapped in line and line.endswith(b" (deleted)\n"):
                    files.add(line.split()[4])  # the inode
        return len(files)


def _status(pid):
    """Give the state, bytes of memory in use and threads; nothing of a process that ended."""
    fields = {b"State": b"", b"VmRSS": b"0", b"Threads": b"0"}
    with suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:
        for line in file:  # in bytes: a process may give itself any name
            name, _, value = line.partition(b":")
            if name in fields:
                fields[name] = value.split()[0]
    state, resident, threads = fields.values()
    return state, int(resident) * policy.KIB, int(threads)


def _size(size):
    unit, name = (policy.GIB, "GiB") if size >= policy.GIB else (policy.MIB, "MiB")
    return f"{size / unit:g} {name}"
