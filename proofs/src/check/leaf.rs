//! Closing a case: a non-negative combination of its atoms `a.v <= b` is proved to be positive everywhere,
//! `min sum_i lambda_i (a_i.v - b_i) > 0`, so that no point satisfies all atoms.

use std::collections::BTreeMap;

use crate::arith::{Enclosure, Interval, Rows, add_up, spread};
use crate::certificate::{Close, Proof, Slopes};
use crate::error::Rejected;
use crate::network::Network;
use crate::property::{Atom, Property, Variable};

use super::affine::Walk;
use super::relax::check_slopes;

/// A case of the property next to what the certificate says of it.
pub(crate) struct Closing<'p> {
    close: &'p Close,
    atoms: &'p [Atom],
}

/// Looks up the cases that a proof closes and checks that its multipliers fit them.
pub(crate) fn cases_of<'p>(property: &'p Property, proof: &'p Proof) -> Result<Vec<Closing<'p>>, Rejected> {
    let closing = |close: &'p Close| {
        let case = property.cases().get(close.case).filter(|c| c.region == proof.region);
        let case = case.ok_or(Rejected::ForeignCase { region: proof.region, case: close.case })?;
        let (expected, found) = (case.atoms.len(), close.multipliers.len());
        if expected != found {
            return Err(Rejected::MultiplierCount { case: close.case, expected, found });
        }
        let wrong = close.multipliers.iter().find(|m| !(**m >= 0.0 && m.is_finite()));
        match wrong {
            Some(value) => Err(Rejected::Multiplier { case: close.case, value: *value }),
            None => Ok(Closing { close, atoms: &case.atoms }),
        }
    };
    proof.close.iter().map(closing).collect()
}

/// Proves that none of the cases happens in the given state.
pub(crate) fn close_all(network: &Network, bounds: &[Enclosure], cases: &[Closing]) -> Result<(), Rejected> {
    for closing in cases {
        check_slopes(network, &closing.close.slopes)?;
    }
    for (closing, bound) in cases.iter().zip(lower_bounds(network, bounds, cases)) {
        if !(bound > 0.0 && bound.is_finite()) {
            return Err(Rejected::NotRefuted { case: closing.close.case, bound });
        }
    }
    Ok(())
}

/// Lower bounds of the cases' combinations.
fn lower_bounds(network: &Network, bounds: &[Enclosure], cases: &[Closing]) -> Vec<f64> {
    let combined: Vec<Combination> = cases.iter().map(Combination::of).collect();
    let constants = combined.iter().map(|c| (-Interval::point(c.at_most)).lo).collect();
    let mut walk = Walk::new(network, bounds, constants);
    let mut inputs = Rows::zeros(cases.len(), network.input_size());
    let mut outputs = Rows::zeros(cases.len(), network.output_size());
    for (row, combination) in combined.iter().enumerate() {
        for (variable, coefficient) in &combination.coefficients {
            let (rows, node, element) = match variable {
                Variable::Input(i) => (&mut inputs, 0, *i),
                Variable::Output(i) => (&mut outputs, network.output(), *i),
            };
            rows.set(row, element, coefficient.middle());
            let magnitude = bounds.get(node).map_or(f64::INFINITY, |b| b.interval(element).magnitude());
            walk.charge_row(row, spread(*coefficient, magnitude));
        }
    }
    walk.add(0, inputs);
    walk.add(network.output(), outputs);
    let slopes: Vec<&Slopes> = cases.iter().map(|c| &c.close.slopes).collect();
    walk.lower_bounds(&slopes)
}

/// `sum_i lambda_i (a_i.v - b_i)` with enclosed coefficients.
struct Combination {
    coefficients: BTreeMap<Variable, Interval>,
    /// An upper bound on `sum_i lambda_i b_i`.
    at_most: f64,
}

impl Combination {
    fn of(closing: &Closing) -> Self {
        let mut combination = Combination { coefficients: BTreeMap::new(), at_most: 0.0 };
        for (atom, lambda) in closing.atoms.iter().zip(&closing.close.multipliers) {
            let lambda = Interval::point(*lambda);
            let share = lambda * atom.at_most;
            if share != Interval::point(0.0) {
                combination.at_most = add_up(combination.at_most, share.hi);
            }
            for (variable, coefficient) in &atom.terms {
                let sum = combination.coefficients.entry(*variable).or_insert(Interval::point(0.0));
                *sum = *sum + lambda * *coefficient;
            }
        }
        combination
    }
}
