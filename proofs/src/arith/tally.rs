//! The bookkeeping of linear bounds: each row's constant, and a bound on what rounding has taken from it.

use super::Enclosure;
use super::product::{dot_abs, dot_with};
use super::{INFLATE, Interval, Rows, TINY, UNIT, count, gamma, min_or_nan};
use crate::property::Ball;

/// For each row `r` of coefficients the claim `g_r >= sum a_rj v_j + constant_r - loss_r` is kept true at every
/// step, where the sum runs over all coefficients that are still open.
#[derive(Debug)]
pub(crate) struct Tally {
    constant: Vec<f64>,
    loss: Vec<f64>,
}

/// How a positive coefficient on an undecided ReLU is relaxed: `relu(z) >= alpha z`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slope<'w> {
    /// Alpha is 1 where the upper end is farther from zero than the lower, and 0 otherwise.
    Adaptive,
    /// Alpha of each element, adaptive where it is not a number in `[0, 1]`.
    Given(&'w [f32]),
}

impl Tally {
    /// Starts every row from its constant.
    pub fn new(constant: Vec<f64>) -> Self {
        Tally { loss: vec![0.0; constant.len()], constant }
    }

    /// Charges a relative error `gamma(roundings)` on all coefficients, and underflow: the coefficients `rows` belong
    /// to values whose magnitudes the enclosure holds.
    pub fn charge(&mut self, rows: &Rows, of: &Enclosure, roundings: usize) {
        let relative = gamma(roundings);
        for (loss, row) in self.loss.iter_mut().zip(rows.iter()) {
            *loss += relative * dot_abs(row, &of.magnitude);
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
        for (row, a) in rows.iter().enumerate() {
            let sum = a.iter().zip(bias).map(|(a, b)| if *a >= 0.0 { a * b.lo } else { a * b.hi }).sum();
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
    pub fn relax<'w>(&mut self, rows: &mut Rows, of: &Enclosure, slope: impl Fn(usize) -> Slope<'w>) {
        let width = rows.width();
        for (row, coefficients) in rows.iter_mut().enumerate() {
            let (mut sum, mut size) = (0.0, 0.0);
            let slope = slope(row);
            for (j, (a, (l, u))) in coefficients.iter_mut().zip(of.lower.iter().zip(&of.upper)).enumerate() {
                let (l, u) = (*l, *u);
                if l >= 0.0 || *a == 0.0 {
                    continue;
                }
                if u <= 0.0 {
                    *a = 0.0;
                } else if *a > 0.0 {
                    *a *= alpha(slope, j, l, u);
                } else {
                    let through = *a * (u / (u - l));
                    let cost = min_or_nan(-(through * l), (*a - through) * u);
                    sum += cost;
                    size += f64::abs(cost);
                    *a = through;
                }
            }
            self.add(row, sum);
            self.charge_row(row, gamma(width + 3) * size + TINY * count(width));
        }
    }

    /// Adds the minimum of the rows' remaining terms over a box and a ball, and charges its rounding.
    pub fn minimise(&mut self, rows: &Rows, over: &Enclosure, ball: Option<&Ball>) {
        for (row, a) in rows.iter().enumerate() {
            let low = dot_with(a, &over.lower, |a, l| if a >= 0.0 { a * l } else { 0.0 });
            let high = dot_with(a, &over.upper, |a, u| if a >= 0.0 { 0.0 } else { a * u });
            let loss = gamma(rows.width() + 3) * dot_abs(a, &over.magnitude) + TINY * count(rows.width());
            match ball.map(|ball| ball.minimum(a, over)) {
                Some(minimum) if minimum > low + high => self.add(row, minimum),
                _ => {
                    self.add(row, low + high);
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

/// A slope that is certain to lie in `[0, 1]`.
fn alpha(slope: Slope, element: usize, l: f64, u: f64) -> f64 {
    match slope {
        Slope::Given(alphas) if alphas.get(element).is_some_and(|alpha| (0.0..=1.0).contains(alpha)) => {
            alphas.get(element).copied().map_or(0.0, f64::from)
        }
        _ if u > -l => 1.0,
        _ => 0.0,
    }
}
