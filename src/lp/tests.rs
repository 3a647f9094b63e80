use std::time::Duration;

use bartizan_proof::certificate::{Item, Place, Side, SignNode, Signs, Target as End, Targets, Witness};
use bartizan_proof::property::Region;
use bartizan_proof::{Network, check};
use ndarray::{Array1, Array2, Axis};

use super::*;
use crate::bound::dual::{self, Effort, Row, Sign};
use crate::bound::frame::{Frame, Target};
use crate::bound::linear;
use crate::certify;
use crate::deadline::Deadline;
use crate::random_networks::{Builder, assorted, random_point, random_region};

/// Points that are compared with each program.
const POINTS: usize = 200;

/// A program under signs.
struct Trial {
    network: Network,
    region: Region,
    model: Model<f64>,
    bounds: Bounds<f64>,
    builder: Builder,
    output: usize,
    signs: Vec<Assumed>,
}

/// A deadline that no test reaches.
fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(600))
}

fn point(region: &Region, builder: &mut Builder) -> Array2<f64> {
    Array1::from_vec(random_point(builder, region)).insert_axis(Axis(0))
}

/// Signs of some undecided ReLUs: those at a point, or any.
fn trials(seeds: u64, share: usize, is_at_point: bool) -> impl Iterator<Item = Trial> {
    let of = |seed| assorted(seed).into_iter().map(move |network| (seed, network));
    (0..seeds).flat_map(of).map(move |(seed, network)| {
        let mut builder = Builder::new(seed + 900, 7);
        let region = random_region(&mut builder, network.input_size(), 0.6);
        let model = Model::<f64>::of(&network);
        let end = |end: fn(bartizan_proof::Interval) -> f64| {
            region.bounds.iter().map(|b| end(b.outer())).collect::<Array1<f64>>().insert_axis(Axis(0))
        };
        let (bounds, _) = linear::propagate(&model, Bounds::of_input(end(|i| i.lo), end(|i| i.hi)), soon()).unwrap();
        let at = model.evaluate(point(&region, &mut builder).view());
        let mut signs = Vec::new();
        for (_, node) in model.relus() {
            let few = bounds.undecided(node).into_iter().step_by(share).map(|(_, element)| element);
            signs.extend(few.map(|element| {
                let any = builder.uniform(1, 1.0)[0];
                let is_positive = (if is_at_point { at[node][[0, element]] } else { any }) >= 0.0;
                Assumed { node, element, is_positive }
            }));
        }
        signs.dedup_by_key(|sign| (sign.node, sign.element));
        let output = seed as usize % network.output_size();
        Trial { network, region, model, bounds, builder, output, signs }
    })
}

impl Trial {
    fn solve(&self) -> Result<Solution, Unsolved> {
        let outputs = self.network.output_size();
        let objective = Objective {
            node: self.model.output(),
            coefficients: Array2::from_shape_fn((1, outputs), |(_, j)| f64::from(u8::from(j == self.output))),
            inputs: None,
            constants: Array1::zeros(1),
        };
        minimise_largest_under(&self.model, (&self.bounds, 0), (&objective, &self.signs), soon())
    }

    /// The objective's values at points that have the signs.
    fn values(&mut self) -> Vec<f64> {
        let (signs, output) = (&self.signs, self.output);
        let model = &self.model;
        let value = |at: Array2<f64>| {
            let values = model.evaluate(at.view());
            let agrees = |sign: &Assumed| match values[sign.node][[0, sign.element]] {
                z if sign.is_positive => z >= 0.0,
                z => z <= 0.0,
            };
            signs.iter().all(agrees).then(|| values[model.output()][[0, output]])
        };
        (0..POINTS).filter_map(|_| value(point(&self.region, &mut self.builder))).collect()
    }

    /// What first-order ascent of multipliers reaches.
    fn ascended(&self) -> f32 {
        let model = Model::<f32>::of(&self.network);
        let short = |ends: &[Array2<f64>]| ends.iter().map(|ends| ends.mapv(|x| x as f32)).collect();
        let bounds = Bounds::of_ends(short(&self.bounds.lower), short(&self.bounds.upper));
        let frame = Frame::new(&model, bounds);
        let coefficients = (0..self.network.output_size()).map(|j| f32::from(u8::from(j == self.output))).collect();
        let target = Target::row(model.output(), coefficients, 0.0);
        let sign = |Assumed { node, element, is_positive }: &Assumed| Sign {
            node: *node,
            element: *element,
            is_positive: *is_positive,
            beta: 0.0,
            scale: 1.0,
        };
        let signs = self.signs.iter().map(sign).collect();
        let row = Row { target: &target, signs, slopes: None, cuts: None, width: 0.0, goal: f32::INFINITY };
        let effort = Effort { steps: 30, moves_slopes: true, deadline: soon() };
        dual::ascend(&frame, std::slice::from_ref(&row), &effort).unwrap().remove(0).bound
    }

