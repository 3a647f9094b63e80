use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use super::*;
use crate::Method;

/// What an assertion that fails says.
fn failure<R>(assertion: impl FnOnce() -> R) -> String {
    let failed = panic::catch_unwind(AssertUnwindSafe(|| drop(assertion())));
    *failed.expect_err("the assertion holds").downcast::<String>().unwrap()
}

fn moons() -> Network {
    network("models/moons/model.onnx")
}

#[test]
fn what_holds_passes_with_its_evidence() {
    let outcome = assert_verified!(moons(), [0.5, 0.75], 0.05);
    assert!(outcome.certificate().is_some());
    let outcome = assert_violated!(moons(), vec![0.5, 0.75], Perturbation::l2(2.0));
    assert!(outcome.counterexample().is_some());
    assert_violated!(Verifier::new(&moons()).seed(3), &[0.5, 0.75], label = 1, "0");
}

#[test]
fn a_counterexample_is_shown_with_margin_and_the_way_to_it() {
    let message = failure(|| assert_verified!(moons(), &[0.5, 0.75], Perturbation::linf("0.9").clip(-1.0, 2.0)));
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(
        lines[0],
        "models/moons/model.onnx: expected a point that is robust within 0.9 in linf, clipped to -1,2"
    );
    assert!(lines[1].starts_with("  counterexample: class 1 instead of 0, margin -"), "{message}");
    assert!(lines[1].ends_with(", replayed by the checker"), "{message}");
    assert!(lines[2].starts_with("    element "), "{message}");
    assert!(message.contains("  point:          [0.5, 0.75], class 0\n"), "{message}");
    let again = "  see it again:   Verifier::new(&Network::read(\"models/moons/model.onnx\")?)\
                 .robustness(&point, 0, &Perturbation::linf(\"0.9\").clip(\"-1\", \"2\"))";
    assert!(message.ends_with(again), "{message}");
}

#[test]
fn a_proof_of_the_contrary_and_an_unknown_are_two_failures() {
    let message = failure(|| assert_violated!(moons(), &[0.5, 0.75], 0.05));
    assert!(message.contains("expected a point that is not robust within 0.05 in linf"), "{message}");
    assert!(message.contains("  found:          a proof that every such input has class 0 ("), "{message}");
    let hasty = Verifier::new(&moons()).timeout(Duration::ZERO).attack(false).method(Method::Ibp);
    let message = failure(|| assert_verified!(hasty, &[0.5, 0.75], 0.3));
    assert!(message.contains("  found:          nothing, neither a proof nor a counterexample: "), "{message}");
    assert!(message.contains("  try:            more time"), "{message}");
}

#[test]
fn what_does_not_fit_is_said_as_everywhere() {
    let message = failure(|| assert_verified!(moons(), &[0.5], 0.05));
    assert_eq!(message, "input: expected 2 elements, the network's input [2], found 1");
    let message = failure(|| assert_verified!(moons(), &[0.5, 0.75], label = 7, 0.05));
    assert_eq!(message, "label: expected a class from 0 to 2, as the network has outputs, found 7");
    assert_eq!(failure(|| network("gone.onnx")), "gone.onnx: cannot read: No such file or directory (os error 2)");
}

#[test]
fn coverage_that_is_too_low_is_shown_with_the_worst_points() {
    let digits = network("models/digits_mlp/model.onnx");
    let all = Dataset::open("models/digits_mlp/images.npy", Some("models/digits_mlp/labels.npy")).unwrap();
    let points: Vec<(Vec<f64>, usize)> = all.iter().take(30).map(Result::unwrap).collect();
    let elements: Vec<f64> = points.iter().flat_map(|(point, _)| point.clone()).collect();
    let labels = points.iter().map(|(_, label)| *label).collect();
    let data = Dataset::from_points(all.shape(), &elements, labels).unwrap();
    let run = assert_coverage!(digits, data, Perturbation::linf(0.02).clip(0.0, 1.0), 0.7, 0.9);
    assert_eq!((run.counts().points, run.gate()), (30, Some(true)));
    let message = failure(|| assert_coverage!(digits, data, Perturbation::linf(0.2).clip(0.0, 1.0), 0.8, 0.9));
    let beginnings = [
        "models/digits_mlp/model.onnx: expected more coverage within 0.2 in linf, clipped to 0,1\n  proved:         Of 30 points, ",
        "\n  estimated:      With confidence 90 %, ",
        "\n  assumed:        the points were drawn independently",
        "\n  required:       Gate not met: the lower end ",
        ": falsified\n    counterexample: class ",
        "\n  see it again:   bartizan certify models/digits_mlp/model.onnx --data 'X.npy' --labels 'y.npy' --radius '0.2' --clip '0,1'  (X.npy",
    ];
    beginnings.iter().for_each(|beginning| assert!(message.contains(beginning), "{beginning}\n{message}"));
    assert!(message.matches(": falsified").count() <= MOST_POINTS, "{message}");
}
