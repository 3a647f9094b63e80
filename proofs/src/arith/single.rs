//! What executions of a network in binary32 may differ by from real arithmetic.
//!
//! An execution adds up `n` products and a constant in some order, with or without fused multiply-add. Each of its
//! operations has a relative error of at most `u = 2^-24`, so that the sum is off by at most `gamma(n + 1)` times the sum of
//! all absolute values (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, sections 2.2 and 4.2), where
//! `gamma(n) = n u / (1 - n u)`. Results and operands below the normal range may be flushed to zero, which costs an absolute
//! error of at most `2^-126` an operation. Overflow is excluded: where values, or weights that are folded into each other, could reach
//! [`LARGEST`], no error bound is given.
//!
//! The nodes of a network are the model's operators. An execution may fold an affine operator into the only one that reads it, a
//! normalisation into the convolution before it for instance. What it then computes is, relative to real arithmetic on the values
//! that it does compute, off by `gamma(N)` times the sum of all absolute values, where `N` counts the roundings of all operators
//! that were folded. The errors bounded here leave room for that:
//!
//! * Where one node reads another element by element and nobody else reads that, the other's own error is `gamma(M)` times its sum
//!   of absolute values, and what is missing to `gamma(N)` is added.
//! * Elsewhere all of `gamma(N)` is added, as if the other had no error.

use super::{Enclosure, INFLATE, TINY, count};
use crate::network::{Affine, Execution, Map, Network, Node, NodeId, Op};

/// Unit roundoff of binary32, `2^-24`.
const UNIT: f64 = 1.0 / 16_777_216.0;

/// The smallest normal number of binary32, `2^-126`: the most that flushing to zero takes.
const FLUSHED: f64 = 1.0 / 85_070_591_730_234_615_865_843_651_857_942_052_864.0;

/// No value, sum of absolute values or sum of absolute weights may reach `2^60`. Intermediate results of the operators that readers accept, which
/// are at most `2^64` times as large, then stay far below the largest binary32 number.
const LARGEST: f64 = 1_152_921_504_606_846_976.0;

/// More roundings than this behind one value are not accounted for.
const MOST_ROUNDINGS: usize = 1 << 20;

/// The roundings of all affine nodes.
#[derive(Debug)]
pub(crate) struct Single {
    nodes: Vec<Option<Roundings>>,
}

/// The roundings of one affine node.
#[derive(Debug)]
struct Roundings {
    /// For each element the roundings behind any of its summands.
    own: Vec<usize>,
    /// The roundings of the affine nodes that it reads, and of those that they read.
    before: usize,
    /// Whether the errors of those are part of what folding them into this one may cost.
    continues: bool,
    /// For each element a bound on the sum of absolute values of what its constant is the sum of.
    constant: Vec<f64>,
    /// For each element bounds on sums of absolute weights, through all affine nodes before.
    spread: Vec<f64>,
}

impl Single {
    /// Those of a network.
    pub fn of(network: &Network) -> Single {
        let nodes = network.nodes();
        let readers = readers(network);
        let mut all: Vec<Option<Roundings>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let roundings = match &node.op {
                Op::Affine(affine) => Some(Roundings::of(node, affine, &all, &readers)),
                Op::Input | Op::Relu(_) => None,
            };
            all.push(roundings);
        }
        Single { nodes: all }
    }

    /// What executions round in a node, if it is affine.
    pub fn rounded(&self, node: NodeId) -> Option<Rounded<'_>> {
        let Roundings { own, before, continues, constant, .. } = self.nodes.get(node)?.as_ref()?;
        Some(Rounded { own, before: *before, continues: *continues, constant })
    }

    /// Bounds on the errors of a node's elements, given what real arithmetic on the values of its sources computes. Empty where nothing
    /// is rounded. `reach` is a bound on the sum of absolute values of all that it and the affine nodes before it read.
    pub fn errors(&self, node: NodeId, of: &Enclosure, reach: f64) -> Vec<f64> {
        let Some(Some(roundings)) = self.nodes.get(node) else { return Vec::new() };
        roundings.errors(&of.magnitude, reach)
    }
}

/// How many nodes read each node; the network's output counts as read once more.
fn readers(network: &Network) -> Vec<usize> {
    let mut readers = vec![0; network.nodes().len()];
    let mut read = |node: NodeId| readers.get_mut(node).into_iter().for_each(|n| *n += 1);
    read(network.output());
    for node in network.nodes() {
        match &node.op {
            Op::Input => {}
            Op::Relu(source) => read(*source),
            Op::Affine(affine) => affine.terms.iter().for_each(|term| read(term.source)),
        }
    }
    readers
}

/// What executions round in an affine node, for whoever searches for proofs.
#[derive(Clone, Copy, Debug)]
pub struct Rounded<'n> {
    /// For each element the roundings behind any of its summands; empty where nothing is rounded.
    pub own: &'n [usize],
    /// The roundings of the affine nodes that it reads, and of those that they read.
    pub before: usize,
    /// Whether the errors of those count towards what folding them into this one may cost.
    pub continues: bool,
    /// For each element a bound on the sum of absolute values of what its constant is the sum of.
    pub constant: &'n [f64],
}

