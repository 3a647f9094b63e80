//! Linear inequalities over elements of nodes, and combinations of them.

use std::collections::BTreeMap;

use super::Interval;
use crate::network::NodeId;

/// A linear inequality `sum c v <= at_most` over elements of nodes, with enclosed coefficients.
#[derive(Clone, Debug)]
pub(crate) struct LinearAtom {
    /// Elements of nodes with their coefficients.
    pub terms: Vec<((NodeId, usize), Interval)>,
    /// The right-hand side.
    pub at_most: Interval,
}

/// A combination of inequalities, `sum c v - at_most`.
#[derive(Clone, Debug)]
pub(crate) struct Combination {
    /// Elements of nodes with their coefficients.
    pub coefficients: BTreeMap<(NodeId, usize), Interval>,
    /// The right-hand side.
    pub at_most: Interval,
}

impl Combination {
    /// No inequality at all.
    pub fn zero() -> Self {
        Combination { coefficients: BTreeMap::new(), at_most: Interval::point(0.0) }
    }

    /// Adds an inequality a non-negative number of times.
    pub fn add(&mut self, multiplier: f32, atom: &LinearAtom) {
        if multiplier == 0.0 {
            return;
        }
        let multiplier = Interval::point(f64::from(multiplier));
        self.at_most = self.at_most + multiplier * atom.at_most;
        for (variable, coefficient) in &atom.terms {
            let sum = self.coefficients.entry(*variable).or_insert(Interval::point(0.0));
            *sum = *sum + multiplier * *coefficient;
        }
    }
}
