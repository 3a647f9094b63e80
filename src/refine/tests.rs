use std::time::Duration;

use bartizan_proof::certificate::{Close, Literal, Multipliers, SignNode};
use bartizan_proof::property::{Atom, Case, Property, Region, Variable};
use bartizan_proof::{Interval, Network, check};
use ndarray::{Array1, Array2, Axis};

use super::*;
use crate::bound::dual::{self, Effort, Row, Sign};
use crate::bound::linear;
use crate::certify;
use crate::deadline::Deadline;
use crate::random_networks::{Builder, assorted, random_point, random_region};

/// A deadline that no test reaches.
fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(600))
}

/// Random networks with a region of each.
fn trials(seeds: u64) -> impl Iterator<Item = (Network, Region, Builder)> {
    let of = |seed| assorted(seed).into_iter().map(move |network| (seed, network));
    (0..seeds).flat_map(of).map(|(seed, network)| {
        let mut builder = Builder::new(seed, 7);
        let region = random_region(&mut builder, network.input_size(), 0.6);
        (network, region, builder)
    })
}

fn begin<'m>(model: &'m Model<f32>, region: &Region) -> Refinement<'m> {
    let (bounds, _) = linear::propagate(model, Bounds::of_region(region), soon()).unwrap();
    Refinement::new(model, bounds)
}

/// The values of all nodes at a random point of the region.
fn values(model: &Model<f32>, region: &Region, builder: &mut Builder) -> Vec<Array2<f32>> {
    let point: Array1<f32> = random_point(builder, region).into_iter().map(|x| x as f32).collect();
    model.evaluate(point.insert_axis(Axis(0)).view())
}

/// Asserts that bounds hold at random points.
fn assert_holds(bounds: &Bounds<f32>, (model, region): (&Model<f32>, &Region), builder: &mut Builder) {
    for _ in 0..50 {
        for (node, value) in values(model, region, builder).iter().enumerate() {
            let inside = value.iter().zip(&bounds.lower[node]).zip(&bounds.upper[node]);
            inside.for_each(|((v, l), u)| assert!(*v >= l - 1e-4 && *v <= u + 1e-4, "{v} in [{l}, {u}]"));
        }
    }
}

/// What the checker proves of hidden bounds, by the steps of linear bounds and those of a refinement.
fn proved(
    (network, region): (&Network, &Region),
    mut items: Vec<Item>,
    refinement: &Refinement,
) -> BTreeMap<usize, Vec<Interval>> {
    let places = certify::tightened_places(network, refinement.model, region.is_box());
    let ground = check::Ground::new(network, region).unwrap();
    let mut state = check::State::new(&ground);
    items.extend(refinement.items(&places));
    items.iter().for_each(|item| state.follow(item).unwrap());
    places.into_iter().map(|(node, place)| (node, state.intervals(place))).collect()
}

#[test]
fn rows_hold_wherever_their_signs_do_and_ascend() {
    let (mut better, mut all) = (0, 0);
    for (network, region, mut builder) in trials(20) {
        let model = Model::<f32>::of(&network);
        let refinement = begin(&model, &region);
        let frame = Frame::new(&model, refinement.bounds().clone());
        let target = Target::row(model.output(), Array1::ones(network.output_size()), -0.25);
        for _ in 0..10 {
            let at = values(&model, &region, &mut builder);
            let mut signs: Vec<Sign> = Vec::new();
            for (_, node) in model.relus() {
                signs.extend(frame.undecided(node).into_iter().step_by(3).map(|element| {
                    let is_positive = at[node][[0, element]] >= 0.0;
                    Sign { node, element, is_positive, beta: 0.0, scale: 1.0 }
                }));
            }
            signs.dedup_by_key(|sign| (sign.node, sign.element));
            let row = Row { target: &target, signs, slopes: None, cuts: None, width: 0.0, goal: f32::INFINITY };
            let bound = |steps, moves_slopes| {
                let effort = Effort { steps, moves_slopes, deadline: soon() };
                dual::ascend(&frame, std::slice::from_ref(&row), &effort).unwrap().remove(0).bound
            };
            let (first, with_multipliers, with_slopes) = (bound(0, false), bound(8, false), bound(8, true));
            assert!(with_multipliers >= first && with_slopes >= first);
            better += usize::from(with_slopes > first + 1e-5);
            all += 1;
            let value = at[model.output()].sum() - 0.25;
            assert!(value >= with_multipliers.max(with_slopes) - 1e-4, "{value} {with_multipliers} {with_slopes}");
        }
    }
    assert!(2 * better > all, "{better} of {all} rows have gained");
}