impl Roundings {
    fn of(node: &Node, affine: &Affine, all: &[Option<Roundings>], readers: &[usize]) -> Roundings {
        let source = |id: NodeId| all.get(id).and_then(Option::as_ref);
        let constant = match &affine.execution {
            Execution::Sum { constant, .. } if !constant.is_empty() => constant.clone(),
            _ if affine.bias.is_empty() => vec![0.0; node.size],
            _ => affine.bias.iter().map(|b| b.magnitude()).collect(),
        };
        let own = match affine.execution {
            Execution::Exact => Vec::new(),
            Execution::Sum { extra, .. } => {
                let mut summands = Summands { number: vec![0; node.size], multiplies: vec![false; node.size] };
                affine.terms.iter().for_each(|term| summands.add(&term.map));
                summands.roundings(&constant, extra)
            }
        };
        let mut spread = vec![0.0; node.size];
        for term in &affine.terms {
            let width = source(term.source).map(|s| s.spread.iter().map(|s| 1.0 + s).collect::<Vec<f64>>());
            let width = width.unwrap_or_else(|| vec![1.0; term.map.inputs(node.size)]);
            term.map.apply_abs(&width, &mut spread);
        }
        spread.iter_mut().for_each(|s| *s = *s * INFLATE + TINY);
        let before = affine.terms.iter().filter_map(|term| source(term.source)).map(Roundings::all).sum();
        let continues = match affine.terms.as_slice() {
            [term] => readers.get(term.source) == Some(&1) && is_one_to_one(&term.map),
            _ => false,
        };
        Roundings { own, before, continues, constant, spread }
    }

    /// The most roundings behind any of the node's values since the last ReLU or the input.
    fn all(&self) -> usize {
        self.before.saturating_add(self.own.iter().copied().max().unwrap_or(0))
    }

    fn errors(&self, magnitudes: &[f64], reach: f64) -> Vec<f64> {
        let all = self.all();
        let is_excluded = all > MOST_ROUNDINGS || !is_moderate(reach);
        // Not below `gamma(N) / (N u)` and `(gamma(N) - gamma(M)) / ((N - M) u)` for all `M < N`, which are `1 / (1 - N u)` and
        // `1 / ((1 - N u) (1 - M u))`.
        let left = 1.0 - count(all) * UNIT;
        let unit = UNIT / (left * left) * INFLATE;
        let elements = self.own.iter().zip(magnitudes).zip(self.constant.iter().zip(&self.spread));
        let errors = elements.map(|((own, magnitude), (constant, spread))| {
            if is_excluded || !is_moderate(magnitude + constant) || !is_moderate(*spread) {
                return f64::INFINITY;
            }
            let [own, both] = [*own, own + self.before].map(|n| count(n) * unit);
            let relative = if self.continues { own } else { both } * magnitude + both * constant;
            let flushed = FLUSHED * (4.0 * (count(all) + spread + reach) + 8.0);
            (relative + flushed) * INFLATE
        });
        errors.collect()
    }
}

/// Whether values up to a bound cannot overflow; not so of a bound that is not a number.
fn is_moderate(bound: f64) -> bool {
    bound < LARGEST
}

/// Whether each element of the result is at most one element of the source, times a weight, and no two of them the same.
fn is_one_to_one(map: &Map) -> bool {
    match map {
        Map::Identity | Map::Scale(_) => true,
        Map::Select(places) => {
            let mut taken: Vec<usize> = places.iter().flatten().copied().collect();
            taken.sort_unstable();
            taken.windows(2).all(|pair| pair.first() != pair.last())
        }
        Map::Dense(_) | Map::Sparse(_) | Map::Conv(_) => false,
    }
}

/// What the elements of a node are sums of.
struct Summands {
    /// How many summands are not certainly zero.
    number: Vec<usize>,
    /// Whether any of them is a product with a number other than 1 and -1.
    multiplies: Vec<bool>,
}

impl Summands {
    fn add(&mut self, map: &Map) {
        match map {
            Map::Identity => self.add_each(|_| std::iter::once(1.0)),
            Map::Scale(weights) => self.add_each(|j| weights.get(j).copied().into_iter()),
            Map::Select(places) => {
                self.add_each(|j| places.get(j).copied().flatten().map(|_| 1.0).into_iter());
            }
            Map::Dense(m) => {
                let mut rows = m.weights.chunks_exact(m.inputs.max(1));
                self.add_each(|_| rows.next().unwrap_or_default().iter().copied());
            }
            Map::Sparse(m) => {
                let mut rows = m.rows();
                self.add_each(|_| rows.next().unwrap_or_default().iter().map(|(_, w)| *w));
            }
            Map::Conv(m) => {
                let [_, height, width] = m.output;
                let area = (height * width).max(1);
                let mut channels = m.weights.chunks_exact(m.patch().max(1));
                let mut counted = (0, false);
                let elements = self.number.iter_mut().zip(&mut self.multiplies).enumerate();
                for (j, (number, multiplies)) in elements {
                    if j % area == 0 {
                        counted = counted_of(channels.next().unwrap_or_default().iter().copied());
                    }
                    *number += counted.0;
                    *multiplies |= counted.1;
                }
            }
        }
    }

    fn add_each<W: Iterator<Item = f64>>(&mut self, mut weights: impl FnMut(usize) -> W) {
        for (j, (number, multiplies)) in self.number.iter_mut().zip(&mut self.multiplies).enumerate() {
            let counted = counted_of(weights(j));
            *number += counted.0;
            *multiplies |= counted.1;
        }
    }

    /// The additions, the multiplication and what comes on top of them.
    fn roundings(&self, constant: &[f64], extra: usize) -> Vec<usize> {
        let elements = self.number.iter().zip(&self.multiplies).zip(constant);
        let roundings = elements.map(|((number, multiplies), constant)| {
            let summands = number + usize::from(*constant != 0.0);
            summands.saturating_sub(1) + usize::from(*multiplies) + extra
        });
        roundings.collect()
    }
}

/// How many weights are not zero, and whether any is neither zero nor 1 nor -1.
fn counted_of(weights: impl Iterator<Item = f64>) -> (usize, bool) {
    weights.filter(|w| *w != 0.0).fold((0, false), |(number, other), w| (number + 1, other || w.abs() != 1.0))
}
