//! Forward linear forms: every value as a linear function of the input, up to a radius.
//!
//! For every input of the box there are numbers `t_i` in `[-1, 1]`, the same for all values of the network, such that
//! `v_j = constant_j + sum_i slope_ij t_i + d_j` with `|d_j| <= radius_j` (affine arithmetic, Stolfi and de Figueiredo 1997, with one
//! error term a value; a ReLU is relaxed by two parallel lines, Singh et al. 2018).

use super::{Enclosure, INFLATE, Rows, TINY, count, gamma, max_or_nan};
use crate::network::Affine;

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

    fn rows(&self) -> usize {
        self.lines.values().len() / self.lines.width()
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
        let relative = 1.0 + gamma(self.rows() + FEW);
        for (j, ((reach, radius), constant)) in reach.iter().zip(&self.radius).zip(constants).enumerate() {
            let reach = ((reach + radius) * relative).next_up();
            bounds.tighten(j, super::Interval { lo: (constant - reach).next_down(), hi: (constant + reach).next_up() });
        }
    }
}

impl Affine {
    /// The forms of the node's `size` elements, from those of its sources. Rounding and inexact weights and constants
    /// enlarge the radius: a line is off by at most `gamma (|W| size + |b|)` wherever it is evaluated.
    pub(crate) fn form<'f>(&self, size: usize, of: impl Fn(usize) -> Option<&'f Form>) -> Option<Form> {
        let relative = gamma(self.summands());
        let rows = of(self.terms.first()?.source)?.rows();
        let mut lines = Rows::zeros(rows, size);
        let mut radius = vec![0.0; size];
        if let Some(constants) = lines.iter_mut().next() {
            let both = constants.iter_mut().zip(&mut radius).zip(&self.bias);
            for ((constant, radius), bias) in both {
                *constant = bias.middle();
                *radius = super::spread(*bias, 1.0) + relative * bias.magnitude();
            }
        }
        for term in &self.terms {
            let source = of(term.source)?;
            for (x, out) in source.lines.iter().zip(lines.iter_mut()) {
                term.map.apply(x, out);
            }
            let charged = source.radius.iter().zip(&source.size).map(|(radius, size)| radius + relative * size);
            term.map.apply_abs(&charged.collect::<Vec<f64>>(), &mut radius);
        }
        let underflow = TINY * count(self.summands()) * count(rows + FEW);
        let relative = 1.0 + gamma(self.summands() + FEW);
        radius.iter_mut().for_each(|r| *r = *r * relative + underflow);
        Some(Form::new(lines, radius))
    }
}
