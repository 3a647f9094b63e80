//! The bookkeeping of linear bounds: each row's constant, and a bound on what rounding has taken from it.

use std::iter::repeat;

use super::Enclosure;
use super::product::{LANES, dot, dot_abs, dot_with, total};
use super::{INFLATE, Interval, Rows, TINY, UNIT, count, gamma};
use crate::property::Ball;

/// For each row `r` of coefficients the claim `g_r >= sum a_rj v_j + constant_r - loss_r` is kept true at every
/// step, where the sum runs over all coefficients that are still open.
#[derive(Debug)]
pub(crate) struct Tally {
    constant: Vec<f64>,
    loss: Vec<f64>,
}

/// Alphas of the elements of a node: a positive coefficient on an undecided ReLU is relaxed by `relu(z) >= alpha z`. Where the
/// second list has a number in `[0, 1]` it counts, else where the first has one; else alpha is 1 where the upper end is farther
/// from zero than the lower, and 0 otherwise.
pub(crate) type Alphas<'w> = [&'w [f32]; 2];

impl Tally {
    /// No rows yet.
    pub fn new() -> Self {
        Tally { loss: Vec::new(), constant: Vec::new() }
    }

    /// Starts another row from its constant.
    pub fn push(&mut self, constant: f64) {
        self.constant.push(constant);
        self.loss.push(0.0);
    }

    /// Charges a relative error `gamma(roundings)` on all coefficients: the coefficients `rows` belong to values whose
    /// magnitudes the enclosure holds.
    pub fn charge(&mut self, rows: &Rows, of: &Enclosure, roundings: usize) {
        let relative = gamma(roundings);
        for (loss, row) in self.loss.iter_mut().zip(rows.iter()) {
            *loss += relative * dot_abs(row, &of.magnitude);
        }
    }

    /// Charges the errors of executions in the values that coefficients belong to.
    pub fn charge_errors(&mut self, rows: &Rows, errors: &[f64]) {
        if errors.is_empty() {
            return;
        }
        for (loss, row) in self.loss.iter_mut().zip(rows.iter()) {
            // An error without bound counts whatever the coefficient: zero times infinity is NaN, and stays.
            *loss += dot_abs(row, errors);
        }
    }

    /// Charges the underflow of products whose results are coefficients on values with the given sum of magnitudes.
    pub fn charge_underflow(&mut self, total: f64, roundings: usize) {
        let most = TINY * count(roundings) * (1.0 + total);
        self.loss.iter_mut().for_each(|loss| *loss += most);
    }

    /// Charges an absolute amount to one row.
    pub fn charge_row(&mut self, row: usize, amount: f64) {
        if let Some(loss) = self.loss.get_mut(row) {
            *loss += amount;
        }
    }

    /// Moves the constant of an affine node into the rows' constants. The rounding of the products is the caller's to
    /// charge (the node's magnitudes include its constant).
    pub fn add_bias(&mut self, rows: &Rows, bias: &[Interval]) {
        let (lower, upper): (Vec<f64>, Vec<f64>) = bias.iter().map(|b| (b.lo, b.hi)).unzip();
        let exact = lower == upper;
        for (row, a) in rows.iter().enumerate() {
            let sum = if exact { dot(a, &lower) } else { least(a, &lower, &upper) };
            self.add(row, sum);
        }
    }

