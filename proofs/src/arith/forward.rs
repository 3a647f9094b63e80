//! How bounds and forms pass forward, through an affine node all vectors at once, so that the weights are read once.
//!
//! With midpoints `c`, radii `r` and magnitudes `m` of the sources, the node's bounds are `W c + b` plus or minus `|W| r` and the
//! rounding errors of both, which are relative to `|W| m + |b|`.

use std::sync::Arc;

use super::product::accumulate_forward;
use super::{Enclosure, Form, INFLATE, Rows, Single, gamma, max_or_nan, spread};
use crate::network::{Affine, Map, Network, Node, NodeId, Op};

/// Encloses every node at once.
pub(crate) fn enclose_all(network: &Network, input: Enclosure) -> Vec<Arc<Enclosure>> {
    let mut bounds = vec![Arc::new(input)];
    for (id, node) in network.nodes().iter().enumerate().skip(1) {
        bounds.push(Arc::new(enclose((id, node), network.single(), &bounds, &[]).0));
    }
    bounds
}

/// Encloses a node by interval arithmetic, given enclosures of all nodes before it; with its form if its sources have forms. Leaves
/// room for the rounding of executions where those are meant.
pub(crate) fn enclose(
    (id, node): (NodeId, &Node),
    single: Option<&Single>,
    before: &[Arc<Enclosure>],
    forms: &[Arc<Form>],
) -> (Enclosure, Option<Form>) {
    let missing = Enclosure::of_intervals(std::iter::empty());
    let of = |source: NodeId| before.get(source).map_or(&missing, Arc::as_ref);
    let form_of = |source: NodeId| forms.get(source).map(Arc::as_ref);
    match &node.op {
        Op::Input => (missing.clone(), None),
        Op::Relu(source) => (of(*source).relu(), form_of(*source).map(|form| form.relu(of(*source)))),
        Op::Affine(affine) => {
            let (mut bounds, mut form) = affine.forward(node.size, |source| (of(source), form_of(source)));
            if let Some(single) = single {
                let reach = affine.terms.iter().map(|term| of(term.source)).map(|source| source.total + source.reach);
                let reach = reach.sum::<f64>() * INFLATE;
                let errors = single.errors(id, &bounds, reach);
                form.iter_mut().for_each(|form| form.widen(&errors));
                bounds.widen(errors, reach);
            }
            (bounds, form)
        }
    }
}

/// What is computed for the elements of one node.
#[derive(Debug)]
struct Sums {
    /// Sums of weights times values: the lines of a form, if there is one, and the middles of the bounds.
    values: Rows,
    /// Sums of absolute values of weights times sizes: the radius of a form, if there is one, and the radii of the bounds and
    /// their magnitudes.
    sizes: Rows,
}

/// Fewer vectors than this are not worth packing.
const FEW: usize = 4;

impl Affine {
    /// Encloses the node's `size` elements for all enclosed values of its sources, and gives them forms where all sources have
    /// forms.
    pub(crate) fn forward<'e>(
        &self,
        size: usize,
        of: impl Fn(usize) -> (&'e Enclosure, Option<&'e Form>),
    ) -> (Enclosure, Option<Form>) {
        let forms: Option<Vec<&Form>> = self.terms.iter().map(|term| of(term.source).1).collect();
        let rows = forms.as_ref().and_then(|forms| forms.first()).map(|form| form.rows());
        let mut out = self.constants(size, rows);
        for (place, term) in self.terms.iter().enumerate() {
            let form = forms.as_ref().and_then(|forms| forms.get(place)).copied();
            out.add(&term.map, of(term.source).0, form, gamma(self.summands()));
        }
        let (magnitude, radius, center) = (out.sizes.pop(), out.sizes.pop(), out.values.pop());
        let bounds = Enclosure::of_balls(&center, &radius, magnitude, self.summands());
        let form = rows.map(|_| Form::of_lines(out.values, out.sizes.pop(), self.summands()));
        (bounds, form)
    }

    /// The node's constant, with room for forms with a number of rows.
    fn constants(&self, size: usize, rows: Option<usize>) -> Sums {
        let lines = rows.unwrap_or(0);
        let mut sums = Sums { values: Rows::with_room(lines + 1, size), sizes: Rows::with_room(3, size) };
        let middles: Vec<f64> = self.bias.iter().map(|b| b.middle()).collect();
        if rows.is_some() {
            let relative = gamma(self.summands());
            sums.values.push(middles.iter().copied());
            (1..lines).for_each(|_| sums.values.push(std::iter::empty()));
            sums.sizes.push(self.bias.iter().map(|b| spread(*b, 1.0) + relative * b.magnitude()));
        }
        sums.values.push(middles.iter().copied());
        let radius = self.bias.iter().zip(&middles);
        let radius = radius.map(|(b, c)| if b.is_point() { 0.0 } else { max_or_nan(b.hi - c, c - b.lo).next_up() });
        sums.sizes.push(radius);
        sums.sizes.push(self.bias.iter().map(|b| b.magnitude()));
        sums
    }
}

impl Sums {
    /// Adds what passes on of a source. Of a form also the rounding of its products passes on, which is `relative` to its size.
    /// Elements that are certain to be zero may be left out.
    fn add(&mut self, map: &Map, bounds: &Enclosure, form: Option<&Form>, relative: f64) {
        let middles: Vec<f64> = bounds.lower.iter().zip(&bounds.upper).map(|(l, u)| l / 2.0 + u / 2.0).collect();
        let radii = bounds.lower.iter().zip(&bounds.upper).zip(&middles);
        let radii: Vec<f64> = radii.map(|((l, u), c)| max_or_nan(u - c, c - l).next_up()).collect();
        let charged = form.map(|form| form.charged(relative));
        let values: Vec<&[f64]> = form.iter().flat_map(|form| form.lines()).chain([&*middles]).collect();
        let sizes: Vec<&[f64]> = charged.iter().map(Vec::as_slice).chain([&*radii, &bounds.magnitude]).collect();
        match map {
            Map::Dense(m) if values.len() + sizes.len() >= FEW => {
                accumulate_forward([&values, &sizes], m, &bounds.live(), [&mut self.values, &mut self.sizes]);
            }
            _ => {
                values.iter().zip(self.values.iter_mut()).for_each(|(x, out)| map.apply(x, out));
                sizes.iter().zip(self.sizes.iter_mut()).for_each(|(x, out)| map.apply_abs(x, out));
            }
        }
    }
}
