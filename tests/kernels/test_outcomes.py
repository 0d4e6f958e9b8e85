"""What becomes of notebooks that misbehave: a sentence, no lost verdicts, nothing left behind."""

import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from coursekit.grading.execute import BoundedExecute
from coursekit.kernels.launcher import launcher

SMALL = {"resident_memory": 400 * 2**20, "disk": 8 * 2**20, "entries": 2000, "file_size": 2**21}
FIRST = 'print("judged before")'
LAST = 'print("after")'

# name: (code, words of the cell's last error, whether the kernel lives on)
ENDINGS = {
    "os._exit": ("import os\nos._exit(3)", "the kernel died", False),
    "SIGKILL to itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "the kernel died",
        False,
    ),
    "SIGSTOP to itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "could not be interrupted",
        False,
    ),
    "SIGKILL to its parent": (
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
        "Operation not permitted",
        True,
    ),
    "endless loop": ("while True:\n    pass", "longer than 2 s", True),
    "loop that swallows interrupts": (
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except KeyboardInterrupt:\n        pass",
        "could not be interrupted",
        False,
    ),
    "memory reserved": ("import numpy as np\nx = np.ones(2**33)", "Unable to allocate", True),
    "memory used": (
        "import numpy as np\nx = [np.ones(2**20) for _ in range(300)]",
        "used more than 400 MiB of memory",
        False,
    ),
    "forks": ("import os\nwhile True:\n    os.fork()", "Operation not permitted", True),
    "threads": (
        "import threading, time\n"
        "for _ in range(1000):\n"
        "    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "more than 64 threads|can't start new thread",
        None,
    ),
    "files of 100 MB": (
        "import time\n"
        "for number in range(100):\n"
        "    with open(f'{number}.bin', 'wb') as file:\n        file.write(bytes(2**20))\n"
        "time.sleep(5)",
        "wrote more than 8 MiB of files",
        False,
    ),
    "deleted files that stay open": (
        "import os, time\nfiles = []\n"
        "for number in range(20):\n"
        "    files.append(open('x.bin', 'wb'))\n    files[-1].write(bytes(2**20))\n"
        "    files[-1].flush()\n    os.unlink('x.bin')\n"
        "time.sleep(5)",
        "wrote more than 8 MiB of files",
        False,
    ),
    "deleted files that stay mapped": (
        "import mmap, os, time\nkept = []\n"
        "for number in range(20):\n"
        "    with open('x.bin', 'wb+') as file:\n"
        "        file.write(bytes(2**20))\n        file.flush()\n"
        "        kept.append(mmap.mmap(file.fileno(), 4096))\n    os.unlink('x.bin')\n"
        "time.sleep(5)",
        "wrote more than 8 MiB of files",
        False,
    ),
    "main thread ended": (
        "import ctypes, threading, time\n"
        "threading.Thread(target=lambda: time.sleep(60)).start()\n"
        "ctypes.CDLL(None).syscall(60 if __import__('platform').machine() == 'x86_64' else 93, 0)",
        "ended its main thread",
        False,
    ),
    "a name that is no text": (
        "import ctypes, time\nctypes.CDLL(None).prctl(15, b'\\xff\\xfe', 0, 0, 0)\n"
        "time.sleep(1)\nprint('goes on')",
        "",
        True,
    ),
    "files below a path that is too long": (
        "import os, time\n"
        "for _ in range(30):\n    os.mkdir('x' * 200)\n    os.chdir('x' * 200)\n"
        "for number in range(20):\n    open(str(number), 'wb').write(bytes(2**20))\n"
        "time.sleep(5)",
        "made folders that cannot be looked into",
        False,
    ),
    "folders in each other": (
        "import os\nfor _ in range(1500):\n    os.mkdir('x')\n    os.chdir('x')",
        "",
        True,
    ),
    "a large file": (
        "with open('x.bin', 'wb') as file:\n    file.write(bytes(2**25))",
        "File too large",
        True,
    ),
    "100,000 files": (
        "import time\nfor number in range(100_000):\n    open(str(number), 'w').close()\n"
        "time.sleep(5)",
        "made more than 2000 files",
        False,
    ),
    "work folder emptied": (
        "import os, shutil\n"
        "for name in os.listdir():\n"
        "    shutil.rmtree(name) if os.path.isdir(name) else os.remove(name)\n"
        "os.rmdir(os.getcwd())",
        "Permission denied",
        True,
    ),
    "descriptors closed": ("import os\nos.closerange(0, 1000)", "", False),
}


