"""Run hostile cells without the sandbox, with the rights of the user who starts this program.

Reads ``{"setup": ..., "cells": {name: source}}`` from its standard input, runs each cell in a
process of its own, and prints what each printed or raised.
"""

import json
import os
import signal
import sys

SECONDS = 20


def outcome(source, names):
    """Run a cell in a fork; return what it printed, or "raised" and its exception."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        signal.alarm(SECONDS)
        os.close(reading)
        os.set_inheritable(writing, False)
        os.dup2(writing, 1)
        os.close(writing)
        _run(source, names)
    os.close(writing)
    with open(reading) as pipe:
        text = pipe.read()
    _, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    return text.strip() if code == 0 else f"raised exit code {code}"


def _run(source, names):
    try:
        exec(source, names)
    except Exception as problem:
        print(f"raised {type(problem).__name__}: {problem}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    names = {"__name__": "__main__"}
    exec(asked["setup"], names)
    found = {name: outcome(source, names) for name, source in asked["cells"].items()}
    print(json.dumps(found))
