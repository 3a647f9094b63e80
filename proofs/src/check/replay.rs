//! Replaying a counterexample with rigorous arithmetic.

use crate::arith::{Enclosure, Interval, enclose_all};
use crate::certificate::{Side, Target, Targets, Witness};
use crate::error::{Refusal, Rejected};
use crate::network::Network;
use crate::property::{Atom, Bound, Case, Property, Region, Variable};
use crate::semantics::Semantics;
use crate::verdict::Violated;

use super::signs::{Task, least_bounds};
use super::state::{Ground, State, linear};

/// Checks that some case of the property certainly happens at a point: the point lies in the case's region and all of
/// the case's atoms hold there, under the network's semantics: under [`Semantics::Float32`](crate::Semantics) in every execution.
///
/// Where a bound of the region is not a binary float, the nearest point of the region is meant, and all floats
/// around it are evaluated together.
///
/// # Errors
///
/// The point has the wrong length, lies outside every region, or no case certainly holds.
pub fn replay(network: &Network, property: &Property, point: &[f64]) -> Result<Violated, Rejected> {
    property.fits(network)?;
    if point.len() != property.inputs() {
        return Err(Refusal::PointSize(property.inputs(), point.len()).into());
    }
    let mut outside = None;
    for (index, region) in property.regions().iter().enumerate() {
        match meant_point(region, point) {
            Err(reason) => outside = outside.or(Some(reason)),
            Ok(meant) => {
                let cases = property.cases().iter().enumerate().filter(|(_, case)| case.region == index);
                if let Some((case, outputs)) = happening(network, (region, &meant), cases) {
                    let ids = (network, property.digest());
                    return Ok(Violated::new(ids, case, point.to_vec(), outputs));
                }
                outside = outside.or(Some(Refusal::NotViolated));
            }
        }
    }
    Err(outside.unwrap_or(Refusal::NotViolated).into())
}

/// Enclosures of the coordinates of the region's point nearest to the given one, which may be off by the width of a
/// bound's enclosure at most.
fn meant_point(region: &Region, point: &[f64]) -> Result<Vec<Interval>, Refusal> {
    let outside = |input: usize, value: f64, bound: &Bound| {
        let Interval { lo: lower, hi: upper } = bound.outer();
        Refusal::OutsideRegion(input, value, lower, upper)
    };
    let coordinate =
        |(input, (x, bound)): (usize, (&f64, &Bound))| nearest(*x, bound).ok_or_else(|| outside(input, *x, bound));
    point.iter().zip(&region.bounds).enumerate().map(coordinate).collect()
}

/// Encloses the permitted number nearest to `x`; `None` when `x` is certainly not permitted, or when it is not
/// certain that any number is.
fn nearest(x: f64, bound: &Bound) -> Option<Interval> {
    let Bound { lower, upper } = *bound;
    if lower != upper && bound.inner().is_none() {
        return None;
    }
    if !(lower.lo <= x && x <= upper.hi) {
        return None;
    }
    let hi = if x < lower.hi { lower.hi } else { x };
    let lo = if x > upper.lo { upper.lo } else { x };
    Interval::new(lo.min(x), hi.max(x))
}

/// The first case that certainly happens at a point that certainly satisfies what restricts the region beyond its bounds,
/// with enclosures of the outputs there.
fn happening<'p>(
    network: &Network,
    (region, point): (&Region, &[Interval]),
    mut cases: impl Iterator<Item = (usize, &'p Case)> + Clone,
) -> Option<(usize, Vec<Interval>)> {
    let input = |variable: &Variable| match variable {
        Variable::Input(i) => point.get(*i).copied().unwrap_or(Interval::EVERYTHING),
        Variable::Output(_) => Interval::EVERYTHING,
    };
    let is_inside = region.constraints.iter().all(|atom| certainly_holds(atom, input))
        && region.ball.as_ref().is_none_or(|b| b.certainly_contains(point));
    if !is_inside {
        return None;
    }
    let bounds = enclose_all(network, Enclosure::of_intervals(point.iter().copied()));
    let outputs = bounds.get(network.output())?;
    let value = |variable: &Variable| match variable {
        Variable::Input(_) => input(variable),
        Variable::Output(i) => outputs.interval(*i),
    };
    let holds = |(_, case): &(usize, &Case)| case.atoms.iter().all(|atom| certainly_holds(atom, value));
    match (cases.clone().find(holds), network.semantics()) {
        (Some((case, _)), _) => Some((case, outputs.intervals())),
        (None, Semantics::Real) => None,
        (None, Semantics::Float32) => {
            let bounds = point.iter().map(|x| Bound { lower: Interval::point(x.lo), upper: Interval::point(x.hi) });
            let alone = Region { bounds: bounds.collect(), constraints: Vec::new(), ball: None };
            closely(network, &alone, &mut cases).ok().flatten()
        }
    }
}

/// The first case that certainly happens everywhere in a region, with enclosures of the outputs, by the linear bound rule: what
/// executions round early in the network then counts once, with what later weights make of it together.
fn closely(
    network: &Network,
    region: &Region,
    cases: &mut dyn Iterator<Item = (usize, &Case)>,
) -> Result<Option<(usize, Vec<Interval>)>, Rejected> {
    let ground = Ground::new(network, region)?;
    let mut state = State::new(&ground);
    state.tighten_all()?;
    let output = network.places().len().saturating_sub(1);
    let ends = (0..network.output_size()).flat_map(|element| [Side::Lower, Side::Upper].map(|side| (element, side)));
    let ends = ends.map(|(element, side)| Target { element, side, witness: Witness::Default }).collect();
    state.tighten(output, &Targets::Listed(ends))?;
    state.refresh_all();
    for (number, case) in cases {
        let tasks = case.atoms.iter().map(|atom| {
            let terms = atom.terms.iter().map(|(variable, factor)| (*variable, -*factor)).collect();
            let opposite = Atom { terms, at_most: -atom.at_most, strict: atom.strict };
            Task::new(&state, vec![(1.0, linear(network, &opposite))], &Witness::Default)
        });
        let least = least_bounds(&state, &tasks.collect::<Result<Vec<_>, _>>()?)?;
        let mut each = case.atoms.iter().zip(&least);
        if each.all(|(atom, least)| if atom.strict { *least > 0.0 } else { *least >= 0.0 }) {
            return Ok(Some((number, state.intervals(output))));
        }
    }
    Ok(None)
}

fn certainly_holds(atom: &Atom, value: impl Fn(&Variable) -> Interval) -> bool {
    let sum = atom.terms.iter().fold(Interval::point(0.0), |sum, (v, c)| sum + *c * value(v));
    if atom.strict { sum.hi < atom.at_most.lo } else { sum.hi <= atom.at_most.lo }
}
