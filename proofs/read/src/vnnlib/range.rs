//! The bounds of one input, put together from the limits that a conjunction sets.

use crate::arith::Interval;
use crate::property::Bound;

/// Which end of an input's range a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Lower,
    Upper,
}

/// `x >= v` or `x <= v` (`>` or `<` where strict) for an input `x` and a number `v`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit<'t> {
    pub input: usize,
    pub side: Side,
    /// Encloses `v`.
    pub value: Interval,
    pub strict: bool,
    /// A piece of the file that determines `v`: limits on one input with equal sources have the same `v`.
    pub source: Option<&'t str>,
}

/// What is known of an input's range.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range<'t> {
    lower: Option<Limit<'t>>,
    upper: Option<Limit<'t>>,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Lower => Side::Upper,
            Side::Upper => Side::Lower,
        }
    }
}

impl<'t> Limit<'t> {
    /// The limit that holds exactly where this one does not.
    pub fn negated(self) -> Self {
        Limit { side: self.side.other(), strict: !self.strict, ..self }
    }

    /// Whether the two numbers are certainly the same.
    fn equals(&self, other: &Limit) -> bool {
        let same_source = self.source.is_some() && self.source == other.source;
        self.value == other.value && (self.value.is_point() || same_source)
    }

    /// Whether this number certainly lies further inside than that of a limit of the same side.
    fn is_tighter(&self, than: &Limit) -> bool {
        match self.side {
            Side::Lower => self.value.lo > than.value.hi,
            Side::Upper => self.value.hi < than.value.lo,
        }
    }

    /// Encloses a number `w` such that `x >= w` (`x <= w`) implies the limit; the outer end is that of the value.
    fn closed(&self) -> Interval {
        let Interval { lo, hi } = self.value;
        match self.side {
            _ if !self.strict => self.value,
            Side::Lower => Interval { lo, hi: hi.next_up() },
            Side::Upper => Interval { lo: lo.next_down(), hi },
        }
    }

    /// The conjunction of two limits of the same input and side.
    fn and(self, other: Self) -> Self {
        if self.equals(&other) {
            return Limit { strict: self.strict || other.strict, ..self };
        }
        if self.is_tighter(&other) {
            return self;
        }
        if other.is_tighter(&self) {
            return other;
        }
        let (a, b) = (self.closed(), other.closed());
        let value = match self.side {
            Side::Lower => Interval { lo: a.lo.max(b.lo), hi: a.hi.max(b.hi) },
            Side::Upper => Interval { lo: a.lo.min(b.lo), hi: a.hi.min(b.hi) },
        };
        Limit { value, strict: false, source: None, ..self }
    }
}

impl<'t> Range<'t> {
    /// Adds a limit.
    pub fn tighten(&mut self, limit: Limit<'t>) {
        let end = match limit.side {
            Side::Lower => &mut self.lower,
            Side::Upper => &mut self.upper,
        };
        *end = Some(end.map_or(limit, |known| known.and(limit)));
    }

    /// The lower and the upper limit if certainly no number satisfies both.
    pub fn contradiction(&self) -> Option<(Interval, Interval)> {
        let (lower, upper) = (self.lower?, self.upper?);
        let open_point = lower.equals(&upper) && (lower.strict || upper.strict);
        (lower.value.lo > upper.value.hi || open_point).then_some((lower.value, upper.value))
    }

    /// The range as a bound, or what is missing.
    ///
    /// Replay takes equal enclosures for the same number. Where they may enclose two, they are made to differ, so that
    /// no counterexample is confirmed in a region that may be empty.
    pub fn bound(&self) -> Result<Bound, &'static str> {
        let (lower, upper) = (self.lower.ok_or("a lower bound")?, self.upper.ok_or("an upper bound")?);
        let mut bound = Bound { lower: lower.closed(), upper: upper.closed() };
        if bound.lower == bound.upper && !lower.equals(&upper) {
            bound.upper.lo = bound.upper.lo.next_down();
        }
        Ok(bound)
    }
}
