//! Random properties of random networks whose bounds lie near the true extremes.

use bartizan_proof::property::{Atom, Ball, Bound, Case, Norm, Region, Variable};
use bartizan_proof::{Interval, Network, Property};

use crate::facts::Linear;
use crate::net::Net;
use crate::random::Random;

/// Points at which a case is evaluated, and steps of the local search from the best of them.
const SAMPLES: usize = 300;
const STEPS: usize = 300;

/// What counts as the spread of a case whose value hardly varies.
const LEAST_SPREAD: f64 = 0.05;

/// How many families of questions there are.
pub const FAMILIES: usize = 6;

/// A network with regions and cases.
pub struct Question {
    pub net: Net,
    pub network: Network,
    pub regions: Vec<Domain>,
    pub cases: Vec<Danger>,
}

/// A region in plain floats.
#[derive(Clone)]
pub struct Domain {
    pub bounds: Vec<(f64, f64)>,
    pub constraints: Vec<Linear>,
    pub ball: Option<Ball>,
}

/// A case, and the point that comes nearest to it.
#[derive(Clone)]
pub struct Danger {
    pub region: usize,
    pub atoms: Vec<Linear>,
    /// The least value of the largest left side over sampled points, how much it varies, and where it is reached.
    pub least: f64,
    pub spread: f64,
    pub nearest: Vec<f64>,
}

impl Domain {
    fn random(random: &mut Random, inputs: usize, family: usize) -> Domain {
        let center: Vec<f64> = (0..inputs).map(|_| random.range(-0.5, 0.5)).collect();
        let radius = random.range(0.3, 0.9);
        let bounds = center.iter().map(|c| (c - radius, c + radius)).collect();
        let mut domain = Domain { bounds, constraints: Vec::new(), ball: None };
        if family == 4 {
            let terms: Vec<_> = (0..inputs).map(|i| (0, i, random.range(-1.0, 1.0))).collect();
            let at_most = terms.iter().zip(&center).map(|((_, _, a), c)| a * c).sum::<f64>() + 0.2 * radius;
            domain.constraints.push(Linear { terms, at_most });
        }
        if family == 5 {
            let norm = if random.below(2) == 0 { Norm::L1 } else { Norm::L2 };
            let point = |x: &f64| Interval::point(*x);
            let (center, scale) = (center.iter().map(point).collect(), vec![Interval::point(1.0); inputs]);
            domain.ball = Some(Ball { norm, center, scale, radius: Interval::point(radius) });
        }
        domain
    }

    /// Whether a point is inside, and not too near the border of what is round or slanted.
    fn holds(&self, point: &[f64]) -> bool {
        let in_box = point.iter().zip(&self.bounds).all(|(x, (l, u))| l <= x && x <= u);
        let value = |c: &Linear| c.terms.iter().map(|(_, i, a)| a * point[*i]).sum::<f64>() - c.at_most;
        let in_ball = |ball: &Ball| {
            let offsets = || point.iter().zip(&ball.center).map(|(x, c)| (x - c.lo).abs());
            let norm = match ball.norm {
                Norm::L1 => offsets().sum(),
                Norm::L2 => offsets().map(|d| d * d).sum::<f64>().sqrt(),
            };
            norm < ball.radius.lo - 1e-9
        };
        in_box && self.constraints.iter().all(|c| value(c) < -1e-9) && self.ball.as_ref().is_none_or(in_ball)
    }

    fn region(&self) -> Region {
        let bound = |(l, u): &(f64, f64)| Bound { lower: Interval::point(*l), upper: Interval::point(*u) };
        let constraints = self.constraints.iter().map(|c| atom(c, usize::MAX)).collect();
        Region { constraints, ball: self.ball.clone(), ..Region::of_box(self.bounds.iter().map(bound).collect()) }
    }
}

fn atom(linear: &Linear, output: usize) -> Atom {
    let variable = |place, i| if place == output { Variable::Output(i) } else { Variable::Input(i) };
    let term = |(place, i, c): &(usize, usize, f64)| (variable(*place, *i), Interval::point(*c));
    Atom { terms: linear.terms.iter().map(term).collect(), at_most: Interval::point(linear.at_most), strict: false }
}

