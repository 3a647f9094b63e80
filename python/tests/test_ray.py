"""Tests of runs on a Ray cluster: two workers on this machine, of which some are killed."""

from __future__ import annotations

import functools
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bartizan
from bartizan import _cluster

# This is about the cluster's own network, which tests have to themselves.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'bartizan[ray]'")

import bartizan.ray  # noqa: E402  it needs Ray

MODELS = Path(__file__).parents[2] / "models"
MODEL = str(MODELS / "digits_mlp" / "model.onnx")
OPTIONS: dict[str, Any] = {"radius": 0.08, "clip": (0, 1)}

#: Points of a batch of this model, and of a task.
BATCH = 64

#: Tasks of a run.
TASKS = 8

#: What a task takes that takes its time, in seconds.
TASK_S = 0.25


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """Two workers; the address."""
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:
        ray.init(num_cpus=2, include_dashboard=False, _temp_dir=folder, log_to_driver=False)
        # What tests run in place of a task is sent along, as workers do not know this file.
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()


@functools.cache
def data() -> tuple[np.ndarray, np.ndarray]:
    """Points for eight tasks: digits, and digits with noise."""
    images, labels = (np.load(MODELS / "digits_mlp" / f"{name}.npy") for name in ("images", "labels"))
    noise = np.random.default_rng(5).integers(-1, 2, images.shape) / 16
    images = np.concatenate([images, np.clip(images + noise, 0, 1).astype(images.dtype)])
    return images[: TASKS * BATCH], np.concatenate([labels, labels])[: TASKS * BATCH]


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> bartizan.Run:
    """The same run in one process."""
    return bartizan.certify(MODEL, *data(), store=tmp_path_factory.mktemp("alone") / "run.db", **OPTIONS)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


@pytest.fixture
def spread(cluster: str, store: Path) -> Callable[..., bartizan.Run]:
    """Certifies the points on the cluster."""

    def certify(**options: Any) -> bartizan.Run:
        options = {"store": store, "points_per_task": BATCH, **OPTIONS, **options}
        return bartizan.ray.certify(MODEL, *data(), **options)

    return certify


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Callable[..., Any]], None]:
    """Has workers run something else in place of a task: it is given a folder, the task, and what does the task."""

    def replace(function: Callable[[Path, Any, Callable[[], Any]], Any]) -> None:
        folder = tmp_path

        def answer(task: Any, *rest: Any) -> Any:
            from bartizan.ray import _answer

            return function(folder, task, lambda: _answer(task, *rest))

        monkeypatch.setattr(bartizan.ray, "_answer", answer)

    return replace


def answers(path: Path) -> list[tuple[Any, ...]]:
    """All that a store holds of its points, but for the times."""
    claims = "point, label, predicted, confidence, verdict, reason"
    evidence = "certified_share, certificate, falsified_share, counterexample"
    with sqlite3.connect(path) as connection:
        return connection.execute(f"SELECT {claims}, {evidence} FROM points ORDER BY point").fetchall()


def assert_same(run: bartizan.Run, alone: bartizan.Run) -> None:
    """Two runs have the same store."""
    assert (run.root, run.counts, run.end) == (alone.root, alone.counts, "completion")
    assert answers(run.store) == answers(alone.store)


def die(folder: Path, task: Any, answer: Callable[[], Any], times: int) -> Any:
    """Kills the worker of the fourth task after its work was done, the first times."""
    if task.indices[0] == 3 * BATCH:
        answer()
        deaths = len(list(folder.glob("death-*")))
        (folder / f"death-{deaths}").touch()
        if deaths < times:
            os.kill(os.getpid(), signal.SIGKILL)
    return answer()


def test_the_store_is_that_of_one_process(spread, alone):
    told: list[tuple[int, int]] = []
    run = spread(progress=lambda answered, asked: told.append((answered, asked)))
    assert_same(run, alone)
    assert told == [(BATCH * (place + 1), BATCH * TASKS) for place in range(TASKS)]
    assert bartizan.check(run, MODEL, *data()).accepted


