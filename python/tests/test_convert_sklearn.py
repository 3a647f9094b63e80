"""Conversion of scikit-learn classifiers: the file computes what the classifier computes, and what cannot be converted
is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from conversion import DOUBLE, assert_near, needs, refusal, runtime_outputs, softmax

import bartizan
from bartizan import convert

pytestmark = needs("sklearn", "onnx", "skl2onnx", "onnxruntime")


def blobs(classes: int) -> tuple[Any, Any]:
    """Points around centres, with features of very different sizes."""
    generator = np.random.default_rng(classes)
    labels = np.arange(20 * classes) % classes
    centres = generator.normal(size=(classes, 4)) * 2
    return (centres[labels] + generator.normal(size=(len(labels), 4))) * [1.0, 10.0, 0.1, 1000.0] + 5.0, labels


def fitted(model: Any, points: Any, labels: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(points, labels)


def classifier(**options: Any) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        **{"hidden_layer_sizes": (8, 6), "max_iter": 40, "random_state": 1, "learning_rate_init": 0.02, **options}
    )


def pipeline(step: str) -> Any:
    from sklearn import decomposition, preprocessing
    from sklearn.pipeline import make_pipeline

    steps = {
        "standard": lambda: [preprocessing.StandardScaler()],
        "range": lambda: [preprocessing.MinMaxScaler(clip=True)],
        "robust": lambda: [preprocessing.RobustScaler()],
        "largest": lambda: [preprocessing.MaxAbsScaler()],
        "axes": lambda: [preprocessing.StandardScaler(), decomposition.PCA(3)],
    }
    return make_pipeline(*steps[step](), classifier())


def assert_same_classifier(model: Any, points: Any) -> None:
    """onnxruntime and bartizan give the model's own shares and classes."""
    found = convert.onnx_bytes(model)
    network = bartizan.load(model)
    assert network.class_names == found.class_names == tuple(str(label) for label in model.classes_)
    assert network.name == type(model).__name__
    expected = model.predict_proba(points)
    for scores in (runtime_outputs(found.model, np.asarray(points, dtype=float)), network.outputs(points)):
        assert_near(softmax(scores), expected, DOUBLE)
        assert (model.classes_[scores.argmax(axis=1)] == model.predict(points)).all()


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_the_file_computes_what_the_classifier_computes(classes: int, activation: str) -> None:
    points, labels = blobs(classes)
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    model = fitted(classifier(activation=activation), points, labels)
    assert len(set(model.predict(points))) == classes
    assert_same_classifier(model, points)


@pytest.mark.parametrize("step", ["standard", "range", "robust", "largest", "axes"])
@pytest.mark.parametrize("classes", [2, 3])
def test_steps_before_it_are_part_of_the_network(step: str, classes: int) -> None:
    points, labels = blobs(classes)
    assert_same_classifier(fitted(pipeline(step), points, labels), points)


def test_classes_have_their_names() -> None:
    points, labels = blobs(3)
    names = np.array(["oak", "ash", "elm"])[labels]
    model = fitted(pipeline("standard"), points, names)
    assert_same_classifier(model, points)
    assert bartizan.load(model).class_names == ("ash", "elm", "oak")
    run = bartizan.certify(model, points[:6], names[:6], radius=1e-6)
    assert (run.certified, run.misclassified) == (6, 0)
    assert [point.label for point in run] == [2, 0, 1, 2, 0, 1]


@pytest.mark.parametrize("classes", [2, 3])
def test_answers_belong_to_the_classifier(classes: int) -> None:
    points, labels = blobs(classes)
    model = fitted(pipeline("standard"), points, labels)
    radius = [3.0, 30.0, 0.3, 3000.0]  # in the units of the features
    answers = [bartizan.verify(model, point, radius) for point in points[:5]]
    violated = [(point, answer) for point, answer in zip(points[:5], answers, strict=True) if answer.is_violated]
    assert violated
    for point, answer in violated:
        assert (np.abs(answer.counterexample.ravel() - point) <= np.array(radius)).all()
        assert (
            model.predict(answer.counterexample.reshape(1, -1))[0] == answer.predicted != model.predict(point[None])[0]
        )


def test_two_classes_change_where_the_score_is_zero() -> None:
    points = np.array([[-1.0], [1.0]] * 10)
    model = fitted(classifier(hidden_layer_sizes=(1,), activation="identity"), points, np.array(["no", "yes"] * 10))
    model.coefs_, model.intercepts_ = [np.array([[2.0]]), np.array([[1.0]])], [np.array([0.0]), np.array([-1.0])]
    network = bartizan.load(model)
    assert network.outputs([[0.5], [0.75]]).tolist() == [[0.0, 0.0], [0.0, 0.5]]
    assert bartizan.verify(model, [0.75], 0.24).is_verified
    assert bartizan.verify(model, [0.75], 0.26).predicted == 0


def test_the_same_classifier_gives_the_same_bytes() -> None:
    points, labels = blobs(3)
    model = fitted(pipeline("standard"), points, labels)
    assert convert.onnx_bytes(model) == convert.onnx_bytes(model)


def test_classifiers_that_cannot_be_converted_are_refused() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    points, labels = blobs(2)
    kind = "model: expected an MLPClassifier, or a pipeline that ends in one, found"
    assert refusal(MLPRegressor()) == f"{kind} MLPRegressor"
    assert (
        refusal(make_pipeline(StandardScaler(), LogisticRegression()))
        == f"{kind} Pipeline that ends in LogisticRegression"
    )
    assert refusal(classifier(activation="tanh")) == "model: expected activation relu or identity, found tanh"
    assert refusal(classifier()) == "model: expected a fitted model, found MLPClassifier that is not"
    several = fitted(classifier(), points, np.stack([labels, 1 - labels], axis=1))
    assert (
        refusal(several)
        == "model: expected a classifier with one of two or more classes a point, found 2 labels a point"
    )
    one = fitted(classifier(), points, np.zeros(len(points)))
    assert refusal(one) == "model: expected a classifier with one of two or more classes a point, found 1 class"


def test_steps_that_are_no_sums_and_products_are_refused() -> None:
    from sklearn.feature_selection import SelectKBest
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures

    points, labels = blobs(2)
    chosen = fitted(make_pipeline(SelectKBest(k=2), classifier()), points, labels)
    expected = "model: expected steps that are sums and products, such as StandardScaler, found"
    assert refusal(chosen) == f"{expected} one that skl2onnx converts to ai.onnx.ml.ArrayFeatureExtractor"
    bent = fitted(make_pipeline(FunctionTransformer(np.tanh), classifier()), points, labels)
    assert refusal(bent).startswith("model: expected a model that skl2onnx converts, found Pipeline: ")
    powers = fitted(make_pipeline(PolynomialFeatures(2), classifier()), points, labels)
    with pytest.raises(bartizan.InputError, match="^(model|Pipeline): "):
        bartizan.load(powers)


def test_a_missing_converter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    points, labels = blobs(2)
    model = fitted(classifier(), points, labels)
    monkeypatch.setattr(convert, "find_spec", lambda name: None)
    with pytest.raises(ImportError) as caught:
        convert.onnx_bytes(model)
    assert (
        str(caught.value)
        == "onnx and skl2onnx not installed, which converting the model needs: pip install 'bartizan[sklearn]'"
    )
