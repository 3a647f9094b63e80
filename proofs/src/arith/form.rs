//! Forward linear forms: every value as a linear function of the input, up to a radius.
//!
//! For every input of the box there are numbers `t_i` in `[-1, 1]`, the same for all values of the network, such that
//! `v_j = constant_j + sum_i slope_ij t_i + d_j` with `|d_j| <= radius_j` (affine arithmetic, Stolfi and de Figueiredo 1997, with one
//! error term a value; a ReLU is relaxed by two parallel lines, Singh et al. 2018).

use super::{Enclosure, INFLATE, Rows, TINY, UNIT, count, gamma, max_or_nan};
/// Forms of the elements of one node.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// The constants, then a row of slopes for each input that varies.
    lines: Rows,
    /// How far values may be from their lines.
    radius: Vec<f64>,
    /// Bounds on `|constant_j| + sum_i |slope_ij|`.
    size: Vec<f64>,
}

/// Roundings of a few operations, counted generously.
const FEW: usize = 8;

impl Form {
    /// The input of a network.
    pub fn of_input(input: &Enclosure) -> Form {
        let ends = || input.lower.iter().zip(&input.upper).enumerate();
        let varying: Vec<usize> = ends().filter_map(|(i, (l, u))| (l < u).then_some(i)).collect();
        let mut lines = Rows::zeros(varying.len() + 1, input.lower.len());
        for (i, (l, u)) in ends() {
            let middle = l / 2.0 + u / 2.0;
            lines.set(0, i, middle);
            if let Ok(place) = varying.binary_search(&i) {
                lines.set(place + 1, i, max_or_nan(u - middle, middle - l).next_up());
            } else if middle != *l {
                // Halving an end may underflow.
                lines.set(0, i, *l);
            }
        }
        Form::new(lines, vec![0.0; input.lower.len()])
    }

    fn new(lines: Rows, mut radius: Vec<f64>) -> Form {
        let mut size = vec![0.0; radius.len()];
        for row in lines.iter() {
            size.iter_mut().zip(row).for_each(|(size, a)| *size += a.abs());
        }
        size.iter_mut().for_each(|size| *size = *size * INFLATE + TINY);
        // Where a sum has overflowed the line says nothing, however small the radius.
        let overflowed = radius.iter_mut().zip(&size).filter(|(_, size)| !size.is_finite());
        overflowed.for_each(|(radius, _)| *radius = f64::INFINITY);
        Form { lines, radius, size }
    }

    /// The form of an affine node from its computed lines and radius. Rounding and inexact weights and constants have enlarged the
    /// radius, because a line is off by at most `gamma (|W| size + |b|)` wherever it is evaluated.
    pub fn of_lines(lines: Rows, mut radius: Vec<f64>, summands: usize) -> Form {
        let underflow = TINY * count(summands) * count(lines.count() + FEW);
        let relative = 1.0 + gamma(summands + FEW);
        radius.iter_mut().for_each(|r| *r = *r * relative + underflow);
        Form::new(lines, radius)
    }

    /// Makes room for errors of the elements.
    pub fn widen(&mut self, errors: &[f64]) {
        self.radius.iter_mut().zip(errors).for_each(|(radius, error)| *radius = (*radius + error).next_up());
    }

    /// The constants, then a row of slopes for each input that varies.
    pub fn lines(&self) -> impl Iterator<Item = &[f64]> {
        self.lines.iter()
    }

    /// The number of lines.
    pub fn rows(&self) -> usize {
        self.lines.count()
    }

    /// The radius, and rounding relative to the size.
    pub fn charged(&self, relative: f64) -> Vec<f64> {
        self.radius.iter().zip(&self.size).map(|(radius, size)| radius + relative * size).collect()
    }

    /// `max(0, z)` for `z` with this form and in the enclosure. Where its sign is open, `max(0, z) - s z` for the slope
    /// `s = u / (u - l)`, whatever that rounds to in `[0, 1]`, lies between 0 and the larger of `-s l` and `(1 - s) u`.
    pub fn relu(&self, of: &Enclosure) -> Form {
        let mut slopes = Vec::with_capacity(self.radius.len());
        let mut halves = Vec::with_capacity(self.radius.len());
        for (l, u) in of.lower.iter().zip(&of.upper) {
            let (slope, reach) = match () {
                () if *l >= 0.0 => (1.0, 0.0),
                () if *u <= 0.0 => (0.0, 0.0),
                () => {
                    let slope = (u / (u - l)).clamp(0.0, 1.0);
                    (slope, max_or_nan((-slope * l).next_up(), ((1.0 - slope).next_up() * u).next_up()))
                }
            };
            slopes.push(slope);
            halves.push((reach / 2.0).next_up() * f64::from(u8::from(reach != 0.0)));
        }
        let mut lines = self.lines.clone();
        for row in lines.iter_mut() {
            row.iter_mut().zip(&slopes).for_each(|(a, slope)| *a *= slope);
        }
        if let Some(constants) = lines.iter_mut().next() {
            constants.iter_mut().zip(&halves).for_each(|(c, half)| *c += half);
        }
        let underflow = TINY * count(self.rows() + FEW);
        let radius = self.radius.iter().zip(&self.size).zip(slopes.iter().zip(&halves));
        let radius = radius.map(|((radius, size), (slope, half))| match *slope {
            // Neither changes anything, or nothing is left.
            0.0 | 1.0 if *half == 0.0 => radius * slope,
            _ => (slope * radius + half + gamma(FEW) * (size + half)) * (1.0 + gamma(FEW)) + underflow,
        });
        Form::new(lines, radius.collect())
    }

