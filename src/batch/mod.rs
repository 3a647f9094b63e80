//! Many queries in one process.
//!
//! * [`workers`]: independent tasks on several threads.
//! * [`queries`]: a list of properties over a few networks.
//! * [`recheck`]: certificates that have been written before.
//! * [`dataset`], [`selection`]: labelled points, and which of them are meant.
//! * [`points`]: the question of local robustness for each of them.
//! * [`summary`]: what became of all of them.
//! * [`store`]: the same in a file, point by point, with certificates.
//! * [`recheck_run`]: whether what is stored is true.

mod error;

pub mod workers;

pub mod queries;
pub mod recheck;

pub mod dataset;
pub mod selection;

pub mod points;
pub mod summary;

pub mod recheck_run;
pub mod store;

pub use error::BatchError;

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use bartizan_proof::network::{Affine, Dense, Map, Node, Op, Parts, Term};
    use bartizan_proof::{Digest, Network};
    use bartizan_read::enclose_decimal;

    use super::dataset::{Dataset, Source};
    use super::points::Question;

    /// A data set from lines of CSV, the label last.
    pub(crate) fn dataset(lines: &str) -> Dataset {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        fs::write(&path, lines).unwrap();
        Dataset::read(&Source::parse(&path.to_string_lossy()), None, None).unwrap()
    }

    /// A question without range and normalisation.
    pub(crate) fn question(radius: &str) -> Question {
        Question { radius: enclose_decimal(radius).unwrap(), clip: None, normalisation: None }
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
        let affine = Affine { terms: vec![Term { source: 0, map, roundings: 0 }], bias: Vec::new() };
        let node = |name: &str, size, op| Node { name: name.to_owned(), size, op };
        let nodes = vec![node("x", inputs, Op::Input), node("z", 2, Op::Affine(affine)), node("y", 2, Op::Relu(1))];
        let digest = Digest::of(b"test");
        let (input_shape, output_shape) = (shape.to_vec(), vec![2]);
        Network::new(Parts { nodes, output: 2, input_shape, output_shape, dropped: None, digest }).unwrap()
    }
}
