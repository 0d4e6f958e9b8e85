"""How long do a kernel and a notebook take, against stock nbgrader? (make bench-kernel).

The notebook is what a student hands in, in small: the imports, 300 steps of training, a figure.
Stock is nbgrader's own `Execute`, which starts a Python for each notebook; ours is `BoundedExecute`
in the sandbox. Both run in turns, one notebook at a time, each with one thread of BLAS. Neither
the start of the fork server (once in a grading run) nor nbgrader's other steps are counted.
"""

import asyncio
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

from jupyter_client.manager import AsyncKernelManager
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import Execute

from coursekit.grading.execute import BoundedExecute
from coursekit.kernels.launcher import launcher
from coursekit.kernels.provisioner import SandboxManager

OUTPUT = Path(__file__).parents[1] / "build" / "bench-kernel.json"
ROUNDS = 15
CELLS = (
    "import matplotlib.pyplot as plt\nimport numpy as np\nfrom sklearn.datasets import load_digits",
    "digits = load_digits()\n"
    "inputs, targets = digits.data.T / 16, np.eye(10)[digits.target].T\n"
    "weights = np.zeros((10, 64))",
    "losses = []\n"
    "for step in range(300):\n"
    "    batch = np.arange(100 * step, 100 * step + 100) % inputs.shape[1]\n"
    "    logits = weights @ inputs[:, batch]\n"
    "    shares = np.exp(logits - logits.max(axis=0))\n"
    "    shares /= shares.sum(axis=0)\n"
    "    losses.append(-np.mean(np.log(shares[targets[:, batch] == 1])))\n"
    "    weights -= 0.5 * (shares - targets[:, batch]) @ inputs[:, batch].T / 100\n"
    "assert losses[-1] < 0.5",
    "plt.plot(losses)\nplt.xlabel('step')\nplt.ylabel('loss');",
)


def notebook_seconds(execute, folder):
    """Run the notebook in a kernel of its own, from its start to its end."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    start = perf_counter()
    execute().preprocess(notebook, {"metadata": {"path": folder}})
    seconds = perf_counter() - start
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    if [output.output_type for output in outputs] != ["display_data"]:
        raise RuntimeError(f"the notebook did not run as it should: {outputs}")
    return seconds


async def ready_seconds(manager, folder):
    """Start a kernel and wait until it answers."""
    kernel = manager()
    start = perf_counter()
    await kernel.start_kernel(cwd=folder)
    client = kernel.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    seconds = perf_counter() - start
    client.stop_channels()
    await kernel.shutdown_kernel(now=True)
    return seconds


def main():
    """Write build/bench-kernel.json and print it in short."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    contenders = {"stock": (AsyncKernelManager, Execute), "ours": (SandboxManager, BoundedExecute)}
    times = {name: {"ready_s": [], "notebook_s": []} for name in contenders}
    with tempfile.TemporaryDirectory() as folder:
        launcher()
        for _ in range(ROUNDS):
            for name, (manager, execute) in contenders.items():
                times[name]["ready_s"].append(asyncio.run(ready_seconds(manager, folder)))
                times[name]["notebook_s"].append(notebook_seconds(execute, folder))
    result = {
        name: {key: round(statistics.median(values), 4) for key, values in found.items()}
        for name, found in times.items()
    }
    for key in ("ready", "notebook"):
        stock, ours = (result[name][f"{key}_s"] for name in ("stock", "ours"))
        result[f"ratio_{key}"] = round(stock / ours, 2)
        print(f"{key:9} stock {stock:.3f} s, ours {ours:.3f} s: {stock / ours:.1f} times as fast")
    result["rounds"] = ROUNDS
    result["machine"] = f"{platform.machine()}, Python {platform.python_version()}"
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