#[test]
fn rows_reach_the_same_whichever_rows_travel_with_them() {
    let mut early = 0;
    for (network, region, _) in trials(6) {
        let model = Model::<f32>::of(&network);
        let refinement = begin(&model, &region);
        let frame = Frame::new(&model, refinement.bounds().clone());
        let target = Target::row(model.output(), Array1::ones(network.output_size()), -0.25);
        let mut signs = Vec::new();
        for (_, node) in model.relus() {
            let sign = |element| Sign { node, element, is_positive: element % 2 == 0, beta: 0.0, scale: 1.0 };
            signs.extend(frame.undecided(node).into_iter().step_by(2).map(sign));
        }
        signs.dedup_by_key(|sign| (sign.node, sign.element));
        let row = |goal| Row { target: &target, signs: signs.clone(), slopes: None, cuts: None, width: 0.0, goal };
        for moves_slopes in [false, true] {
            let effort = Effort { steps: 8, moves_slopes, deadline: soon() };
            let ascend = |goals: &[f32]| {
                let rows: Vec<Row> = goals.iter().map(|goal| row(*goal)).collect();
                dual::ascend(&frame, &rows, &effort).unwrap().remove(0)
            };
            let effort = Effort { steps: 0, ..effort };
            let first = dual::ascend(&frame, &[row(0.0)], &effort).unwrap().remove(0).bound;
            let (alone, beside) = (ascend(&[first, first]), ascend(&[first, f32::INFINITY]));
            assert_eq!((alone.bound, &alone.slopes, &alone.betas), (beside.bound, &beside.slopes, &beside.betas));
            assert_eq!((alone.choices, alone.input), (beside.choices, beside.input));
            early += usize::from(ascend(&[f32::INFINITY, first]).bound > first);
        }
    }
    assert!(early > 0);
}

#[test]
fn refined_bounds_hold_everywhere_and_the_checker_proves_them() {
    let (mut tighter, mut ends_of_all) = (0, 0);
    for (network, region, mut builder) in trials(12) {
        let model = Model::<f32>::of(&network);
        let mut refinement = begin(&model, &region);
        let before = refinement.bounds().clone();
        let items = certify::tightening(&network, &model, (&before, 0));
        for most in [1, 9, 40] {
            refinement.pass(most, soon()).unwrap();
        }
        let bounds = refinement.bounds().clone();
        assert_holds(&bounds, (&model, &region), &mut builder);
        for (node, intervals) in proved((&network, &region), items, &refinement) {
            for (j, proved) in intervals.into_iter().enumerate() {
                let ends = |bounds: &Bounds<f32>| (bounds.lower[node][[0, j]], bounds.upper[node][[0, j]]);
                let ((l, u), (loose_l, loose_u)) = (ends(&bounds), ends(&before));
                // An end that its other decides is not worth a proof. Later passes have tightened what earlier witnesses rest on, and
                // lines through other ends may be worse at a corner.
                let slack = 1e-3 + 0.01 * f64::from(u - l);
                let holds = |found: f64, end: f32, other: f32| found <= f64::from(end) + slack || other <= 0.0;
                assert!(
                    holds(-proved.lo, -l, u) && holds(proved.hi, u, -l),
                    "{proved:?} [{l}, {u}] before [{loose_l} {loose_u}] node {node} {j} {:?}",
                    refinement.witnesses.get(&(node, j, false))
                );
                tighter += usize::from(u - l < loose_u - loose_l - 1e-4);
                ends_of_all += 1;
            }
        }
    }
    assert!(5 * tighter > ends_of_all, "{tighter} of {ends_of_all} intervals are tighter");
}

#[test]
fn trees_of_outputs_are_accepted() {
    let [mut trees_of_signs, mut fresh_slopes] = [0; 2];
    for ((network, region, _), fresh) in trials(12).zip([None, Some((2, 4))].into_iter().cycle()) {
        let model = Model::<f32>::of(&network);
        let refinement = begin(&model, &region);
        let compact = refinement.compact();
        let frame = refinement.frame(&compact);
        let mut on_first = Array1::zeros(network.output_size());
        on_first[0] = 1.0;
        let mut trees = vec![refinement.tree(&compact, &on_first, 0.0, 50.0)];
        let growth = Growth { root_steps: STEPS.0, steps: STEPS.1, fresh, splits: 2, deadline: soon() };
        grove::plant(&frame, &mut trees, None, &growth).unwrap();
        while trees[0].spent() < 60 && grove::grow(&frame, &mut trees, &[0], &growth).unwrap().0 > 0 {}
        let bound = f64::from(trees[0].bound());
        let terms = vec![(Variable::Output(0), Interval::point(1.0))];
        let at_most = Interval::point(bound - 1e-4 * (1.0 + bound.abs()));
        let atoms = vec![Atom { terms, at_most, strict: false }];
        let sizes = (network.input_size(), network.output_size());
        let property = Property::new(sizes, vec![region.clone()], vec![Case { region: 0, atoms }]).unwrap();
        let witness = witness::of_tree(&model, (&compact, &frame), &trees[0]);
        if let Witness::Signs(tree) = &witness {
            trees_of_signs += 1;
            fresh_slopes += usize::from(tree.nodes.iter().any(|node| matches!(node, SignNode::Base(_))));
            assert_eq!(tree.nodes.len(), trees[0].size());
        }
        let close = Close { case: 0, multipliers: Multipliers::Atom(0), witness };
        let items = certify::tightening(&network, &model, (refinement.bounds(), 0));
        let proof = certify::proof(0, (items, vec![close]), Vec::new());
        certify::conclude(&network, &property, (vec![proof], soon())).expect("a certificate");
    }
    assert!(trees_of_signs > 10 && fresh_slopes > 5, "{trees_of_signs} {fresh_slopes}");
}