    /// The tree whose leaves have the first of the signs, and the opposite of the last of these: with the least that their witnesses prove.
    fn leaves(&mut self) -> Result<(Vec<SignNode>, f64), Unsolved> {
        let signs = std::mem::take(&mut self.signs);
        self.signs.clone_from(&signs);
        let last = self.solve()?;
        let (mut nodes, mut least) = (vec![SignNode::Own(last.slopes)], last.proved);
        for (i, sign) in signs.iter().enumerate().rev() {
            self.signs = signs[..=i].to_vec();
            self.signs[i].is_positive = !sign.is_positive;
            let other = self.solve()?;
            least = least.min(other.proved);
            let (relu, _) = self.model.relus().find(|(_, source)| *source == sign.node).unwrap();
            let split = SignNode::Split(self.model.place(relu), sign.element);
            let other = vec![SignNode::Own(other.slopes)];
            let subtrees = if sign.is_positive { [other, nodes] } else { [nodes, other] };
            nodes = std::iter::once(split).chain(subtrees.into_iter().flatten()).collect();
        }
        self.signs = signs;
        Ok((nodes, least))
    }

    /// What the checker makes of a tree.
    fn checked(&self, nodes: Vec<SignNode>) -> f64 {
        let ground = check::Ground::new(&self.network, &self.region).unwrap();
        let mut state = check::State::new(&ground);
        for item in certify::tightening(&self.network, &self.model, (&self.bounds, 0)) {
            match item {
                Item::Forms => state.use_forms().unwrap(),
                Item::Tighten(place, targets) => state.tighten(place, &targets).unwrap(),
                _ => panic!("{item:?}"),
            }
        }
        let place: Place = self.network.relus().count() + 1;
        let witness = Witness::Signs(Box::new(Signs { base: Witness::Default, nodes }));
        let end = End { element: self.output, side: Side::Lower, witness };
        state.tighten(place, &Targets::Listed(vec![end])).unwrap();
        state.intervals(place)[self.output].lo
    }
}

#[test]
fn programs_under_signs_lie_between_first_order_bounds_and_values_and_the_checker_confirms_them() {
    let (mut short, mut better, mut solved) = (0, 0, 0);
    for share in [1, 2, 3] {
        for mut trial in trials(8, share, true) {
            let solution = trial.solve().unwrap();
            let size = solution.value.abs().max(1.0);
            let ascended = f64::from(trial.ascended());
            assert!(solution.value >= ascended - 1e-4 * size, "{} {ascended}", solution.value);
            assert!(solution.proved <= solution.value + 1e-7 * size, "{} {}", solution.proved, solution.value);
            for value in trial.values() {
                assert!(value >= solution.value - 1e-6 * size, "{value} {}", solution.value);
            }
            let (nodes, least) = trial.leaves().unwrap();
            let checked = trial.checked(nodes);
            assert!(checked >= least - 1e-6 * least.abs().max(1.0), "{checked} {least}");
            better += usize::from(solution.value > ascended + 1e-4 * size);
            short += usize::from(solution.proved < solution.value - 1e-6 * size);
            solved += 1;
        }
    }
    println!("{solved} programs: {short} witnesses fall short, {better} are above first-order bounds");
    assert!(short * 50 <= solved, "{short} of {solved} witnesses fall short of the program's value");
    assert!(better * 10 >= solved, "{better} of {solved}");
}

#[test]
fn signs_that_contradict_each_other_prove_anything() {
    let (mut empty, mut unproved) = (0, 0);
    for mut trial in trials(24, 1, false) {
        let Solution { value, proved, .. } = trial.solve().unwrap();
        if value == f64::INFINITY {
            if proved > 0.0 {
                empty += 1
            } else {
                unproved += 1
            }
            assert!(trial.values().is_empty());
        }
    }
    println!("{empty} contradictions, and {unproved} that are not proved");
    assert!(empty >= 20 && unproved * 20 <= empty, "{empty} proved, {unproved} not");
}
