//! Closing a case: a non-negative combination of its atoms `a.v <= b` is proved to be positive everywhere,
//! `min sum_i lambda_i (a_i.v - b_i) > 0`, so that no point satisfies all atoms.

use std::sync::Arc;

use crate::arith::LinearAtom;
use crate::certificate::{Close, Multipliers};
use crate::error::Refusal;

use super::relax::check_multiplier;
use super::signs::{Task, least_bounds};
use super::state::State;

/// Something to refute: no point satisfies all of the atoms.
#[derive(Debug)]
pub(crate) struct Goal {
    /// The case of the property; 0 for the negation of a bound.
    pub case: usize,
    /// The inequalities.
    pub atoms: Vec<LinearAtom>,
}

/// Refutes some of the open goals, which are then no longer open.
pub(crate) fn close(state: &mut State, open: &mut Vec<Arc<Goal>>, list: &[Close]) -> Result<(), Refusal> {
    state.refresh_all();
    let mut tasks = Vec::new();
    for close in list {
        let place = open.iter().position(|goal| goal.case == close.case).ok_or(Refusal::NotOpen(close.case))?;
        tasks.push(Task::new(state, combination(&open.remove(place), &close.multipliers)?, &close.witness)?);
    }
    for (close, bound) in list.iter().zip(least_bounds(state, &tasks)?) {
        if !(bound > 0.0 && bound.is_finite()) {
            return Err(Refusal::NotRefuted(close.case, bound));
        }
    }
    Ok(())
}

/// The goal's atoms with their multipliers.
fn combination(goal: &Goal, multipliers: &Multipliers) -> Result<Vec<(f32, LinearAtom)>, Refusal> {
    match multipliers {
        Multipliers::Atom(atom) => {
            let found = goal.atoms.get(*atom).ok_or(Refusal::MultiplierCount(goal.atoms.len(), "atoms", atom + 1))?;
            Ok(vec![(1.0, found.clone())])
        }
        Multipliers::Each(numbers) if numbers.len() == goal.atoms.len() => {
            numbers.iter().try_for_each(|multiplier| check_multiplier(*multiplier))?;
            Ok(numbers.iter().copied().zip(goal.atoms.iter().cloned()).collect())
        }
        Multipliers::Each(numbers) => Err(Refusal::MultiplierCount(goal.atoms.len(), "atoms", numbers.len())),
    }
}