/// For each trial a part of its region where one sign is assumed.
fn parts<'m>(model: &'m Model<f32>, refinement: &Refinement<'m>) -> Vec<Refinement<'m>> {
    let undecided = |(_, node): (usize, usize)| refinement.bounds().undecided(node).first().map(|(_, j)| (node, *j));
    let last: Option<(usize, usize)> = model.relus().filter_map(undecided).last();
    let part =
        |(node, element)| [false, true].map(|is_positive| refinement.part(Assumed { node, element, is_positive }));
    last.into_iter().flat_map(part).collect()
}

#[test]
fn settled_bounds_are_those_that_the_checker_proves() {
    let mut changed = 0;
    for (network, region, mut builder) in trials(12) {
        let model = Model::<f32>::of(&network);
        let mut refinement = begin(&model, &region);
        let items = certify::tightening(&network, &model, (refinement.bounds(), 0));
        for most in [1, 9, 40] {
            refinement.pass(most, soon()).unwrap();
        }
        let proved = proved((&network, &region), items, &refinement);
        let found = refinement.bounds().clone();
        refinement.settle(&proved);
        let bounds = refinement.bounds();
        for (node, intervals) in proved {
            for (j, interval) in intervals.into_iter().enumerate() {
                let ends = (bounds.lower[node][[0, j]], bounds.upper[node][[0, j]]);
                assert_eq!(ends, (interval.lo as f32, interval.hi as f32));
                changed += usize::from(ends != (found.lower[node][[0, j]], found.upper[node][[0, j]]));
            }
        }
        assert_holds(bounds, (&model, &region), &mut builder);
    }
    assert!(changed > 50, "{changed}");
}

#[test]
fn bounds_of_parts_hold_where_their_signs_do_and_the_checker_proves_them() {
    let [mut tighter, mut tried, mut empty] = [0; 3];
    for (network, region, mut builder) in trials(12) {
        let model = Model::<f32>::of(&network);
        let mut whole = begin(&model, &region);
        whole.pass(1, soon()).unwrap();
        for mut part in parts(&model, &whole) {
            let before = part.bounds().clone();
            part.pass(9, soon()).unwrap();
            empty += usize::from(part.is_empty());
            let Assumed { node, element, is_positive } = part.assumed()[0];
            for _ in 0..50 {
                let at = values(&model, &region, &mut builder);
                if (at[node][[0, element]] >= 0.0) != is_positive {
                    continue;
                }
                tried += 1;
                for (node, value) in at.iter().enumerate() {
                    let inside = value.iter().zip(&part.bounds().lower[node]).zip(&part.bounds().upper[node]);
                    inside.for_each(|((v, l), u)| assert!(*v >= l - 1e-4 && *v <= u + 1e-4, "{v} in [{l}, {u}]"));
                }
            }
            let ground = check::Ground::new(&network, &region).unwrap();
            let mut state = check::State::new(&ground);
            let places = certify::tightened_places(&network, &model, true);
            let place = model.place(model.relus().find(|(_, source)| *source == node).unwrap().0);
            let tighten =
                |state: &mut check::State, items: Vec<Item>| items.iter().for_each(|item| state.follow(item).unwrap());
            tighten(&mut state, certify::tightening(&network, &model, (begin(&model, &region).bounds(), 0)));
            tighten(&mut state, whole.items(&places));
            let side = if is_positive { Side::Lower } else { Side::Upper };
            state.assume(&Literal { place, element, side, at: 0.0 }).unwrap();
            tighten(&mut state, part.items(&places));
            for (node, place) in places {
                for (j, proved) in state.intervals(place).into_iter().enumerate() {
                    let ends = |bounds: &Bounds<f32>| (bounds.lower[node][[0, j]], bounds.upper[node][[0, j]]);
                    let ((l, u), (loose_l, loose_u)) = (ends(part.bounds()), ends(&before));
                    let holds = |found: f64, end: f32, other: f32| found <= f64::from(end) + 1e-3 || other <= 0.0;
                    assert!(holds(-proved.lo, -l, u) && holds(proved.hi, u, -l), "{proved:?} [{l}, {u}]");
                    tighter += usize::from(u - l < loose_u - loose_l - 1e-4);
                }
            }
        }
    }
    assert!(tighter > 50 && tried > 500, "{tighter} {tried} {empty}");
}

#[test]
fn what_is_left_out_changes_no_output() {
    let mut left_out = 0;
    for (network, region, mut builder) in trials(20) {
        let model = Model::<f32>::of(&network);
        let compact = begin(&model, &region).compact();
        left_out += compact.kept.iter().zip(model.nodes()).filter(|(kept, node)| kept.len() < node.size).count();
        for _ in 0..20 {
            let at = values(&model, &region, &mut builder);
            let small = compact.model.evaluate(at[0].view());
            let differences = &small[compact.model.output()] - &at[model.output()];
            assert!(differences.iter().all(|d| d.abs() < 1e-4), "{differences}");
        }
    }
    assert!(left_out > 20, "{left_out}");
}
