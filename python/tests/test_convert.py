"""Conversion of PyTorch modules: the file computes what the module does, and what cannot be converted is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from conversion import DOUBLE, SINGLE, assert_near, needs, refusal, runtime_outputs, softmax

import bartizan
from bartizan import convert

POINTS = 12

needs_torch = needs("torch", "onnx", "onnxscript", "onnxruntime")


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = {"numpy", "torch", "sklearn", "onnx", "pandas"}
    code = f"import sys, bartizan.convert; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_what_is_no_model_is_refused() -> None:
    expected = "a path, the bytes of an ONNX file, a torch.nn.Module or a scikit-learn MLPClassifier"
    assert refusal({}) == f"model: expected {expected}, found dict"


def mlp() -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 9), nn.LeakyReLU(0.125), nn.Linear(9, 4)), (6,)


def cnn() -> Any:
    from torch import nn

    layers = (
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3),
        nn.ReLU(),
        nn.AvgPool2d(2),
    )
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Dropout(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Hardtanh(), nn.Linear(5, 3)
    ), (1, 8, 8)


def residual() -> Any:
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer, self.last = (
                nn.Conv2d(2, 2, 3, padding="same"),
                nn.Conv2d(2, 2, 1, bias=False),
                nn.Linear(4, 3),
            )

        def forward(self, x: Any) -> Any:
            x = torch.relu(x + self.outer(torch.relu(self.inner(x))))
            return self.last(
                torch.cat([x.mean(dim=(2, 3)), torch.maximum(x[:, :, 0, 0], x[:, :, 1, 1])], dim=1).view(x.size(0), -1)
            )

    return Residual(), (2, 2, 2)


def rearranged() -> Any:
    import torch
    from torch import nn

    class Rearranged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.slope, self.last = nn.Linear(4, 6, bias=False), nn.PReLU(), nn.Linear(6, 3)

        def forward(self, x: Any) -> Any:
            front, back = self.slope(self.first(x)).chunk(2, dim=1)
            whole = torch.cat([back.clamp(-1, 1), front.abs()], dim=1)
            return self.last(whole) - torch.nn.functional.relu6(x).mean(dim=1, keepdim=True)

    return Rearranged(), (4,)


MODULES = [mlp, cnn, residual, rearranged]


@pytest.fixture(params=["program", "recording"])
def exporter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of exporting, whichever belongs to the PyTorch that is installed."""
    if request.param == "recording":
        monkeypatch.setattr(convert, "EXPORTS_PROGRAMS", (1 << 20, 0))
    elif not convert._exports_programs():
        pytest.skip("this PyTorch exports recordings only")
    return request.param


def module(make: Any, precision: str = "float32") -> tuple[Any, Any]:
    """A module with statistics as after training, and points for it."""
    import torch

    generator = np.random.default_rng(7)
    torch.manual_seed(7)
    made, shape = make()
    made = made.to(getattr(torch, precision))
    points = generator.normal(size=(POINTS, *shape)).astype(precision)
    made.train()(torch.tensor(points))
    return made, points


def module_outputs(model: Any, points: Any) -> Any:
    import torch

    model.eval()
    with torch.no_grad():
        return model(torch.tensor(points)).numpy()


@needs_torch
@pytest.mark.parametrize("make", MODULES)
def test_the_file_computes_what_the_module_computes(make: Any, exporter: str) -> None:
    model, points = module(make)
    found = convert.onnx_bytes(model, points[:3])
    expected = module_outputs(model, points)
    assert_near(runtime_outputs(found.model, points), expected, SINGLE)
    network = bartizan.load(model, points[:1])
    assert_near(network.outputs(points), expected, SINGLE)
    assert (network.name, network.class_names, network.input_shape) == (type(model).__name__, None, points.shape[1:])
    assert (found.name, found.class_names) == (type(model).__name__, None)


@needs_torch
def test_binary64_stays_binary64(exporter: str) -> None:
    model, points = module(mlp, "float64")
    assert_near(bartizan.load(model, points[:1]).outputs(points), module_outputs(model, points), DOUBLE)


@needs_torch
@pytest.mark.parametrize("last", ["Softmax", "LogSoftmax"])
def test_a_softmax_at_the_end_is_left_out_by_the_reader(last: str, exporter: str) -> None:
    from torch import nn

    scores, points = module(mlp)
    model = nn.Sequential(scores, getattr(nn, last)(dim=1))
    expected = module_outputs(model, points)
    assert_near(runtime_outputs(convert.onnx_bytes(model, points).model, points), expected, SINGLE)
    shares = softmax(bartizan.load(model, points).outputs(points))
    assert_near(shares if last == "Softmax" else np.log(shares), expected, SINGLE)


