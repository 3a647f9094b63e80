//! The linear bound rule (FORMAT.md, section 5) in exact arithmetic.
//!
//! One number is rounded: the slope `a u / (u - l)` above a ReLU, to 256 bits; the constant that belongs to the rounded
//! slope is exact, so that the result is a lower bound, and below that of the rule by nothing that matters.

use bartizan_proof::Interval;
use bartizan_proof::certificate::{Literal, Side, SignNode, Signs, Slopes, Witness};

use crate::oracle::dyadic::Dyadic;
use crate::oracle::network::{ExactNetwork, ExactNode};

/// Bits of the slope above a ReLU.
const BITS: u64 = 256;

/// Where the rule starts from: the intervals of all places, and what is assumed.
pub struct Setting<'s> {
    pub network: &'s ExactNetwork,
    /// The nodes behind the places.
    pub places: Vec<usize>,
    pub intervals: Vec<Vec<Interval>>,
    pub cuts: Vec<Literal>,
    /// The region's constraints.
    pub constraints: Vec<Inequality>,
}

/// `sum c v <= at_most` over elements of nodes.
#[derive(Clone)]
pub struct Inequality {
    pub terms: Vec<(usize, usize, Dyadic)>,
    pub at_most: Dyadic,
}

/// A sign on the way to a leaf: place, element, and whether it is at least 0.
type Sign = (usize, usize, bool);

/// A lower bound, and the sum of the absolute values of all terms that its constant is made of.
pub struct ExactBound {
    pub value: Dyadic,
    pub size: Dyadic,
}

impl Setting<'_> {
    /// Bounds `sum_k multiplier_k (left side - right side)` from below.
    pub fn lower_bound(&self, goal: &[(Dyadic, Inequality)], slopes: &Slopes) -> ExactBound {
        self.leaf(goal, slopes, &[])
    }

    /// The least bound of a tree's leaves; its size is that of the largest.
    pub fn least_bound(&self, goal: &[(Dyadic, Inequality)], tree: &Signs) -> ExactBound {
        let base = match &tree.base {
            Witness::Own(slopes) => slopes.clone(),
            _ => Slopes::default(),
        };
        let mut bounds = Vec::new();
        self.leaves(&mut tree.nodes.iter(), (&base, &mut Vec::new()), &mut |base, way, node| {
            bounds.push(self.leaf(goal, &self.slopes_of(base, node), way));
        });
        let larger = |a: ExactBound, b: ExactBound| ExactBound {
            value: if a.value <= b.value { a.value } else { b.value },
            size: if a.size <= b.size { b.size } else { a.size },
        };
        bounds.into_iter().reduce(larger).unwrap()
    }

    /// Visits the leaves of the tree that begins with the next node, each with its base.
    fn leaves<'n>(
        &self,
        nodes: &mut impl Iterator<Item = &'n SignNode>,
        (base, way): (&Slopes, &mut Vec<Sign>),
        visit: &mut impl FnMut(&Slopes, &[Sign], &SignNode),
    ) {
        match nodes.next().unwrap() {
            SignNode::Split(place, element) => {
                for is_positive in [false, true] {
                    way.push((*place, *element, is_positive));
                    self.leaves(nodes, (base, way), visit);
                    way.pop();
                }
            }
            SignNode::Base(instead) => self.leaves(nodes, (instead, way), visit),
            leaf => visit(base, way, leaf),
        }
    }

    /// All that holds in a leaf, with a beta for each cut.
    fn slopes_of(&self, base: &Slopes, node: &SignNode) -> Slopes {
        let mut slopes = base.clone();
        match node {
            SignNode::Leaf(betas) => {
                slopes.beta.resize(self.cuts.len(), 0.0);
                slopes.beta.extend(betas);
            }
            SignNode::Own(own) => {
                for (place, alphas) in &own.alpha {
                    let known = slopes.alpha.entry(*place).or_insert_with(|| vec![f32::NAN; alphas.len()]);
                    known.iter_mut().zip(alphas).filter(|(_, a)| !a.is_nan()).for_each(|(known, a)| *known = *a);
                }
                (slopes.beta, slopes.constraints) = (own.beta.clone(), own.constraints.clone());
            }
            SignNode::Split(..) | SignNode::Base(_) => panic!("no leaf"),
        }
        slopes
    }

    fn leaf(&self, goal: &[(Dyadic, Inequality)], slopes: &Slopes, way: &[Sign]) -> ExactBound {
        let mut walk = Walk {
            setting: self,
            way,
            coefficients: self.network.sizes.iter().map(|size| vec![Dyadic::zero(); *size]).collect(),
            bound: ExactBound { value: Dyadic::zero(), size: Dyadic::zero() },
        };
        goal.iter().for_each(|(multiplier, inequality)| walk.start(multiplier, inequality));
        let side = |is_positive| if is_positive { Side::Lower } else { Side::Upper };
        let sign = |(place, element, is_positive): &Sign| (*place, *element, side(*is_positive));
        let signs = way.iter().map(sign).map(|(place, element, side)| Literal { place, element, side, at: 0.0 });
        for (beta, cut) in slopes.beta.iter().zip(self.cuts.iter().copied().chain(signs)) {
            walk.start(&Dyadic::of(f64::from(*beta)), &self.inequality(&cut));
        }
        for (multiplier, constraint) in slopes.constraints.iter().zip(&self.constraints) {
            walk.start(&Dyadic::of(f64::from(*multiplier)), constraint);
        }
        walk.back(slopes)
    }

    /// What a literal states.
    pub fn inequality(&self, literal: &Literal) -> Inequality {
        let sign = Dyadic::of(if literal.side == Side::Upper { 1.0 } else { -1.0 });
        let at_most = &sign * &Dyadic::of(literal.at);
        Inequality { terms: vec![(self.places[literal.place], literal.element, sign)], at_most }
    }
}