    /// Replaces bounds by what the forms say where that is tighter.
    pub fn narrow(&self, bounds: &mut Enclosure) {
        let mut reach = vec![0.0; self.radius.len()];
        let mut rows = self.lines.iter();
        let constants = rows.next().unwrap_or_default();
        for row in rows {
            reach.iter_mut().zip(row).for_each(|(reach, a)| *reach += a.abs());
        }
        // Of the roundings counted here two are those of the ends relative to the reach; those relative to the constant come apart.
        let relative = 1.0 + gamma(self.rows() + FEW);
        let ends = bounds.lower.iter_mut().zip(&mut bounds.upper);
        for (((lower, upper), (reach, radius)), constant) in ends.zip(reach.iter().zip(&self.radius)).zip(constants) {
            let reach = (reach + radius) * relative + (4.0 * UNIT * constant.abs() + TINY);
            let (lo, hi) = (constant - reach, constant + reach);
            // NaN is never tighter.
            *lower = if lo > *lower { lo } else { *lower };
            *upper = if hi < *upper { hi } else { *upper };
        }
    }
}

#[cfg(test)]
#[allow(clippy::as_conversions)]
mod tests {
    use super::*;
    use crate::arith::Interval;
    use crate::network::{Affine, Execution, Map, Term};

    /// In units of `2^-80`, for numbers that are a multiple of it.
    fn exact(x: f64) -> i128 {
        (x * 2f64.powi(80)) as i128
    }

    fn enclosure(lo: f64, hi: f64) -> Enclosure {
        Enclosure::of_intervals([Interval { lo, hi }].into_iter())
    }

    /// A form of one element without slopes.
    fn constant(value: f64, radius: f64) -> Form {
        let mut lines = Rows::zeros(1, 1);
        lines.set(0, 0, value);
        Form::new(lines, vec![radius])
    }

    /// Pairs of a negative and a positive number of many sizes.
    fn ends() -> impl Iterator<Item = (f64, f64)> {
        let sizes = (1..200).map(|i| f64::from(i % 7 + 1) / f64::from(i) / 2f64.powi(i % 20));
        sizes.clone().zip(sizes.skip(13)).map(|(l, u)| (-l, u))
    }

    #[test]
    fn the_form_of_the_input_reaches_both_ends() {
        for (l, u) in ends().flat_map(|(l, u)| [(l, u), (u, 8.0), (-8.0, l)]) {
            let form = Form::of_input(&enclosure(l, u));
            let [[middle], [slope]] = form.lines.arrays() else { panic!("one input varies") };
            let (middle, slope) = (exact(*middle), exact(*slope));
            assert!(middle - slope <= exact(l) && exact(u) <= middle + slope, "[{l:e}, {u:e}]");
        }
    }

    #[test]
    fn a_relu_is_within_its_form_wherever_its_input_is() {
        for (l, u) in ends() {
            for z in [l, l / 3.0, u / 3.0, u] {
                for form in [constant(z, 0.0), constant(0.0, z.abs())] {
                    let relu = form.relu(&enclosure(l, u));
                    let off = exact(z.max(0.0)) - exact(relu.lines.arrays::<1>()[0][0]);
                    assert!(off.abs() <= exact(relu.radius[0]), "{z:e} in [{l:e}, {u:e}]: {relu:?}");
                }
            }
        }
    }

    #[test]
    fn bounds_hold_everything_within_the_form() {
        for ((l, u), (slope, radius)) in ends().zip(ends().skip(5)) {
            let mut lines = Rows::zeros(3, 1);
            [l, slope, u].into_iter().enumerate().for_each(|(row, value)| lines.set(row, 0, value));
            let form = Form::new(lines, vec![radius]);
            let mut bounds = enclosure(-1e9, 1e9);
            form.narrow(&mut bounds);
            let reach = exact(slope).abs() + exact(u) + exact(radius);
            let (lo, hi) = (exact(l) - reach, exact(l) + reach);
            assert!(exact(bounds.lower[0]) <= lo && hi <= exact(bounds.upper[0]), "{l:e} {slope:e} {u:e} {radius:e}");
            let most = (reach + exact(l).abs()) / (1 << 48) + 4;
            assert!(lo - exact(bounds.lower[0]) <= most && exact(bounds.upper[0]) - hi <= most, "needlessly wide");
        }
    }

    #[test]
    fn slopes_that_round_to_zero_cost_the_upper_end() {
        for (l, u) in [(-1e308, 1e308), (-4.0, 5e-324)] {
            let relu = constant(u, 0.0).relu(&enclosure(l, u));
            assert!(relu.lines.arrays::<1>()[0][0] + relu.radius[0] >= u, "[{l:e}, {u:e}]: {relu:?}");
        }
    }

    #[test]
    fn what_underflows_is_charged() {
        for (w, x) in [(0.5, 5e-324), (1e-300, 1e-100)] {
            let term = Term { source: 0, map: Map::Scale(vec![w]), roundings: 0 };
            let source = constant(x, 0.0);
            let product = Affine { terms: vec![term], bias: Vec::new(), execution: Execution::PLAIN };
            let bounds = enclosure(x, x);
            let product = product.forward(1, |_| (&bounds, Some(&source))).1.unwrap();
            assert_eq!(product.lines.arrays(), [[0.0]]);
            assert!(product.radius[0] > 0.0, "{w:e} {x:e}");
        }
    }
}
