//! Conjunctions to regions and cases.
//!
//! Most files bound thousands of inputs once and then list a few alternatives. So the bounds that all conjunctions
//! share are put together once, each conjunction is represented by what it changes, and conjunctions that change
//! the same share one region.

use std::collections::{BTreeMap, HashMap};

use super::formula::{Formula, Size};
use super::range::{Limit, Range};
use crate::error::ReadError;
use crate::property::{Atom, Bound, Case, Property, Region};

/// How many conjunctions the disjunctive normal form may have.
const MOST_CASES: usize = 1_000_000;

/// How many limits, atoms and terms they may have together, and how many bounds all regions may have together. An
/// entry takes about 50 bytes at most.
const MOST_ENTRIES: usize = 8_000_000;

/// The property that the formula never holds, over the given numbers of inputs and outputs. Every input of a limit or
/// atom must be one of them.
pub(super) fn lower(formula: Formula, (inputs, outputs): (usize, usize)) -> Result<Property, ReadError> {
    let parts = match formula {
        Formula::All(parts) => parts,
        Formula::Any(none) if none.is_empty() => {
            let found = "a contradiction between constants";
            return Err(ReadError::part("assertions", "assertions that can hold together", found));
        }
        other => vec![other],
    };
    let (choices, shared): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| matches!(part, Formula::Any(_)));
    let choices = Formula::All(choices);
    let atoms: Vec<Atom> = shared.iter().filter_map(atom).cloned().collect();
    check_size(&choices, &atoms)?;
    let mut space = Space::new(inputs, shared.iter().filter_map(limit))?;

    let conjunctions = choices.conjunctions();
    let count = conjunctions.len();
    let mut cases = Vec::with_capacity(count);
    let mut nowhere = None;
    for (index, conjunction) in conjunctions.iter().enumerate() {
        let place = Place { index, count };
        let ranges = space.narrow(conjunction.iter().copied().filter_map(limit));
        if let Some(reason) = ranges.iter().find_map(|(input, range)| contradiction(*input, range, place)) {
            nowhere = nowhere.or(Some(reason));
            continue;
        }
        let region = space.region(ranges, place)?;
        let own = conjunction.iter().copied().filter_map(atom);
        cases.push(Case { region, atoms: atoms.iter().chain(own).cloned().collect() });
    }
    match nowhere {
        Some(reason) if cases.is_empty() => Err(reason),
        _ => Property::new((inputs, outputs), space.regions, cases)
            .map_err(|error| ReadError::part("assertions", "a property that can be checked", error.to_string())),
    }
}

fn limit<'f, 't>(leaf: &'f Formula<'t>) -> Option<&'f Limit<'t>> {
    if let Formula::Limit(limit) = leaf { Some(limit) } else { None }
}

fn atom<'f>(leaf: &'f Formula) -> Option<&'f Atom> {
    if let Formula::Atom(atom) = leaf { Some(atom) } else { None }
}

/// Checks the number of cases and of everything that they will hold before any of it is made.
fn check_size(choices: &Formula, shared: &[Atom]) -> Result<(), ReadError> {
    let repeated = shared.iter().map(|atom| atom.terms.len().saturating_add(1)).fold(1, usize::saturating_add);
    let Size { cases, entries } = choices.size().times(Size { cases: 1, entries: repeated });
    if cases > MOST_CASES || entries > MOST_ENTRIES {
        return Err(too_large(format!("{cases} cases with {entries} terms")));
    }
    Ok(())
}

fn too_large(found: String) -> ReadError {
    let expected =
        format!("a disjunctive normal form of at most {MOST_CASES} cases with {MOST_ENTRIES} terms and bounds");
    ReadError::part("assertions", expected, found)
}

/// A conjunction among all.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    count: usize,
}

impl Place {
    /// An error about an input; names the case if there are several.
    fn error(self, input: usize, expected: String, found: &str) -> ReadError {
        let Place { index, count } = self;
        let case = if count > 1 { format!(" in case {} of {count}", index + 1) } else { String::new() };
        ReadError::part(format!("input X_{input}"), expected, format!("{found}{case}"))
    }
}

