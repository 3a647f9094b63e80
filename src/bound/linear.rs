//! Backward linear bounds (CROWN, Zhang et al. 2018; DeepPoly, Singh et al. 2019), for many rows at once.
//!
//! A row is a linear function of some node in one domain. It is walked back to the input: through affine nodes by
//! matrix products that all rows share, through ReLUs by the relaxation of the row's own domain. The rows of all
//! domains, neurons and specifications of a batch travel together.

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use rayon::prelude::*;

use super::forms::{self, Forms};
use super::interval::Bounds;
use super::model::{Model, Op};
use super::slopes::{Relaxation, Relaxations};
use crate::deadline::Deadline;
use crate::real::Real;

/// Rows that travel together: enough for efficient products, few enough for the cache.
const BATCH: usize = 256;

/// Independent sums of one reduction, so that additions need not wait for each other.
const CHAINS: usize = 16;

/// Linear functions of one node's elements: row `r` is `coefficients[r] . v + constants[r]` in domain `domains[r]`.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    /// The node.
    pub node: usize,
    /// `[rows, size of the node]`.
    pub coefficients: Array2<T>,
    /// One constant a row.
    pub constants: Array1<T>,
    /// The domain of each row.
    pub domains: Vec<usize>,
}

/// Lower bounds of rows, and the linear functions of the input that give them.
#[derive(Clone, Debug)]
pub struct LinearBounds<T> {
    /// The lower bound of each row over its domain.
    pub lower: Array1<T>,
    /// For each row the coefficients on the input, `[rows, inputs]`.
    pub coefficients: Array2<T>,
    /// For each row the constant that is added to them.
    pub constants: Array1<T>,
}

/// For each ReLU node the coefficients that rows have on it, `[rows, size]`; none where no row reaches it.
pub type OnRelus<T> = Vec<Option<Array2<T>>>;

/// One end of one element of a node, in one domain.
#[derive(Clone, Copy, Debug)]
struct Pick<T> {
    domain: usize,
    element: usize,
    /// 1 for the lower end, -1 for the upper.
    sign: T,
}

/// Bounds on all nodes, from those on the input: interval arithmetic and forward forms where few inputs vary.
pub fn propagate_forward<T: Real>(model: &Model<T>, input: Bounds<T>) -> (Bounds<T>, Relaxations<T>) {
    propagate_with(model, input, |_, _, _| Some(())).expect("nothing that can be late")
}

/// Bounds on all nodes: those of [`propagate_forward`], improved by backward linear bounds for every ReLU input whose sign
/// they leave open. Rows run in parallel where the caller's thread pool has more than one thread. `None` when the deadline
/// passes first.
pub fn propagate<T: Real>(
    model: &Model<T>,
    input: Bounds<T>,
    deadline: Deadline,
) -> Option<(Bounds<T>, Relaxations<T>)> {
    propagate_with(model, input, |bounds, relaxations, id| {
        let places = bounds.undecided(id);
        tighten(model, bounds, relaxations, (id, &places, deadline))
    })
}

/// Bounds node by node; `improve` sees the inputs of ReLUs where interval arithmetic is not exact.
fn propagate_with<T: Real>(
    model: &Model<T>,
    mut bounds: Bounds<T>,
    mut improve: impl FnMut(&mut Bounds<T>, &[Option<Relaxation<T>>], usize) -> Option<()>,
) -> Option<(Bounds<T>, Relaxations<T>)> {
    let mut forms = forms::are_used(&bounds).then(|| Forms::of_input(&bounds));
    let mut relaxations: Relaxations<T> = vec![None];
    let feeds_relu: Vec<usize> = model.relus().map(|(_, source)| source).collect();
    for (id, node) in model.nodes().iter().enumerate().skip(1) {
        bounds.push(node);
        if let Some(forms) = &mut forms {
            forms.push(node, &mut bounds);
        }
        if bounds.may_improve(node) && feeds_relu.contains(&id) {
            improve(&mut bounds, &relaxations, id)?;
        }
        relaxations.push(match &node.op {
            Op::Relu(source) => Some(Relaxation::adaptive(&bounds.lower[*source], &bounds.upper[*source])),
            _ => None,
        });
    }
    Some((bounds, relaxations))
}

