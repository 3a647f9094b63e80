//! Figures that are derived from the answers of a run, the same in every form of report.
//!
//! Each figure has its assumptions ([`Figure::assumptions`]). Points without an answer are certified nowhere and falsified nowhere.
//!
//! The figures of classes, the curve and the global statement are about a number of points that was fixed beforehand. A run in a drawn
//! order may end whenever it looks good; it gets its any-time valid interval and counts, and none of these.

use std::collections::BTreeMap;
use std::time::Duration;

use bartizan_read::enclose_decimal;

use super::numbers::{is_at_most, radius_down};
use crate::batch::store::{PointFacts, RunFacts};
use crate::batch::summary::Counts;
use crate::coverage::curve::{self, Bracket, Step};
use crate::coverage::global::{self, Pair};
use crate::coverage::{Coverage, several};

/// The most steps of a curve that are kept; between those that are left the band is as wide as it has to be.
const MOST_STEPS: usize = 512;

/// The most pairs of the global statement that are kept. Each of them holds without the others.
const MOST_PAIRS: usize = 64;

/// Which shares of points are faster than the times that are told.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 1.0];

/// Everything that is derived.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// What a radius is measured in.
    pub unit: Unit,
    /// The classes that have points, in ascending order.
    pub classes: Vec<ClassFigure>,
    /// Whether points without an answer are counted in their classes; otherwise nobody knows where they belong.
    pub classes_are_complete: bool,
    /// The share of robust inputs at every radius; none in a drawn run.
    pub curve: Option<Curve>,
    /// The statement about all confident inputs; none where it says nothing, and in a drawn run.
    pub global: Option<Global>,
    /// Times within which so large a share of the answered points was done.
    pub times: Vec<(f64, Duration)>,
}

/// What a radius is measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// Raw units: the whole radius is this number.
    Raw(f64),
    /// Shares of the whole radius, which is no single number.
    Share,
}

/// What became of the points of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFigure {
    /// The class.
    pub class: usize,
    /// How many of its points came to what.
    pub counts: Counts,
    /// The interval for the class; with the given confidence all of them hold together. None in a drawn run.
    pub coverage: Option<Coverage>,
    /// Holm's adjusted p-value of the hypothesis that the share of the class is below the one that is required; none where nobody
    /// knows the classes of some points, too.
    pub p_value: Option<f64>,
}

/// The share of robust inputs at every radius.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The steps in rising order of the radius.
    pub steps: Vec<Step>,
    /// How far the band reaches beyond the shares of points.
    pub half_width: f64,
    /// With which all of it holds.
    pub confidence: f64,
}

/// Probably approximately global robustness.
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    /// The mass of inputs that each pair may leave out.
    pub eps: f64,
    /// Confidence and radius.
    pub pairs: Vec<Pair>,
    /// With which all of it holds.
    pub confidence: f64,
}

/// What is asked of figures.
#[derive(Clone, Copy, Debug)]
pub struct Request<'l> {
    /// With which each figure holds.
    pub confidence: f64,
    /// The share that is required.
    pub require: Option<f64>,
    /// Labels of the points without an answer, where they are known.
    pub open_labels: Option<&'l [usize]>,
}

/// Kinds of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Intervals of classes.
    Classes,
    /// Which classes reach the required share.
    ClassGate,
    /// The radius curve.
    Curve,
    /// The global statement.
    Global,
    /// Why a drawn run has less.
    Drawn,
}