struct Walk<'s> {
    setting: &'s Setting<'s>,
    way: &'s [Sign],
    /// Of all elements of all nodes.
    coefficients: Vec<Vec<Dyadic>>,
    bound: ExactBound,
}

impl Walk<'_> {
    fn add_constant(&mut self, term: &Dyadic) {
        self.bound.value = &self.bound.value + term;
        self.bound.size = &self.bound.size + &term.abs();
    }

    fn add(&mut self, node: usize, element: usize, by: &Dyadic) {
        let sum = &mut self.coefficients[node][element];
        *sum = &*sum + by;
    }

    fn start(&mut self, multiplier: &Dyadic, inequality: &Inequality) {
        inequality.terms.iter().for_each(|(node, element, c)| self.add(*node, *element, &(multiplier * c)));
        self.add_constant(&-&(multiplier * &inequality.at_most));
    }

    fn back(mut self, slopes: &Slopes) -> ExactBound {
        let network = self.setting.network;
        let mut place = self.setting.places.len() - 1;
        for (id, node) in network.nodes.iter().enumerate().rev() {
            let coefficients = std::mem::take(&mut self.coefficients[id]);
            if matches!(node, ExactNode::Relu(_)) {
                place -= 1;
            }
            for (element, a) in coefficients.iter().enumerate().filter(|(_, a)| !a.is_zero()) {
                match node {
                    ExactNode::Affine(rows) => {
                        rows[element].terms.iter().for_each(|(node, at, w)| self.add(*node, *at, &(a * w)));
                        self.add_constant(&(a * &rows[element].bias));
                    }
                    ExactNode::Relu(source) => {
                        let alpha = slopes.alpha.get(&place).map_or(f32::NAN, |alphas| alphas[element]);
                        self.through_relu((*source, element), a, self.setting.intervals[place][element], alpha);
                    }
                    ExactNode::Input => {
                        let over = self.setting.intervals[0][element];
                        self.add_constant(&(a * &Dyadic::of(if a.is_positive() { over.lo } else { over.hi })));
                    }
                }
            }
        }
        self.bound
    }

    fn through_relu(&mut self, (source, element): (usize, usize), a: &Dyadic, z: Interval, alpha: f32) {
        if z.lo >= 0.0 {
            return self.add(source, element, a);
        }
        if z.hi <= 0.0 {
            return;
        }
        let is_it = |(place, at, _): &&Sign| (self.setting.places[*place], *at) == (source, element);
        match self.way.iter().rfind(is_it) {
            Some((_, _, true)) => return self.add(source, element, a),
            Some((_, _, false)) => return,
            None => {}
        }
        if a.is_positive() {
            let default = if z.hi > -z.lo { 1.0 } else { 0.0 };
            let alpha = if alpha.is_nan() { default } else { f64::from(alpha) };
            return self.add(source, element, &(a * &Dyadic::of(alpha)));
        }
        let (l, u) = (Dyadic::of(z.lo), Dyadic::of(z.hi));
        let through = (a * &u).divided_by(&(&u - &l), BITS);
        let cost = (-&(&through * &l)).min(&(a - &through) * &u);
        self.add(source, element, &through);
        self.add_constant(&cost);
    }
}