    /// Replaces coefficients on `relu(z)` by coefficients on `z`, for `z` in the enclosure, and adds what the
    /// relaxation costs:
    ///
    /// * `z >= 0` everywhere keeps the coefficient, `z <= 0` drops it;
    /// * a coefficient `a >= 0` becomes `a alpha` in `[0, a]` at no cost;
    /// * a coefficient `a < 0` becomes `a' = a u / (u - l)`, whatever that rounds to, and costs the minimum of
    ///   `a relu(z) - a' z` over `[l, u]`, which is concave: the smaller of `-a' l` and `(a - a') u`.
    ///
    /// Undecided elements whose signs are assumed (`true` for at least 0; the first that is named counts, should both be) are relaxed
    /// exactly: the coefficient stays, or becomes 0.
    pub fn relax<'w, S: Iterator<Item = (usize, bool)>>(
        &mut self,
        rows: &mut Rows,
        of: &Enclosure,
        alphas: impl Fn(usize) -> Alphas<'w>,
        signs: impl Fn(usize) -> S,
    ) {
        let width = rows.width();
        let mut relaxed = Relaxed::new(of);
        for (row, coefficients) in rows.iter_mut().enumerate() {
            let decided = take_decided(coefficients, of, signs(row));
            let cost = Relaxation::apply_all(relaxed.with(alphas(row)), coefficients);
            for (element, coefficient) in decided {
                coefficients.get_mut(element).into_iter().for_each(|a| *a += coefficient);
            }
            self.add(row, cost);
            // No cost is positive, so this is also the sum of their absolute values.
            self.charge_row(row, gamma(width + 3) * cost.abs() + TINY * count(width));
        }
    }

    /// Adds the minimum of the rows' remaining terms over a box and a ball, and charges its rounding.
    pub fn minimise(&mut self, rows: &Rows, over: &Enclosure, ball: Option<&Ball>) {
        for (row, a) in rows.iter().enumerate() {
            let least = least(a, &over.lower, &over.upper);
            let loss = gamma(rows.width() + 3) * dot_abs(a, &over.magnitude) + TINY * count(rows.width());
            match ball.map(|ball| ball.minimum(a, over)) {
                Some(minimum) if minimum > least => self.add(row, minimum),
                _ => {
                    self.add(row, least);
                    self.charge_row(row, loss);
                }
            }
        }
    }

    /// Gives up on all rows.
    pub fn spoil(&mut self) {
        self.loss.fill(f64::INFINITY);
    }

    fn add(&mut self, row: usize, amount: f64) {
        if let (Some(constant), Some(loss)) = (self.constant.get_mut(row), self.loss.get_mut(row)) {
            *constant += amount;
            *loss += UNIT * constant.abs();
        }
    }

    /// The lower bounds that the rows have reached; NaN or minus infinity where nothing is proved.
    pub fn lower_bounds(&self) -> Vec<f64> {
        let both = self.constant.iter().zip(&self.loss);
        both.map(|(constant, loss)| (constant - (loss * INFLATE + TINY)).next_down()).collect()
    }
}

/// The least value of `a . v` for `v` between the ends, with up to one rounding more than elements behind each product.
fn least(a: &[f64], lower: &[f64], upper: &[f64]) -> f64 {
    let low = dot_with(a, lower, |a, l| if a >= 0.0 { a * l } else { 0.0 });
    let high = dot_with(a, upper, |a, u| if a >= 0.0 { 0.0 } else { a * u });
    low + high
}

/// Takes the coefficients of undecided elements with assumed signs out of a row; returns what they become.
fn take_decided(row: &mut [f64], of: &Enclosure, signs: impl Iterator<Item = (usize, bool)>) -> Vec<(usize, f64)> {
    let take = |(element, is_positive): (usize, bool)| {
        let Interval { lo, hi } = of.interval(element);
        let a = row.get_mut(element).filter(|_| lo < 0.0 && hi > 0.0)?;
        // Not `0.0` alone: what is no number stays none.
        Some((element, std::mem::take(a) * f64::from(u8::from(is_positive))))
    };
    signs.filter_map(take).collect()
}

/// What a ReLU node does, prepared for the alphas of the row before, which are often those of the next.
struct Relaxed<'w> {
    adaptive: Vec<Relaxation>,
    given: [Vec<Relaxation>; 2],
    alphas: Alphas<'w>,
}

impl<'w> Relaxed<'w> {
    fn new(of: &Enclosure) -> Self {
        let adaptive = Relaxation::of(of);
        Relaxed { given: [adaptive.clone(), adaptive.clone()], adaptive, alphas: [&[]; 2] }
    }