impl Figure {
    /// What the figure takes for granted.
    pub fn assumptions(self) -> &'static str {
        match self {
            Figure::Classes => {
                "the points of each class were drawn independently from the inputs of that class; Clopper-Pearson intervals at a raised \
                 confidence (Bonferroni), so that with the stated confidence all of them hold together"
            }
            Figure::ClassGate => {
                "as for the intervals of classes; exact binomial tests, adjusted by Holm's method, so that with the stated confidence no \
                 class is wrongly said to reach the required share"
            }
            Figure::Curve => {
                "the points were drawn independently from the distribution of inputs, their number was fixed beforehand, and the network \
                 and the norm were chosen without regard to them; the band (Dvoretzky, Kiefer, Wolfowitz, Massart) holds at all radii together"
            }
            Figure::Global => {
                "the points were drawn independently from the distribution of inputs and their number was fixed beforehand; the confidence \
                 of an input is the largest softmax share of the network's outputs; all pairs hold together (Blohm et al., ICML 2025)"
            }
            Figure::Drawn => {
                "points are answered in a drawn order and the run may end early: figures of classes are counts without intervals, and there \
                 are no curve and no global statement, because these need a number of points that was fixed beforehand"
            }
        }
    }
}

impl Figures {
    /// The figures of a run's answers.
    pub fn of(facts: &RunFacts, points: &[PointFacts], request: Request) -> Figures {
        let unit = Unit::of(&facts.radius);
        let is_fixed = !facts.is_drawn;
        let open = facts.asked_count().saturating_sub(points.len());
        Figures {
            unit,
            classes: groups(facts, points, |point| point.label, request),
            classes_are_complete: open == 0 || request.open_labels.is_some(),
            curve: is_fixed.then(|| Curve::of((points, open), unit, request.confidence)).flatten(),
            global: is_fixed.then(|| Global::of((points, open), unit, request.confidence)).flatten(),
            times: times(points),
        }
    }

    /// What the p-values of classes take for granted, where there are any.
    pub fn gate_assumptions(&self) -> Option<&'static str> {
        self.classes.iter().find_map(|class| class.p_value).map(|_| Figure::ClassGate.assumptions())
    }
}

impl Unit {
    /// The unit of a radius as it was typed.
    pub fn of(radius: &str) -> Unit {
        enclose_decimal(radius).map_or(Unit::Share, |radius| Unit::Raw(radius.middle()))
    }

    /// What a number in this unit is called.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Raw(_) => "radius",
            Unit::Share => "share of the radius",
        }
    }

    /// A share of the radius in this unit.
    pub fn radius(self, share: f64) -> f64 {
        match self {
            Unit::Raw(radius) => share * radius,
            Unit::Share => share,
        }
    }
}

/// The figures of groups of points, of classes for example; the request's labels of open points are their groups, too.
pub fn groups(
    facts: &RunFacts,
    points: &[PointFacts],
    group: impl Fn(&PointFacts) -> usize,
    request: Request,
) -> Vec<ClassFigure> {
    let mut words: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    points.iter().for_each(|point| words.entry(group(point)).or_default().push(&point.verdict));
    let mut open: BTreeMap<usize, usize> = BTreeMap::new();
    request.open_labels.into_iter().flatten().for_each(|label| *open.entry(*label).or_default() += 1);
    for label in open.keys() {
        words.entry(*label).or_default();
    }
    let lost = match request.open_labels {
        Some(_) => 0,
        None => facts.asked_count().saturating_sub(points.len()),
    };
    // Where it is not known which classes have points, all classes might be among those that are looked at.
    let groups = if lost > 0 { facts.classes.max(words.len()) } else { words.len() };
    let each = several::each_confidence(groups, request.confidence);
    let figure = |(class, words): (usize, Vec<&str>)| {
        let asked = words.len() + open.get(&class).copied().unwrap_or(0);
        let counts = Counts::of(words, asked);
        let coverage = (!facts.is_drawn).then(|| {
            // Any of the points that nobody knows may belong here.
            let most = Counts { points: counts.points + lost, ..counts };
            Coverage { confidence: request.confidence, ..Coverage::of(most.sample(), each) }
        });
        ClassFigure { class, counts, coverage, p_value: None }
    };
    let mut figures: Vec<ClassFigure> = words.into_iter().map(figure).collect();
    if let Some(share) = request.require.filter(|_| !facts.is_drawn && lost == 0) {
        let chance =
            |figure: &ClassFigure| several::chance_of_at_least(figure.counts.certified, figure.counts.points, share);
        let adjusted = several::holm(&figures.iter().map(chance).collect::<Vec<f64>>());
        figures.iter_mut().zip(adjusted).for_each(|(figure, value)| figure.p_value = Some(value));
    }
    figures
}

