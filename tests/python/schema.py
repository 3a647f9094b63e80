"""Holds JSON reports against the schema that `bartizan report --schema` prints.

    schema.py BARTIZAN MODELS

BARTIZAN is the binary, MODELS the folder of shipped models. Reports of runs of every kind must conform, and stop to conform where
a figure is changed to what it cannot be. Needs jsonschema. The exit status is 1 if anything is wrong.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

# Places in a report, and values that cannot be there.
WRONG = [
    (("coverage", "lower"), 1.5),
    (("coverage", "confidence"), "high"),
    (("model", "sha256"), "none"),
    (("results", 0, "verdict"), "proved"),
    (("results", 0, "index"), -1),
    (("figures", "classes", 0, "points"), None),
    (("surprise",), 1),
]


def runs(models):
    """Arguments of runs by name."""
    digits, cancer = models / "digits_mlp", models / "cancer_mlp"
    images = [digits / "model.onnx", "--data", digits / "images.npy", "--labels", digits / "labels.npy", "--clip", "0,1", "--select", "0..40"]
    table = [cancer / "model.onnx", "--data", cancer / "data.csv", "--mean", cancer / "mean.txt", "--std", cancer / "std.txt", "--timeout", 2]
    return {
        "certify with a gate": ["certify", *images, "--radius", 0.05, "--require", 0.5],
        "certify with features held fixed": ["certify", *images, "--radius", 0.05, "--fix", "3,7..9", "--require", 0.5],
        "certify in a drawn order": ["certify", *images, "--radius", 0.05, "--require", 0.2, "--sequential"],
        "certify out of time": ["certify", *images, "--radius", 0.05, "--budget", 0.001],
        "certify in another norm": ["certify", *images, "--radius", 0.3, "--norm", "l2"],
        "certify a table with radii of features": ["certify", *table, "--radius", ",".join(["0.1"] * 30)],
        "radius": ["radius", *images, "--radius", 0.2, "--precision", 0.05],
    }


def changed(report, place, value):
    report = copy.deepcopy(report)
    part = report
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return report


def main():
    binary, models = sys.argv[1], pathlib.Path(sys.argv[2])
    schema = json.loads(subprocess.run([binary, "report", "--schema"], capture_output=True, text=True, check=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in runs(models).items():
            path = pathlib.Path(folder) / "report.json"
            done = subprocess.run([binary, *map(str, arguments), "--json", path], capture_output=True, text=True)
            if done.returncode not in (0, 1):
                sys.exit(f"{name}: {done.stderr}")
            report = json.loads(path.read_text())
            errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(report)]
            has = [(place, value) for place, value in WRONG if place[0] != "results" or report["results"]]
            errors += [f"{place} may be {value!r}" for place, value in has if validator.is_valid(changed(report, place, value))]
            for error in errors:
                print(f"WRONG  {name}: {error}")
            failures += len(errors)
    print(f"{len(runs(models))} reports, {failures} wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