@pytest.mark.parametrize("deaths", [1, 4])
def test_a_killed_worker_costs_nothing_but_time(spread, alone, replaced, tmp_path, deaths):
    replaced(functools.partial(die, times=deaths))
    assert_same(spread(), alone)
    assert len(list(tmp_path.glob("death-*"))) == deaths + 1


def test_a_task_that_kills_its_workers_is_left_and_named(spread, alone, replaced, store, tmp_path, monkeypatch):
    replaced(functools.partial(die, times=100))
    with pytest.raises(bartizan.Error) as raised:
        spread(retries=3)
    text = "64 points have no answer (192..256): their workers died 4 times; resume=True tries these points again"
    assert str(raised.value) == f"{store}: {text}"
    assert len(list(tmp_path.glob("death-*"))) == 4
    left = bartizan.open(store)
    assert (left.end, left.unanswered, len(left)) == ("interruption", BATCH, (TASKS - 1) * BATCH)
    monkeypatch.undo()
    told: list[tuple[int, int]] = []
    assert_same(spread(resume=True, progress=lambda *far: told.append(far)), alone)
    assert told == [(BATCH * TASKS, BATCH * TASKS)]


def test_without_retries_a_task_is_begun_once(spread, replaced, tmp_path):
    replaced(functools.partial(die, times=100))
    with pytest.raises(bartizan.Error, match="their workers died 1 times"):
        spread(retries=0)
    assert len(list(tmp_path.glob("death-*"))) == 1


def fail(folder: Path, task: Any, answer: Callable[[], Any]) -> Any:
    """Refuses the last task."""
    if task.indices[0] == (TASKS - 1) * BATCH:
        raise bartizan.InputError("X: point 448: expected something else, found this")
    return answer()


def test_an_error_in_a_task_ends_the_run(spread, alone, replaced, store, monkeypatch):
    replaced(fail)
    with pytest.raises(bartizan.InputError, match="^X: point 448: expected something else, found this$"):
        spread()
    left = bartizan.open(store)
    assert left.end == "interruption" and 0 < left.unanswered < TASKS * BATCH
    monkeypatch.undo()
    assert_same(spread(resume=True), alone)


