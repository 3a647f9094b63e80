use std::thread;

use bartizan_proof::Interval;
use bartizan_proof::property::Normalisation;

use super::*;
use crate::batch::store::StoredPoint;
use crate::batch::tests::{self, dataset, question, two_inputs};

/// Seed of runs whose search panics at the point [`MARKED`].
const PANICKING: u64 = 0xdead;

/// Seed of runs whose search goes on at the point [`MARKED`] until somebody ends it.
const ENDLESS: u64 = 0xe4d;

/// The point at which such runs do so.
const MARKED: usize = 1;

/// What the search does in runs with those seeds.
pub(super) fn behave(options: &Options, index: usize) {
    assert!((options.seed, index) != (PANICKING, MARKED), "point {index} hits a bug");
    let is_endless = (options.seed, index) == (ENDLESS, MARKED);
    let limit = Deadline::after(Duration::from_secs(60));
    while is_endless && !options.cancelled.is_some_and(Flag::is_set) {
        assert!(!limit.has_passed(), "nobody ended the search");
        thread::yield_now();
    }
}

/// Words in the order of the points.
fn words(dataset: &Dataset, question: &Question, jobs: usize) -> Vec<&'static str> {
    tests::answers(dataset, question, Plan::simple(jobs)).iter().map(PointAnswer::word).collect()
}

/// What comes of a run over all points of a data set at a radius of 0.0999.
fn over<R>(set: &Dataset, options: &Options, plan: Plan, work: impl FnOnce(&Run) -> R) -> R {
    let (verifier, question) = (Verifier::new(two_inputs()), question("0.0999"));
    let selection: Vec<usize> = (0..set.len()).collect();
    work(&Run { verifier: &verifier, dataset: set, selection: &selection, question: &question, options, plan })
}

#[test]
fn verdicts_of_all_kinds_whatever_the_number_of_threads() {
    // The outputs are the inputs' positive parts; the label is stable while the inputs are more than two radii apart.
    let set = dataset("1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.7,0.5,0\n");
    let expected = ["certified", "certified", "falsified", "misclassified", "certified"];
    for jobs in [1, 2, 3, 16] {
        assert_eq!(words(&set, &question("0.0999"), jobs), expected, "{jobs} threads");
    }
}

#[test]
fn a_tie_is_not_certified() {
    let words = words(&dataset("1,1,0\n0.5,0.5,1\n"), &question("0"), 1);
    assert_eq!(words, ["unknown", "unknown"]);
}

#[test]
fn normalisation_and_range_change_the_region() {
    let set = dataset("1,0,0\n");
    let clip = Some((Interval::point(0.0), Interval::point(1.0)));
    let wide = Question { radii: vec![Interval::point(0.75); 2], ..question("0") };
    assert_eq!(words(&set, &wide, 1)[0], "falsified");
    // With the range, the second input reaches 0.49 only, and the first falls to 0.51.
    let cut = Question { clip, ..question("0.49") };
    assert_eq!(words(&set, &cut, 1)[0], "certified");
    let mean = vec![Interval::point(0.0), Interval::point(10.0)];
    let normalisation = Some(Normalisation { mean, deviation: vec![Interval::point(1.0); 2] });
    assert_eq!(words(&set, &Question { normalisation, ..wide }, 1)[0], "certified");
}

