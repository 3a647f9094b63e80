//! The disjunctive normal form of a formula.

use std::num::Saturating;
use std::rc::Rc;

use super::region::Regions;
use crate::error::ReadError;
use crate::property::{Atom, Case, Property, Variable};

/// How many conjunctions the disjunctive normal form may have.
const MOST_CASES: usize = 1_000_000;

/// How many limits, atoms and terms they may have together, and how many bounds all regions may have together. An
/// entry takes about 50 bytes at most.
pub(super) const MOST_ENTRIES: usize = 8_000_000;

/// An atom; of the form `x <= v` or `-x <= v` if it speaks of just one input `x`.
pub(super) struct Fact<'t> {
    pub atom: Atom,
    /// Pieces of the file that determine `v`: where they are equal for one end of one input, `v` is the same.
    pub source: (&'t str, &'t str),
}

/// All of `shared` and all of one of the `cases`.
pub(super) struct Cases<'t> {
    shared: Vec<Rc<Fact<'t>>>,
    /// Left out where there are too many.
    cases: Vec<Vec<Rc<Fact<'t>>>>,
    /// The number of cases, and that of limits, atoms and terms in all of them together.
    size: Size,
}

/// Numbers of cases and entries.
type Size = (Saturating<usize>, Saturating<usize>);

impl<'t> Fact<'t> {
    /// The input that is bounded, and whether it is from below.
    pub fn limit(&self) -> Option<(usize, bool)> {
        match self.atom.terms.as_slice() {
            [(Variable::Input(input), sign)] => Some((*input, sign.hi < 0.0)),
            _ => None,
        }
    }

    fn entries(&self) -> usize {
        if self.limit().is_some() { 1 } else { self.atom.terms.len() + 1 }
    }
}

impl<'t> Cases<'t> {
    /// One case without conditions, or none.
    pub fn constant(holds: bool) -> Self {
        let count = usize::from(holds);
        Cases { shared: Vec::new(), cases: vec![Vec::new(); count], size: (Saturating(count), Saturating(0)) }
    }

    pub fn of(atom: Atom, source: (&'t str, &'t str)) -> Self {
        Cases { shared: vec![Rc::new(Fact { atom, source })], ..Cases::constant(true) }
    }

    /// The conjunction or the disjunction.
    pub fn join(self, all: bool, other: Self) -> Self {
        if all { self.and(other) } else { self.or(other) }
    }

    fn and(mut self, other: Self) -> Self {
        self.shared.extend(other.shared);
        let ((count, entries), (more, own)) = (self.size, other.size);
        self.size = (count * more, entries * more + own * count);
        if self.is_too_large() {
            self.cases.clear();
        } else if other.size != (Saturating(1), Saturating(0)) {
            let pairs = self.cases.iter().flat_map(|left| other.cases.iter().map(move |right| (left, right)));
            self.cases = pairs.map(|(left, right)| [left.as_slice(), right].concat()).collect();
        }
        self
    }

    fn or(self, other: Self) -> Self {
        if self.is_true() || other.is_false() {
            return self;
        }
        if self.is_false() || other.is_true() {
            return other;
        }
        let (mut whole, more) = (self.spread(), other.spread());
        whole.size = (whole.size.0 + more.size.0, whole.size.1 + more.size.1);
        whole.cases.extend(more.cases);
        if whole.is_too_large() { Cases { cases: Vec::new(), ..whole } } else { whole }
    }

    /// The same with nothing shared.
    fn spread(mut self) -> Self {
        let shared = std::mem::take(&mut self.shared);
        let entries = shared.iter().map(|fact| fact.entries()).sum();
        let first = Cases { shared: Vec::new(), cases: vec![shared], size: (Saturating(1), Saturating(entries)) };
        if entries == 0 { self } else { first.and(self) }
    }

    fn is_false(&self) -> bool {
        self.size.0.0 == 0
    }

    fn is_true(&self) -> bool {
        self.shared.is_empty() && self.size == (Saturating(1), Saturating(0))
    }

    fn is_too_large(&self) -> bool {
        self.size.0.0 > MOST_CASES || self.size.1.0 > MOST_ENTRIES
    }

    /// The property that none of the cases happens.
    pub fn property(mut self, (inputs, outputs): (usize, usize)) -> Result<Property, ReadError> {
        let refuse = |expected: &str, found: &str| Err(ReadError::part("assertions", expected, found));
        if self.is_false() {
            return refuse("assertions that can hold together", "a contradiction between constants");
        }
        let atoms: Vec<Atom> = atoms(&self.shared).collect();
        self.size.1 += self.size.0 * Saturating(1 + atoms.iter().map(|atom| atom.terms.len() + 1).sum::<usize>());
        if self.is_too_large() {
            return Err(too_large(format!("{} cases with {} terms", self.size.0, self.size.1)));
        }
        let mut regions = Regions::new(inputs, &self.shared)?;
        let mut cases = Vec::new();
        let mut nowhere = None;
        for (index, case) in self.cases.iter().enumerate() {
            let is_one_of_many = self.cases.len() > 1;
            let name =
                if is_one_of_many { format!(" in case {} of {}", index + 1, self.cases.len()) } else { String::new() };
            match regions.of(case, &name)? {
                Ok(region) => {
                    cases.push(Case { region, atoms: atoms.iter().cloned().chain(self::atoms(case)).collect() })
                }
                Err(reason) => nowhere = nowhere.or(Some(reason)),
            }
        }
        match nowhere {
            Some(reason) if cases.is_empty() => Err(reason),
            _ => Property::new((inputs, outputs), regions.list, cases)
                .or_else(|error| refuse("a property that can be checked", &error.to_string())),
        }
    }
}

/// The facts that are no limits.
fn atoms(facts: &[Rc<Fact>]) -> impl Iterator<Item = Atom> {
    facts.iter().filter(|fact| fact.limit().is_none()).map(|fact| fact.atom.clone())
}

/// The error that there are too many cases, regions or parts of them.
pub(super) fn too_large(found: String) -> ReadError {
    let most = format!("a disjunctive normal form of at most {MOST_CASES} cases with {MOST_ENTRIES} terms and bounds");
    ReadError::part("assertions", most, found)
}