@needs_torch
def test_the_callers_module_is_left_alone(exporter: str) -> None:
    import torch

    model, points = module(cnn)
    model[1].eval()
    model[0].weight.requires_grad_(False)
    model(torch.tensor(points)).sum().backward()
    model.register_forward_hook(lambda *_: None)
    model[3].register_forward_pre_hook(lambda *_: None)

    def state() -> list[Any]:
        values = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        flags = [part.training for part in model.modules()]
        hooks = [(len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.modules()]
        grads = [None if tensor.grad is None else tensor.grad.clone() for tensor in model.parameters()]
        return [values, flags, hooks, grads, [tensor.requires_grad for tensor in model.parameters()]]

    before = state()
    random = torch.get_rng_state()
    convert.onnx_bytes(model, points)
    after = state()
    assert before[1:3] == after[1:3] and before[4] == after[4]
    assert True in before[1] and False in before[1]
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    assert [grad is None for grad in before[3]] == [grad is None for grad in after[3]] and None in before[3]
    assert all(torch.equal(old, new) for old, new in zip(before[3], after[3], strict=True) if old is not None)
    assert torch.equal(random, torch.get_rng_state())


@needs_torch
def test_the_same_module_gives_the_same_bytes_without_traces(exporter: str, capfd: pytest.CaptureFixture[str]) -> None:
    from pathlib import Path

    model, points = module(residual)
    first = convert.onnx_bytes(model, points).model
    again = convert.onnx_bytes(model, 2 * points[:1]).model
    assert first == again
    assert Path(__file__).name.encode() not in first and b"site-packages" not in first
    assert capfd.readouterr() == ("", "")


@needs_torch
def test_an_example_may_be_a_tensor_or_of_another_type() -> None:
    import torch

    model, points = module(mlp)
    expected = convert.onnx_bytes(model, points).model
    for example in (
        torch.tensor(points, requires_grad=True),
        points.astype(float),
        points[:1].tolist(),
        np.zeros((1, 6), dtype=int),
    ):
        assert convert.onnx_bytes(model, example).model == expected


@needs_torch
def test_what_torch_compile_was_given_is_converted() -> None:
    import torch

    model, points = module(mlp)
    assert convert.onnx_bytes(torch.compile(model), points) == convert.onnx_bytes(model, points)


@needs_torch
def test_answers_belong_to_the_module(exporter: str) -> None:
    import torch
    from torch import nn

    model = nn.Linear(2, 2, bias=False)
    model.weight.data = torch.eye(2)
    near, far = (bartizan.verify(model, np.array([1.0, 0.0]), radius) for radius in (0.4, 0.6))
    assert (near.verdict, near.label) == ("verified", 0)
    assert far.is_violated
    assert model(torch.tensor(far.counterexample, dtype=torch.float32).reshape(1, 2)).argmax() == far.predicted == 1


@needs_torch
def test_modules_that_cannot_be_converted_are_refused() -> None:
    import torch
    from torch import nn

    model = nn.Linear(3, 2)
    expected = "one batch of inputs, such as X[:1], as a PyTorch module does not know the shape of its input"
    assert refusal(model) == f"example: expected {expected}, found none"
    assert refusal(model, np.zeros(3)) == "example: expected one batch of inputs, found shape [3]"
    assert refusal(model, np.zeros((0, 3))) == "example: expected one batch of inputs, found shape [0, 3]"
    found = "found torch.float16"
    assert (
        refusal(model.half(), np.zeros((1, 3)))
        == f"model: expected parameters of torch.float32 or torch.float64, {found}"
    )
    held = nn.Linear(3, 2)
    held.extra = held.weight * 2
    text = refusal(held, np.zeros((1, 3)))
    assert text.startswith(
        "model: expected a module that can be copied, found Linear: RuntimeError: Only Tensors created explicitly"
    )
    assert torch.is_grad_enabled()


@needs_torch
def test_a_course_that_depends_on_the_input_is_refused(exporter: str, capfd: pytest.CaptureFixture[str]) -> None:
    from torch import nn

    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x: Any) -> Any:
            return self.layer(x) if x.sum() > 0 else -self.layer(x)

    text = refusal(Branch(), np.ones((1, 3)))
    reason = {
        "program": "GuardOnDataDependentSymNode: Could not guard on data-dependent",
        "recording": "TracerWarning: Converting a tensor to a Python boolean",
    }
    assert text.startswith(
        f"model: expected a module that torch.onnx.export converts, found Branch: {reason[exporter]}"
    )
    assert capfd.readouterr() == ("", "")


@needs_torch
def test_a_file_that_is_not_the_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch import nn

    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x: Any) -> Any:
            return self.layer(x + x.data)  # the exporter of recordings takes the second one for a constant

    monkeypatch.setattr(convert, "EXPORTS_PROGRAMS", (1 << 20, 0))
    found = r"Hidden, whose outputs differ by \S+ from those of its file"
    expected = f"model: expected a module that torch.onnx.export records as it is, found {found}"
    assert re.fullmatch(expected, refusal(Hidden(), np.ones((1, 3))))


@needs_torch
def test_outputs_that_are_drawn_at_random_are_refused(exporter: str) -> None:
    from torch import nn

    class Noisy(nn.Module):
        def forward(self, x: Any) -> Any:
            return nn.functional.dropout(x, 0.5)  # which drops in evaluation mode too

    text = refusal(Noisy(), np.ones((1, 200)))
    assert text.startswith(
        "model: expected a module that torch.onnx.export records as it is, found Noisy, whose outputs"
    )


@needs_torch
def test_several_outputs_are_refused(exporter: str) -> None:
    from torch import nn

    class Several(nn.Module):
        def forward(self, x: Any) -> Any:
            return x, -x

    assert (
        refusal(Several(), np.ones((1, 3)))
        == "model: expected a module that gives one tensor, found Several, which gives tuple"
    )


@needs_torch
def test_what_is_not_piecewise_linear_is_refused_by_the_reader(exporter: str) -> None:
    from torch import nn

    with pytest.raises(
        bartizan.InputError, match=r"^Sequential: node \S+ \(Tanh\): expected a piecewise linear operator, found Tanh$"
    ):
        bartizan.load(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), np.zeros((1, 3)))


@needs_torch
def test_a_missing_exporter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch import nn

    monkeypatch.setattr(convert, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(ImportError) as caught:
        convert.onnx_bytes(nn.Linear(3, 2), np.zeros((1, 3)))
    assert (
        str(caught.value) == "onnxscript not installed, which converting the model needs: pip install 'bartizan[torch]'"
    )
