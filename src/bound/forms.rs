//! Forward linear forms: every value is an affine function of the input, up to a radius.
//!
//! In the coordinates `t` in `[-1, 1]^n` of a domain, element `j` of a node is
//! `constant[j] + sum_i slopes[i][j] t_i`, plus or minus `radius[j]`. Affine maps carry all three forward; a ReLU whose sign is
//! open is the line of slope `u / (u - l)` plus or minus half of its largest distance from it (the zonotope transformer of
//! Singh et al. 2018, with its error terms lumped into one radius a value). That costs one product with `n + 2` rows a domain
//! where backward bounds cost one with two rows for each neuron.

use ndarray::{Array2, ArrayView1, Axis, s};

use super::interval::Bounds;
use super::model::{Node, Op};
use crate::real::Real;

/// The most inputs that may vary where forms are used: each costs a row.
pub const MOST_INPUTS: usize = 20;

/// The inputs that vary in some domain.
fn varying<T: Real>(bounds: &Bounds<T>) -> Vec<usize> {
    let (lower, upper) = (&bounds.lower[0], &bounds.upper[0]);
    let varies = |i: &usize| lower.column(*i).iter().zip(upper.column(*i)).any(|(l, u)| l < u);
    (0..lower.ncols()).filter(varies).collect()
}

/// Whether forms are worth their cost. They know nothing of balls, and where there is one, bounds that do are computed anyway.
pub fn are_used<T: Real>(bounds: &Bounds<T>) -> bool {
    bounds.ball.is_none() && varying(bounds).len() <= MOST_INPUTS
}

/// Forms of all nodes so far, for a batch of domains.
#[derive(Clone, Debug)]
pub struct Forms<T> {
    /// Rows a domain: the constant, then one for each input that varies.
    rows: usize,
    /// For each node `[domains * rows, size]`.
    lines: Vec<Array2<T>>,
    /// For each node `[domains, size]`.
    radii: Vec<Array2<T>>,
}

impl<T: Real> Forms<T> {
    /// The input's forms, which are exact up to the rounding of the search.
    pub fn of_input(bounds: &Bounds<T>) -> Self {
        let (lower, upper) = (&bounds.lower[0], &bounds.upper[0]);
        let inputs = varying(bounds);
        let rows = inputs.len() + 1;
        let half = T::of(0.5);
        let mut lines = Array2::zeros((lower.nrows() * rows, lower.ncols()));
        for (domain, (l, u)) in lower.rows().into_iter().zip(upper.rows()).enumerate() {
            let first = domain * rows;
            lines.row_mut(first).assign(&((&l + &u) * half));
            for (i, input) in inputs.iter().enumerate() {
                lines[[first + 1 + i, *input]] = (u[*input] - l[*input]) * half;
            }
        }
        Forms { rows, lines: vec![lines], radii: vec![Array2::zeros(lower.raw_dim())] }
    }

    /// Adds the next node and intersects its bounds with what its forms say. Bounds of the node must already be there.
    pub fn push(&mut self, node: &Node<T>, bounds: &mut Bounds<T>) {
        match &node.op {
            Op::Input => unreachable!("only node 0 is the input"),
            Op::Relu(source) => self.push_relu((&bounds.lower[*source], &bounds.upper[*source]), *source),
            Op::Affine { terms, bias, .. } => {
                let domains = bounds.domains();
                let mut lines = Array2::zeros((domains * self.rows, node.size));
                let mut radii = Array2::zeros((domains, node.size));
                for domain in 0..domains {
                    lines.row_mut(domain * self.rows).assign(bias);
                }
                for (source, layer) in terms {
                    layer.forward(self.lines[*source].view(), lines.view_mut());
                    layer.forward_abs(self.radii[*source].view(), radii.view_mut());
                }
                bounds.errors(self.lines.len()).into_iter().for_each(|errors| radii += errors);
                self.lines.push(lines);
                self.radii.push(radii);
                self.intersect(bounds);
            }
        }
    }

    fn push_relu(&mut self, (lower, upper): (&Array2<T>, &Array2<T>), source: usize) {
        let mut lines = self.lines[source].clone();
        let mut radii = self.radii[source].clone();
        let half = T::of(0.5);
        for domain in 0..lower.nrows() {
            let (lower, upper) = (lower.row(domain), upper.row(domain));
            let slope = |(l, u): (&T, &T)| {
                if *l >= T::zero() {
                    T::one()
                } else if *u > T::zero() {
                    *u / (*u - *l)
                } else {
                    T::zero()
                }
            };
            let slopes: Vec<T> = lower.iter().zip(upper).map(slope).collect();
            let halves: Vec<T> = lower.iter().zip(&slopes).map(|(l, s)| -half * *s * l.min(T::zero())).collect();
            let mut block = lines.slice_mut(s![domain * self.rows..(domain + 1) * self.rows, ..]);
            let slopes = ArrayView1::from(&slopes);
            block *= &slopes;
            let halves = ArrayView1::from(&halves);
            block.row_mut(0).scaled_add(T::one(), &halves);
            let mut radius = radii.row_mut(domain);
            radius *= &slopes;
            radius += &halves;
        }
        self.lines.push(lines);
        self.radii.push(radii);
    }

    /// Intersects the last node's bounds with what its forms say.
    fn intersect(&self, bounds: &mut Bounds<T>) {
        let (lines, radii) = (&self.lines[self.lines.len() - 1], &self.radii[self.radii.len() - 1]);
        let node = self.lines.len() - 1;
        for (domain, block) in lines.axis_chunks_iter(Axis(0), self.rows).enumerate() {
            let mut reach = radii.row(domain).to_owned();
            for slopes in block.rows().into_iter().skip(1) {
                reach.zip_mut_with(&slopes, |reach, slope| *reach += slope.abs());
            }
            let ends = block.row(0);
            let mut lower = bounds.lower[node].row_mut(domain);
            let mut upper = bounds.upper[node].row_mut(domain);
            for (j, (constant, reach)) in ends.iter().zip(&reach).enumerate() {
                lower[j] = lower[j].max(*constant - *reach);
                upper[j] = upper[j].min(*constant + *reach);
            }
        }
    }
}
