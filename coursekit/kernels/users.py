"""Who a kernel is: give up root, or root's rights where that cannot be."""

import ctypes
import os

from coursekit.kernels import policy

_libc = ctypes.CDLL(None, use_errno=True)
_CAPBSET_READ, _CAPBSET_DROP, _CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL = 23, 24, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
CHOWN, SETGID, SETUID, SETPCAP = 0, 6, 7, 8  # capabilities


def can_be_changed():
    """Tell whether this process may become a throw-away user.

    Returns
    -------
    bool
        False for an ordinary user, and in a container whose root has not the rights or the users.
    """
    return (
        os.getuid() == 0
        and {CHOWN, SETGID, SETUID} <= _capabilities()
        and _is_mapped(policy.FIRST_UID)
        and _is_mapped(policy.FIRST_UID + policy.UIDS - 1)
    )


def become_nobody(folder):
    """Give up root for a user that owns nothing but the kernel's own folder.

    Parameters
    ----------
    folder : str
        It is given to that user, with all that lies in it.
    """
    uid = policy.FIRST_UID + os.getpid() % policy.UIDS
    os.chown(folder, uid, uid)
    for root, names, files in os.walk(folder):
        for name in names + files:
            os.chown(os.path.join(root, name), uid, uid, follow_symlinks=False)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities():
    """Keep root's name and nothing of its rights, where it cannot become another user."""
    # Without SETPCAP they stay possible for a program that is started; but seccomp allows none.
    for capability in range(64) if SETPCAP in _capabilities() else ():
        if _libc.prctl(_CAPBSET_READ, capability, 0, 0, 0) == 1:
            check(_libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0), "dropping capabilities")
    check(_libc.prctl(_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "dropping capabilities")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "dropping capabilities")


def check(result, what):
    """Raise what the C library's last call left, unless its result is 0.

    Raises
    ------
    OSError
    """
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _capabilities():
    """Give the numbers of the capabilities in effect."""
    with open("/proc/self/status", "rb") as file:
        mask = next(int(line.split()[1], 16) for line in file if line.startswith(b"CapEff:"))
    return {number for number in range(64) if mask >> number & 1}


def _is_mapped(uid):
    """Tell whether a user exists where this process runs."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        ranges = [list(map(int, line.split())) for line in file]
    return any(first <= uid < first + count for first, _, count in ranges)