def run(folder, *sources, seconds=2, **limits):
    """Run cells in a sandboxed kernel with small limits and return them."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    config = Config({"SandboxProvisioner": SMALL | limits})
    execute = BoundedExecute(config=config, cell_timeout=seconds, iopub_timeout=2)
    execute.preprocess(notebook, {"metadata": {"path": str(folder)}})
    return notebook.cells


def errors(cell):
    return [f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def children():
    """Name the processes that the zygote forked and that still run."""
    zygote = launcher()._process.pid
    return Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()


@pytest.mark.parametrize("name", ENDINGS)
def test_misbehaving_cell_gets_a_sentence_and_stops_nothing_but_its_kernel(tmp_path, name):
    source, words, lives = ENDINGS[name]
    seconds = 6 if "sleep(5)" in source else 2  # where the watch ends it, not the clock
    first, cell, last = run(tmp_path, FIRST, source, LAST, seconds=seconds)
    assert printed(first) == "judged before\n"
    if words:
        assert any(word in errors(cell)[-1] for word in words.split("|")), errors(cell)
    if lives is not None:
        assert printed(last) == ("after\n" if lives else "")
    if not printed(last):
        assert errors(last)[0].startswith("Not run: ")
    assert children() == []
    assert not [name for name in os.listdir(launcher()._folder) if name.isdigit()]
    assert os.listdir(tmp_path) == []


def test_reason_is_told_to_the_cells_that_were_not_run(tmp_path):
    *_, last = run(tmp_path, ENDINGS["memory used"][0], LAST)
    assert errors(last) == [
        "Not run: the kernel used more than 400 MiB of memory in an earlier cell."
    ]


def test_kernel_that_uses_up_its_processor_time_is_ended(tmp_path):
    ignoring = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass"
    for loop in ("while True:\n    pass", ignoring):
        cell, _ = run(tmp_path, loop, LAST, processor_time=1, seconds=30)
        reason = "the kernel used more than 1 s of processor time while it ran this cell."
        assert errors(cell) == [f"Stopped: {reason}"]


def test_kernel_that_outlives_its_time_is_ended(tmp_path):
    cell, _ = run(tmp_path, "import time\ntime.sleep(1.9)", LAST, wall_time=1)
    assert errors(cell) == ["Stopped: the kernel ran longer than 1 s while it ran this cell."]


@pytest.mark.parametrize(
    "flood",
    [
        "while True:\n    print('x' * 100_000)",
        "print('x' * 10**9)",
        "import os\nwhile True:\n    os.write(1, b'x' * 100_000)",
        "while True:\n    display('x' * 100_000)",
        "from IPython.display import display, HTML\nwhile True:\n    display(HTML('x' * 10**7))",
        "from ipykernel.comm import Comm\nwhile True:\n    Comm('x', buffers=[bytes(10**7)])",
        "x = [1] * 1000\nfor _ in range(400):\n    x = [x]\n"
        "while True:\n    display({'application/json': x}, raw=True)",
    ],
    ids=["prints", "a print of 1 GB", "bytes", "displays", "large displays", "comms", "nested"],
)
def test_flood_of_output_is_cut_while_it_arrives(tmp_path, flood):
    before = begin_peak()
    first, cell, _ = run(tmp_path, FIRST, flood, LAST, resident_memory=2**31)
    assert printed(first) == "judged before\n"
    assert sum(len(str(output)) for output in cell.outputs) < 14 * 2**20
    assert peak_memory() - before < 2**29
    assert children() == []


# Written past Jupyter, into the kernel's own socket.
RAW = """
import os, socket, stat

