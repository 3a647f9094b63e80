//! The regions in which cases happen.
//!
//! Most files bound thousands of inputs once and then list a few alternatives. So the bounds that all cases share are
//! put together once, each case is represented by what it changes, and cases that change the same share one region.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::cases::{Fact, MOST_ENTRIES, too_large};
use super::linear::unsigned_zero;
use crate::arith::Interval;
use crate::error::ReadError;
use crate::property::{Bound, Region};

/// `x <= v` or `-x <= v` for an input `x` and a number `v`.
#[derive(Clone, Copy)]
struct Limit<'t> {
    /// Encloses `v`.
    value: Interval,
    /// Whether equality is excluded.
    strict: bool,
    /// What determines `v`, unless it is several limits that do.
    source: Option<(&'t str, &'t str)>,
}

/// What is known of an input.
#[derive(Clone, Copy)]
pub(super) struct Range<'t> {
    lower: Limit<'t>,
    upper: Limit<'t>,
}

/// No limit.
const UNLIMITED: Limit =
    Limit { value: Interval { lo: f64::INFINITY, hi: f64::INFINITY }, strict: false, source: None };

impl Limit<'_> {
    /// The same number as the other end of the range.
    fn negated(self) -> Self {
        Limit { value: unsigned_zero(-self.value), ..self }
    }

    /// Whether the two numbers are certainly the same.
    fn equals(&self, other: &Limit) -> bool {
        let same_source = self.source.is_some() && self.source == other.source;
        self.value == other.value && (self.value.is_point() || same_source)
    }

    /// Whether certainly every number below this limit is below the other.
    fn implies(&self, other: &Limit) -> bool {
        self.value.hi < other.value.lo || self.equals(other) && self.strict >= other.strict
    }

    /// Encloses a number `w` such that `x <= w` implies the limit; the upper end is that of the value.
    fn closed(&self) -> Interval {
        Interval { lo: if self.strict { self.value.lo.next_down() } else { self.value.lo }, ..self.value }
    }

    /// The conjunction.
    fn and(self, other: Self) -> Self {
        if self.implies(&other) {
            return self;
        }
        if other.implies(&self) {
            return other;
        }
        let (a, b) = (self.closed(), other.closed());
        Limit { value: Interval { lo: a.lo.min(b.lo), hi: a.hi.min(b.hi) }, ..UNLIMITED }
    }
}

impl Range<'_> {
    /// Numbers near the lower and the upper limit if certainly no number satisfies both.
    fn contradiction(&self) -> Option<(f64, f64)> {
        let (lower, upper) = (self.lower.negated(), self.upper);
        let is_open_point = lower.equals(&upper) && (lower.strict || upper.strict);
        let is_empty = lower.value.lo > upper.value.hi || is_open_point;
        is_empty.then(|| (lower.value.middle(), upper.value.middle()))
    }

    /// The range as a bound.
    ///
    /// Replay takes equal enclosures for the same number. Where they may enclose two, they are made to differ, so that
    /// no counterexample is confirmed in a region that may be empty.
    fn bound(&self) -> Bound {
        let mut bound = Bound { lower: unsigned_zero(-self.lower.closed()), upper: unsigned_zero(self.upper.closed()) };
        if bound.lower == bound.upper && !self.lower.negated().equals(&self.upper) {
            bound.upper.lo = bound.upper.lo.next_down();
        }
        bound
    }
}

/// Ranges of some inputs.
type Ranges<'t> = BTreeMap<usize, Range<'t>>;

/// The ranges that all cases share, and the regions made of them so far.
pub(super) struct Regions<'t> {
    shared: Vec<Range<'t>>,
    pub list: Vec<Region>,
    /// The indices of the regions by what sets them apart: inputs and the bits of their bounds.
    known: HashMap<Vec<(usize, [u64; 4])>, usize>,
}

impl<'t> Regions<'t> {
    /// No region yet. The limits among the facts are shared, and on none but so many inputs.
    pub fn new(inputs: usize, facts: &[Rc<Fact<'t>>]) -> Result<Self, ReadError> {
        let mut regions = Regions { shared: Vec::new(), list: Vec::new(), known: HashMap::new() };
        regions.shared.resize(inputs, Range { lower: UNLIMITED, upper: UNLIMITED });
        for (input, range) in regions.narrowed(facts, "")? {
            regions.shared.get_mut(input).into_iter().for_each(|shared| *shared = range);
        }
        Ok(regions)
    }

    /// The ranges of the inputs that the facts limit, narrowed by that; an error that there is no point left ends in
    /// the name of the case.
    pub fn narrowed(&self, facts: &[Rc<Fact<'t>>], case: &str) -> Result<Ranges<'t>, ReadError> {
        let mut ranges = Ranges::new();
        for fact in facts {
            if let Some((input, is_lower)) = fact.limit()
                && let Some(shared) = self.shared.get(input)
            {
                let range = ranges.entry(input).or_insert(*shared);
                let end = if is_lower { &mut range.lower } else { &mut range.upper };
                *end = end.and(Limit { value: fact.atom.at_most, strict: fact.atom.strict, source: Some(fact.source) });
            }
        }
        match ranges.iter().find_map(|(input, range)| Some((input, range.contradiction()?))) {
            None => Ok(ranges),
            Some((input, (lower, upper))) => {
                let found = format!("none between the lower bound {lower} and the upper bound {upper}{case}");
                Err(ReadError::part(format!("input X_{input}"), "a number that satisfies its bounds", found))
            }
        }
    }

    /// The index of the region with the given ranges in place of the shared ones.
    pub fn index(&mut self, ranges: &Ranges, case: &str) -> Result<usize, ReadError> {
        let bits = |b: Bound| [b.lower.lo, b.lower.hi, b.upper.lo, b.upper.hi].map(f64::to_bits);
        let difference = ranges.iter().map(|(input, range)| (*input, bits(range.bound())));
        let is_shared = |input: usize, own| self.shared.get(input).is_some_and(|range| bits(range.bound()) == own);
        let difference = difference.filter(|(input, own)| !is_shared(*input, *own)).collect();
        if let Some(index) = self.known.get(&difference) {
            return Ok(*index);
        }
        let (index, inputs) = (self.list.len(), self.shared.len());
        if (index + 1).saturating_mul(inputs) > MOST_ENTRIES {
            return Err(too_large(format!("{} different regions of {inputs} inputs", index + 1)));
        }
        let mut bounds = Vec::with_capacity(inputs);
        for (input, shared) in self.shared.iter().enumerate() {
            let bound = ranges.get(&input).unwrap_or(shared).bound();
            for (end, missing) in [(bound.lower, "a lower bound"), (bound.upper, "an upper bound")] {
                if !end.is_finite() {
                    return Err(ReadError::part(format!("input X_{input}"), missing, format!("none{case}")));
                }
            }
            bounds.push(bound);
        }
        self.list.push(Region::of_box(bounds));
        self.known.insert(difference, index);
        Ok(index)
    }
}