/// Improves both ends of the given elements (domain, element) of a node, which must be affine. `None`, and no change,
/// when the deadline passes first.
pub fn tighten<T: Real>(
    model: &Model<T>,
    bounds: &mut Bounds<T>,
    relaxations: &[Option<Relaxation<T>>],
    (node, places, deadline): (usize, &[(usize, usize)], Deadline),
) -> Option<()> {
    let both = places.iter().flat_map(|(domain, element)| {
        [T::one(), -T::one()].map(|sign| Pick { domain: *domain, element: *element, sign })
    });
    let picks: Vec<Pick<T>> = both.collect();
    let bound = |batch| (!deadline.has_passed()).then(|| bound_picks(model, bounds, relaxations, (node, batch)));
    let found: Option<Vec<Array1<T>>> = picks.par_chunks(BATCH).map(bound).collect();
    for (pick, bound) in picks.iter().zip(found?.iter().flatten()) {
        let place = [pick.domain, pick.element];
        if pick.sign > T::zero() {
            let end = &mut bounds.lower[node][place];
            *end = end.max(*bound);
        } else {
            let end = &mut bounds.upper[node][place];
            *end = end.min(-*bound);
        }
    }
    Some(())
}

fn bound_picks<T: Real>(
    model: &Model<T>,
    bounds: &Bounds<T>,
    relaxations: &[Option<Relaxation<T>>],
    (node, picks): (usize, &[Pick<T>]),
) -> Array1<T> {
    let Op::Affine { terms, bias, .. } = &model.nodes()[node].op else {
        unreachable!("only affine nodes feed ReLUs with open signs");
    };
    let mut walk = Walk::new(model, bounds, relaxations, picks.iter().map(|p| p.domain).collect());
    let error = |p: &Pick<T>| bounds.errors(node).map_or(T::zero(), |errors| errors[[p.domain, p.element]]);
    walk.constants = picks.iter().map(|p| p.sign * bias[p.element] - error(p)).collect();
    let signs: Vec<(usize, T)> = picks.iter().map(|p| (p.element, p.sign)).collect();
    for (source, layer) in terms {
        layer.pick(&signs, walk.open(*source).view_mut());
    }
    walk.run(node).lower
}

/// Lower bounds of rows, with the given relaxations (one for each ReLU node before the rows' node).
pub fn lower_bounds<T: Real>(
    model: &Model<T>,
    bounds: &Bounds<T>,
    relaxations: &[Option<Relaxation<T>>],
    rows: &Rows<T>,
) -> LinearBounds<T> {
    let starts: Vec<usize> = (0..rows.domains.len()).step_by(BATCH).collect();
    let parts: Vec<LinearBounds<T>> = starts
        .into_par_iter()
        .map(|start| {
            let end = (start + BATCH).min(rows.domains.len());
            let batch = Rows {
                node: rows.node,
                coefficients: rows.coefficients.slice(s![start..end, ..]).to_owned(),
                constants: rows.constants.slice(s![start..end]).to_owned(),
                domains: rows.domains[start..end].to_vec(),
            };
            Walk::of_rows(model, bounds, relaxations, batch).run(rows.node + 1)
        })
        .collect();
    let lower: Vec<_> = parts.iter().map(|p| p.lower.view()).collect();
    let coefficients: Vec<_> = parts.iter().map(|p| p.coefficients.view()).collect();
    let constants: Vec<_> = parts.iter().map(|p| p.constants.view()).collect();
    LinearBounds {
        lower: ndarray::concatenate(Axis(0), &lower).expect("at least one part"),
        coefficients: ndarray::concatenate(Axis(0), &coefficients).expect("parts of one width"),
        constants: ndarray::concatenate(Axis(0), &constants).expect("at least one part"),
    }
}

