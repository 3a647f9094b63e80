//! The library, from the outside.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bartizan::cluster::{self, Plan};
use bartizan::{Dataset, End, Figures, Flag, Form, Method, Network, Perturbation, Query, Run, Verdict, Verifier};
use tempfile::TempDir;

const DIGITS: &str = "models/digits_mlp";

fn digits() -> (Network, Dataset) {
    let network = Network::from_onnx(format!("{DIGITS}/model.onnx")).unwrap();
    let data = Dataset::open(&format!("{DIGITS}/images.npy"), Some(&format!("{DIGITS}/labels.npy"))).unwrap();
    (network, data)
}

fn within(radius: &str) -> Perturbation {
    Perturbation::linf(radius).clip(0.0, 1.0)
}

#[test]
fn networks_are_read_from_files_and_bytes() {
    let path = format!("{DIGITS}/model.onnx");
    let bytes = fs::read(&path).unwrap();
    let (one, other) = (Network::read(&path).unwrap(), Network::from_onnx_bytes(&bytes, "digits").unwrap());
    assert_eq!((one.digest(), one.inputs(), one.classes()), (other.digest(), 64, 10));
    assert_eq!((one.name(), other.name()), (path.as_str(), "digits"));
    let error = Network::from_onnx_bytes(&bytes[..100], "digits").unwrap_err().to_string();
    assert!(error.starts_with("digits: ") && error.contains(": expected "), "{error}");
    let error = one.outputs(&[0.0; 3]).unwrap_err().to_string();
    assert_eq!(error, "input: expected 64 elements, the network's input [1, 8, 8], found 3");
}

#[test]
fn a_certificate_proves_its_own_query_and_no_other() {
    let (network, data) = digits();
    let verifier = Verifier::new(&network);
    let query = Query::robustness(data.point(0).unwrap(), data.label(0), &within("0.02"));
    let outcome = verifier.verify(&query).unwrap();
    let certificate = outcome.certificate().expect("robust at 0.02");
    assert_eq!(verifier.check(&query, certificate).unwrap().network(), network.digest());
    let wider = Query::robustness(data.point(0).unwrap(), data.label(0), &within("0.3"));
    let error = verifier.check(&wider, certificate).unwrap_err().to_string();
    assert!(error.starts_with("the checker refused the certificate: "), "{error}");
    assert!(matches!(verifier.verify(&wider).unwrap().verdict, Verdict::Violated(_)));
}

#[test]
fn queries_of_the_field_are_answered() {
    let network = Network::read("models/controller/model.onnx").unwrap();
    let mut answered = 0;
    for entry in fs::read_dir("models/controller/properties").unwrap() {
        let query = Query::from_vnnlib(entry.unwrap().path()).unwrap();
        answered += usize::from(Verifier::new(&network).verify(&query).unwrap().verdict.reason().is_none());
    }
    assert!(answered > 3, "{answered}");
    let error = Query::parse_vnnlib("(declare-const X_0 Real").unwrap_err().to_string();
    assert!(error.starts_with("property: "), "{error}");
    let five =
        "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1))(assert (>= X_0 0))(assert (<= Y_0 0))";
    let error = Verifier::new(&network).verify(&Query::parse_vnnlib(five).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("property: "), "{error}");
}

#[test]
fn a_run_is_the_same_kept_or_not_and_checks_out() {
    let (network, data) = digits();
    let (verifier, within, folder) = (Verifier::new(&network), within("0.05"), TempDir::new().unwrap());
    let path = folder.path().join("run.db");
    let mut told = Vec::new();
    let watch = |_: &bartizan::PointAnswer, answered, asked| told.push((answered, asked));
    let kept = verifier.certify(&data, &within).select("0..40").store(&path).watch(watch).run().unwrap();
    let lost = verifier.certify(&data, &within).select("0..40").require(0.5).run().unwrap();
    assert_eq!(told.last(), Some(&(40, 40)));
    assert_eq!((kept.root(), kept.end()), (lost.root(), Some(End::Completion)));
    assert_eq!((kept.gate(), lost.gate()), (None, Some(true)));
    assert!(kept.is_kept() && !lost.is_kept());
    let audit = lost.check(&network, None).unwrap();
    assert!(audit.is_accepted() && matches!(audit.figures, Figures::Confirmed(_)));
    let copy = folder.path().join("copy.db");
    lost.save(&copy).unwrap();
    assert!(lost.save(&copy).unwrap_err().to_string().ends_with("store: expected no file of this name, found one"));
    let copy = Run::open(copy).unwrap();
    assert_eq!((copy.root(), copy.counts()), (kept.root(), kept.counts()));
    let stricter = copy.judged_at(0.999, Some(0.99)).unwrap().with_data(&data).unwrap();
    assert!(stricter.gate() == Some(false) && stricter.coverage().lower < kept.coverage().lower);
    for form in [Form::Html, Form::Json, Form::Junit, Form::Sarif, Form::Markdown, Form::Csv, Form::Parquet, Form::Text]
    {
        let file = folder.path().join(format!("{form:?}"));
        stricter.write(form, &file).unwrap();
        assert!(fs::metadata(file).unwrap().len() > 100, "{form:?}");
    }
    assert_eq!(stricter.estimates(Some(1000)).unwrap()["population"]["size"], 1000);
    assert!(stricter.estimates(Some(3)).is_err());
}