impl Question {
    pub fn random(random: &mut Random, family: usize) -> Question {
        let sizes = [2 + random.below(2), 3 + random.below(6), 2 + random.below(5), 2 + random.below(2)];
        let net = Net::random(random, &sizes);
        let count = if family == 3 { 2 + random.below(2) } else { 1 };
        let regions: Vec<Domain> = (0..count).map(|_| Domain::random(random, sizes[0], family)).collect();
        let (cases, atoms) = match family {
            1 => (1, 2),
            2 => (3, 1),
            3 => (count + 1, 1 + random.below(2)),
            _ => (1 + random.below(2), 1),
        };
        let network = net.network();
        let mut question = Question { net, network, regions, cases: Vec::new() };
        for case in 0..cases {
            let atoms = (0..atoms).map(|_| question.left_side(random)).collect();
            let danger = question.search(random, case % count, atoms);
            question.cases.push(danger);
        }
        question
    }

    /// A random linear function of the outputs, and sometimes of an input.
    fn left_side(&self, random: &mut Random) -> Linear {
        let output = self.net.layers.len();
        let mut terms: Vec<_> = (0..self.net.outputs()).map(|i| (output, i, random.range(-1.0, 1.0))).collect();
        if random.below(4) == 0 {
            terms.push((0, random.below(self.net.inputs()), random.range(-0.5, 0.5)));
        }
        Linear { terms, at_most: 0.0 }
    }

    fn value(&self, atoms: &[Linear], point: &[f64]) -> f64 {
        let outputs = self.net.evaluate(point);
        let variable = |place: usize, i: usize| if place == 0 { point[i] } else { outputs[i] };
        let side = |atom: &Linear| atom.terms.iter().map(|(place, i, c)| c * variable(*place, *i)).sum::<f64>();
        atoms.iter().map(side).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Looks for the point of a region at which all left sides are low.
    fn search(&self, random: &mut Random, region: usize, atoms: Vec<Linear>) -> Danger {
        let domain = &self.regions[region];
        let mut anywhere = || domain.bounds.iter().map(|(l, u)| random.range(*l, *u)).collect::<Vec<f64>>();
        let points = (0..SAMPLES).map(|_| anywhere()).filter(|point| domain.holds(point));
        let valued: Vec<_> = points.map(|point| (self.value(&atoms, &point), point)).collect();
        let most = valued.iter().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max);
        let (mut least, mut nearest) = valued.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        for step in 0..STEPS {
            let width = 0.3 * 0.97f64.powi(step as i32);
            let move_by = |(x, (l, u)): (&f64, &(f64, f64))| (x + width * random.range(-1.0, 1.0)).clamp(*l, *u);
            let point: Vec<f64> = nearest.iter().zip(&domain.bounds).map(move_by).collect();
            let value = self.value(&atoms, &point);
            if value < least && domain.holds(&point) {
                (least, nearest) = (value, point);
            }
        }
        Danger { region, atoms, least, spread: (most - least).max(LEAST_SPREAD), nearest }
    }

    /// The cases with right sides this far below the least value, as a share of the spread.
    pub fn at(&self, margin: f64) -> Vec<Danger> {
        let shifted = |danger: &Danger| {
            let mut danger = danger.clone();
            let at_most = danger.least - margin * danger.spread;
            danger.atoms.iter_mut().for_each(|atom| atom.at_most = at_most);
            danger
        };
        self.cases.iter().map(shifted).collect()
    }

    pub fn property(&self, cases: &[Danger]) -> Property {
        let output = self.net.layers.len();
        let case = |danger: &Danger| {
            let atoms = danger.atoms.iter().map(|linear| atom(linear, output)).collect();
            Case { region: danger.region, atoms }
        };
        let regions = self.regions.iter().map(Domain::region).collect();
        let sizes = (self.net.inputs(), self.net.outputs());
        Property::new(sizes, regions, cases.iter().map(case).collect()).unwrap()
    }

    /// The cases with one moved just beyond its true minimum, so that they are no longer a true property.
    pub fn beyond(&self, cases: &[Danger], case: usize) -> Vec<Danger> {
        let mut cases = cases.to_vec();
        cases[case] = self.at(-1e-6)[case].clone();
        cases
    }
}
