use std::collections::BTreeMap;

use bartizan_read::enclose_decimal;

use super::*;
use crate::batch::tests::{dataset, question, two_inputs};

/// Words by index.
fn words(dataset: &Dataset, question: &Question, jobs: usize) -> BTreeMap<usize, &'static str> {
    let verifier = Verifier::new(two_inputs());
    let selection: Vec<usize> = (0..dataset.len()).collect();
    let options = Options::default();
    let run = Run { verifier: &verifier, dataset, selection: &selection, question, options: &options };
    run.check().unwrap();
    let mut words = BTreeMap::new();
    let collect = |answer: PointAnswer| {
        words.insert(answer.index, answer.verdict.word());
        Ok::<(), BatchError>(())
    };
    run.answer(jobs, collect).unwrap();
    words
}

#[test]
fn verdicts_of_all_kinds_whatever_the_number_of_threads() {
    // The outputs are the inputs' positive parts; the label is stable while the inputs are more than two radii apart.
    let set = dataset("1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.7,0.5,0\n");
    let expected = ["certified", "certified", "falsified", "misclassified", "certified"];
    for jobs in [1, 2, 3, 16] {
        let words: Vec<&str> = words(&set, &question("0.0999"), jobs).into_values().collect();
        assert_eq!(words, expected, "{jobs} threads");
    }
}

#[test]
fn a_tie_is_not_certified() {
    let words = words(&dataset("1,1,0\n0.5,0.5,1\n"), &question("0"), 1);
    assert_eq!(words.into_values().collect::<Vec<_>>(), ["unknown", "unknown"]);
}

#[test]
fn normalisation_and_range_change_the_region() {
    let set = dataset("1,0,0\n");
    let clip = Some((Interval::point(0.0), Interval::point(1.0)));
    let wide = Question { radius: Interval::point(0.75), clip: None, normalisation: None };
    assert_eq!(words(&set, &wide, 1)[&0], "falsified");
    // With the range, the second input reaches 0.49 only, and the first falls to 0.51.
    let cut = Question { radius: enclose_decimal("0.49").unwrap(), clip, normalisation: None };
    assert_eq!(words(&set, &cut, 1)[&0], "certified");
    let mean = vec![Interval::point(0.0), Interval::point(10.0)];
    let normalisation = Some(Normalisation { mean, deviation: vec![Interval::point(1.0); 2] });
    assert_eq!(words(&set, &Question { normalisation, ..wide }, 1)[&0], "certified");
}

#[test]
fn points_that_cannot_be_asked_about_are_found_before_the_run() {
    let verifier = Verifier::new(two_inputs());
    let message = |lines: &str, question: &Question| {
        let dataset = dataset(lines);
        let selection: Vec<usize> = (0..dataset.len()).collect();
        let options = Options::default();
        let run = Run { verifier: &verifier, dataset: &dataset, selection: &selection, question, options: &options };
        let text = run.check().unwrap_err().to_string();
        text.split_once("data.csv: ").unwrap().1.to_owned()
    };
    let clipped = Question { clip: Some((Interval::point(0.0), Interval::point(1.0))), ..question("0.1") };
    assert_eq!(
        message("1,0,0\n0,1.5,1\n", &clipped),
        "point 1: element 1 of the point: expected a value in [0, 1], found 1.5"
    );
    assert_eq!(
        message("1,0,0\n0,1,2\n", &question("0.1")),
        "label of point 1: expected a class from 0 to 1, as the network has outputs, found 2"
    );
}

#[test]
fn an_error_of_the_receiver_stops_the_run() {
    let set = dataset(&"1,0,0\n".repeat(50));
    let verifier = Verifier::new(two_inputs());
    let (selection, options): (Vec<usize>, Options) = ((0..set.len()).collect(), Options::default());
    let question = question("0.1");
    let run = Run { verifier: &verifier, dataset: &set, selection: &selection, question: &question, options: &options };
    let mut seen = 0;
    let full = |_: PointAnswer| {
        seen += 1;
        Err(BatchError::Selection { expected: "room".to_owned(), found: "a full disk".to_owned() })
    };
    assert_eq!(run.answer(2, full).unwrap_err().to_string(), "selection: expected room, found a full disk");
    assert_eq!(seen, 1);
}