def socket_to_the_grader():
    for number in range(3, 100):
        try:
            sock = socket.socket(fileno=os.dup(number))
            if sock.type & 15 == socket.SOCK_SEQPACKET:
                return sock
        except OSError:
            pass
sock = socket_to_the_grader()
"""
RAW_ENDINGS = {
    "pieces without an end": "sock.send(b'\\1')\nwhile True:\n    sock.send(bytes(2**16))",
    "pieces of no message": "sock.send(b'\\0abc')\nwhile True:\n    pass",
    "no JSON": "sock.send(b'\\3{')",
    "JSON of another kind": "sock.send(b'\\3[]')",
    "a header that is a number": (
        'sock.send(b\'\\3{"header": 1, "parent_header": {}, "metadata": {}, \'\n'
        '          b\'"content": {}, "msg_type": "status"}\')'
    ),
    "an empty message": "sock.send(b'\\3')",
    "pieces without content": "sock.send(b'\\1x')\nwhile True:\n    sock.send(b'\\0')",
    "millions of parts": (
        'data = b\'{"header": {}, "parent_header": {}, "metadata": {}, "msg_type": "status", \'\n'
        "data += b'\"content\": {\"x\": [' + b'[],' * 5_000_000 + b'0]}}'\n"
        "for at in range(0, len(data), 2**16):\n"
        "    sock.send(bytes([(at == 0) | 2 * (at + 2**16 >= len(data))]) + data[at:at + 2**16])"
    ),
    "lists in lists": "sock.send(b'\\3' + b'[' * 60_000)",
    "an empty reply": "sock.send(b'\\7{}')",
    "a reply that is not one": (
        'sock.send(b\'\\7{"header": {}, "parent_header": {"msg_id": []}, "metadata": {}, \'\n'
        '          b\'"content": {}, "msg_type": "execute_reply"}\')'
    ),
}


@pytest.mark.parametrize("what", RAW_ENDINGS)
def test_whatever_comes_over_the_socket_costs_the_sender_alone(tmp_path, what):
    before = begin_peak()
    first, cell, _ = run(
        tmp_path, FIRST, RAW + RAW_ENDINGS[what] + "\nimport time\ntime.sleep(3)", LAST
    )
    assert printed(first) == "judged before\n"
    assert errors(cell)[-1].startswith("Stopped: ")
    assert peak_memory() - before < 2**28
    assert children() == []


def test_kernel_that_sends_what_nobody_takes_has_to_wait(tmp_path):
    source = "import threading\ndef fill():\n    while True:\n        print('x' * 2**20)\n"
    source += "threading.Thread(target=fill, daemon=True).start()"
    before = begin_peak()
    cells = run(tmp_path, source, "import time\ntime.sleep(1.5)", LAST, resident_memory=2**31)
    assert sum(len(str(output)) for cell in cells for output in cell.outputs) < 4 * 2**20
    assert peak_memory() - before < 2**28
    assert children() == []


def test_output_that_is_too_long_is_replaced_by_a_sentence(tmp_path):
    cell, last = run(tmp_path, "display('x' * 2**25)", LAST, seconds=20)
    assert "An output of this cell was left out: it was too long." in printed(cell)
    assert printed(last) == "after\n"


def test_error_that_is_too_long_is_still_an_error(tmp_path):
    cell, last = run(tmp_path, "raise ValueError('x' * 2**25)", LAST, seconds=20)
    assert "left out" in printed(cell)
    assert errors(cell)[-1].startswith("ValueError: ")
    assert printed(last) == "after\n"


def test_interrupt_in_the_middle_of_a_message_garbles_nothing(tmp_path):
    cell, last = run(tmp_path, "while True:\n    display('x' * 2**20)", LAST, seconds=1)
    assert any(error.startswith("Stopped: this cell ran longer") for error in errors(cell))
    shown = [o.data["text/plain"] for o in cell.outputs if o.output_type == "display_data"]
    assert {len(text) for text in shown} == {2**20 + 2}
    assert printed(last) == "after\n"


SPEAKING_MEANWHILE = """
import signal
signal.signal(signal.SIGALRM, lambda *_: print('alarm', flush=True))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for _ in range(20):
    display('x' * 400_000)
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_signal_handler_that_prints_costs_no_other_output(tmp_path):
    cell, last = run(tmp_path, SPEAKING_MEANWHILE, LAST, seconds=20)
    assert [o.output_type for o in cell.outputs].count("display_data") == 20
    assert "alarm" in printed(cell)
    assert printed(last) == "after\n"


