"""Watch from outside what a kernel uses, for the limits that the system does not keep."""

import os
import stat
from contextlib import suppress
from time import monotonic

from coursekit.kernels import policy
from coursekit.kernels.folders import BLOCK, usage_of

INTERVAL = 0.1
DISK_EVERY = 3  # a walk through the work folder costs more than the rest


class Watch:
    """The resources of one kernel.

    Parameters
    ----------
    pid : int
    limits : policy.Limits
    work : str
        The kernel's work folder; what lies there at the start does not count.
    """

    def __init__(self, pid, limits, work):
        self.limits = limits
        self._pid, self._work = pid, work
        self._mapped = os.fsencode(f" {work}/")
        self._start = monotonic()
        self._before = usage_of(work)
        self._looks = 0

    def excess(self):
        """Say which limit the kernel is beyond.

        Returns
        -------
        str
            What the kernel did, to follow "the kernel"; empty if it keeps all limits.
        """
        limits = self.limits
        self._looks += 1
        if monotonic() - self._start > limits.wall_time:
            return f"ran longer than {limits.wall_time:g} s"
        resident, threads = self._status()
        if resident > limits.resident_memory:
            return f"used more than {_size(limits.resident_memory)} of memory"
        if threads > limits.threads:
            return f"started more than {limits.threads} threads"
        if self._looks % DISK_EVERY == 0:
            size, entries = usage_of(self._work)
            if size + self._deleted() - self._before[0] > limits.disk:
                return f"wrote more than {_size(limits.disk)} of files"
            if entries - self._before[1] > limits.entries:
                return f"made more than {limits.entries} files"
        return ""

    def _status(self):
        """Give bytes of memory in use and the number of threads; zeros for a process that ended."""
        fields = {"VmRSS": 0, "Threads": 0}
        with suppress(OSError), open(f"/proc/{self._pid}/status", encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name in fields:
                    fields[name] = int(value.split()[0])
        return fields["VmRSS"] * policy.KIB, fields["Threads"]

    def _deleted(self):
        """Count the bytes of files that are in use but no longer in any folder."""
        total, folder = 0, f"/proc/{self._pid}/fd"
        with suppress(OSError):
            for name in os.listdir(folder):
                with suppress(OSError):
                    found = os.stat(f"{folder}/{name}")
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        total += found.st_blocks * BLOCK
        # How large a file is that is only mapped cannot be seen: as large as it may be.
        return total + self._deleted_but_mapped() * self.limits.file_size

    def _deleted_but_mapped(self):
        files = set()
        with suppress(OSError), open(f"/proc/{self._pid}/maps", "rb") as maps:
            for line in maps:
                if self._mapped in line and line.endswith(b" (deleted)\n"):
                    files.add(line.split()[4])  # the inode
        return len(files)


def _size(size):
    unit, name = (policy.GIB, "GiB") if size >= policy.GIB else (policy.MIB, "MiB")
    return f"{size / unit:g} {name}"
