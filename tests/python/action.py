"""Runs what the GitHub Action runs, and reads what it says as GitHub would.

    action.py BARTIZAN REPOSITORY

BARTIZAN is the binary, REPOSITORY the folder with action.yml. Needs pyyaml. The exit status is 1 if anything is wrong.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from urllib.parse import unquote

import yaml

BINARY, REPOSITORY = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
MODELS = REPOSITORY / "models"

# A name with everything that means something in a workflow command.
ODD = "a,b: 50%2C.npy"


def unescape(text, is_property):
    """What the runner makes of a value; the percent sign comes last, so that nothing is unescaped twice."""
    escapes = {"%0D": "\r", "%0A": "\n"} | ({"%3A": ":", "%2C": ","} if is_property else {})
    for escape, character in escapes.items():
        text = text.replace(escape, character)
    return text.replace("%25", "%")


def workflow_commands(output):
    """Name, properties and message of each line `::name key=value,key=value::message`."""
    commands = []
    for line in output.splitlines():
        found = re.fullmatch(r"::([a-z-]+)(?: ([^:]*))?::(.*)", line)
        if line.startswith("::") and not found:
            raise AssertionError(f"not a workflow command: {line}")
        if found:
            pairs = (pair.split("=", 1) for pair in (found[2] or "").split(",") if pair)
            properties = {key: unescape(value, True) for key, value in pairs}
            commands.append((found[1], properties, unescape(found[3], False)))
    return commands


def outputs(text):
    """What a file of `name<<END`, lines, `END` says."""
    lines, values = iter(text.splitlines()), {}
    for line in lines:
        name, end = line.split("<<", 1)
        values[name] = "\n".join(iter(lambda: next(lines), end))
    return values


class Run:
    """A run of the step `certify`, with the environment that action.yml gives it."""

    def __init__(self, folder, **inputs):
        step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "certify")
        defaults = {name: what.get("default", "") for name, what in ACTION["inputs"].items()}
        values = defaults | {name.replace("_", "-"): value for name, value in inputs.items()}
        given = {variable: values[match[1]] for variable, text in step["env"].items()
                 if (match := re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", text))}
        files = {name: str(folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        environment = os.environ | given | files | {"BARTIZAN": str(BINARY), "GITHUB_ACTION_PATH": str(REPOSITORY)}
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=folder, env=environment,
                              capture_output=True, text=True, check=False)
        self.code, self.errors, self.commands = done.returncode, done.stderr, workflow_commands(done.stdout)
        self.outputs = outputs((folder / "GITHUB_OUTPUT").read_text(encoding="utf-8"))
        summary = folder / "GITHUB_STEP_SUMMARY"
        self.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""


class Action(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.place.name)
        self.addCleanup(self.place.cleanup)
        shutil.copytree(MODELS / "digits_mlp", self.folder / "m")
        shutil.copy(MODELS / "digits_mlp" / "images.npy", self.folder / ODD)
        self.inputs = {"model": "m/model.onnx", "data": ODD, "labels": "m/labels.npy", "radius": "0.05", "clip": "0,1"}

    def test_a_gate_that_is_met(self):
        run = Run(self.folder, **self.inputs, require="0.8")
        self.assertEqual((run.code, run.errors, run.outputs["code"], run.outputs["gate"]), (0, "", "0", "met"))
        report = json.loads((self.folder / "bartizan-report" / "report.json").read_text(encoding="utf-8"))
        figures = [report["points"], report["certified"], report["coverage"]["lower"], report["coverage"]["upper"]]
        self.assertEqual([run.outputs[name] for name in ("points", "certified", "lower", "upper")], [str(x) for x in figures])
        self.assertGreater(float(run.outputs["lower"]), 0.8)
        self.assertTrue((self.folder / run.outputs["sarif"]).exists())
        check = [BINARY, "check", run.outputs["store"], "--model", "m/model.onnx"]
        self.assertEqual(subprocess.run(check, cwd=self.folder, capture_output=True, check=False).returncode, 0)
        self.assertIn("Gate met", run.summary)

    def test_annotations_are_the_findings(self):
        run = Run(self.folder, **self.inputs, args="--select 0..120")
        self.assertEqual((run.outputs["code"], run.outputs["gate"]), ("0", "none"))
        sarif = json.loads((self.folder / run.outputs["sarif"]).read_text(encoding="utf-8"))
        results = sarif["runs"][0]["results"]
        shown = {"error": [], "warning": []}
        for result in results:
            place = result["locations"][0]
            title = f"bartizan: {place['logicalLocations'][0]['name']} is {result['ruleId']}"
            file = unquote(place["physicalLocation"]["artifactLocation"]["uri"])
            shown[result["level"]].append((result["level"], {"file": file, "title": title}, result["message"]["text"]))
        falsified, misclassified = shown["warning"], shown["error"]
        self.assertTrue(len(falsified) > 10 and 0 < len(misclassified) < 10, (len(falsified), len(misclassified)))
        expected = sorted(falsified[:10] + misclassified, key=str)
        self.assertEqual(sorted(run.commands[:-1], key=str), expected)
        more = f"{len(falsified) - 10} more points are in the report and in the SARIF file."
        self.assertEqual(run.commands[-1], ("notice", {"title": "bartizan"}, more))
        # A path as GitHub needs it: to a file of the repository.
        self.assertEqual({properties["file"] for _, properties, _ in run.commands[:-1]}, {ODD})

    def test_annotations_can_be_left_out(self):
        run = Run(self.folder, **self.inputs, args="--select 0..120", annotations="false")
        self.assertEqual((run.code, run.commands), (0, []))

    def test_a_gate_that_is_not_met(self):
        run = Run(self.folder, **self.inputs, require="0.99", output="reports/one")
        self.assertEqual((run.code, run.outputs["code"], run.outputs["gate"]), (0, "1", "not met"))
        kind, properties, message = run.commands[-1]
        self.assertEqual((kind, properties), ("error", {"title": "bartizan: gate not met"}))
        self.assertRegex(message, r"^the lower end of the interval is 0\.85\d\d, required 0\.99\. With confidence 95 %, ")
        self.assertEqual(run.outputs["folder"], "reports/one")
        self.assertIn("Gate not met", run.summary)

    def test_what_cannot_be_run_is_told(self):
        run = Run(self.folder, **self.inputs | {"model": "m/none.onnx"}, require="0.8")
        self.assertEqual((run.code, run.outputs, run.summary), (0, {"code": "2"}, ""))
        [(kind, properties, message)] = run.commands
        self.assertEqual((kind, properties, message), ("error", {"title": "bartizan"}, run.errors.strip()))
        self.assertIn("m/none.onnx", message)

    def test_another_norm_and_quoted_options(self):
        run = Run(self.folder, **self.inputs | {"radius": "0.3", "norm": "l2"}, args="--select '0..9, 20'", confidence="0.9")
        self.assertEqual((run.code, run.outputs["code"], run.outputs["points"]), (0, "0", "10"))
        report = json.loads((self.folder / "bartizan-report" / "report.json").read_text(encoding="utf-8"))
        self.assertEqual((report["options"]["norm"], report["options"]["confidence"]), ("l2", 0.9))

    def test_the_last_step_ends_as_the_run_ended(self):
        judge = ACTION["runs"]["steps"][-1]
        for code, expected in [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("", 2)]:
            environment = os.environ | {"CODE": code}
            done = subprocess.run(["bash", "-e", "-c", judge["run"]], env=environment, check=False)
            self.assertEqual(done.returncode, expected, code)

    def test_everything_is_wired(self):
        text = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
        for name in ACTION["inputs"]:
            self.assertRegex(text, rf"inputs\.{name}\b")
        run = Run(self.folder, **self.inputs, args="--select 0..5")
        named = set(re.findall(r"steps\.certify\.outputs\.([a-z]+)", text))
        self.assertEqual(named, set(run.outputs))
        # Nothing that a user types becomes a part of a script.
        for step in ACTION["runs"]["steps"]:
            self.assertNotIn("${{", step.get("run", ""))


class Examples(unittest.TestCase):
    def test_every_yaml_file_can_be_read(self):
        files = sorted(file for file in (REPOSITORY / "examples").rglob("*.y*ml"))
        self.assertEqual(len(files), 6)
        for file in [*files, REPOSITORY / ".pre-commit-hooks.yaml"]:
            parts = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
            self.assertTrue(parts and all(parts), file)

    def test_the_workflow_uses_inputs_and_outputs_that_exist(self):
        text = (REPOSITORY / "examples" / "github" / "robustness.yml").read_text(encoding="utf-8")
        [step] = [step for step in yaml.safe_load(text)["jobs"]["certify"]["steps"] if step.get("id") == "robustness"]
        self.assertLessEqual(set(step["with"]), set(ACTION["inputs"]))
        needed = {name for name, what in ACTION["inputs"].items() if what.get("required")}
        self.assertLessEqual(needed, set(step["with"]))
        self.assertLessEqual(set(re.findall(r"steps\.robustness\.outputs\.([a-z]+)", text)), set(ACTION["outputs"]))

    def test_the_commands_of_the_examples_meet_their_gates(self):
        [repository] = yaml.safe_load((REPOSITORY / "examples/pre-commit/.pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
        [hook] = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
        [used] = repository["hooks"]
        self.assertEqual(used["id"], hook["id"])
        hook_line = [*hook["entry"].split(), *used["args"]]
        gitlab = yaml.safe_load((REPOSITORY / "examples/gitlab/.gitlab-ci.yml").read_text(encoding="utf-8"))["robustness"]
        gitlab_line = gitlab["script"][1].split()
        self.assertEqual(gitlab["script"][0], "mkdir -p robustness")
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            (folder / "models").symlink_to(MODELS)
            (folder / "robustness").mkdir()
            for line in (hook_line, gitlab_line):
                self.assertTrue(line[0].endswith("bartizan"))
                run = [BINARY, *line[1:]]
                done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), line)
                self.assertIn("Gate met", done.stdout)
            self.assertTrue((folder / gitlab["artifacts"]["reports"]["junit"]).exists())
            # A user who forgets the share is told so.
            run = [BINARY, *hook["entry"].split()[1:], *used["args"][1:]]
            done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
            expected = "error: the following required arguments were not provided:\n  <MODEL>\n"
            self.assertEqual((done.returncode, done.stderr[: len(expected)]), (2, expected))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
