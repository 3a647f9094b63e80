//! Many queries in one process.
//!
//! * [`files`]: models and properties in files; [`output_file`]: files that results are written to.
//! * [`workers`]: independent tasks on several threads.
//! * [`queries`]: a list of properties over a few networks.
//! * [`recheck`]: certificates that have been written before.
//! * [`dataset`], [`selection`]: labelled points, and which of them are meant.
//! * [`perturbation`]: what may change about them, in decimal texts ([`decimals`]), but for some [`features`].
//! * [`points`]: the question of local robustness for each of them.
//! * [`answer`]: what became of one of them.
//! * [`runner`]: a run over all of them; `bracket` looks for the radius of one.
//! * [`summary`]: what became of all of them.
//! * [`manifest`]: the same, bound to each of them.
//! * [`store`]: the same in a file, point by point, with certificates.
//! * [`session`]: a run from its question to its store.
//! * [`merge`]: one file from several.
//! * [`gate`]: whether they decide what is required of a run that goes on.
//! * [`fresh`]: what its proofs say about inputs that are not in it.
//! * [`recheck_run`]: whether what is stored is true; [`audit`]: of a run as a whole.

mod error;

pub mod files;
pub mod output_file;
pub mod workers;

pub mod queries;
pub mod recheck;

pub mod dataset;
pub mod selection;

pub mod decimals;
pub mod features;
pub mod perturbation;

pub mod answer;
mod bracket;
pub mod manifest;
pub mod points;
pub mod runner;
pub mod summary;

pub mod audit;
pub mod fresh;
pub mod gate;
pub mod merge;
pub mod recheck_run;
pub mod session;
pub mod store;

pub use error::BatchError;

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use bartizan_proof::network::{Affine, Dense, Execution, Map, Node, Op, Parts, Term};
    use bartizan_proof::{Digest, Network};
    use bartizan_read::enclose_decimal;

    use super::BatchError;
    use super::answer::PointAnswer;
    use super::dataset::{Dataset, Source};
    use super::points::Question;
    use super::runner::{Aim, Next, Plan, Run};
    use super::store::RunFacts;
    use crate::verify::{Options, Verifier};

    /// What a run over all points of a data set was asked.
    pub(crate) fn facts(network: &Network, set: &Dataset, radius: &str) -> RunFacts {
        RunFacts {
            aim: Aim::Verdict,
            model: "m.onnx".to_owned(),
            model_sha256: network.digest(),
            input_shape: network.input_shape().to_vec(),
            classes: network.output_size(),
            dropped_activation: None,
            semantics: bartizan_proof::Semantics::Real,
            data: "data.csv".to_owned(),
            data_sha256: set.points_origin().digest,
            points_name: "data.csv".to_owned(),
            labels: None,
            label_column: None,
            labels_sha256: set.labels_origin().digest,
            labels_name: "data.csv:label".to_owned(),
            available: set.len(),
            selection: None,
            selected: set.len(),
            shard: None,
            is_drawn: false,
            norm: "linf".to_owned(),
            radius: radius.to_owned(),
            fixed: None,
            clip: None,
            mean: None,
            std: None,
            method: "auto".to_owned(),
            split: "auto".to_owned(),
            timeout: 60.0,
            attack: true,
            seed: 0,
        }
    }

    /// The answers of a run over all points of a data set by [`two_inputs`], in the order of the points.
    pub(crate) fn answers(set: &Dataset, question: &Question, plan: Plan) -> Vec<PointAnswer> {
        let (verifier, options) = (Verifier::new(two_inputs()), Options::default());
        let selection: Vec<usize> = (0..set.len()).collect();
        let run = Run { verifier: &verifier, dataset: set, selection: &selection, question, options: &options, plan };
        run.check().unwrap();
        let mut answers = Vec::new();
        let collect = |answer| {
            answers.push(answer);
            Ok::<Next, BatchError>(Next::More)
        };
        run.answer(collect).unwrap();
        answers.sort_unstable_by_key(|answer: &PointAnswer| answer.index);
        answers
    }

    /// A data set from lines of CSV, the label last.
    pub(crate) fn dataset(lines: &str) -> Dataset {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        fs::write(&path, lines).unwrap();
        Dataset::read(&Source::parse(&path.to_string_lossy()), None, None).unwrap()
    }

    /// A question without range and normalisation.
    pub(crate) fn question(radius: &str) -> Question {
        Question { norm: None, radii: vec![enclose_decimal(radius).unwrap(); 2], clip: None, normalisation: None }
    }

    /// Two outputs: the positive part of `weights . x`, and zero plus a half of its negative part.
    pub(crate) fn scaled(shape: &[usize], weights: &[f64]) -> Network {
        let rows = [weights, &weights.iter().map(|w| -w / 2.0).collect::<Vec<f64>>()].concat();
        network(shape, rows)
    }

    /// Two inputs, and their positive parts as outputs.
    pub(crate) fn two_inputs() -> Network {
        network(&[2], vec![1.0, 0.0, 0.0, 1.0])
    }

    fn network(shape: &[usize], weights: Vec<f64>) -> Network {
        let inputs = shape.iter().product();
        let map = Map::Dense(Dense { inputs, weights });
        let affine = Affine {
            terms: vec![Term { source: 0, map, roundings: 0 }],
            bias: Vec::new(),
            execution: Execution::PLAIN,
        };
        let node = |name: &str, size, op| Node { name: name.to_owned(), size, op };
        let nodes = vec![node("x", inputs, Op::Input), node("z", 2, Op::Affine(affine)), node("y", 2, Op::Relu(1))];
        let digest = Digest::of(b"test");
        let (input_shape, output_shape) = (shape.to_vec(), vec![2]);
        Network::new(Parts { nodes, output: 2, input_shape, output_shape, dropped: None, real_only: None, digest })
            .unwrap()
    }
}
