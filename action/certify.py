#!/usr/bin/env python3
"""What action.yml does: runs `bartizan certify`, and tells GitHub what came of it.

Everything comes from the environment. INPUT_... are the inputs of the action; BARTIZAN is the program; GITHUB_OUTPUT and
GITHUB_STEP_SUMMARY are files that GitHub reads. The script ends with 0 whenever it could tell what came of the run, so that reports are
uploaded whatever they say; the output `code` is the exit code with which the action has to end.
"""

import json
import os
import shlex
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import unquote

# GitHub shows so many annotations of one kind for a step, and drops the others without a word.
MOST_ANNOTATIONS = 10

# Levels of SARIF, and the workflow commands that say the same.
COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}

# Options of `certify` that are inputs of the action. Those that are empty are left out.
OPTIONS = ["data", "labels", "radius", "norm", "clip", "require", "confidence"]


def escape(text):
    """The value of a workflow command: one line, in which `%` begins an escape."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text):
    """The value of a property, which commas and colons would end."""
    return escape(text).replace(":", "%3A").replace(",", "%2C")


def command(name, message, **properties):
    """A workflow command as a line."""
    pairs = ",".join(f"{key}={escape_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{' ' + pairs if pairs else ''}::{escape(message)}"


def annotations(sarif):
    """A line for each result of a SARIF log, the most of each level that GitHub shows, and what has been left out."""
    lines, counts = [], {}
    for run in sarif["runs"]:
        for result in run["results"]:
            name = COMMANDS[result["level"]]
            counts[name] = counts.get(name, 0) + 1
            if counts[name] > MOST_ANNOTATIONS:
                continue
            place = result["locations"][0]
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            point = place["logicalLocations"][0]["name"]
            title = f"bartizan: {point} is {result['ruleId']}"
            lines.append(command(name, result["message"]["text"], file=unquote(uri), title=title))
    left_out = sum(max(0, count - MOST_ANNOTATIONS) for count in counts.values())
    if left_out:
        lines.append(command("notice", f"{left_out} more points are in the report and in the SARIF file.", title="bartizan"))
    return lines


def arguments(inputs, folder):
    """The command line of the run."""
    options = [part for name in OPTIONS if inputs[name] for part in (f"--{name}", inputs[name])]
    forms = {"store": "run.db", "json": "report.json", "junit": "report.xml", "sarif": "report.sarif",
             "markdown": "report.md", "report": "report.html"}
    files = [part for form, name in forms.items() for part in (f"--{form}", str(folder / name))]
    return ["certify", inputs["model"], *options, *files, *shlex.split(inputs["args"])]


def write_outputs(values):
    """Adds to the step's outputs; a line of its own ends each value, whatever is in it."""
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        for name, value in values.items():
            end = f"end-{uuid.uuid4()}"
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def tell_of_run(folder, wants_annotations):
    """Outputs of a run that has written its reports; annotations and the summary on the way."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    if wants_annotations:
        print("\n".join(annotations(json.loads((folder / "report.sarif").read_text(encoding="utf-8")))))
    gate = {True: "met", False: "not met", None: "none"}[report["gate_met"]]
    if gate == "not met":
        coverage, required = report["coverage"], report["options"]["require"]
        found = f"the lower end of the interval is {coverage['lower']:.4f}, required {required}"
        print(command("error", f"{found}. {report['statement']}", title="bartizan: gate not met"))
    with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
        file.write((folder / "report.md").read_text(encoding="utf-8") + "\n")
    return {
        "points": report["points"],
        "certified": report["certified"],
        "lower": report["coverage"]["lower"],
        "upper": report["coverage"]["upper"],
        "gate": gate,
        "store": folder / "run.db",
        "sarif": folder / "report.sarif",
        "folder": folder,
    }


def main():
    names = ["model", *OPTIONS, "args", "output", "annotations"]
    inputs = {name: os.environ.get(f"INPUT_{name.upper()}", "") for name in names}
    folder = Path(inputs["output"] or "bartizan-report")
    folder.mkdir(parents=True, exist_ok=True)
    line = [os.environ["BARTIZAN"], *arguments(inputs, folder)]
    print("$", shlex.join(line), flush=True)
    run = subprocess.run(line, stderr=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(run.stderr)
    outputs = {"code": run.returncode}
    # 0 and 1 judge the gate, 3 is a run that was interrupted: all of them have written reports. Others have not, or not all.
    if run.returncode in (0, 1, 3):
        outputs |= tell_of_run(folder, inputs["annotations"] != "false")
    else:
        print(command("error", run.stderr.strip() or f"exit code {run.returncode}", title="bartizan"))
    write_outputs(outputs)


if __name__ == "__main__":
    main()
