//! Linear terms, and what a comparison of two of them says.

use std::ops::{Add, Neg};

use super::formula::Formula;
use super::range::{Limit, Side};
use crate::arith::Interval;
use crate::property::{Atom, Variable};

const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };
const ONE: Interval = Interval { lo: 1.0, hi: 1.0 };

/// `sum_i c_i v_i + constant`, every number enclosed.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    terms: Vec<(Variable, Interval)>,
    constant: Interval,
}

/// Why a comparison or a term makes no sense: what was expected and what was found.
#[derive(Debug)]
pub(super) struct Unfit {
    pub expected: String,
    pub found: String,
}

impl Linear {
    pub fn constant(value: Interval) -> Self {
        Linear { terms: Vec::new(), constant: value }
    }

    pub fn variable(variable: Variable) -> Self {
        Linear { terms: vec![(variable, ONE)], constant: ZERO }
    }

    /// Whether no variable occurs.
    pub fn is_constant(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether this is one variable and nothing else.
    pub fn is_variable(&self) -> bool {
        matches!(self.terms.as_slice(), [(_, c)] if *c == ONE) && self.constant == ZERO
    }

    /// The product; at most one factor may hold variables.
    pub fn times(self, other: Linear) -> Result<Linear, Unfit> {
        match (self.is_constant(), other.is_constant()) {
            (_, true) => Ok(self.map(|c| c * other.constant)),
            (true, _) => Ok(other.map(|c| c * self.constant)),
            _ => Err(unfit("a linear product: all factors but one constant", "variables in two factors")),
        }
    }

    /// The quotient; the divisor must be constant and certainly not zero.
    pub fn over(self, divisor: Linear) -> Result<Linear, Unfit> {
        let by = divisor.constant;
        if !divisor.is_constant() {
            return Err(unfit("a constant divisor", "one that holds variables"));
        }
        if ZERO.divided_by(by).is_none() {
            return Err(unfit("a divisor that is certainly not zero", show(by)));
        }
        Ok(self.map(|c| c.divided_by(by).unwrap_or(Interval::EVERYTHING)))
    }

    fn map(mut self, change: impl Fn(Interval) -> Interval) -> Linear {
        self.terms.iter_mut().for_each(|(_, c)| *c = change(*c));
        Linear { constant: change(self.constant), ..self }
    }
}

/// The number without the sign of a zero, so that equal bounds have equal bits and equal properties equal digests.
pub(super) fn unsigned_zero(i: Interval) -> Interval {
    if i == ZERO { ZERO } else { i }
}

impl Add for Linear {
    type Output = Linear;
    fn add(mut self, mut other: Linear) -> Linear {
        self.terms.append(&mut other.terms);
        Linear { constant: self.constant + other.constant, ..self }
    }
}

impl Neg for Linear {
    type Output = Linear;
    fn neg(self) -> Linear {
        self.map(Neg::neg)
    }
}

/// `left <= right`, or `<` where strict: a bound if a single input occurs, true or false if nothing does, else an atom.
///
/// `source` is a piece of the file that determines the number `x` at which `left = right`, if they hold one input `x`.
pub(super) fn at_most<'t>(left: &Linear, right: &Linear, strict: bool, source: &'t str) -> Result<Formula<'t>, Unfit> {
    let negated = right.terms.iter().map(|(v, c)| (*v, -*c));
    let terms = cancel(left.terms.iter().copied().chain(negated).collect());
    let at_most = unsigned_zero(right.constant - left.constant);
    if !terms.iter().all(|(_, c)| c.is_finite()) || !at_most.is_finite() {
        return Err(unfit("numbers in the range of 64-bit floats", "a result beyond it"));
    }
    match terms.first() {
        None => decide(left.constant, right.constant, strict).map(Formula::constant),
        Some((Variable::Input(input), _)) if terms.iter().all(|(v, _)| *v == Variable::Input(*input)) => {
            let coefficient = terms.iter().fold(ZERO, |sum, (_, c)| sum + *c);
            let (side, value) = divide(*input, at_most, coefficient)?;
            Ok(Formula::Limit(Limit { input: *input, side, value, strict, source: Some(source) }))
        }
        _ => Ok(Formula::Atom(Atom { terms, at_most, strict })),
    }
}

/// Sorts by variable and drops what certainly adds up to zero.
fn cancel(mut terms: Vec<(Variable, Interval)>) -> Vec<(Variable, Interval)> {
    terms.sort_by_key(|(variable, _)| *variable);
    let mut kept: Vec<(Variable, Interval)> = Vec::with_capacity(terms.len());
    for (variable, c) in terms {
        if kept.last().is_some_and(|(v, k)| *v == variable && c.is_point() && *k == -c) {
            kept.pop();
        } else if c != ZERO {
            kept.push((variable, c));
        }
    }
    kept
}

/// Whether `left <= right` (`<` where strict), if that is certain.
fn decide(left: Interval, right: Interval, strict: bool) -> Result<bool, Unfit> {
    let (holds, fails) = match strict {
        true => (left.hi < right.lo, left.lo >= right.hi),
        false => (left.hi <= right.lo, left.lo > right.hi),
    };
    if holds || fails {
        return Ok(holds);
    }
    Err(unfit("constants whose order is certain", format!("one {} and one {}", show(left), show(right))))
}

/// The bound on `x` that follows from `c x <= b`.
fn divide(input: usize, b: Interval, c: Interval) -> Result<(Side, Interval), Unfit> {
    let expected = || format!("a coefficient of X_{input} that is certainly not zero");
    let side = if c.lo > 0.0 {
        Side::Upper
    } else if c.hi < 0.0 {
        Side::Lower
    } else {
        return Err(Unfit { expected: expected(), found: show(c) });
    };
    let quotient = if c == ONE {
        Some(b)
    } else if c == -ONE {
        Some(-b)
    } else {
        b.divided_by(c)
    };
    match quotient.filter(|q| q.is_finite()) {
        Some(quotient) => Ok((side, unsigned_zero(quotient))),
        None => Err(unfit("numbers in the range of 64-bit floats", format!("a bound of X_{input} beyond it"))),
    }
}

fn unfit(expected: &str, found: impl Into<String>) -> Unfit {
    Unfit { expected: expected.to_owned(), found: found.into() }
}

fn show(i: Interval) -> String {
    if i.is_point() { format!("{}", i.lo) } else { format!("between {:?} and {:?}", i.lo, i.hi) }
}
