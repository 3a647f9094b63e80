"""Runs over data sets on a Ray cluster.

The driver holds the one store of the run and gives out tasks; a worker answers a task's points and sends the answers
back with their certificates; the driver commits them as they come. A task that is lost with its worker or node is begun
again, so that the store is the one that a single process would have written. Workers need nothing but this package.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike
    from types import ModuleType

    from bartizan import Run
    from bartizan._cluster import Plan, Task

__all__ = ["certify"]

#: How often Ray itself begins a task again before the driver looks at it. It also lets Ray compute an answer again that
#: is gone with its node.
RETRIES_OF_RAY = 1

#: Tasks under way or waiting for each that can run at a time: enough that no worker waits for the driver, and few
#: enough that few points are in memory.
TASKS_A_SLOT = 2

#: Tasks under way at least, so that a cluster that grows when work waits has a reason to.
LEAST_TASKS = 8

#: What Ray calls the tasks.
NAME = "bartizan.certify"


@dataclass
class _Flight:
    """A task and how many more times it may be begun."""

    task: Task
    left: int


def certify(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    radius: Any,
    store: str | PathLike[str],
    resume: bool = False,
    points_per_task: int | None = None,
    retries: int = 5,
    num_cpus: float = 1,
    progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Run:
    """Certify the points of a data set on a Ray cluster; answers and store are those of `bartizan.certify`.

    Ray is initialised with its defaults if it is not initialised yet.

    Args:
        model: The model, in any form that `bartizan.certify` takes.
        X: The points, as there.
        y: Their labels, as there.
        radius: The radius, as there.
        store: The file that keeps every answer as it comes. It is needed: what is answered is never lost.
        resume: Go on with the run that the store holds, if there is one.
        points_per_task: About how many points a task has, rounded up to whole batches, on which certificates depend.
        retries: How often a task is begun again that was lost with its worker.
        num_cpus: Cores that a task takes; it uses that many threads, and one of less than two.
        progress: Called with how many points have an answer, and how many are asked for.
        options: The other options of `bartizan.certify`, without `jobs`, `budget` and `sequential`.

    Raises:
        bartizan.InputError: Something does not fit, on the driver or in a task. Tasks under way are cancelled.
        bartizan.Error: Tasks were lost too often; the message names their points. All others are answered by then.
        KeyboardInterrupt: As Ctrl-C asks. Tasks under way are cancelled.

    Whatever is raised once the run has begun, the store keeps what was answered, and `resume=True` goes on with it.
    """
    _check(points_per_task, retries, num_cpus, options)
    ray = _import_ray()
    from bartizan import _cluster

    if not ray.is_initialized():
        ray.init()
    plan = _cluster.Plan(model, X, y, radius=radius, store=store, resume=resume, **options)
    try:
        dispatch = _Dispatch(ray, plan, (retries, num_cpus), progress)
        dispatch.answer(plan.blocks(points_per_task))
    finally:
        run = plan.conclude()
    if dispatch.lost:
        raise _lost(store, dispatch.lost, retries)
    return run


class _Dispatch:
    """Tasks on their way to the cluster and back."""

    def __init__(
        self, ray: ModuleType, plan: Plan, limits: tuple[int, float], progress: Callable[[int, int], object] | None
    ) -> None:
        import bartizan

        self.retries, self.num_cpus = limits
        self.lost: list[int] = []
        self._ray, self._plan, self._progress = ray, plan, progress
        self._answered = plan.asked - plan.open
        self._under_way: dict[Any, _Flight] = {}
        self._again: deque[_Flight] = deque()
        self._remote = ray.remote(_answer)
        self._settings = (ray.put(plan.model_bytes), max(1, int(self.num_cpus)), bartizan.__version__)

    def answer(self, blocks: Iterable[list[int]]) -> None:
        """Have the points of all blocks answered; those that are lost too often are skipped and noted."""
        waiting = iter(blocks)
        try:
            self._submit(waiting)
            while self._under_way:
                ready, _ = self._ray.wait(list(self._under_way), num_returns=1)
                for reference in ready:
                    self._take(reference)
                self._submit(waiting)
        except BaseException:
            self._cancel()
            raise

    def _submit(self, waiting: Iterator[list[int]]) -> None:
        """Begin tasks until enough are under way, first those that were lost."""
        most = self._most()
        while len(self._under_way) < most:
            flight = self._again.popleft() if self._again else self._first(waiting)
            if flight is None:
                return
            retries = min(RETRIES_OF_RAY, flight.left - 1)
            flight.left -= 1 + retries
            remote = self._remote.options(
                name=NAME, num_cpus=self.num_cpus, max_retries=retries, retry_exceptions=False
            )
            self._under_way[remote.remote(flight.task, *self._settings)] = flight

    def _first(self, waiting: Iterator[list[int]]) -> _Flight | None:
        block = next(waiting, None)
        return None if block is None else _Flight(self._plan.task(block), 1 + self.retries)

    def _most(self) -> int:
        """How many tasks may be under way; the cluster may have grown."""
        cores = self._ray.cluster_resources().get("CPU", 0.0)
        slots = cores / self.num_cpus if self.num_cpus else cores
        return max(LEAST_TASKS, int(TASKS_A_SLOT * slots))

    def _take(self, reference: Any) -> None:
        """Commit the answers of a task, or see what became of it."""
        flight = self._under_way[reference]
        try:
            answers = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from error
        except _losses(self._ray):
            self._lose(flight)
        else:
            self._answered += self._plan.absorb(answers)
            if self._progress is not None:
                self._progress(self._answered, self._plan.asked)
        del self._under_way[reference]

    def _lose(self, flight: _Flight) -> None:
        if flight.left > 0:
            self._again.append(flight)
        else:
            self.lost.extend(flight.task.open)

    def _cancel(self) -> None:
        """End what is under way; a worker notices within a moment and stays usable."""
        for reference in self._under_way:
            self._ray.cancel(reference, force=False)


def _answer(task: Task, model: bytes, jobs: int, version: str) -> Any:
    """Answer a task; this runs on a worker."""
    import socket

    import bartizan
    from bartizan import _cluster

    if bartizan.__version__ != version:
        place = f"worker on {socket.gethostname()}"
        raise bartizan.Error(f"{place}: expected bartizan {version}, as the driver has, found {bartizan.__version__}")
    return _cluster.answer(model, task, jobs=jobs)


def _losses(ray: ModuleType) -> tuple[type[Exception], ...]:
    """What Ray raises where a task or its answer is gone through no fault of the task's own."""
    names = ("WorkerCrashedError", "NodeDiedError", "ObjectLostError", "OutOfMemoryError")
    return tuple(getattr(ray.exceptions, name) for name in names)


