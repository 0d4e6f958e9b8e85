"""Run notebooks on a Dask cluster.

Dask's own scheduler would run the notebooks of a lost worker up to three times more, and hold the
loss against those, too, that only waited there. So each notebook is sent to a worker with a free
thread and to no other, and once more, elsewhere, if that worker is lost.
"""

import asyncio
import json
import logging
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from uuid import uuid4

from coursekit.errors import KitError
from coursekit.grading import remote
from coursekit.grading.running import Job
from coursekit.grading.workforce import Workforce

SCHEMES = ("tcp://", "tls://")
RUNS = 2  # of a notebook whose workers are lost
CONNECTING = 5  # seconds in which the scheduler must answer
LEAVING = 1  # seconds in which notebooks must be stopped, and then the connection be closed


class _LostError(Exception):
    """A worker has gone, and with it the notebook that it ran."""


class Cluster:
    """A running Dask cluster, to be used in a ``with`` statement.

    Parameters
    ----------
    address : str
        ``tcp://host:8786`` or ``tls://host:8786`` of the scheduler, or the path of a scheduler
        file.
    told : callable, optional
        Called, in another thread, with a sentence about each worker that is refused, and when
        there is none and one is waited for.

    Raises
    ------
    KitError
        If distributed is not installed, or `address` is none.
    """

    def __init__(self, address: str, told: Callable[[str], None] = lambda sentence: None):
        try:
            import distributed  # noqa: F401
        except ImportError:
            raise KitError(
                'Grading on a Dask cluster needs distributed; run: pip install "coursekit[dask]"'
            ) from None
        # Its log is for who runs the cluster; graders are told in sentences.
        for handler in logging.getLogger("distributed").handlers:
            handler.setLevel(logging.CRITICAL)
        self._address = _address_in(address)
        self._told = told
        self._client = self._workforce = None
        self._tasks: set[asyncio.Task] = set()

    @property
    def width(self) -> int:
        """How many notebooks run at a time now, at least 1."""
        return max(1, self._workforce.width)

    def __enter__(self):
        """Connect, and wait for the first worker.

        Raises
        ------
        KitError
            If the scheduler cannot be used.
        SandboxError
            If all of its workers are refused.
        """
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="cluster", daemon=True)
        self._thread.start()
        try:
            self._begin(self._open()).result()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Stop the notebooks that still run, and leave the cluster."""
        try:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def submit(self, job: Job) -> Future:
        """Send a notebook to the cluster.

        Parameters
        ----------
        job : Job

        Returns
        -------
        concurrent.futures.Future
            Its result is the notebook after the run, as JSON text. It raises `KitError` if the
            notebook could not be run, `SandboxError` if no worker is left that may.
        """
        return self._begin(self._run(job))

    def _begin(self, coroutine) -> Future:
        return asyncio.run_coroutine_threadsafe(self._noted(coroutine), self._loop)

    # --- All below runs in the event loop -----------------------------------------------------

    async def _noted(self, coroutine):
        """Await a coroutine, which `_close` may cancel."""
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            return await coroutine
        finally:
            self._tasks.discard(task)

    async def _open(self):
        from distributed import Client
        from distributed.versions import VersionMismatchWarning

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", VersionMismatchWarning)  # what matters is asked
                self._client = Client(
                    self._address,
                    asynchronous=True,
                    set_as_default=False,
                    timeout=CONNECTING,
                    name="coursekit",
                )
                # Its own timeout does not hold where something listens that says nothing.
                await asyncio.wait_for(self._client, CONNECTING)
            other = remote.differences(await self._client.run_on_scheduler(remote.versions))
        except TimeoutError:
            other = f"no answer in {CONNECTING:g} s"
        except Exception as problem:  # without certificates, coursekit or the right version, say
            other = f"{type(problem).__name__}: {problem}"
        if other:
            raise KitError(f"The Dask scheduler at {self._address} cannot be used: {other}")
        self._workforce = Workforce(self._client, self._address, self._told)
        asyncio.create_task(self._noted(self._workforce.watch()))
        await self._workforce.someone.wait()
        if self._workforce.end:
            raise self._workforce.end

    async def _close(self):
        for task in self._tasks:
            task.cancel()
        stopped = asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped, LEAVING)
        if self._client is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._client.close(), LEAVING)

    async def _run(self, job):
        parcel = await asyncio.to_thread(remote.parcel, job)
        lost = []
        while len(lost) < RUNS:
            worker = await self._workforce.free()
            try:
                kind, answer = await self._ask(worker, parcel)
            except _LostError:
                self._workforce.lose(worker)
                lost.append(worker.address)
                continue
            finally:
                self._workforce.give_back(worker)
            if kind == remote.RAN:
                return answer
            if kind == remote.FAILED:
                raise KitError(answer)
            self._workforce.refuse(worker.address, answer)
        raise self._workforce.end or KitError(
            f"The Dask workers that ran it were lost, first {lost[0]} and then {lost[1]}, and it "
            "is not tried a third time; their logs may tell why."
        )

    async def _ask(self, worker, parcel):
        """Send a notebook to a worker, and wait for its answer or its end."""
        import dask
        from distributed import KilledWorker

        name = f"notebook-{uuid4().hex}"
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GiB"}):
            future = self._client.submit(
                *(remote.work, name, worker.process, *parcel),
                key=name,
                workers=[worker.address],
                allow_other_workers=False,
                pure=False,
            )
        answered = asyncio.create_task(future.result())
        lost = asyncio.create_task(worker.lost.wait())
        try:
            await asyncio.wait([answered, lost], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._client.run(remote.stop, name, workers=[worker.address], on_error="ignore")
            raise
        finally:
            answered.cancel()
            lost.cancel()
            future.release()
        if not answered.done():
            raise _LostError
        try:
            kind, answer = answered.result()
        except (CancelledError, KilledWorker):  # by Dask, which also has noticed the loss
            raise _LostError from None
        except Exception as problem:  # nbgrader cannot be imported there, say
            return remote.REFUSED, f"{type(problem).__name__}: {problem}"
        if kind == remote.LEFT:
            raise _LostError
        return kind, answer.decode()


def _address_in(given):
    """Find the scheduler's address in what the user gave."""
    if given.startswith(SCHEMES):
        return given
    try:
        return json.loads(Path(given).read_text())["address"]
    except FileNotFoundError:
        raise KitError(
            f"There is no scheduler file {given}; an address begins with {' or '.join(SCHEMES)}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise KitError(
            f"{given} cannot be read as a scheduler file: {problem}; let the scheduler write it: "
            f"dask scheduler --scheduler-file {given}"
        ) from problem