impl Curve {
    fn of((points, open): (&[PointFacts], usize), unit: Unit, confidence: f64) -> Option<Curve> {
        let bracket = |point: &PointFacts| Bracket {
            certified: point.certified_share.map_or(f64::NEG_INFINITY, |share| unit.radius(share)),
            falsified: point.falsified_share.map_or(f64::INFINITY, |share| unit.radius(share)),
        };
        let nothing = Bracket { certified: f64::NEG_INFINITY, falsified: f64::INFINITY };
        let brackets: Vec<Bracket> = points.iter().map(bracket).chain(std::iter::repeat_n(nothing, open)).collect();
        let steps = thinned(curve::curve(&brackets, confidence), MOST_STEPS);
        let half_width = curve::half_width(brackets.len(), confidence);
        (!steps.is_empty()).then_some(Curve { steps, half_width, confidence })
    }
}

impl Curve {
    /// At most so many steps for a table: radii as they are printed, and what holds at them.
    pub fn rows(&self, most: usize) -> Vec<(String, Step)> {
        let row = |step: &Step| {
            let shown = radius_down(step.radius);
            let radius = shown.parse().unwrap_or(step.radius);
            (shown, self.at(radius))
        };
        let mut rows: Vec<(String, Step)> = thinned(self.steps.clone(), most).iter().map(row).collect();
        rows.dedup();
        rows
    }

    /// The curve at any radius: lower values are those of the step after, and upper values those of the step before.
    fn at(&self, radius: f64) -> Step {
        let after = self.steps.iter().find(|step| is_at_most(radius, step.radius));
        let before = self.steps.iter().rfind(|step| is_at_most(step.radius, radius));
        Step {
            radius,
            lower_share: after.map_or(0.0, |step| step.lower_share),
            upper_share: before.map_or(1.0, |step| step.upper_share),
            lower: after.map_or(0.0, |step| step.lower),
            upper: before.map_or(1.0, |step| step.upper),
        }
    }
}

impl Global {
    fn of((points, open): (&[PointFacts], usize), unit: Unit, confidence: f64) -> Option<Global> {
        let eps = global::mass(points.len() + open, 1.0 - confidence).filter(|eps| *eps < 1.0)?;
        let radius = |point: &PointFacts| point.certified_share.map_or(0.0, |share| unit.radius(share));
        let known = points.iter().map(|point| (point.confidence, radius(point)));
        // Nobody knows how confident the network is of a point without an answer.
        let unknown = std::iter::repeat_n((f64::NAN, 0.0), open);
        let pairs = thinned(global::pairs(&known.chain(unknown).collect::<Vec<_>>()), MOST_PAIRS);
        (!pairs.is_empty()).then_some(Global { eps, pairs, confidence })
    }
}

/// At most so many of a list, evenly spread, the first and the last among them.
fn thinned<T: Copy>(list: Vec<T>, most: usize) -> Vec<T> {
    if list.len() <= most {
        return list;
    }
    (0..most).map(|place| list[place * (list.len() - 1) / (most - 1)]).collect()
}

fn times(points: &[PointFacts]) -> Vec<(f64, Duration)> {
    let mut times: Vec<Duration> = points.iter().map(|point| point.time).collect();
    times.sort_unstable();
    let at = |share: f64| (share * times.len() as f64).ceil() as usize;
    QUANTILES.into_iter().filter_map(|share| Some((share, *times.get(at(share).max(1) - 1)?))).collect()
}

#[cfg(test)]
mod tests;