def test_ctrl_c_ends_the_run_and_its_tasks(spread, alone, store):
    def interrupt(answered: int, asked: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spread(progress=interrupt)
    left = bartizan.open(store)
    assert (left.end, len(left)) == ("interruption", BATCH)
    assert_same(bartizan.certify(MODEL, *data(), store=store, resume=True, **OPTIONS), alone)


def take_time(folder: Path, task: Any, answer: Callable[[], Any]) -> Any:
    """Tells that a task has begun, and takes its time."""
    (folder / f"begun-{task.indices[0]}").touch()
    time.sleep(TASK_S)
    return answer()


def test_tasks_that_wait_are_cancelled(spread, replaced, tmp_path):
    replaced(take_time)
    with pytest.raises(KeyboardInterrupt):
        spread(progress=_interrupt)
    time.sleep(TASKS * TASK_S)
    assert 1 <= len(list(tmp_path.glob("begun-*"))) <= TASKS // 2


def test_a_task_under_way_ends_when_it_is_cancelled(spread, tmp_path):
    hard = {
        "model": str(MODELS / "digits_residual" / "model.onnx"),
        "X": np.load(MODELS / "digits_residual" / "images.npy"),
    }
    options = {"radius": 0.15, "clip": (0, 1), "timeout": 3600, "points_per_task": BATCH}
    begin = time.monotonic()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(3)
    with pytest.raises(KeyboardInterrupt):
        bartizan.ray.certify(**hard, store=tmp_path / "hard.db", **options)
    assert time.monotonic() - begin < 30
    # Both workers are free again.
    assert spread(select=slice(0, 2 * BATCH)).end == "completion"
    assert time.monotonic() - begin < 30


DRIVER = """
import os, signal, sys
import ray
import bartizan.ray
from test_ray import BATCH, MODEL, OPTIONS, data

def die(answered, asked):
    if answered >= 2 * BATCH:
        os.kill(os.getpid(), signal.SIGKILL)

ray.init(address=sys.argv[1], log_to_driver=False)
bartizan.ray.certify(MODEL, *data(), store=sys.argv[2], points_per_task=BATCH, progress=die, **OPTIONS)
"""


def test_a_killed_driver_leaves_what_was_answered(cluster, spread, alone, store):
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    killed = subprocess.run(
        [sys.executable, "-c", DRIVER, cluster, store], env={**os.environ, "PYTHONPATH": path}, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    left = bartizan.open(store)
    assert (left.end, len(left)) == (None, 2 * BATCH)
    assert_same(spread(resume=True), alone)


def test_another_question_is_not_gone_on_with(spread, store):
    with pytest.raises(KeyboardInterrupt):
        spread(progress=_interrupt)
    with pytest.raises(bartizan.Error, match="radius"):
        spread(resume=True, radius=0.09)
    with pytest.raises(bartizan.InputError, match="run.db: store: expected no file of this name"):
        spread()


def _interrupt(answered: int, asked: int) -> None:
    raise KeyboardInterrupt


def test_few_points_are_in_memory_at_a_time(spread, alone, monkeypatch):
    monkeypatch.setattr(bartizan.ray, "LEAST_TASKS", 1)
    monkeypatch.setattr(bartizan.ray, "TASKS_A_SLOT", 1)
    under_way, most = 0, 0
    task, absorb = _cluster.Plan.task, _cluster.Plan.absorb

    def counted_task(plan: Any, block: list[int]) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        return task(plan, block)

    def counted_absorb(plan: Any, found: Any) -> int:
        nonlocal under_way
        under_way -= 1
        return absorb(plan, found)

    monkeypatch.setattr(_cluster.Plan, "task", counted_task)
    monkeypatch.setattr(_cluster.Plan, "absorb", counted_absorb)
    assert_same(spread(), alone)
    assert (under_way, most) == (0, 2)


def test_tasks_may_take_several_cores_and_runs_look_for_radii(spread, alone, tmp_path):
    assert_same(spread(num_cpus=2, points_per_task=None), alone)
    options = {"precision": 0.25, "select": slice(0, 100)}
    radii = bartizan.radius(MODEL, *data(), store=tmp_path / "alone.db", **OPTIONS, **options)
    assert_same(spread(store=tmp_path / "radii.db", num_cpus=0.5, **options), radii)


def test_workers_have_the_version_of_the_driver(spread, monkeypatch):
    version = bartizan.__version__
    monkeypatch.setattr(bartizan, "__version__", "99.0")
    with pytest.raises(
        bartizan.Error, match=f"^worker on .*: expected bartizan 99.0, as the driver has, found {version}$"
    ):
        spread()


@pytest.mark.parametrize(
    "options, text",
    [
        ({"jobs": 2}, "jobs: expected num_cpus, the cores that a task takes, found 2"),
        ({"budget": 5}, "budget: expected none, as the run is spread, found 5"),
        ({"sequential": True}, "sequential: expected none, as the run is spread, found True"),
        ({"points_per_task": 0}, "points_per_task: expected at least one point, found 0"),
        ({"retries": -1}, "retries: expected a number from 0, found -1"),
        ({"num_cpus": 0}, "num_cpus: expected more than 0 cores, found 0"),
        ({"radius": -1}, "radius: expected "),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_run_begins(spread, store, options, text):
    with pytest.raises(bartizan.InputError) as raised:
        spread(**options)
    assert str(raised.value).startswith(text)
    assert not store.exists()


def test_without_ray_the_extra_is_named(monkeypatch, store):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"^bartizan\.ray needs Ray: pip install 'bartizan\[ray\]'$"):
        bartizan.ray.certify(MODEL, *data(), store=store, **OPTIONS)
