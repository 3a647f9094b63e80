//! Interval arithmetic and forms (FORMAT.md, section 4) in exact arithmetic.
//!
//! The slope above a ReLU is the checker's, a binary64 number; any number in `[0, 1]` is as true with its own cost.

use std::collections::BTreeMap;

use bartizan_proof::Interval;

use super::dyadic::Dyadic;
use super::network::{ExactNetwork, ExactNode, Row};

/// Lower and upper end.
pub type Ends = (Dyadic, Dyadic);

/// Within `radius` of `line[0] + sum line[i] t_i`.
#[derive(Clone)]
struct Form {
    line: Vec<Dyadic>,
    radius: Dyadic,
}

impl Form {
    fn zero(width: usize) -> Self {
        Form { line: vec![Dyadic::zero(); width], radius: Dyadic::zero() }
    }

    fn add(&mut self, times: &Dyadic, other: &Form) {
        self.line.iter_mut().zip(&other.line).for_each(|(a, b)| *a = &*a + &(times * b));
        self.radius = &self.radius + &(&times.abs() * &other.radius);
    }

    fn ends(&self) -> Ends {
        let reach = self.line[1..].iter().fold(self.radius.clone(), |sum, slope| &sum + &slope.abs());
        (&self.line[0] - &reach, &self.line[0] + &reach)
    }
}

/// What is known of all elements of all nodes.
pub struct ExactEnclosure<'n> {
    network: &'n ExactNetwork,
    pub ends: Vec<Vec<Ends>>,
    /// Bounds on the sums of absolute values of everything that is added up for an element.
    pub sizes: Vec<Vec<Dyadic>>,
    pub uses_forms: bool,
}

impl<'n> ExactEnclosure<'n> {
    /// By interval arithmetic alone.
    pub fn new(network: &'n ExactNetwork, input: &[Interval]) -> Self {
        let ends = vec![input.iter().map(|i| (Dyadic::of(i.lo), Dyadic::of(i.hi))).collect()];
        let mut enclosure = ExactEnclosure { network, ends, sizes: Vec::new(), uses_forms: false };
        enclosure.refresh(&BTreeMap::new());
        enclosure
    }

    /// Cuts an element's interval; infinite ends cut nothing.
    pub fn cut(&mut self, node: usize, element: usize, by: Interval) {
        let (low, high) = &mut self.ends[node][element];
        if by.lo.is_finite() {
            *low = Dyadic::of(by.lo).max(low.clone());
        }
        if by.hi.is_finite() {
            *high = Dyadic::of(by.hi).min(high.clone());
        }
    }

    /// Encloses all nodes again; ReLUs are relaxed on the given intervals of the nodes that feed them.
    pub fn refresh(&mut self, relaxed_on: &BTreeMap<usize, Vec<Interval>>) {
        let mut forms: Vec<Vec<Form>> = Vec::new();
        self.sizes.clear();
        for (id, node) in self.network.nodes.iter().enumerate() {
            self.sizes.push(self.size(id, node));
            if !matches!(node, ExactNode::Input) {
                self.intersect(id, self.by_intervals(node));
            }
            if self.uses_forms {
                forms.push(self.forms(node, &forms, relaxed_on));
                self.intersect(id, forms[id].iter().map(Form::ends).collect());
            }
        }
    }

    fn intersect(&mut self, node: usize, by: Vec<Ends>) {
        match self.ends.get_mut(node) {
            None => self.ends.push(by),
            Some(known) => {
                for ((low, high), (l, u)) in known.iter_mut().zip(by) {
                    *low = l.max(low.clone());
                    *high = u.min(high.clone());
                }
            }
        }
    }

    fn by_intervals(&self, node: &ExactNode) -> Vec<Ends> {
        let zero = Dyadic::zero();
        let product = |(node, at, w): &(usize, usize, Dyadic)| {
            let (l, u) = &self.ends[*node][*at];
            if w.is_negative() { (w * u, w * l) } else { (w * l, w * u) }
        };
        let sum = |row: &Row| {
            let start = (row.bias.clone(), row.bias.clone());
            row.terms.iter().map(product).fold(start, |(low, high), (l, u)| (&low + &l, &high + &u))
        };
        match node {
            ExactNode::Input => self.ends[0].clone(),
            ExactNode::Relu(source) => {
                self.ends[*source].iter().map(|(l, u)| (l.max(&zero).clone(), u.max(&zero).clone())).collect()
            }
            ExactNode::Affine(rows) => rows.iter().map(sum).collect(),
        }
    }

    fn size(&self, id: usize, node: &ExactNode) -> Vec<Dyadic> {
        let product = |(node, at, w): &(usize, usize, Dyadic)| &w.abs() * &self.sizes[*node][*at];
        match node {
            ExactNode::Input => self.ends[id].iter().map(|(l, u)| l.abs().max(u.abs())).collect(),
            ExactNode::Relu(source) => self.sizes[*source].clone(),
            ExactNode::Affine(rows) => {
                rows.iter().map(|row| row.terms.iter().map(product).fold(row.bias.abs(), |a, b| &a + &b)).collect()
            }
        }
    }

    fn forms(&self, node: &ExactNode, before: &[Vec<Form>], relaxed_on: &BTreeMap<usize, Vec<Interval>>) -> Vec<Form> {
        match node {
            ExactNode::Input => of_input(&self.ends[0]),
            ExactNode::Relu(source) => {
                before[*source].iter().zip(&relaxed_on[source]).map(|(form, z)| of_relu(form, *z)).collect()
            }
            ExactNode::Affine(rows) => {
                let sum = |row: &Row| {
                    let mut form = Form::zero(before[0][0].line.len());
                    form.line[0] = row.bias.clone();
                    row.terms.iter().for_each(|(node, at, w)| form.add(w, &before[*node][*at]));
                    form
                };
                rows.iter().map(sum).collect()
            }
        }
    }
}

fn of_input(ends: &[Ends]) -> Vec<Form> {
    let varying: Vec<usize> = (0..ends.len()).filter(|i| ends[*i].0 < ends[*i].1).collect();
    let form = |(i, (l, u)): (usize, &Ends)| {
        let mut form = Form::zero(varying.len() + 1);
        form.line[0] = (l + u).shifted(-1);
        if let Some(place) = varying.iter().position(|other| *other == i) {
            form.line[place + 1] = (u - l).shifted(-1);
        }
        form
    };
    ends.iter().enumerate().map(form).collect()
}

fn of_relu(of: &Form, z: Interval) -> Form {
    if z.lo >= 0.0 {
        return of.clone();
    }
    let mut form = Form::zero(of.line.len());
    if z.hi > 0.0 {
        let slope = Dyadic::of((z.hi / (z.hi - z.lo)).clamp(0.0, 1.0));
        form.add(&slope, of);
        let below = -&(&slope * &Dyadic::of(z.lo));
        let above = &(&Dyadic::of(1.0) - &slope) * &Dyadic::of(z.hi);
        let half = below.max(above).shifted(-1);
        form.line[0] = &form.line[0] + &half;
        form.radius = &form.radius + &half;
    }
    form
}