/// The error that certainly no number satisfies an input's bounds.
fn contradiction(input: usize, range: &Range, place: Place) -> Option<ReadError> {
    let (lower, upper) = range.contradiction()?;
    let (lower, upper) = (lower.middle(), upper.middle());
    let found = format!("none between the lower bound {lower} and the upper bound {upper}");
    Some(place.error(input, "a number that satisfies its bounds".to_owned(), &found))
}

/// What sets a region apart from the shared bounds: inputs and the bits of their bounds.
type Difference = Vec<(usize, [u64; 4])>;

/// The shared bounds and the regions made of them so far.
struct Space<'t> {
    ranges: Vec<Range<'t>>,
    /// The shared ranges as bounds, where they have both ends.
    bounds: Vec<Option<Bound>>,
    /// The inputs whose shared ranges lack an end.
    open: Vec<usize>,
    regions: Vec<Region>,
    known: HashMap<Difference, usize>,
}

impl<'t> Space<'t> {
    fn new<'f>(inputs: usize, limits: impl Iterator<Item = &'f Limit<'t>>) -> Result<Self, ReadError>
    where
        't: 'f,
    {
        let mut ranges = vec![Range::default(); inputs];
        for limit in limits {
            if let Some(range) = ranges.get_mut(limit.input) {
                range.tighten(*limit);
            }
        }
        let everywhere = Place { index: 0, count: 1 };
        if let Some(reason) =
            ranges.iter().enumerate().find_map(|(input, range)| contradiction(input, range, everywhere))
        {
            return Err(reason);
        }
        let bounds: Vec<_> = ranges.iter().map(|range| range.bound().ok()).collect();
        let open = bounds.iter().enumerate().filter(|(_, bound)| bound.is_none()).map(|(input, _)| input).collect();
        Ok(Space { ranges, bounds, open, regions: Vec::new(), known: HashMap::new() })
    }

    /// The ranges of the inputs for which a conjunction has limits of its own.
    fn narrow<'f>(&self, limits: impl Iterator<Item = &'f Limit<'t>>) -> BTreeMap<usize, Range<'t>>
    where
        't: 'f,
    {
        let mut narrowed = BTreeMap::new();
        for limit in limits {
            let shared = || self.ranges.get(limit.input).copied().unwrap_or_default();
            narrowed.entry(limit.input).or_insert_with(shared).tighten(*limit);
        }
        narrowed
    }

    /// The index of the region with the given ranges in place of the shared ones.
    fn region(&mut self, mut narrowed: BTreeMap<usize, Range<'t>>, place: Place) -> Result<usize, ReadError> {
        for input in &self.open {
            narrowed.entry(*input).or_insert_with(|| self.ranges.get(*input).copied().unwrap_or_default());
        }
        let mut own = BTreeMap::new();
        for (input, range) in narrowed {
            let bound = range.bound().map_err(|expected| place.error(input, expected.to_owned(), "none"))?;
            if self.bounds.get(input) != Some(&Some(bound)) {
                own.insert(input, bound);
            }
        }
        let difference = own.iter().map(|(input, bound)| (*input, bits(bound))).collect();
        if let Some(known) = self.known.get(&difference) {
            return Ok(*known);
        }
        let index = self.regions.len();
        if index.saturating_add(1).saturating_mul(self.bounds.len()) > MOST_ENTRIES {
            return Err(too_large(format!("{} different regions of {} inputs", index + 1, self.bounds.len())));
        }
        let mut bounds = Vec::with_capacity(self.bounds.len());
        bounds.extend(self.bounds.iter().enumerate().filter_map(|(i, shared)| own.get(&i).copied().or(*shared)));
        self.regions.push(Region::of_box(bounds));
        self.known.insert(difference, index);
        Ok(index)
    }
}

fn bits(bound: &Bound) -> [u64; 4] {
    [bound.lower.lo, bound.lower.hi, bound.upper.lo, bound.upper.hi].map(f64::to_bits)
}
