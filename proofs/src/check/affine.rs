//! The linear bound rule: a linear function of some nodes is bounded from below by walking the nodes backward.
//!
//! Through an affine node the coefficients are multiplied by its matrices, through a ReLU they are relaxed, and what
//! arrives at the input is minimised over the region (DESIGN: linear programming duality makes this as strong as the triangle
//! relaxation when the slopes are chosen well; Zhang et al. 2018, Singh et al. 2019). Coefficients are plain floats;
//! [`Tally`](crate::arith::Tally) keeps account of what rounding may have cost.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::arith::{Enclosure, Interval, Rows, Tally, spread};
use crate::certificate::Slopes;
use crate::network::{Affine, Map, NodeId, Op};

use super::relax::slope_at;
use super::state::Ground;

/// Rounding of one addition of two coefficients, counted generously.
const MERGE: usize = 2;

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
    coefficients: BTreeMap<(NodeId, usize), Interval>,
    at_most: Interval,
}

impl Combination {
    /// No inequality at all.
    pub fn zero() -> Self {
        Combination { coefficients: BTreeMap::new(), at_most: Interval::point(0.0) }
    }

    /// Adds an inequality a non-negative number of times.
    pub fn add(&mut self, multiplier: f32, atom: &LinearAtom) {
        let multiplier = Interval::point(f64::from(multiplier));
        self.at_most = self.at_most + multiplier * atom.at_most;
        for (variable, coefficient) in &atom.terms {
            let sum = self.coefficients.entry(*variable).or_insert(Interval::point(0.0));
            *sum = *sum + multiplier * *coefficient;
        }
    }
}

/// Lower bounds of combinations, each with its own slopes, where the nodes lie in `bounds`.
pub(crate) fn lower_bounds(
    ground: &Ground,
    bounds: &[Arc<Enclosure>],
    combinations: &[Combination],
    slopes: &[&Slopes],
) -> Vec<f64> {
    let constants = combinations.iter().map(|c| (-c.at_most).lo).collect();
    let mut walk = Walk { ground, bounds, open: BTreeMap::new(), tally: Tally::new(constants) };
    for (row, combination) in combinations.iter().enumerate() {
        for ((node, element), coefficient) in &combination.coefficients {
            let Some(of) = bounds.get(*node).filter(|of| *element < of.lower.len()) else {
                walk.tally.spoil();
                continue;
            };
            let rows = walk.open.entry(*node).or_insert_with(|| Rows::zeros(combinations.len(), of.lower.len()));
            rows.set(row, *element, coefficient.middle());
            walk.tally.charge_row(row, spread(*coefficient, of.interval(*element).magnitude()));
        }
    }
    walk.finish(slopes)
}

/// Several linear functions on their way back to the input.
struct Walk<'w> {
    ground: &'w Ground<'w>,
    bounds: &'w [Arc<Enclosure>],
    open: BTreeMap<NodeId, Rows>,
    tally: Tally,
}

impl Walk<'_> {
    /// Walks back to the input with the slopes of each row, and returns the rows' lower bounds.
    fn finish(mut self, slopes: &[&Slopes]) -> Vec<f64> {
        let ground = self.ground;
        while let Some((id, rows)) = self.open.pop_last() {
            match ground.network.nodes().get(id).map(|n| &n.op) {
                Some(Op::Affine(affine)) => self.through_affine(id, affine, &rows),
                Some(Op::Relu(source)) => self.through_relu((id, *source), rows, slopes),
                Some(Op::Input) => match self.bounds.first() {
                    Some(over) => self.tally.minimise(&rows, over, ground.region.ball.as_ref()),
                    None => self.tally.spoil(),
                },
                None => self.tally.spoil(),
            }
        }
        self.tally.lower_bounds()
    }

    fn through_affine(&mut self, id: NodeId, affine: &Affine, rows: &Rows) {
        let Some(of) = self.bounds.get(id) else { return self.tally.spoil() };
        let roundings = affine.summands() + rows.width();
        self.tally.charge(rows, of, roundings);
        self.tally.add_bias(rows, &affine.bias);
        for term in &affine.terms {
            let Some(source) = self.bounds.get(term.source) else { return self.tally.spoil() };
            self.tally.charge_underflow(source.total, roundings);
            let into = match self.open.entry(term.source) {
                Entry::Vacant(place) if matches!(term.map, Map::Identity) => {
                    place.insert(rows.clone());
                    continue;
                }
                Entry::Vacant(place) => place.insert(Rows::zeros(rows.count(), source.lower.len())),
                Entry::Occupied(into) => {
                    self.tally.charge(into.get(), source, roundings);
                    into.into_mut()
                }
            };
            term.map.pull_back(rows, &source.live(), into);
        }
    }

    fn through_relu(&mut self, (id, source): (NodeId, NodeId), mut rows: Rows, slopes: &[&Slopes]) {
        let Some(of) = self.bounds.get(source) else { return self.tally.spoil() };
        let none = Slopes::default();
        let slope = |row| slope_at(slopes.get(row).copied().unwrap_or(&none), self.ground, id);
        self.tally.relax(&mut rows, of, slope);
        let Some(open) = self.open.get_mut(&source) else {
            self.open.insert(source, rows);
            return;
        };
        self.tally.charge(open, of, MERGE);
        self.tally.charge(&rows, of, MERGE);
        open.add(&rows);
    }
}