    /// The relaxations for some alphas.
    fn with(&mut self, alphas: Alphas<'w>) -> &[Relaxation] {
        let ([first, second], [old_first, old_second]) = (alphas, self.alphas);
        let ([base, own], mut is_same) = (&mut self.given, std::ptr::eq(first, old_first));
        if !is_same {
            take_over(&self.adaptive, first, base);
        }
        is_same &= std::ptr::eq(second, old_second);
        if !is_same && !second.is_empty() {
            take_over(base, second, own);
        }
        self.alphas = alphas;
        if second.is_empty() { base } else { own }
    }
}

/// Relaxations with the slopes of others, and of some alphas where they are numbers in `[0, 1]`.
fn take_over(from: &[Relaxation], alphas: &[f32], into: &mut Vec<Relaxation>) {
    into.clear();
    let alphas = alphas.chunks(LANES).chain(repeat(&[][..]));
    into.extend(from.iter().zip(alphas).map(|(all, alphas)| all.with_slopes(alphas)));
}

/// What a ReLU node does to the coefficients of [`LANES`] elements. An element that is decided has the same slope on both sides,
/// 0 or 1, and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Relaxation {
    /// The slopes of positive coefficients, all in `[0, 1]`.
    alpha: [f64; LANES],
    /// The slopes of negative coefficients, all in `[0, 1]`.
    through: [f64; LANES],
    /// Lower ends of undecided elements; 0 for the others.
    lower: [f64; LANES],
    /// Upper ends of undecided elements; 0 for the others.
    upper: [f64; LANES],
}

impl Relaxation {
    /// That of all elements in order, with adaptive slopes.
    fn of(z: &Enclosure) -> Vec<Relaxation> {
        let ends = z.lower.chunks(LANES).zip(z.upper.chunks(LANES));
        ends.map(|(lower, upper)| Relaxation::default().with_ends(lower, upper)).collect()
    }

    fn with_ends(mut self, lower: &[f64], upper: &[f64]) -> Self {
        let slopes = self.alpha.iter_mut().zip(&mut self.through);
        let places = slopes.zip(self.lower.iter_mut().zip(&mut self.upper));
        for (((alpha, through), (lower, upper)), (l, u)) in places.zip(lower.iter().zip(upper)) {
            if *l >= 0.0 {
                (*alpha, *through) = (1.0, 1.0);
            } else if *u > 0.0 {
                (*alpha, *through) = (f64::from(u8::from(*u > -l)), (u / (u - l)).max(0.0));
                (*lower, *upper) = (*l, *u);
            }
        }
        self
    }

    /// Takes over those slopes of undecided elements that are numbers in `[0, 1]`.
    fn with_slopes(mut self, alphas: &[f32]) -> Self {
        for ((alpha, given), upper) in self.alpha.iter_mut().zip(alphas).zip(&self.upper) {
            if *upper > 0.0 && (0.0..=1.0).contains(given) {
                *alpha = f64::from(*given);
            }
        }
        self
    }

    /// Replaces coefficients on the node by those on its source; what that costs is added to `costs`, and is never positive.
    fn apply(&self, coefficients: &mut [f64; LANES], costs: &mut [f64; LANES]) {
        let slopes = self.alpha.iter().zip(&self.through);
        let elements = slopes.zip(self.lower.iter().zip(&self.upper)).zip(costs);
        for (a, (((alpha, through), (lower, upper)), costs)) in coefficients.iter_mut().zip(elements) {
            let positive = if *a > 0.0 { *a } else { 0.0 };
            let negative = *a - positive;
            let through = negative * through;
            let (at_lower, at_upper) = (-(through * lower), (negative - through) * upper);
            // Where the upper end's is NaN, the lower end's is NaN or minus infinity.
            let cost = if at_upper < at_lower { at_upper } else { at_lower };
            *costs += if *a < 0.0 { cost } else { 0.0 };
            *a = positive * alpha + through;
        }
    }

