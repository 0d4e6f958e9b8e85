"""Start a Dask cluster for coursekit on a Slurm site, from its login node.

    python -m pip install dask-jobqueue        # beside "coursekit[dask]"
    python slurm_cluster.py

It prints the address for ``coursekit grade --dask`` and runs until Ctrl-C, which ends the jobs.
The connections are encrypted and need the certificate of docs/dask.md: everybody on a login node
reaches its ports, and who reaches a scheduler without one can run code as you.
"""

import sys
from contextlib import suppress
from pathlib import Path
from threading import Event

from dask_jobqueue import SLURMCluster
from distributed import Security

JOBS = 4  # of Slurm, each with the workers below

with SLURMCluster(
    queue="batch",  # the site's partition; account="..." where it wants one
    cores=8,
    processes=8,  # one notebook each: a worker that is lost takes no other notebook with it
    memory="32GB",
    walltime="02:00:00",
    python=sys.executable,  # this environment, on a disk that the nodes see
    local_directory="/tmp",  # a disk of the node itself
    log_directory=str(Path.home() / "dask-logs"),
    security=Security(require_encryption=True),
) as cluster:
    cluster.scale(jobs=JOBS)
    print(f"coursekit grade --dask {cluster.scheduler_address}", flush=True)
    with suppress(KeyboardInterrupt):
        Event().wait()
