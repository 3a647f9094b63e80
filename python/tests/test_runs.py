"""Runs over data sets: arrays and files, stores, gates, interruption."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import BINARY, DIGITS, MODEL, REPOSITORY, X, y

import bartizan

QUESTION: dict[str, Any] = {"radius": 0.05, "clip": (0, 1)}
FILES = (str(DIGITS / "images.npy"), str(DIGITS / "labels.npy"))


@pytest.fixture(scope="module")
def run() -> bartizan.Run:
    return bartizan.certify(MODEL, X, y, **QUESTION)


def test_arrays_files_and_the_command_line_say_the_same(run: bartizan.Run, tmp_path: Path) -> None:
    files = bartizan.certify(MODEL, *FILES, **QUESTION)
    lists = bartizan.certify(MODEL, X.tolist(), y.tolist(), **QUESTION)
    flat = bartizan.certify(Path(MODEL), X.reshape(len(X), 64).astype("f8"), y[:, None], **QUESTION)
    assert {files.root, lists.root, flat.root} == {run.root} and files.counts == run.counts
    assert run.counts == {
        "points": 360, "certified": 320, "falsified": 32, "misclassified": 8, "unknown": 0, "unanswered": 0, "correct": 352
    }  # fmt: skip
    if BINARY is None:
        pytest.skip("the command line has not been built")
    command = [BINARY, "certify", MODEL, "--data", FILES[0], "--labels", FILES[1], "--radius", "0.05", "--clip", "0,1"]
    subprocess.run([*command, "--store", str(tmp_path / "run.db")], check=True, stdout=subprocess.DEVNULL)
    assert bartizan.open(tmp_path / "run.db").root == run.root


def test_points_tell_what_became_of_them(run: bartizan.Run) -> None:
    assert len(run) == 360 and [point.index for point in run][:3] == [0, 1, 2]
    verdicts = {point.verdict for point in run}
    assert verdicts == {"certified", "falsified", "misclassified"}
    certified, falsified = (next(p for p in run if p.verdict == verdict) for verdict in ("certified", "falsified"))
    assert certified.certificate and certified.certified_radius_share == 1.0 and certified.counterexample is None
    assert falsified.certificate is None and falsified.counterexample.shape == (1, 8, 8)
    assert falsified.outputs.argmax() != falsified.label
    assert run[7].index == run.point(7).index == 7
    with pytest.raises(bartizan.InputError, match="point: expected one with an answer, found 999"):
        run.point(999)
    with pytest.raises(IndexError):
        run[360]


def test_tables(run: bartizan.Run) -> None:
    pytest.importorskip("pandas")
    table = run.to_pandas()
    assert len(table) == 360 and (table.verdict == "certified").sum() == 320
    assert set(table.columns) >= {"label", "predicted", "confidence", "verdict", "time_s", "certified_radius_share"}
    classes = run.coverage.to_pandas()
    assert len(classes) == 10 and classes["points"].sum() == 360


def test_data_frames_are_tables() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X.reshape(360, 64), columns=[f"pixel {place}" for place in range(64)])
    whole = [place for place in range(64) if (table.iloc[:, place] % 1 == 0).all()]
    kept = bartizan.certify(MODEL, table, pandas.Series(y), select=range(5), **QUESTION)
    assert whole and kept.facts["fixed"].split(",")[0].split("..")[0] == str(whole[0])
    assert bartizan.certify(MODEL, table, y, select=range(5), vary="all", **QUESTION).facts["fixed"] is None
    named = bartizan.certify(MODEL, table, y, select=range(5), vary="all", fix=["pixel 3", 10], **QUESTION)
    assert named.facts["fixed"] == "3,10"


def test_selections(run: bartizan.Run) -> None:
    for select in (slice(10, 20), range(10, 20), "10..20", list(range(10, 20)), np.arange(10, 20)):
        assert bartizan.certify(MODEL, X, y, select=select, **QUESTION).facts["selection"] == "10..20"
    assert bartizan.certify(MODEL, X, y, select=slice(0, 9, 3), **QUESTION).facts["selection"] == "0,3,6"
    assert bartizan.certify(MODEL, X, select=5, **QUESTION).points == 1


def test_coverage_is_stated_with_its_assumptions(run: bartizan.Run) -> None:
    found = run.coverage
    assert 0.85 < found.lower < 0.86 and 0.91 < found.upper < 0.92 and found.confidence == 0.95
    assert found.method.startswith("Clopper-Pearson") and "drawn independently" in found.assumptions
    assert str(found).startswith("With confidence 95 %") and found.gate is None and run.gate is None
    surer = bartizan.coverage(run, confidence=0.999, require=0.8, population=10_000)
    assert surer.lower < found.lower and surer.gate is True and surer.population is not None
    assert bartizan.coverage(run, require=0.9).gate is False
    with pytest.raises(bartizan.InputError, match="population: expected at least 360, .* found 3"):
        bartizan.coverage(run, population=3)
    with pytest.raises(bartizan.InputError, match="confidence: expected a number between 0 and 1, such as 0.95, found 2"):
        bartizan.coverage(run, confidence=2)


def test_radii_are_bracketed() -> None:
    found = bartizan.radius(MODEL, X, y, radius=0.2, clip=(0, 1), precision=0.1, select=slice(0, 5))
    shares = [point.certified_radius_share for point in found]
    assert any(share is not None and 0 < share < 1 for share in shares)
    assert found.coverage.curve is not None
    with pytest.raises(bartizan.InputError, match="precision: expected a share greater than 0"):
        bartizan.radius(MODEL, X, y, radius=0.2, precision=0)


def test_stores_are_kept_resumed_merged_and_checked(run: bartizan.Run, tmp_path: Path) -> None:
    parts = [tmp_path / f"part-{part}.db" for part in (1, 2)]
    for part, path in enumerate(parts, 1):
        bartizan.certify(MODEL, X, y, store=path, shard=f"{part}/2", **QUESTION)
    merged = bartizan.merge(parts, tmp_path / "run.db")
    assert merged.counts == run.counts and merged.store == tmp_path / "run.db" and run.store is None
    with pytest.raises(bartizan.InputError, match="expected no file of this name"):
        bartizan.certify(MODEL, X, y, store=parts[0], **QUESTION)
    with pytest.raises(bartizan.InputError, match="column `radius`: expected 0.04, as this run asks, found 0.05"):
        bartizan.certify(MODEL, X, y, store=parts[0], resume=True, shard=(1, 2), radius=0.04, clip=(0, 1))
    with pytest.raises(bartizan.InputError, match="column `data`: expected a file, as nobody named one now, found an array"):
        bartizan.check(parts[0], MODEL)
    assert bartizan.check(tmp_path / "run.db", MODEL, X, y)
    run.save(tmp_path / "copy.db")
    assert bartizan.open(tmp_path / "copy.db").root == run.root


def test_a_tampered_store_is_refused(run: bartizan.Run, tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    run.save(path)
    taken = "certificate, certificate_bytes, leaves"
    with sqlite3.connect(path) as store:
        first, second = [row[0] for row in store.execute("SELECT point FROM points WHERE verdict = 'certified' LIMIT 2")]
        store.execute(f"UPDATE points SET ({taken}) = (SELECT {taken} FROM points WHERE point = {second}) WHERE point = {first}")
    found = bartizan.check(path, MODEL, X, y)
    assert not found and [index for index, _ in found.refused] == [first]
    assert found.refused[0][1].startswith("the checker refused the certificate: ")
    assert found.figures.startswith("root: expected ")
    other = REPOSITORY / "models/digits_conv/model.onnx"
    with pytest.raises(bartizan.InputError, match="SHA-256: expected .* found"):
        bartizan.check(path, other, X, y)


def test_reports_have_all_forms(run: bartizan.Run, tmp_path: Path) -> None:
    forms = {form: tmp_path / form for form in ("html", "json", "junit", "sarif", "markdown", "csv", "parquet")}
    run.report(tmp_path / "page.html", **forms)
    assert json.loads(forms["json"].read_text())["certified"] == 320
    assert json.loads(forms["sarif"].read_text())["version"] == "2.1.0"
    assert ElementTree.parse(forms["junit"]).getroot().tag == "testsuites"
    assert len(forms["csv"].read_text().splitlines()) == 361
    assert forms["parquet"].read_bytes()[:4] == b"PAR1"
    page = (tmp_path / "page.html").read_text()
    assert "With confidence 95" in page and page == forms["html"].read_text()
    assert run.summary().startswith("model") and str(run) == run.summary()
    with pytest.raises(bartizan.InputError, match="form: expected html, json, .* found `pdf`"):
        run.report(pdf=tmp_path / "x")
    with pytest.raises(bartizan.FileError, match="cannot write"):
        run.report(tmp_path / "no/page.html")


def test_gates_budgets_and_drawn_orders() -> None:
    met = bartizan.certify(MODEL, X, y, require=0.8, sequential=True, **QUESTION)
    assert met.gate is True and met.end == "gate" and met.unanswered > 0
    late = bartizan.certify(MODEL, X, y, budget=0, **QUESTION)
    assert late.end == "budget" and late.unanswered == 360 and late.coverage.lower == 0
    with pytest.raises(bartizan.InputError, match="require: expected a share from 0 to 1, found 2"):
        bartizan.certify(MODEL, X, y, require=2, **QUESTION)


def test_what_does_not_fit_is_refused() -> None:
    for arguments, text in [
        ((X, y[:3]), "y (in memory): labels: expected 360 labels, one for each point, found 3"),
        ((np.where(X > 0.5, np.nan, X), y), "X (in memory): point 0, element 3: expected a finite number, found NaN"),
        ((np.array(["a"]), y), "X: expected an array of numbers with a row for each point, found shape [1] of <U1"),
        ((X, y - 100.5), f"y: label 0: expected a class index (0, 1, 2, ...), found {float(y[0]) - 100.5}"),
        ((X, FILES[1]), "y: expected labels as an array, as X is one, found a file"),
        ((FILES[0], y), "y: expected a file, as X is one, found an array"),
    ]:
        with pytest.raises(bartizan.InputError) as refusal:
            bartizan.certify(MODEL, *arguments, **QUESTION)
        assert str(refusal.value) == text


def test_progress_is_told_and_may_end_the_run(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    bartizan.certify(MODEL, X[:30], y[:30], progress=lambda *counts: told.append(counts), **QUESTION)
    assert told[-1] == (30, 30) and len(told) == 30

    def stop(answered: int, asked: int) -> None:
        raise RuntimeError(f"enough at {answered > 0}")

    with pytest.raises(RuntimeError, match="enough at True"):
        bartizan.certify(MODEL, X, y, progress=stop, store=tmp_path / "run.db", **QUESTION)
    resumed = bartizan.certify(MODEL, X, y, store=tmp_path / "run.db", resume=True, **QUESTION)
    assert resumed.end == "completion"


def test_other_threads_go_on_meanwhile() -> None:
    """The interpreter's lock is free while the engine works."""
    ticks, over = [0], threading.Event()

    def tick() -> None:
        while not over.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    bartizan.certify(MODEL, X, y, radius=0.1, clip=(0, 1), jobs=1)
    duration = time.perf_counter() - start
    over.set()
    ticker.join()
    assert ticks[0] > 100 * duration, (ticks, duration)
    runs: list[bartizan.Run] = []
    work = [threading.Thread(target=lambda: runs.append(bartizan.certify(MODEL, X, y, **QUESTION))) for _ in range(2)]
    [thread.start() for thread in work]
    [thread.join() for thread in work]
    assert len({found.root for found in runs}) == 1 and len(runs) == 2


LONG = """
import sys, bartizan
print("begun", flush=True)
bartizan.certify({model!r}, {X!r}, {y!r}, radius=0.1, clip=(0, 1), norm="l2" if {hard} else "linf", jobs=1, attack=False, store={store!r}, resume=True,
                 method="branch", progress=lambda *counts: print(*counts, flush=True))
print("ended", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    store = str(tmp_path / "run.db")
    model = str(REPOSITORY / "models/digits_conv/model.onnx")
    code = LONG.format(model=model, X=FILES[0], y=FILES[1], store=store, hard=False)
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stderr is not None
    assert child.stdout.readline() == "begun\n"
    assert child.stdout.readline() != ""
    start = time.perf_counter()
    os.kill(child.pid, signal.SIGINT)
    rest, errors = child.communicate(timeout=60)
    assert time.perf_counter() - start < 5
    assert child.returncode != 0 and "KeyboardInterrupt" in errors and "ended" not in rest
    stopped = bartizan.open(store)
    assert stopped.end == "interruption" and 0 < len(stopped) < 360