#[test]
fn points_that_cannot_be_asked_about_are_found_before_the_run() {
    let verifier = Verifier::new(two_inputs());
    let message = |lines: &str, question: &Question| {
        let dataset = dataset(lines);
        let selection: Vec<usize> = (0..dataset.len()).collect();
        let options = Options::default();
        let run = Run {
            verifier: &verifier,
            dataset: &dataset,
            selection: &selection,
            question,
            options: &options,
            plan: Plan::simple(2),
        };
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
    let run = Run {
        verifier: &verifier,
        dataset: &set,
        selection: &selection,
        question: &question,
        options: &options,
        plan: Plan::simple(2),
    };
    let mut seen = 0;
    let full = |_: PointAnswer| {
        seen += 1;
        Err::<Next, _>(BatchError::Selection { expected: "room".to_owned(), found: "a full disk".to_owned() })
    };
    assert_eq!(run.answer(full).unwrap_err().to_string(), "selection: expected room, found a full disk");
    assert_eq!(seen, 1);
}

/// Points of all kinds, more than fit into one batch.
fn many() -> Dataset {
    dataset(&"1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.7,0.5,0\n0.5,0.3002,0\n".repeat(30))
}

/// Answers without their times.
fn evidence(answers: &[PointAnswer]) -> Vec<StoredPoint> {
    let without_time = |answer: &PointAnswer| StoredPoint::of(&PointAnswer { time: Duration::ZERO, ..answer.clone() });
    answers.iter().map(without_time).collect()
}

#[test]
fn answers_do_not_depend_on_what_was_answered_before_nor_on_the_order() {
    let (set, question) = (many(), question("0.0999"));
    let all = evidence(&tests::answers(&set, &question, Plan::simple(2)));
    assert_eq!(all.len(), set.len());
    for before in [&[0][..], &[3, 4, 5, 77, 78, 79, 150]] {
        let answers = tests::answers(&set, &question, Plan { answered: before, ..Plan::simple(3) });
        let expected: Vec<_> = all.iter().filter(|point| !before.contains(&point.facts.index)).cloned().collect();
        assert_eq!(evidence(&answers), expected);
    }
    let drawn = tests::answers(&set, &question, Plan { order: Order::Drawn(5), ..Plan::simple(2) });
    let verdicts = |points: &[StoredPoint]| points.iter().map(|point| point.facts.verdict.clone()).collect::<Vec<_>>();
    assert_eq!(verdicts(&evidence(&drawn)), verdicts(&all));
}

#[test]
fn orders_are_drawn_by_their_seed() {
    let mut one = drawn(50, 7);
    assert_eq!((one.clone(), one == drawn(50, 8)), (drawn(50, 7), false));
    one.sort_unstable();
    assert_eq!(one, (0..50).collect::<Vec<_>>());
}

#[test]
fn budgets_interruptions_and_receivers_end_a_run() {
    static FLAG: Flag = Flag::new();
    FLAG.set();
    let (set, question) = (many(), question("0.0999"));
    let ended = |plan: Plan, options: &Options, most: usize| {
        let verifier = Verifier::new(two_inputs());
        let selection: Vec<usize> = (0..set.len()).collect();
        let run = Run { verifier: &verifier, dataset: &set, selection: &selection, question: &question, options, plan };
        let mut count = 0;
        let receive = |_| {
            count += 1;
            Ok::<Next, BatchError>(if count == most { Next::Enough } else { Next::More })
        };
        (run.answer(receive).unwrap(), count)
    };
    let (plan, options) = (Plan::simple(2), Options::default());
    let all = set.len();
    assert_eq!(ended(plan, &options, all + 1), (End::Completion, all));
    assert_eq!(ended(plan, &options, 7), (End::Gate, 7));
    assert_eq!(ended(Plan { budget: Some(Duration::ZERO), ..plan }, &options, all), (End::Budget, 0));
    let long = Plan { budget: Some(Duration::from_secs(1000)), ..plan };
    assert_eq!(ended(long, &options, all + 1), (End::Completion, all));
    let cancelled = Options { cancelled: Some(&FLAG), ..options };
    assert_eq!(ended(plan, &cancelled, all), (End::Interruption, 0));
}

#[test]
fn a_point_that_hits_a_bug_does_not_take_the_others_with_it() {
    let set = dataset("1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n");
    for (order, aim) in
        [(Order::EasyFirst, Aim::Verdict), (Order::Drawn(1), Aim::Verdict), (Order::EasyFirst, Aim::Bracket(0.5))]
    {
        let options = Options { seed: PANICKING, ..Options::default() };
        let plan = Plan { order, aim, ..Plan::simple(2) };
        let mut answers = Vec::new();
        let ended = over(&set, &options, plan, |run| {
            run.answer(|answer| {
                answers.push(answer);
                Ok::<Next, BatchError>(Next::More)
            })
        });
        assert_eq!(ended.unwrap(), End::Completion);
        answers.sort_unstable_by_key(|answer| answer.index);
        let words: Vec<&str> = answers.iter().map(PointAnswer::word).collect();
        assert_eq!(words, ["certified", "unknown", "falsified", "misclassified"], "{plan:?}");
        let reason = answers[MARKED].reason.as_ref().map(ToString::to_string);
        assert_eq!(reason.as_deref(), Some("internal error: the search panicked: point 1 hits a bug"));
    }
}

/// Without being told, the second point would go on until the limit of [`behave`], and panic.
#[test]
fn points_in_flight_end_with_the_run() {
    let set = dataset("1,0,0\n0.5,1,1\n");
    let options = Options { seed: ENDLESS, ..Options::default() };
    let plan = Plan { order: Order::Drawn(0), ..Plan::simple(2) };
    let full = || BatchError::Selection { expected: "room".to_owned(), found: "a full disk".to_owned() };
    for is_error in [false, true] {
        let mut seen = Vec::new();
        let start = Instant::now();
        let ended = over(&set, &options, plan, |run| {
            run.answer(|answer| {
                seen.push(answer.index);
                if is_error { Err(full()) } else { Ok(Next::Enough) }
            })
        });
        assert_eq!(
            ended.map_err(|error| error.to_string()),
            if is_error { Err(full().to_string()) } else { Ok(End::Gate) }
        );
        assert!(seen == [0] && start.elapsed() < Duration::from_secs(30), "{seen:?}");
    }
}

#[test]
fn the_first_pass_ends_with_the_budget() {
    let set = dataset("1,0,0\n0.5,1,1\n");
    let certified = |budget: Option<Duration>| {
        let plan = Plan { budget, ..Plan::simple(1) };
        over(&set, &Options::default(), plan, |run| {
            let (answers, open) = run.look_at(&[0, 1], Instant::now()).unwrap();
            assert_eq!(answers.len() + open.len(), 2);
            answers.len()
        })
    };
    let budgets = [None, Some(Duration::from_secs(1000)), Some(Duration::ZERO)];
    assert_eq!(budgets.map(certified), [2, 2, 0]);
}

/// The interval of such a run counts the points up to the first without an answer: a point that is put off stops it there.
#[test]
fn a_run_in_a_drawn_order_puts_no_point_off() {
    let set = dataset("1,0,0\n");
    let rounds = |order: Order| {
        let plan = Plan { budget: Some(Duration::from_secs(1000)), order, ..Plan::simple(1) };
        over(&set, &Options::default(), plan, |run| run.limits().len())
    };
    assert_eq!((rounds(Order::EasyFirst), rounds(Order::Drawn(0))), (4, 1));
}

/// The outputs are the inputs' positive parts; with a gap `g` between them, a radius up to `g / 2` is safe.
#[test]
fn brackets_hold_the_true_radius() {
    let set = dataset("0.52,0.2,0\n0.9,0.1,0\n0.2,0.6,0\n0.4,0.15,0\n");
    let truth = [0.16, 0.4, 0.0, 0.125];
    for precision in [0.5, 0.1, 0.001] {
        let plan = Plan { aim: Aim::Bracket(precision), ..Plan::simple(2) };
        let answers = tests::answers(&set, &question("0.3"), plan);
        for (answer, truth) in answers.iter().zip(truth) {
            let low = answer.certified.as_ref().map_or(0.0, |certified| 0.3 * certified.share);
            let high = answer.falsified.as_ref().map(|falsified| 0.3 * falsified.share);
            let width = 0.3 * precision + 1e-9;
            match answer.index {
                1 => assert_eq!((answer.word(), low), ("certified", 0.3)),
                2 => assert_eq!((answer.word(), high), ("misclassified", Some(0.0))),
                _ => assert!(low <= truth && truth <= high.unwrap() && high.unwrap() - low <= width, "{answer:?}"),
            }
            assert!(answer.reason.is_none(), "{answer:?}");
        }
    }
}