    /// [`Relaxation::apply`] for a row, with the total cost.
    fn apply_all(all: &[Relaxation], row: &mut [f64]) -> f64 {
        let mut costs = [0.0; LANES];
        let (chunks, rest) = row.as_chunks_mut::<LANES>();
        let mut all = all.iter();
        chunks.iter_mut().zip(all.by_ref()).for_each(|(a, relaxation)| relaxation.apply(a, &mut costs));
        if let Some(last) = all.next() {
            let mut padded = [0.0; LANES];
            padded.iter_mut().zip(rest.iter()).for_each(|(to, a)| *to = *a);
            last.apply(&mut padded, &mut costs);
            rest.iter_mut().zip(padded).for_each(|(a, from)| *a = from);
        }
        total(costs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the rule says of one coefficient: the new one and its cost.
    fn relaxed(a: f64, l: f64, u: f64, alpha: Option<f64>) -> (f64, f64) {
        if l >= 0.0 {
            return (a, 0.0);
        }
        if u <= 0.0 {
            return (0.0, 0.0);
        }
        if a >= 0.0 {
            return (a * alpha.unwrap_or(f64::from(u8::from(u > -l))), 0.0);
        }
        let through = a * (u / (u - l));
        (through, (-through * l).min((a - through) * u))
    }

    /// Ends of intervals whose relaxations are exact, decided and undecided in turn.
    fn ends() -> impl Iterator<Item = (f64, f64)> {
        [(-1.0, 1.0), (0.0, 2.0), (-3.0, 0.0), (-1.0, 3.0), (-6.0, 2.0), (1.0, 2.0), (-2.0, -1.0)].into_iter().cycle()
    }

    #[test]
    fn relaxations_are_those_of_the_rule_for_all_widths() {
        for width in 1..20 {
            let intervals = ends().take(width).map(|(lo, hi)| Interval { lo, hi }).collect::<Vec<_>>();
            let of = Enclosure::of_intervals(intervals.into_iter());
            // Fewer slopes than elements, and one that is none.
            let alphas = [0.25, f32::NAN, 0.5, 0.75, f32::NAN, 0.5];
            for row in 0..9_usize {
                let a: Vec<f64> = (0..width).map(|j| [-4.0, 8.0, 0.0, 12.0, -8.0][(j + row) % 5]).collect();
                for given in [None, Some(&alphas[..])] {
                    let mut rows = Rows::with_room(1, width);
                    rows.push(a.iter().copied());
                    let mut tally = Tally::new();
                    tally.push(0.0);
                    tally.relax(&mut rows, &of, |_| [given.unwrap_or_default(), &[]], |_| std::iter::empty());
                    let alpha = |j: usize| given?.get(j).filter(|a: &&f32| !a.is_nan()).map(|a| f64::from(*a));
                    let expected = a.iter().zip(ends()).enumerate().map(|(j, (a, (l, u)))| relaxed(*a, l, u, alpha(j)));
                    let (expected, costs): (Vec<f64>, Vec<f64>) = expected.unzip();
                    assert_eq!(rows.pop(), expected, "{width} {row}");
                    assert_eq!(tally.constant, [costs.iter().sum::<f64>()], "{width} {row}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_proved_by_coefficients_without_value_or_ends_without_bound() {
        let bound = |a: f64, lo: f64, hi: f64| {
            let of = Enclosure::of_intervals([Interval { lo, hi }].into_iter());
            let mut rows = Rows::with_room(1, 1);
            rows.push([a].into_iter());
            let mut tally = Tally::new();
            tally.push(0.0);
            tally.relax(&mut rows, &of, |_| Alphas::default(), |_| std::iter::empty());
            tally.minimise(&rows, &of, None);
            tally.lower_bounds()[0]
        };
        let infinite = f64::INFINITY;
        let open = [(-1.0, -1.0, infinite), (-1.0, -infinite, infinite), (-1.0, -infinite, 1.0), (1.0, -infinite, 1.0)];
        for (a, lo, hi) in open.into_iter().chain([(f64::NAN, -1.0, 1.0)]) {
            assert!(!bound(a, lo, hi).is_finite(), "{a} in [{lo}, {hi}]");
        }
    }
}
