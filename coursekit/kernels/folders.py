"""Count and remove folders that hostile code has filled."""

import math
import os
import shutil
import subprocess
from contextlib import suppress

BLOCK = 512  # bytes, the unit of st_blocks


def usage_of(folder):
    """Count what lies in a folder.

    Parameters
    ----------
    folder : str

    Returns
    -------
    size : float
        Bytes on disk; infinite where a part cannot be looked at, so that nothing can hide there.
    entries : int
        Files and folders.
    """
    size = entries = 0
    folders = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    entries += 1
                    with suppress(FileNotFoundError):  # removed meanwhile
                        size += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError:
            size = math.inf
    return size, entries


def remove(folder):
    """Remove a folder, however deep its folders are and whatever may be read in them.

    Parameters
    ----------
    folder : path
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        # These programs walk folders of any depth, and with paths of any length.
        for program in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*program, "--", folder], check=False, stderr=subprocess.DEVNULL)
