//! The linear bound rule: a linear function of some nodes is bounded from below by walking the nodes backward.
//!
//! Through an affine node the coefficients are multiplied by its matrices, through a ReLU they are relaxed, and what
//! arrives at the input is minimised over the region (DESIGN: linear programming duality makes this as strong as the triangle
//! relaxation when the slopes are chosen well; Zhang et al. 2018, Singh et al. 2019). Coefficients are plain floats;
//! [`Tally`](crate::arith::Tally) keeps account of what rounding may have cost.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::arith::{Enclosure, Rows, Tally, spread};
use crate::error::Refusal;
use crate::network::{Affine, Map, NodeId, Op};

use super::signs::Row;
use super::state::State;

/// Rounding of one addition of two coefficients, counted generously.
const MERGE: usize = 2;

/// Lower bounds of some rows in a state.
pub(crate) fn lower_bounds(state: &State, of: &[Row]) -> Result<Vec<f64>, Refusal> {
    let bounds = state.bounds.as_slice();
    let mut walk = Walk { state, bounds, of, open: BTreeMap::new(), tally: Tally::new() };
    for (number, row) in of.iter().enumerate() {
        let combination = row.combination(state)?;
        walk.tally.push((-combination.at_most).lo);
        for ((node, element), coefficient) in combination.coefficients {
            let Some(values) = bounds.get(node).filter(|values| element < values.lower.len()) else {
                walk.tally.charge_row(number, f64::INFINITY);
                continue;
            };
            let rows = walk.open.entry(node).or_insert_with(|| Rows::zeros(of.len(), values.lower.len()));
            rows.set(number, element, coefficient.middle());
            walk.tally.charge_row(number, spread(coefficient, values.interval(element).magnitude()));
        }
    }
    Ok(walk.finish())
}

/// Several linear functions on their way back to the input.
struct Walk<'w> {
    state: &'w State<'w>,
    bounds: &'w [Arc<Enclosure>],
    /// What they are bounds of, with which slopes.
    of: &'w [Row<'w>],
    open: BTreeMap<NodeId, Rows>,
    tally: Tally,
}

impl Walk<'_> {
    /// Walks back to the input and returns the rows' lower bounds.
    fn finish(mut self) -> Vec<f64> {
        let ground = self.state.ground();
        while let Some((id, rows)) = self.open.pop_last() {
            match ground.network.nodes().get(id).map(|n| &n.op) {
                Some(Op::Affine(affine)) => self.through_affine(id, affine, &rows),
                Some(Op::Relu(source)) => self.through_relu((id, *source), rows),
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
        self.tally.charge_errors(rows, &of.errors);
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

    fn through_relu(&mut self, (id, source): (NodeId, NodeId), mut rows: Rows) {
        let Some(of) = self.bounds.get(source) else { return self.tally.spoil() };
        let (state, all, place) = (self.state, self.of, self.state.ground().place_of_relu.get(&id));
        let alphas =
            |row: usize| all.get(row).zip(place).map(|(row, place)| row.leaf.alphas(*place)).unwrap_or_default();
        let signs = |row: usize| all.get(row).into_iter().flat_map(move |row: &Row| row.signs(state, source));
        self.tally.relax(&mut rows, of, alphas, signs);
        let Some(open) = self.open.get_mut(&source) else {
            self.open.insert(source, rows);
            return;
        };
        self.tally.charge(open, of, MERGE);
        self.tally.charge(&rows, of, MERGE);
        open.add(&rows);
    }
}
