//! Regions and atoms with exact numbers: where a number is only enclosed, one of those that may be meant.

use bartizan_proof::Interval;
use bartizan_proof::property::{Atom, Ball, Norm, Property, Region, Variable};

use super::cells::Cell;
use super::dyadic::Dyadic;
use super::polytope::{Linear, Polytope};
use super::random::Random;

/// `sum c v <= at_most`, or `<` where strict.
#[derive(Clone)]
pub struct ExactAtom {
    pub terms: Vec<(Variable, Dyadic)>,
    pub at_most: Dyadic,
    pub strict: bool,
}

impl ExactAtom {
    pub fn meant(atom: &Atom, random: &mut Random) -> Self {
        let terms = atom.terms.iter().map(|(v, c)| (*v, any(c, random))).collect();
        ExactAtom { terms, at_most: any(&atom.at_most, random), strict: atom.strict }
    }

    /// `at_most - sum c v` on a cell; the closed atom holds where it is not negative.
    pub fn slack(&self, dimension: usize, outputs: &[Linear]) -> Linear {
        let mut slack = Linear::constant(dimension, self.at_most.clone());
        for (variable, c) in &self.terms {
            match variable {
                Variable::Input(i) => slack.add(&-c, &Linear::coordinate(dimension, *i)),
                Variable::Output(i) => slack.add(&-c, &outputs[*i]),
            }
        }
        slack
    }

    pub fn holds(&self, input: &[Dyadic], output: &[Dyadic]) -> bool {
        let value = |v: &Variable| match v {
            Variable::Input(i) => input[*i].clone(),
            Variable::Output(i) => output[*i].clone(),
        };
        let sum = self.terms.iter().fold(Dyadic::zero(), |sum, (v, c)| &sum + &(c * &value(v)));
        if self.strict { sum < self.at_most } else { sum <= self.at_most }
    }
}

/// A region.
pub struct ExactRegion {
    pub bounds: Vec<(Dyadic, Dyadic)>,
    constraints: Vec<ExactAtom>,
    ball: Option<ExactBall>,
}

struct ExactBall {
    norm: Norm,
    center: Vec<Dyadic>,
    scale: Vec<Dyadic>,
    radius: Dyadic,
}

impl ExactRegion {
    pub fn meant(region: &Region, random: &mut Random) -> Self {
        let ends = region.bounds.iter().map(|b| (any(&b.lower, random), any(&b.upper, random)));
        let bounds = ends.collect();
        let constraints = region.constraints.iter().map(|c| ExactAtom::meant(c, random)).collect();
        let ball = region.ball.as_ref().map(|ball| ExactBall::meant(ball, random));
        ExactRegion { bounds, constraints, ball }
    }

    /// The region as polytopes; of a Euclidean ball only what lies in the cross or the cube inside it.
    pub fn parts(&self) -> Vec<Polytope> {
        let dimension = self.bounds.len();
        let slacks = self.constraints.iter().map(|c| c.slack(dimension, &[]));
        let start = slacks.fold(Polytope::of_box(&self.bounds), |part, slack| part.clip(&slack));
        match &self.ball {
            None => vec![start],
            Some(ball) if ball.norm == Norm::L1 => vec![ball.cross(start)],
            Some(ball) => vec![ball.cross(start.clone()), ball.cube(start)],
        }
    }

    pub fn contains(&self, point: &[Dyadic]) -> bool {
        point.iter().zip(&self.bounds).all(|(x, (lower, upper))| lower <= x && x <= upper)
            && self.constraints.iter().all(|c| c.holds(point, &[]))
            && self.ball.as_ref().is_none_or(|ball| ball.contains(point))
    }

    /// The point of the box nearest to a point.
    pub fn nearest(&self, point: &[f64]) -> Vec<Dyadic> {
        let into =
            |(x, (lower, upper)): (&f64, &(Dyadic, Dyadic))| Dyadic::of(*x).max(lower.clone()).min(upper.clone());
        point.iter().zip(&self.bounds).map(into).collect()
    }
}

impl ExactBall {
    fn meant(ball: &Ball, random: &mut Random) -> Self {
        let center = ball.center.iter().map(|c| any(c, random)).collect();
        let scale = ball.scale.iter().map(|s| any(s, random)).collect();
        ExactBall { norm: ball.norm, center, scale, radius: any(&ball.radius, random) }
    }

    fn contains(&self, point: &[Dyadic]) -> bool {
        let steps = point.iter().zip(&self.center).zip(&self.scale).map(|((x, c), s)| &(x - c) * s);
        match self.norm {
            Norm::L1 => steps.fold(Dyadic::zero(), |sum, step| &sum + &step.abs()) <= self.radius,
            Norm::L2 => {
                let sum = steps.fold(Dyadic::zero(), |sum, step| &sum + &(&step * &step));
                sum <= &self.radius * &self.radius
            }
        }
    }

    /// The part with `sum |s (x - c)| <= r`.
    fn cross(&self, start: Polytope) -> Polytope {
        let dimension = self.center.len();
        (0..1usize << dimension).fold(start, |part, signs| {
            let mut slack = Linear::constant(dimension, self.radius.clone());
            for axis in 0..dimension {
                let size = if signs >> axis & 1 == 0 { self.scale[axis].clone() } else { -&self.scale[axis] };
                slack.add(&-&size, &self.step(axis));
            }
            part.clip(&slack)
        })
    }

    /// The part with `|s (x - c)| <= r / sqrt(dimension)`, rounded down.
    fn cube(&self, start: Polytope) -> Polytope {
        let dimension = self.center.len();
        let square = |side: f64| &(&Dyadic::of(side) * &Dyadic::of(side)) * &Dyadic::of(dimension as f64);
        let mut side = self.radius.about() / (dimension as f64).sqrt();
        while square(side) > &self.radius * &self.radius {
            side = side.next_down();
        }
        let ends = (0..dimension).flat_map(|axis| [(axis, self.scale[axis].clone()), (axis, -&self.scale[axis])]);
        ends.fold(start, |part, (axis, size)| {
            let mut slack = Linear::constant(dimension, Dyadic::of(side));
            slack.add(&-&size, &self.step(axis));
            part.clip(&slack)
        })
    }

    /// `x - c` along an axis.
    fn step(&self, axis: usize) -> Linear {
        let mut step = Linear::constant(self.center.len(), -&self.center[axis]);
        step.add(&Dyadic::of(1.0), &Linear::coordinate(self.center.len(), axis));
        step
    }
}

/// The cases of a property.
pub struct ExactProperty {
    pub cases: Vec<Vec<ExactAtom>>,
}

impl ExactProperty {
    pub fn meant(property: &Property, random: &mut Random) -> Self {
        let mut meant = |atoms: &[Atom]| atoms.iter().map(|atom| ExactAtom::meant(atom, random)).collect();
        ExactProperty { cases: property.cases().iter().map(|case| meant(&case.atoms)).collect() }
    }
}

/// Whether all of the atoms, closed, hold at some point of the cells.
pub fn happens(cells: &[Cell], atoms: &[ExactAtom]) -> bool {
    cells.iter().any(|cell| {
        let dimension = cell.part.dimension;
        let clip = |part: Polytope, atom: &ExactAtom| part.clip(&atom.slack(dimension, &cell.outputs));
        !atoms.iter().fold(cell.part.clone(), clip).is_empty()
    })
}

/// One of the ends of an interval.
fn any(interval: &Interval, random: &mut Random) -> Dyadic {
    Dyadic::of(random.pick(&[interval.lo, interval.hi]))
}
