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
#[derive(Clone, Copy, Default)]
struct Range<'t> {
    lower: Option<Limit<'t>>,
    upper: Option<Limit<'t>>,
}

/// Ranges of some inputs.
type Ranges<'t> = BTreeMap<usize, Range<'t>>;

impl Limit<'_> {
    fn negated(self) -> Self {
        Limit { value: unsigned_zero(-self.value), ..self }
    }

    /// Whether the two numbers are certainly the same.
    fn equals(&self, other: &Limit) -> bool {
        let same_source = self.source.is_some() && self.source == other.source;
        self.value == other.value && (self.value.is_point() || same_source)
    }

    /// Not strict, and at a number such that it implies this limit; the upper end is that of the value.
    fn closed(self) -> Self {
        let Interval { lo, hi } = self.value;
        Limit { value: Interval { lo: if self.strict { lo.next_down() } else { lo }, hi }, strict: false, ..self }
    }

    /// The conjunction.
    fn and(self, other: Self) -> Self {
        if self.equals(&other) {
            return Limit { strict: self.strict || other.strict, ..self };
        }
        if self.value.hi < other.value.lo {
            return self;
        }
        if other.value.hi < self.value.lo {
            return other;
        }
        let (a, b) = (self.closed().value, other.closed().value);
        Limit { value: Interval { lo: a.lo.min(b.lo), hi: a.hi.min(b.hi) }, strict: false, source: None }
    }
}

impl<'t> Range<'t> {
    /// Adds a limit.
    fn tighten(&mut self, fact: &Fact<'t>, is_lower: bool) {
        let limit = Limit { value: fact.atom.at_most, strict: fact.atom.strict, source: Some(fact.source) };
        let end = if is_lower { &mut self.lower } else { &mut self.upper };
        *end = Some(end.map_or(limit, |known| known.and(limit)));
    }

    /// Numbers near the lower and the upper limit if certainly no number satisfies both.
    fn contradiction(&self) -> Option<(f64, f64)> {
        let (lower, upper) = (self.lower?.negated(), self.upper?);
        let is_open_point = lower.equals(&upper) && (lower.strict || upper.strict);
        let is_empty = lower.value.lo > upper.value.hi || is_open_point;
        is_empty.then(|| (lower.value.middle(), upper.value.middle()))
    }

    /// The range as a bound, or what is missing.
    ///
    /// Replay takes equal enclosures for the same number. Where they may enclose two, they are made to differ, so that
    /// no counterexample is confirmed in a region that may be empty.
    fn bound(&self) -> Result<Bound, &'static str> {
        let (lower, upper) = (self.lower.ok_or("a lower bound")?, self.upper.ok_or("an upper bound")?);
        let mut bound = Bound { lower: lower.closed().negated().value, upper: unsigned_zero(upper.closed().value) };
        if bound.lower == bound.upper && !lower.negated().equals(&upper) {
            bound.upper.lo = bound.upper.lo.next_down();
        }
        Ok(bound)
    }
}

/// The ranges that all cases share, and the regions made of them so far.
pub(super) struct Regions<'t> {
    shared: Ranges<'t>,
    /// Those of the shared ranges that lack an end.
    open: Ranges<'t>,
    pub list: Vec<Region>,
    /// The indices of the regions by what sets them apart: inputs and the bits of their bounds.
    known: HashMap<Vec<(usize, [u64; 4])>, usize>,
}

impl<'t> Regions<'t> {
    /// No region yet. The limits among the facts are shared, and on none but so many inputs.
    pub fn new(inputs: usize, facts: &[Rc<Fact<'t>>]) -> Result<Self, ReadError> {
        let mut shared: Ranges = (0..inputs).map(|input| (input, Range::default())).collect();
        narrow(&mut shared, facts, &Ranges::new());
        check(&shared, "")?;
        let open = shared.clone().into_iter().filter(|(_, range)| range.bound().is_err()).collect();
        Ok(Regions { shared, open, list: Vec::new(), known: HashMap::new() })
    }

    /// The index of the region of a case, which errors call by the given name, or why it has no points.
    pub fn of(&mut self, facts: &[Rc<Fact<'t>>], name: &str) -> Result<Result<usize, ReadError>, ReadError> {
        let mut narrowed = self.open.clone();
        narrow(&mut narrowed, facts, &self.shared);
        if let Err(reason) = check(&narrowed, name) {
            return Ok(Err(reason));
        }
        let shared = |input: &usize| self.shared.get(input).and_then(|range| range.bound().ok());
        let mut own = BTreeMap::new();
        for (input, range) in narrowed {
            let missing = |end| ReadError::part(format!("input X_{input}"), end, format!("none{name}"));
            own.insert(input, range.bound().map_err(missing)?);
        }
        own.retain(|input, bound| shared(input) != Some(*bound));
        let bits = |b: &Bound| [b.lower.lo, b.lower.hi, b.upper.lo, b.upper.hi].map(f64::to_bits);
        let difference = own.iter().map(|(input, bound)| (*input, bits(bound))).collect();
        let (count, inputs) = (self.list.len() + 1, self.shared.len());
        if let Some(index) = self.known.get(&difference) {
            return Ok(Ok(*index));
        }
        if count.saturating_mul(inputs) > MOST_ENTRIES {
            return Err(too_large(format!("{count} different regions of {inputs} inputs")));
        }
        let bounds = self.shared.keys().filter_map(|input| own.get(input).copied().or_else(|| shared(input))).collect();
        self.list.push(Region { bounds });
        self.known.insert(difference, count - 1);
        Ok(Ok(count - 1))
    }
}

/// Adds the limits among the facts to ranges, where inputs that have none yet have the known ones.
fn narrow<'t>(ranges: &mut Ranges<'t>, facts: &[Rc<Fact<'t>>], known: &Ranges<'t>) {
    for fact in facts {
        if let Some((input, is_lower)) = fact.limit() {
            let range = || known.get(&input).copied().unwrap_or_default();
            ranges.entry(input).or_insert_with(range).tighten(fact, is_lower);
        }
    }
}

/// Checks that none of the ranges, those of a named case, is certainly empty.
fn check(ranges: &Ranges, case: &str) -> Result<(), ReadError> {
    let empty = ranges.iter().find_map(|(input, range)| Some((input, range.contradiction()?)));
    empty.map_or(Ok(()), |(input, (lower, upper))| {
        let found = format!("none between the lower bound {lower} and the upper bound {upper}{case}");
        Err(ReadError::part(format!("input X_{input}"), "a number that satisfies its bounds", found))
    })
}