#[test]
fn a_flag_ends_a_run_that_can_be_gone_on_with() {
    static FLAG: Flag = Flag::new();
    let (network, data) = digits();
    let (within, folder) = (within("0.08"), TempDir::new().unwrap());
    let path = folder.path().join("run.db");
    let verifier = Verifier::new(&network).cancelled_by(&FLAG);
    let ended = verifier.certify(&data, &within).store(&path).watch(|_, answered, _| {
        if answered > 20 {
            FLAG.set();
        }
    });
    let ended = ended.run().unwrap();
    assert_eq!(ended.end(), Some(End::Interruption));
    assert!(ended.counts().unanswered > 0);
    let verifier = Verifier::new(&network);
    let error = verifier.certify(&data, &within).store(&path).run().unwrap_err().to_string();
    assert!(error.contains("expected no file of this name"), "{error}");
    let resumed = verifier.certify(&data, &within).store(&path).resume().run().unwrap();
    let whole = verifier.certify(&data, &within).run().unwrap();
    assert_eq!((resumed.end(), resumed.root()), (Some(End::Completion), whole.root()));
}

#[test]
fn radii_are_bracketed() {
    let (network, data) = digits();
    let (verifier, within) = (Verifier::new(&network), within("0.2"));
    let run = verifier.radius(&data, &within, 0.1).select("0..5").run().unwrap();
    assert!(run.points().iter().any(|point| point.certified_share.is_some_and(|share| share > 0.0 && share < 1.0)));
    let error = verifier.radius(&data, &within, 0.0).run().unwrap_err().to_string();
    assert_eq!(error, "precision: expected a share greater than 0 and at most 1, such as 0.01, found 0");
}

/// Answers all tasks of a plan, the last one first and one of them twice; ends after so many.
fn answer_tasks(plan: &mut Plan, verifier: &Verifier, within: &Perturbation, most: usize) {
    let within = plan.fixed().map_or(within.clone(), |fixed| within.clone().fix(fixed)).vary("all");
    for block in plan.blocks(50).into_iter().rev().take(most) {
        let task = plan.task(&block).unwrap();
        let answers = cluster::answer(verifier, &within, None, &task).unwrap();
        assert_eq!(plan.absorb(&answers).unwrap(), answers.len());
        assert_eq!(plan.absorb(&answers).unwrap(), 0);
    }
}

#[test]
fn points_that_are_answered_elsewhere_make_the_same_store() {
    let (network, data) = digits();
    let (verifier, within, folder) = (Verifier::new(&network), within("0.05"), TempDir::new().unwrap());
    let path = folder.path().join("run.db");
    let one = verifier.certify(&data, &within).run().unwrap();
    let mut plan = Plan::new(&verifier.certify(&data, &within).store(&path)).unwrap();
    let error =
        Run::open(&path).map(|_| Plan::new(&verifier.certify(&data, &within).store(&path).resume()).unwrap_err());
    assert!(error.unwrap().to_string().contains("expected nobody else who writes to it"));
    assert_eq!((plan.asked(), plan.open()), (360, 360));
    answer_tasks(&mut plan, &verifier, &within, 2);
    let ended = plan.conclude().unwrap();
    assert_eq!(ended.end(), Some(End::Interruption));
    drop(ended);
    let mut plan = Plan::new(&verifier.certify(&data, &within).store(&path).resume()).unwrap();
    assert!(plan.open() > 0 && plan.open() < 360);
    let foreign = one.point(3).unwrap();
    let foreign =
        bartizan::StoredPoint { facts: bartizan::PointFacts { index: 4, ..foreign.facts.clone() }, ..foreign };
    let error = plan.absorb(&[foreign]).unwrap_err().to_string();
    assert!(
        error.ends_with("point 4: expected an answer to the run's question, found one to another question"),
        "{error}"
    );
    answer_tasks(&mut plan, &verifier, &within, usize::MAX);
    let spread = plan.conclude().unwrap();
    assert_eq!((spread.root(), spread.counts(), spread.end()), (one.root(), one.counts(), Some(End::Completion)));
    assert!(spread.check(&network, None).unwrap().is_accepted());
}

#[test]
fn shards_are_merged() {
    let (network, data) = digits();
    let (verifier, within, folder) = (Verifier::new(&network), within("0.03"), TempDir::new().unwrap());
    let part = |number: usize| -> PathBuf { folder.path().join(format!("part-{number}.db")) };
    for number in 1..=3 {
        verifier.certify(&data, &within).select("0..50").shard(number, 3).store(part(number)).run().unwrap();
    }
    let merged = Run::merge(&[part(1), part(2), part(3)], folder.path().join("run.db")).unwrap();
    let whole = verifier.certify(&data, &within).select("0..50").run().unwrap();
    assert_eq!(merged.counts(), whole.counts());
    let error = verifier.certify(&data, &within).shard(4, 3).run().unwrap_err().to_string();
    assert_eq!(error, "shard: expected part I of N with I from 1 to N, such as 3 of 16, found 4 of 3");
}

#[test]
fn a_verifier_is_shared_by_threads() {
    let (network, data) = digits();
    let verifier = Verifier::new(&network).jobs(1).method(Method::Linear);
    let all = AtomicBool::new(true);
    thread::scope(|scope| {
        for index in 0..4 {
            let (verifier, data, all) = (&verifier, &data, &all);
            scope.spawn(move || {
                let point = data.point(index).unwrap();
                let outcome = verifier.robustness(&point, data.label(index), &within("0.005")).unwrap();
                all.fetch_and(outcome.is_verified(), Ordering::Relaxed);
            });
        }
    });
    assert!(all.into_inner());
    let start = Instant::now();
    let hasty = Verifier::new(&network).timeout(Duration::MAX).robustness(&data.point(0).unwrap(), 3, &within("0.1"));
    assert!(hasty.unwrap().is_violated() && start.elapsed() < Duration::from_secs(10));
}