def _cause(error: Any) -> BaseException:
    """The exception of a task as the task raised it; Ray's own where it cannot be told."""
    return error.cause if isinstance(error.cause, Exception) else error


def _lost(store: str | PathLike[str], indices: list[int], retries: int) -> Exception:
    from bartizan import Error

    points = f"{len(indices)} points have no answer ({_ranges(sorted(indices))})"
    return Error(f"{store}: {points}: their workers died {1 + retries} times; resume=True tries these points again")


def _ranges(indices: list[int]) -> str:
    """Indices as `select` takes them: `0..64,70`."""
    parts: list[list[int]] = []
    for index in indices:
        if parts and parts[-1][1] == index:
            parts[-1][1] = index + 1
        else:
            parts.append([index, index + 1])
    return ",".join(str(first) if end == first + 1 else f"{first}..{end}" for first, end in parts)


def _check(points_per_task: int | None, retries: int, num_cpus: float, options: dict[str, Any]) -> None:
    from bartizan import InputError

    instead = {
        "jobs": "num_cpus, the cores that a task takes",
        "budget": "none, as the run is spread",
        "sequential": "none, as the run is spread",
    }
    for name in instead.keys() & {name for name, value in options.items() if value}:
        raise InputError(f"{name}: expected {instead[name]}, found {options[name]!r}")
    if points_per_task is not None and points_per_task < 1:
        raise InputError(f"points_per_task: expected at least one point, found {points_per_task}")
    if retries < 0:
        raise InputError(f"retries: expected a number from 0, found {retries}")
    if num_cpus <= 0:
        raise InputError(f"num_cpus: expected more than 0 cores, found {num_cpus}")


def _import_ray() -> ModuleType:
    try:
        import ray
    except ImportError as error:
        raise ImportError("bartizan.ray needs Ray: pip install 'bartizan[ray]'") from error
    return ray
