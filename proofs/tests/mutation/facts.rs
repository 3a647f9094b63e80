//! The linear bound rule in plain floats, for the prover of the tests: what holds at a node of a proof tree, and which
//! bounds follow. Nothing here is rigorous; the checker has the last word.

use bartizan_proof::certificate::{Literal, Side, Slopes};
use bartizan_proof::property::{Ball, Norm};

use crate::forms::Form;
use crate::net::Net;

/// How far what plain floats say must be beyond doubt to be sure that the checker agrees.
pub const SLACK: f64 = 1e-7;

/// `sum c v <= at_most` over elements of places.
#[derive(Clone)]
pub struct Linear {
    pub terms: Vec<(usize, usize, f64)>,
    pub at_most: f64,
}

impl Linear {
    pub fn of(literal: &Literal) -> Linear {
        let sign = if literal.side == Side::Upper { 1.0 } else { -1.0 };
        Linear { terms: vec![(literal.place, literal.element, sign)], at_most: sign * literal.at }
    }
}

/// What the whole region is.
#[derive(Clone)]
pub struct Ground<'n> {
    pub net: &'n Net,
    pub constraints: Vec<Linear>,
    pub ball: Option<Ball>,
}

/// Intervals of all elements of all places, and the literals that are assumed.
#[derive(Clone)]
pub struct Facts<'g> {
    pub ground: &'g Ground<'g>,
    pub bounds: Vec<Vec<(f64, f64)>>,
    pub cuts: Vec<Literal>,
    /// How many of the cuts at the end are signs of a witness, which no interval knows of.
    pub signs: usize,
    pub uses_forms: bool,
}

impl<'g> Facts<'g> {
    pub fn new(ground: &'g Ground<'g>, input: Vec<(f64, f64)>) -> Self {
        let everything = |size| vec![(f64::NEG_INFINITY, f64::INFINITY); size];
        let mut bounds = vec![input];
        bounds.extend(ground.net.layers.iter().map(|layer| everything(layer.bias.len())));
        let mut facts = Facts { ground, bounds, cuts: Vec::new(), signs: 0, uses_forms: false };
        facts.refresh();
        facts
    }

    /// Uses forms from here on.
    pub fn use_forms(&mut self) {
        self.uses_forms = true;
        self.refresh();
    }

    fn refresh(&mut self) {
        let mut forms = Form::of_input(&self.bounds[0]);
        for (k, layer) in self.ground.net.layers.iter().enumerate() {
            let part = |x: f64| if k == 0 { x } else { x.max(0.0) };
            for (element, (weights, bias)) in layer.rows().enumerate() {
                let (mut low, mut high) = (bias, bias);
                for (w, (l, u)) in weights.iter().zip(&self.bounds[k]) {
                    let ends = (w * part(*l), w * part(*u));
                    low += ends.0.min(ends.1);
                    high += ends.0.max(ends.1);
                }
                narrow(&mut self.bounds[k + 1][element], (low, high));
            }
            if self.uses_forms {
                if k > 0 {
                    forms = forms.into_iter().zip(&self.bounds[k]).map(|(form, z)| form.of_relu(*z)).collect();
                }
                forms = Form::of_layer(layer, &forms);
                self.bounds[k + 1].iter_mut().zip(&forms).for_each(|(z, form)| narrow(z, form.ends()));
            }
        }
    }

    /// Takes a bound for granted.
    pub fn adopt(&mut self, literal: &Literal) {
        let Literal { place, element, side, at } = *literal;
        let by = if side == Side::Lower { (at, f64::INFINITY) } else { (f64::NEG_INFINITY, at) };
        narrow(&mut self.bounds[place][element], by);
        self.refresh();
    }

