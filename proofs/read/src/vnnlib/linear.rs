//! Linear terms, and what a comparison of two of them says.

use super::cases::{Cases, Fact};
use super::expression::Expression;
use crate::arith::Interval;
use crate::error::ReadError;
use crate::property::{Atom, Variable};

pub(super) const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };
pub(super) const ONE: Interval = Interval { lo: 1.0, hi: 1.0 };

const RANGE: &str = "numbers in the range of 64-bit floats";

/// `sum_i c_i v_i + constant`, every number enclosed.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    pub terms: Vec<(Variable, Interval)>,
    pub constant: Interval,
}

impl Linear {
    /// The sum, difference, product or quotient; at most one factor and no divisor may hold variables, and the divisor
    /// must certainly not be zero.
    pub fn combine(self, operator: &Expression, other: Linear) -> Result<Linear, ReadError> {
        let by = other.constant;
        match operator.text {
            "+" => Ok(self.plus(other)),
            "-" => Ok(self.plus(other.map(|c| -c))),
            "*" if other.terms.is_empty() => Ok(self.map(|c| c * by)),
            "*" if self.terms.is_empty() => Ok(other.map(|c| c * self.constant)),
            "*" => Err(operator.refuse("a linear product: all factors but one constant", "variables in two factors")),
            _ if !other.terms.is_empty() => Err(operator.refuse("a constant divisor", "one that holds variables")),
            _ if by.lo > 0.0 || by.hi < 0.0 => Ok(self.map(|c| c.divided_by(by).unwrap_or(Interval::EVERYTHING))),
            _ => Err(operator.refuse("a divisor that is certainly not zero", show(by))),
        }
    }

    fn plus(mut self, other: Linear) -> Linear {
        self.terms.extend(other.terms);
        Linear { constant: self.constant + other.constant, ..self }
    }

    fn map(mut self, change: impl Fn(Interval) -> Interval) -> Linear {
        self.terms.iter_mut().for_each(|(_, c)| *c = change(*c));
        Linear { constant: change(self.constant), ..self }
    }

    /// The cases of `self <= other`, or `<` where strict, as written between two expressions.
    pub fn at_most<'t>(&self, other: &Self, strict: bool, ends: [&Expression<'t>; 2]) -> Result<Cases<'t>, ReadError> {
        let [place, last] = ends;
        let negated = other.terms.iter().map(|(variable, c)| (*variable, -*c));
        let terms = cancel(self.terms.iter().copied().chain(negated).collect());
        let mut atom = Atom { terms, at_most: other.constant - self.constant, strict };
        let is_certain = |a: Interval, b: Interval, strict: bool| if strict { a.hi < b.lo } else { a.hi <= b.lo };
        match atom.terms.first().map(|(variable, _)| *variable) {
            _ if !atom.terms.iter().all(|(_, c)| c.is_finite()) || !atom.at_most.is_finite() => {
                return Err(place.refuse(RANGE, "a result beyond it"));
            }
            None if is_certain(self.constant, other.constant, strict) => return Ok(Cases::constant(true)),
            None if is_certain(other.constant, self.constant, !strict) => return Ok(Cases::constant(false)),
            None => {
                let found = format!("one {} and one {}", show(self.constant), show(other.constant));
                return Err(place.refuse("constants whose order is certain", found));
            }
            Some(only @ Variable::Input(i)) if atom.terms.iter().all(|(v, _)| *v == only) => {
                atom = limit(i, atom, place)?
            }
            Some(_) => {}
        }
        atom.at_most = unsigned_zero(atom.at_most);
        let source = (place.text.min(last.text), place.text.max(last.text));
        Ok(Cases::of(Fact { atom, source }))
    }
}

/// An atom over one input, divided by the magnitude of the coefficient.
fn limit(input: usize, atom: Atom, place: &Expression) -> Result<Atom, ReadError> {
    let coefficient = atom.terms.iter().fold(ZERO, |sum, (_, c)| sum + *c);
    let (sign, by) = if coefficient.hi < 0.0 { (-ONE, -coefficient) } else { (ONE, coefficient) };
    if by.lo <= 0.0 {
        let expected = format!("a coefficient of X_{input} that is certainly not zero");
        return Err(place.refuse(expected, show(coefficient)));
    }
    let at_most = if by == ONE { Some(atom.at_most) } else { atom.at_most.divided_by(by).filter(|b| b.is_finite()) };
    let beyond = || place.refuse(RANGE, format!("a bound of X_{input} beyond it"));
    Ok(Atom { terms: vec![(Variable::Input(input), sign)], at_most: at_most.ok_or_else(beyond)?, ..atom })
}

/// Sorts by variable and drops what certainly adds up to zero.
fn cancel(mut terms: Vec<(Variable, Interval)>) -> Vec<(Variable, Interval)> {
    terms.sort_by_key(|(variable, _)| *variable);
    let mut kept: Vec<(Variable, Interval)> = Vec::with_capacity(terms.len());
    for (variable, c) in terms {
        if kept.last().is_some_and(|(v, k)| *v == variable && c.is_point() && *k == -c) {
            kept.pop();
        } else if c != ZERO {
            kept.push((variable, unsigned_zero(c)));
        }
    }
    kept
}

/// The interval without signs of zeros, so that equal bounds have equal bits and equal properties equal digests.
pub(super) fn unsigned_zero(i: Interval) -> Interval {
    let [lo, hi] = [i.lo, i.hi].map(|end| if end == 0.0 { 0.0 } else { end });
    Interval { lo, hi }
}

fn show(i: Interval) -> String {
    if i.is_point() { format!("{}", i.lo) } else { format!("between {:?} and {:?}", i.lo, i.hi) }
}