/// [`lower_bounds`] of one batch, with the coefficients that its rows have on all ReLUs before they are relaxed.
pub fn lower_bounds_traced<T: Real>(
    model: &Model<T>,
    bounds: &Bounds<T>,
    relaxations: &[Option<Relaxation<T>>],
    rows: Rows<T>,
) -> (LinearBounds<T>, OnRelus<T>) {
    let (end, mut on_relus) = (rows.node + 1, vec![None; model.nodes().len()]);
    let mut walk = Walk::of_rows(model, bounds, relaxations, rows);
    walk.trace = Some(&mut on_relus);
    let found = walk.run(end);
    (found, on_relus)
}

/// Rows on their way to the input.
struct Walk<'m, T> {
    model: &'m Model<T>,
    bounds: &'m Bounds<T>,
    relaxations: &'m [Option<Relaxation<T>>],
    domains: Vec<usize>,
    constants: Array1<T>,
    open: Vec<Option<Array2<T>>>,
    /// Where to note the coefficients on ReLUs, if anywhere.
    trace: Option<&'m mut OnRelus<T>>,
}

impl<'m, T: Real> Walk<'m, T> {
    fn new(
        model: &'m Model<T>,
        bounds: &'m Bounds<T>,
        relaxations: &'m [Option<Relaxation<T>>],
        domains: Vec<usize>,
    ) -> Self {
        let (constants, open) = (Array1::zeros(domains.len()), vec![None; model.nodes().len()]);
        Walk { model, bounds, relaxations, domains, constants, open, trace: None }
    }

    /// Begins with rows.
    fn of_rows(
        model: &'m Model<T>,
        bounds: &'m Bounds<T>,
        relaxations: &'m [Option<Relaxation<T>>],
        rows: Rows<T>,
    ) -> Self {
        let mut walk = Walk::new(model, bounds, relaxations, rows.domains);
        walk.constants = rows.constants;
        walk.open[rows.node] = Some(rows.coefficients);
        walk
    }

    /// The coefficients on a node, zero at first.
    fn open(&mut self, node: usize) -> &mut Array2<T> {
        let shape = (self.domains.len(), self.model.nodes()[node].size);
        self.open[node].get_or_insert_with(|| Array2::zeros(shape))
    }

    /// Walks back from the nodes before `end`.
    fn run(mut self, end: usize) -> LinearBounds<T> {
        for id in (1..end).rev() {
            let Some(rows) = self.open[id].take() else { continue };
            match &self.model.nodes()[id].op {
                Op::Input => unreachable!("only node 0 is the input"),
                Op::Affine { terms, bias, .. } => {
                    self.constants += &rows.dot(bias);
                    self.charge(id, &rows);
                    for (source, layer) in terms {
                        let into = self.open(*source);
                        layer.backward(rows.view(), into.view_mut());
                    }
                }
                Op::Relu(source) => self.relax((id, *source), rows),
            }
        }
        let coefficients = std::mem::take(self.open(0));
        let lower = self.minimise(&coefficients);
        LinearBounds { lower, coefficients, constants: self.constants }
    }

    /// Takes off what executions may round in a node.
    fn charge(&mut self, id: usize, rows: &Array2<T>) {
        let Some(errors) = self.bounds.errors(id) else { return };
        for ((row, constant), domain) in rows.rows().into_iter().zip(&mut self.constants).zip(&self.domains) {
            *constant -= row.iter().zip(errors.row(*domain)).map(|(a, e)| a.abs() * *e).sum::<T>();
        }
    }

