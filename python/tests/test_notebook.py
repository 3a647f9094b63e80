"""The worked notebook runs from top to bottom and comes to what its text says."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "robustness.ipynb"

#: What the notebook imports, and what runs it.
NEEDED = ("sklearn", "skl2onnx", "onnx", "pandas", "nbclient", "ipykernel")

#: Seconds for one cell, on a machine that is busy with other things.
LONGEST = 300

#: What is asked of the notebook's variables after its last cell.
QUESTION = """
import json
after = surest.counterexample.ravel()
json.dumps({
    "difference": float(difference),
    "small": small.verdict, "large": large.verdict,
    "misled": [int(classifier.predict([large.counterexample])[0]), large.predicted, large.label],
    "label": int(classifier.predict([images[0]])[0]),
    "counts": run.counts, "gate": run.gate, "lower": coverage.lower, "upper": coverage.upper,
    "classes": [int(classes[name].sum()) for name in ("points", "certified", "falsified", "misclassified", "unknown")],
    "surest": [surest.verdict, float(abs(after - images[surest.index]).max()), float(after.min()), float(after.max()),
               int(classifier.predict([after])[0]) != surest.label],
    "shares": [step["certified"] for step in radii.coverage.curve["steps"]],
    "confirmed": [check.accepted, check.certified, check.falsified, check.misclassified, check.unknown],
    "other": [type(refused).__name__, str(refused).partition(" expected ")[0]],
})
"""


def notebook() -> dict[str, Any]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def test_outputs_are_not_kept() -> None:
    code = [cell for cell in notebook()["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 10
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What the variables hold when the notebook has run."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    import nbformat
    from nbclient import NotebookClient

    content = nbformat.read(NOTEBOOK, as_version=4)
    content.cells.append(nbformat.v4.new_code_cell(QUESTION))
    NotebookClient(content, timeout=LONGEST, kernel_name="python3").execute()
    (answer,) = content.cells[-1].outputs
    return json.loads(answer["data"]["text/plain"].strip("'"))


def test_the_file_is_the_classifier(facts: dict[str, Any]) -> None:
    assert facts["difference"] < 1e-12


def test_one_image_is_verified_and_misled_further_out(facts: dict[str, Any]) -> None:
    assert (facts["small"], facts["large"]) == ("verified", "violated")
    misled, predicted, label = facts["misled"]
    assert misled == predicted != label == facts["label"]


def test_every_image_is_counted_once(facts: dict[str, Any]) -> None:
    counts = facts["counts"]
    parts = [counts[name] for name in ("certified", "falsified", "misclassified", "unknown")]
    assert counts["points"] == sum(parts) == 400
    assert counts["certified"] > 300 and counts["falsified"] > 10 and counts["misclassified"] > 0
    assert facts["classes"] == [400, *parts]
    assert (
        facts["lower"] < counts["certified"] / 400 < facts["upper"]
        and facts["gate"] == (facts["lower"] >= 0.75) is True
    )


def test_the_counterexample_lies_within_the_radius_and_misleads(facts: dict[str, Any]) -> None:
    verdict, change, least, most, misleads = facts["surest"]
    assert verdict == "falsified" and misleads
    # The radius is exactly 0.05, the difference of two binary64 numbers is not.
    assert 0 < change <= 0.05 + 1e-15 and 0 <= least and most <= 1


def test_the_curve_falls(facts: dict[str, Any]) -> None:
    shares = facts["shares"]
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.8 and shares[-1] < 0.2


def test_the_checker_confirms_this_network_and_no_other(facts: dict[str, Any]) -> None:
    counts = facts["counts"]
    assert facts["confirmed"] == [
        True,
        *(counts[name] for name in ("certified", "falsified", "misclassified", "unknown")),
    ]
    assert facts["other"] == ["InputError", "MLPClassifier: SHA-256:"]
