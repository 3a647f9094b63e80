//! The linear bound rule: a linear function of some nodes is bounded from below by walking the nodes backward.
//!
//! Through an affine node the coefficients are multiplied by its matrices, through a ReLU they are relaxed, and what
//! arrives at the input is minimised over the box (DESIGN: linear programming duality makes this as strong as the triangle relaxation when
//! the slopes are chosen well; Zhang et al. 2018, Singh et al. 2019). Coefficients are plain floats;
//! [`Tally`](crate::arith::Tally) keeps account of what rounding may have cost.

use std::collections::BTreeMap;

use crate::arith::{Enclosure, Rows, Tally};
use crate::certificate::Slopes;
use crate::network::{Affine, Network, NodeId, Op};

use super::relax::slope_at;

/// Rounding of one addition of two coefficients, counted generously.
const MERGE: usize = 2;

/// Several linear functions on their way back to the input.
pub(crate) struct Walk<'n> {
    network: &'n Network,
    bounds: &'n [Enclosure],
    open: BTreeMap<NodeId, Rows>,
    tally: Tally,
}

impl<'n> Walk<'n> {
    /// Starts from constants (one a row); coefficients follow with [`Walk::add`].
    pub fn new(network: &'n Network, bounds: &'n [Enclosure], constants: Vec<f64>) -> Self {
        Walk { network, bounds, open: BTreeMap::new(), tally: Tally::new(constants) }
    }

    /// Adds coefficients on a node, which the walk has not passed yet.
    pub fn add(&mut self, node: NodeId, rows: Rows) {
        let Some(open) = self.open.get_mut(&node) else {
            self.open.insert(node, rows);
            return;
        };
        if let Some(of) = self.bounds.get(node) {
            self.tally.charge(open, of, MERGE);
            self.tally.charge(&rows, of, MERGE);
        }
        open.add(&rows);
    }

    /// Charges one row an absolute amount.
    pub fn charge_row(&mut self, row: usize, amount: f64) {
        self.tally.charge_row(row, amount);
    }

    /// Walks back to the input with the slopes of each row, and returns the rows' lower bounds.
    pub fn lower_bounds(mut self, slopes: &[&Slopes]) -> Vec<f64> {
        let network = self.network;
        while let Some((id, rows)) = self.open.pop_last() {
            match network.nodes().get(id).map(|n| &n.op) {
                Some(Op::Affine(affine)) => self.through_affine(id, affine, &rows),
                Some(Op::Relu(source)) => self.through_relu((id, *source), rows, slopes),
                Some(Op::Input) => self.bounds.first().into_iter().for_each(|b| self.tally.minimise(&rows, b)),
                None => self.nothing_proved(),
            }
        }
        self.tally.lower_bounds()
    }

    fn through_affine(&mut self, id: NodeId, affine: &Affine, rows: &Rows) {
        let Some(of) = self.bounds.get(id) else { return self.nothing_proved() };
        let roundings = affine.summands() + rows.width();
        self.tally.charge(rows, of, roundings);
        self.tally.add_bias(rows, &affine.bias);
        for term in &affine.terms {
            let Some(source) = self.bounds.get(term.source) else { return self.nothing_proved() };
            let count = rows.values().len() / rows.width();
            let into = self.open.entry(term.source).or_insert_with(|| Rows::zeros(count, source.lower.len()));
            self.tally.charge(into, source, roundings);
            self.tally.charge_underflow(source.total, roundings);
            term.map.pull_back(rows, into);
        }
    }

    fn through_relu(&mut self, (id, source): (NodeId, NodeId), mut rows: Rows, slopes: &[&Slopes]) {
        let Some(of) = self.bounds.get(source) else { return self.nothing_proved() };
        let none = Slopes::default();
        self.tally.relax(&mut rows, of, |row| slope_at(slopes.get(row).unwrap_or(&&none), id));
        self.add(source, rows);
    }

    fn nothing_proved(&mut self) {
        self.tally.spoil();
    }
}