    fn relax(&mut self, (id, source): (usize, usize), mut rows: Array2<T>) {
        let relaxation = self.relaxations[id].as_ref().expect("a relaxation for each ReLU before the rows' node");
        if let Some(trace) = &mut self.trace {
            trace[id] = Some(rows.clone());
        }
        for ((mut row, constant), domain) in rows.rows_mut().into_iter().zip(&mut self.constants).zip(&self.domains) {
            let lines = (relaxation.below.row(*domain), relaxation.above.row(*domain), relaxation.offset.row(*domain));
            *constant += relax_row(row.as_slice_mut().expect("rows are contiguous"), lines);
        }
        match &mut self.open[source] {
            Some(sum) => *sum += &rows,
            none => *none = Some(rows),
        }
    }

    /// The minimum of each row over its domain.
    fn minimise(&self, coefficients: &Array2<T>) -> Array1<T> {
        let rows = coefficients.rows().into_iter().zip(&self.constants).zip(&self.domains);
        rows.map(|((row, constant), domain)| *constant + least_over(self.bounds, *domain, row)).collect()
    }
}

/// The minimum of `a . x` over a domain of the input, up to the rounding of the search: over its box, or over its ball where that says
/// more.
pub fn least_over<T: Real>(bounds: &Bounds<T>, domain: usize, row: ArrayView1<T>) -> T {
    let ends = [&bounds.lower[0], &bounds.upper[0]].map(|ends| ends.row(domain));
    let [a, lower, upper] = [row, ends[0], ends[1]].map(|r| r.to_slice().expect("rows are contiguous"));
    let over_box = least(a, (lower, upper));
    bounds.least_in_ball(domain, row, over_box).map_or(over_box, |(least, _)| least)
}

/// Replaces coefficients on `relu(z)` by coefficients on `z`; returns the constant that this adds.
fn relax_row<T: Real>(row: &mut [T], (below, above, offset): (ArrayView1<T>, ArrayView1<T>, ArrayView1<T>)) -> T {
    let lines = [below.to_slice(), above.to_slice(), offset.to_slice()];
    let [(below, below_rest), (above, above_rest), (offset, offset_rest)] =
        lines.map(|l| l.expect("relaxations are row-major").as_chunks::<CHAINS>());
    let (row, row_rest) = row.as_chunks_mut::<CHAINS>();
    let mut sums = [T::zero(); CHAINS];
    for (((row, below), above), offset) in row.iter_mut().zip(below).zip(above).zip(offset) {
        relax_elements(row, (below, above, offset), &mut sums);
    }
    relax_elements(row_rest, (below_rest, above_rest, offset_rest), &mut sums);
    sums.into_iter().sum()
}

#[inline(always)]
fn relax_elements<T: Real>(row: &mut [T], (below, above, offset): (&[T], &[T], &[T]), sums: &mut [T]) {
    for ((((a, below), above), offset), sum) in row.iter_mut().zip(below).zip(above).zip(offset).zip(sums) {
        let (positive, negative) = (a.max(T::zero()), a.min(T::zero()));
        *a = positive * *below + negative * *above;
        *sum += negative * *offset;
    }
}

/// The least value of a linear function over a box.
fn least<T: Real>(row: &[T], (lower, upper): (&[T], &[T])) -> T {
    let ((row, row_rest), (lower, lower_rest)) = (row.as_chunks::<CHAINS>(), lower.as_chunks::<CHAINS>());
    let (upper, upper_rest) = upper.as_chunks::<CHAINS>();
    let mut sums = [T::zero(); CHAINS];
    for ((row, lower), upper) in row.iter().zip(lower).zip(upper) {
        add_least(row, (lower, upper), &mut sums);
    }
    add_least(row_rest, (lower_rest, upper_rest), &mut sums);
    sums.into_iter().sum()
}

#[inline(always)]
fn add_least<T: Real>(row: &[T], (lower, upper): (&[T], &[T]), sums: &mut [T]) {
    for (((a, l), u), sum) in row.iter().zip(lower).zip(upper).zip(sums) {
        *sum += a.max(T::zero()) * *l + a.min(T::zero()) * *u;
    }
}
