use std::time::{Duration, Instant};

use bartizan_proof::property::{Atom, Bound, Case, Property, Region, Variable};
use bartizan_proof::{Interval, Network};
use rayon::ThreadPoolBuilder;

use super::*;
use crate::attack::pgd;
use crate::deadline::Deadline;
use crate::random_networks::Builder;

/// Inputs of the networks here.
const INPUTS: usize = 40;

fn network(seed: u64) -> Network {
    Builder::new(seed, INPUTS).dense(60).relu().dense(40).relu().dense(40).relu().dense(3).network()
}

/// "Never is output `i` at most `b`" for each pair, on a box; the last input is fixed.
fn query(cases: &[(usize, f64)]) -> Query<f32> {
    let end = |x: f64| Bound { lower: Interval::point(-x), upper: Interval::point(x) };
    let ends = (0..INPUTS).map(|j| end(if j + 1 < INPUTS { 0.5 } else { 0.0 })).collect();
    let atom = |(output, b): (usize, f64)| Atom {
        terms: vec![(Variable::Output(output), Interval::point(1.0))],
        at_most: Interval::point(b),
        strict: false,
    };
    let cases = cases.iter().map(|case| Case { region: 0, atoms: vec![atom(*case)] }).collect();
    Query::all_of(&Property::new((INPUTS, 3), vec![Region::of_box(ends)], cases).unwrap()).remove(0)
}

fn effort(evaluations: usize, seed: u64) -> Effort {
    let deadline = Deadline::after(Duration::from_secs(60));
    Effort { start: Start::Diversified, steps: 80, evaluations, seed, deadline }
}

/// The first output at a point.
fn first_output(model: &Model<f32>, point: ArrayView1<f32>) -> f32 {
    model.evaluate(point.insert_axis(Axis(0))).pop().unwrap()[[0, 0]]
}

/// Descent with falling steps from random points (Madry et al. 2018), which the search must beat.
fn plain(model: &Model<f32>, query: &Query<f32>, (rows, steps, seed): (usize, usize, u64)) -> bool {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut points = Array2::from_shape_simple_fn((rows, INPUTS), || random.random::<f32>());
    for mut point in points.rows_mut() {
        point.iter_mut().zip(&query.lower).zip(&query.upper).for_each(|((x, l), u)| *x = l + *x * (u - l));
    }
    let deadline = Deadline::after(Duration::from_secs(60));
    pgd::descend(model, (query, &query.cases[0]), (points, (steps, (0.25, 0.01)), deadline), &mut |_| true)
}

#[test]
fn finds_more_than_plain_descent_with_as_many_evaluations() {
    let (mut found, mut found_plainly) = (0, 0);
    for seed in 0..24 {
        let model = Model::of(&network(seed));
        let centre = first_output(&model, Array1::zeros(INPUTS).view());
        let mut least = centre;
        search(&model, &query(&[(0, 1e3)]), &effort(30_000, 1000 + seed), |point| {
            least = least.min(first_output(&model, point));
            false
        });
        let planted = query(&[(0, f64::from(least + 0.01 * (centre - least)))]);
        found += usize::from(search(&model, &planted, &effort(1, seed), |_| true));
        // A group has 32 rows; each of their steps costs two evaluations, and two steps diversify.
        found_plainly += usize::from(plain(&model, &planted, (32, 82, seed)));
    }
    assert!(found >= found_plainly + 4, "{found} and {found_plainly} of 24");
}

#[test]
fn the_centre_is_a_start_for_each_case() {
    let model = Model::of(&network(3));
    let cases = query(&[(0, 1e3), (1, 1e3), (2, 1e3)]);
    let mut offered = Vec::new();
    let centred = Effort { start: Start::Centre, steps: 0, ..effort(1, 0) };
    assert!(!search(&model, &cases, &centred, |point| {
        offered.push(point.to_vec());
        false
    }));
    assert_eq!(offered, vec![vec![0.0; INPUTS]; 3]);
    let none = Query { cases: Vec::new(), ..cases };
    assert!(!search(&model, &none, &centred, |_| true), "nothing to look for");
}

#[test]
fn threads_do_not_change_what_is_offered_and_all_of_it_lies_in_the_box() {
    let (model, cases) = (Model::of(&network(5)), query(&[(0, 0.3), (1, 0.1), (2, -0.2)]));
    let offered = |threads: usize, seed: u64| {
        let mut offered = Vec::new();
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut refuse = |point: ArrayView1<f32>| {
            offered.push(point.to_vec());
            false
        };
        assert!(!pool.install(|| search(&model, &cases, &effort(20_000, seed), &mut refuse)));
        offered
    };
    let expected = offered(1, 7);
    assert!(expected.len() > 50, "{}", expected.len());
    assert_eq!(offered(3, 7), expected);
    assert_ne!(offered(1, 8), expected);
    let inside = |(j, x): (usize, &f32)| (cases.lower[j]..=cases.upper[j]).contains(x);
    assert!(expected.iter().all(|point| point.iter().enumerate().all(inside)));
}

#[test]
fn a_case_that_never_happens_does_not_starve_another() {
    let model = Model::of(&network(9));
    let mut least = 0.0_f32;
    search(&model, &query(&[(0, 1e3)]), &effort(20_000, 0), |point| {
        least = least.min(first_output(&model, point));
        false
    });
    let mut cases = query(&[(0, f64::from(0.97 * least)), (1, 0.0)]);
    cases.cases[1].outputs.fill(0.0);
    cases.cases[1].at_most[0] = -1e-3;
    assert!(search(&model, &cases, &effort(20_000, 1), |_| true));
}

#[test]
fn stops_at_its_budget_and_at_its_deadline() {
    let (model, never) = (Model::of(&network(1)), query(&[(0, -1e6)]));
    let begin = Instant::now();
    let late = Effort { deadline: Deadline::after(Duration::ZERO), ..effort(usize::MAX, 0) };
    assert!(!search(&model, &never, &late, |_| true));
    let soon = Effort { deadline: Deadline::after(Duration::from_millis(200)), ..effort(usize::MAX, 0) };
    assert!(!search(&model, &never, &soon, |_| true));
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(!search(&model, &never, &effort(5_000, 0), |_| true));
}

#[test]
fn checkpoints_come_closer() {
    let all = |steps: usize| {
        let mut checkpoints = Checkpoints::new(steps);
        (0..=steps).filter_map(|step| checkpoints.at(step).map(|span| (step, span))).collect::<Vec<_>>()
    };
    assert_eq!(all(100).iter().map(|c| c.0).collect::<Vec<_>>(), [22, 41, 57, 70, 80, 87, 93, 99]);
    assert!(all(9).iter().map(|c| c.1).sum::<usize>() == 9 && all(9).iter().all(|c| c.1 > 0));
    assert_eq!(all(0), [(0, 0)]);
}