    pub fn assume(&self, literal: &Literal) -> Facts<'g> {
        let mut child = self.clone();
        child.adopt(literal);
        if literal.place > 0 {
            child.cuts.push(*literal);
        }
        child
    }

    /// Assumes a sign within a witness.
    pub fn with_sign(&self, place: usize, element: usize, side: Side) -> Facts<'g> {
        let mut child = self.clone();
        child.cuts.push(Literal { place, element, side, at: 0.0 });
        child.signs += 1;
        child
    }

    /// The side of zero on which a witness assumes an element to be.
    pub fn sign(&self, place: usize, element: usize) -> Option<Side> {
        let signs = self.cuts.iter().rev().take(self.signs);
        signs.filter(|sign| (sign.place, sign.element) == (place, element)).map(|sign| sign.side).next()
    }

    pub fn implies(&self, literal: &Literal) -> bool {
        let (l, u) = self.bounds[literal.place][literal.element];
        if literal.side == Side::Lower { l >= literal.at } else { u <= literal.at }
    }

    pub fn is_empty(&self) -> bool {
        self.bounds.iter().flatten().any(|(l, u)| *l > u + SLACK)
    }

    pub fn is_undecided(&self, place: usize, element: usize) -> bool {
        let (l, u) = self.bounds[place][element];
        l < 0.0 && u > 0.0
    }

    /// A lower bound of a combination of inequalities, left sides minus right sides.
    pub fn lower(&self, goal: &[(f64, &Linear)], slopes: &Slopes) -> f64 {
        let mut open: Vec<Vec<f64>> = self.bounds.iter().map(|place| vec![0.0; place.len()]).collect();
        let mut constant = 0.0;
        let mut add = |multiplier: f64, linear: &Linear| {
            constant -= multiplier * linear.at_most;
            linear.terms.iter().for_each(|(place, element, c)| open[*place][*element] += multiplier * c);
        };
        goal.iter().for_each(|(multiplier, linear)| add(*multiplier, linear));
        slopes.beta.iter().zip(&self.cuts).for_each(|(beta, cut)| add(f64::from(*beta), &Linear::of(cut)));
        slopes.constraints.iter().zip(&self.ground.constraints).for_each(|(m, c)| add(f64::from(*m), c));
        for place in (1..self.bounds.len()).rev() {
            let layer = &self.ground.net.layers[place - 1];
            let rows: Vec<f64> = std::mem::take(&mut open[place]);
            let mut back = vec![0.0; layer.inputs];
            for (a, (weights, bias)) in rows.iter().zip(layer.rows()) {
                constant += a * bias;
                back.iter_mut().zip(weights).for_each(|(sum, w)| *sum += a * w);
            }
            for (element, a) in back.into_iter().enumerate() {
                let (through, cost) = if place == 1 { (a, 0.0) } else { self.relax((place - 1, element), a, slopes) };
                open[place - 1][element] += through;
                constant += cost;
            }
        }
        constant + self.minimum(&open[0])
    }

    /// A coefficient on a ReLU's output becomes one on its input and a constant.
    fn relax(&self, (place, element): (usize, usize), a: f64, slopes: &Slopes) -> (f64, f64) {
        let (l, u) = self.bounds[place][element];
        match slopes.alpha.get(&place).map(|alphas| alphas[element]).filter(|alpha| !alpha.is_nan()) {
            _ if l >= 0.0 => (a, 0.0),
            _ if u <= 0.0 => (0.0, 0.0),
            _ if self.sign(place, element).is_some() => {
                (if self.sign(place, element) == Some(Side::Lower) { a } else { 0.0 }, 0.0)
            }
            _ if a < 0.0 => (a * u / (u - l), -a * u / (u - l) * l),
            Some(alpha) => (a * f64::from(alpha), 0.0),
            None => (if u > -l { a } else { 0.0 }, 0.0),
        }
    }

    fn minimum(&self, a: &[f64]) -> f64 {
        let over_box = a.iter().zip(&self.bounds[0]).map(|(a, (l, u))| (a * l).min(a * u)).sum::<f64>();
        let Some(ball) = &self.ground.ball else { return over_box };
        let center: f64 = a.iter().zip(&ball.center).map(|(a, c)| a * c.lo).sum();
        let norm = match ball.norm {
            Norm::L1 => a.iter().map(|a| a.abs()).fold(0.0, f64::max),
            Norm::L2 => a.iter().map(|a| a * a).sum::<f64>().sqrt(),
        };
        over_box.max(center - ball.radius.lo * norm)
    }
}

fn narrow(interval: &mut (f64, f64), by: (f64, f64)) {
    *interval = (interval.0.max(by.0), interval.1.min(by.1));
}
