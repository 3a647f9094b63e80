//! The disjunctive normal form of formulas, and the property that none of its cases happens.

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

/// An atom; a limit `x <= v` or `-x <= v` if it speaks of just one input `x`.
pub(super) struct Fact<'t> {
    pub atom: Atom,
    /// Pieces of the file that determine `v`: limits on one end of one input with equal sources have the same `v`.
    pub source: (&'t str, &'t str),
}

/// Conjunctions of facts, of which one holds.
pub(super) struct Cases<'t> {
    /// Empty if there are too many.
    list: Vec<Vec<Rc<Fact<'t>>>>,
    size: Size,
}

/// How many cases there are, and how many limits, atoms and terms of atoms all of them have together.
type Size = (Saturating<usize>, Saturating<usize>);

impl Fact<'_> {
    /// The input that is bounded, and whether it is from below.
    pub fn limit(&self) -> Option<(usize, bool)> {
        match self.atom.terms.as_slice() {
            [(Variable::Input(input), sign)] => Some((*input, sign.hi < 0.0)),
            _ => None,
        }
    }
}

impl<'t> Cases<'t> {
    /// One case without conditions, or none.
    pub fn constant(holds: bool) -> Self {
        let count = usize::from(holds);
        Cases { list: vec![Vec::new(); count], size: (Saturating(count), Saturating(0)) }
    }

    pub fn of(fact: Fact<'t>) -> Self {
        let entries = if fact.limit().is_some() { 1 } else { fact.atom.terms.len() + 1 };
        Cases { list: vec![vec![Rc::new(fact)]], size: (Saturating(1), Saturating(entries)) }
    }

    /// The conjunction or the disjunction. Nothing true stays in a disjunction, so no part is larger than the whole.
    pub fn join(mut self, all: bool, other: Self) -> Self {
        let ((count, entries), (more, own)) = (self.size, other.size);
        let truth = (Saturating(1), Saturating(0));
        if self.size == truth || other.size == truth {
            return if (self.size == truth) == all { other } else { self };
        }
        self.size = if all { (count * more, entries * more + own * count) } else { (count + more, entries + own) };
        if is_too_large(self.size) {
            self.list.clear();
        } else if !all {
            self.list.extend(other.list);
        } else if let [only] = other.list.as_slice() {
            self.list.iter_mut().for_each(|case| case.extend_from_slice(only));
        } else {
            let pairs =
                self.list.iter().flat_map(|left| other.list.iter().map(move |right| [left.as_slice(), right].concat()));
            self.list = pairs.collect();
        }
        self
    }
}

fn is_too_large((cases, entries): Size) -> bool {
    cases.0 > MOST_CASES || entries.0 > MOST_ENTRIES
}

/// The error that there are too many cases, regions or parts of them.
pub(super) fn too_large(found: String) -> ReadError {
    let most = format!("a disjunctive normal form of at most {MOST_CASES} cases with {MOST_ENTRIES} terms and bounds");
    ReadError::part("assertions", most, found)
}

/// The property that some assertions never hold together. What holds in all cases comes first in each.
pub(super) fn property(assertions: Vec<Cases>, (inputs, outputs): (usize, usize)) -> Result<Property, ReadError> {
    let (shared, choices): (Vec<_>, Vec<_>) = assertions.into_iter().partition(|cases| cases.list.len() == 1);
    let shared: Vec<Rc<Fact>> = shared.into_iter().flat_map(|cases| cases.list).flatten().collect();
    let mut choices = choices.into_iter().fold(Cases::constant(true), |whole, part| whole.join(true, part));
    if choices.size.0.0 == 0 {
        let found = "a contradiction between constants";
        return Err(ReadError::part("assertions", "assertions that can hold together", found));
    }
    let repeated = atoms(&shared).map(|atom| atom.terms.len() + 1).sum::<usize>() + 1;
    choices.size.1 += choices.size.0 * Saturating(repeated);
    if is_too_large(choices.size) {
        return Err(too_large(format!("{} cases with {} terms", choices.size.0, choices.size.1)));
    }
    let mut regions = Regions::new(inputs, &shared)?;
    let (mut cases, mut nowhere, count) = (Vec::new(), None, choices.list.len());
    for (index, case) in choices.list.iter().enumerate() {
        let name = if count > 1 { format!(" in case {} of {count}", index + 1) } else { String::new() };
        let atoms = atoms(&shared).chain(atoms(case)).cloned().collect();
        match regions.narrowed(case, &name) {
            Ok(ranges) => cases.push(Case { region: regions.index(&ranges, &name)?, atoms }),
            Err(reason) => nowhere = nowhere.or(Some(reason)),
        }
    }
    match nowhere {
        Some(reason) if cases.is_empty() => Err(reason),
        _ => Property::new((inputs, outputs), regions.list, cases)
            .map_err(|error| ReadError::part("assertions", "a property that can be checked", error.to_string())),
    }
}

/// The facts that are no limits.
fn atoms<'f>(facts: &'f [Rc<Fact>]) -> impl Iterator<Item = &'f Atom> {
    facts.iter().filter(|fact| fact.limit().is_none()).map(|fact| &fact.atom)
}