def test_halves_of_characters_are_shown_as_question_marks(tmp_path):
    raw = "print('a\\ud800b')\ndisplay('\\udfff')\nraise ValueError('\\ud800')"
    cell, last = run(tmp_path, raw, LAST)
    assert printed(cell) == "a?b\n"
    assert errors(cell) == ["ValueError: ?"]
    nbformat.writes(new_notebook(cells=[cell, last])).encode()
    assert printed(last) == "after\n"


def test_hostile_halves_of_characters_and_odd_numbers_can_be_written(tmp_path):
    message = (
        b'\3{"header": {"msg_type": "display_data"}, "parent_header": %s, '
        b'"metadata": {}, "msg_type": "display_data", '
        b'"content": {"data": {"text/plain": "\\ud800", "application/json": NaN}, "metadata": {}}}'
    )
    source = "import json\nheader = get_ipython().kernel.get_parent()['header']\n"
    source += f"sock.send({message!r} % json.dumps(header, default=str).encode())"
    cell, _ = run(tmp_path, RAW + source, LAST)
    assert cell.outputs[0].data == {"text/plain": "?", "application/json": None}
    nbformat.writes(new_notebook(cells=[cell])).encode()


def test_slow_prints_to_both_streams_keep_lines_and_order(tmp_path):
    source = (
        "import sys, time\nfor i in range(3):\n    print('out', i)\n"
        "    print('err', i, file=sys.stderr)\n    time.sleep(0.3)"
    )
    cell, _ = run(tmp_path, source, LAST, seconds=10)
    assert printed(cell) == "".join(f"out {i}\nerr {i}\n" for i in range(3))


def test_what_is_written_past_python_is_shown(tmp_path):
    source = (
        "import faulthandler, os, sys\nprint('first', file=sys.__stdout__)\n"
        "os.write(1, b'second')\nfaulthandler.dump_traceback()"
    )
    cell, _ = run(tmp_path, source, LAST)
    assert "first\nsecond" in printed(cell)
    assert "most recent call first" in printed(cell)
    assert errors(cell) == []


def test_kernel_whose_streams_fail_runs_the_next_cell(tmp_path):
    source = (
        "import sys\nclass Odd:\n    def write(self, text): pass\n"
        "    def flush(self): raise OSError\nreal, sys.stdout = sys.stdout, Odd()"
    )
    cell, last = run(tmp_path, source, "sys.stdout = real\n6 * 7", seconds=1)
    assert errors(cell)[-1].startswith("Stopped: this cell ran longer")
    assert last.outputs[0].data == {"text/plain": "42"}


def test_cell_after_one_that_printed_too_much_runs(tmp_path):
    cell, last = run(tmp_path, "for _ in range(100):\n    print('x' * 100_000)", LAST)
    assert "The rest of this cell's output was left out" in printed(cell)
    assert len(printed(cell)) < 2**20 + 200
    assert printed(last) == "after\n"


def begin_peak():
    """Forget how much memory this process has had in use, and tell how much it has now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory():
    """Give the most memory that this process has had in use since `begin_peak`, in bytes."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def test_notebook_of_many_floods_is_bounded(tmp_path):
    cells = [new_code_cell("display('x' * 2**20)") for _ in range(8)]
    notebook = new_notebook(cells=cells)
    execute = BoundedExecute(notebook_output_limit=3 * 2**20 + 10_000)
    execute.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    assert sum(len(str(cell.outputs)) > 2**20 for cell in notebook.cells) == 3
