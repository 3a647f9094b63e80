//! Formulas over limits and atoms, and their disjunctive normal form.

use super::linear::unsigned_zero;
use super::range::Limit;
use crate::property::Atom;

/// A formula without negations. The constructors [`Formula::all`] and [`Formula::any`] leave no true or false part
/// inside another formula, so that every part has at least one conjunction and none has more than the whole.
#[derive(Clone, Debug)]
pub(super) enum Formula<'t> {
    /// All parts hold; true if there are none.
    All(Vec<Formula<'t>>),
    /// Some part holds; false if there are none.
    Any(Vec<Formula<'t>>),
    Limit(Limit<'t>),
    Atom(Atom),
}

/// How large a disjunctive normal form will be; saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Number of conjunctions.
    pub cases: usize,
    /// Number of limits, atoms and terms of atoms in all conjunctions together.
    pub entries: usize,
}

impl<'t> Formula<'t> {
    pub fn constant(holds: bool) -> Self {
        if holds { Formula::All(Vec::new()) } else { Formula::Any(Vec::new()) }
    }

    /// The conjunction; of one part, that part.
    pub fn all(parts: impl IntoIterator<Item = Formula<'t>>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Formula::Any(none) if none.is_empty() => return Formula::constant(false),
                Formula::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() > 1 { Formula::All(flat) } else { flat.pop().unwrap_or(Formula::constant(true)) }
    }

    /// The disjunction.
    pub fn any(parts: impl IntoIterator<Item = Formula<'t>>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Formula::All(none) if none.is_empty() => return Formula::constant(true),
                Formula::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        Formula::Any(flat)
    }

    /// The formula that holds exactly where this one does not.
    pub fn negated(self) -> Self {
        match self {
            Formula::All(parts) => Formula::any(parts.into_iter().map(Formula::negated)),
            Formula::Any(parts) => Formula::all(parts.into_iter().map(Formula::negated)),
            Formula::Limit(limit) => Formula::Limit(limit.negated()),
            Formula::Atom(Atom { terms, at_most, strict }) => {
                let terms = terms.into_iter().map(|(v, c)| (v, -c)).collect();
                Formula::Atom(Atom { terms, at_most: unsigned_zero(-at_most), strict: !strict })
            }
        }
    }

    /// The size of the disjunctive normal form.
    pub fn size(&self) -> Size {
        match self {
            Formula::All(parts) => parts.iter().map(Formula::size).fold(Size::TRUE, Size::times),
            Formula::Any(parts) => parts.iter().map(Formula::size).fold(Size::FALSE, Size::plus),
            Formula::Limit(_) => Size { cases: 1, entries: 1 },
            Formula::Atom(atom) => Size { cases: 1, entries: atom.terms.len().saturating_add(1) },
        }
    }

    /// The disjunctive normal form: conjunctions of limits and atoms, in the order in which they are written.
    /// Takes memory in proportion to [`Formula::size`].
    pub fn conjunctions(&self) -> Vec<Vec<&Formula<'t>>> {
        match self {
            Formula::All(parts) => parts.iter().fold(vec![vec![]], distribute),
            Formula::Any(parts) => parts.iter().flat_map(Formula::conjunctions).collect(),
            leaf => vec![vec![leaf]],
        }
    }
}

/// The conjunctions of `found and part`.
fn distribute<'f, 't>(mut found: Vec<Vec<&'f Formula<'t>>>, part: &'f Formula<'t>) -> Vec<Vec<&'f Formula<'t>>> {
    if let Formula::Limit(_) | Formula::Atom(_) = part {
        found.iter_mut().for_each(|conjunction| conjunction.push(part));
        return found;
    }
    let more = part.conjunctions();
    found.iter().flat_map(|left| more.iter().map(|right| [left.as_slice(), right].concat())).collect()
}

impl Size {
    /// One conjunction of nothing.
    pub const TRUE: Size = Size { cases: 1, entries: 0 };
    /// No conjunction.
    pub const FALSE: Size = Size { cases: 0, entries: 0 };

    /// The size of a disjunction.
    pub fn plus(self, other: Size) -> Size {
        Size { cases: self.cases.saturating_add(other.cases), entries: self.entries.saturating_add(other.entries) }
    }

    /// The size of a conjunction: every case of the one with every case of the other.
    pub fn times(self, other: Size) -> Size {
        let (left, right) = (self.entries.saturating_mul(other.cases), other.entries.saturating_mul(self.cases));
        Size { cases: self.cases.saturating_mul(other.cases), entries: left.saturating_add(right) }
    }
}
