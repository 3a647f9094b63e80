use std::time::{Duration, Instant};

use bartizan_proof::property::{Atom, Bound, Case, Property, Region, Variable};
use bartizan_proof::{Interval, Network};
use rayon::ThreadPoolBuilder;

use super::*;
use crate::attack::momentum::{self, Start};
use crate::deadline::Deadline;
use crate::random_networks::Builder;

/// Where the needle is.
const PLACE: [f64; 3] = [0.31, -0.62, 0.17];

/// Outputs `min(|x_j - PLACE_j|, 0.2)`: a funnel, and a plateau around it.
fn network() -> Network {
    let layers = [[1.0, -1.0], [1.0, 1.0]];
    let unit = |i: usize, j: usize, x: f64| if i == j { x } else { 0.0 };
    let mut builder = Builder::new(0, 3);
    let apart = (0..6).flat_map(|row| (0..3).map(move |j| unit(row / 2, j, layers[0][row % 2])));
    let offsets: Vec<f64> = (0..6).map(|row| -PLACE[row / 2] * layers[0][row % 2]).collect();
    builder.given(apart.collect(), &offsets).relu();
    let distance = (0..6).flat_map(|row| (0..6).map(move |j| unit(row / 2, j / 2, layers[1][row % 2])));
    builder.given(distance.collect(), &[0.0, -0.2, 0.0, -0.2, 0.0, -0.2]).relu();
    let capped = (0..3).flat_map(|row| (0..6).map(move |j| unit(row, j / 2, layers[0][j % 2])));
    builder.given(capped.collect(), &[0.0; 3]).network()
}

/// "Never are all outputs at most `b`", on the cube.
fn query(b: f64) -> Query<f32> {
    let atom = |output| Atom {
        terms: vec![(Variable::Output(output), Interval::point(1.0))],
        at_most: Interval::point(b),
        strict: false,
    };
    let end = Bound { lower: Interval::point(-1.0), upper: Interval::point(1.0) };
    let case = Case { region: 0, atoms: (0..3).map(atom).collect() };
    let property = Property::new((3, 3), vec![Region::of_box(vec![end; 3])], vec![case]).unwrap();
    Query::all_of(&property).remove(0)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

#[test]
fn finds_a_needle_that_descent_misses() {
    let (model, query) = (Model::of(&network()), query(2e-3));
    for seed in 0..5 {
        let start = Start::Diversified;
        let effort = momentum::Effort { start, steps: 60, evaluations: 10_000, seed, deadline: soon() };
        assert!(!momentum::search(&model, &query, &effort, |_| true), "seed {seed}");
        let mut found = None;
        let mut evolution = Evolution::new(&model, &query, seed);
        assert!(evolution.run(100_000, soon(), &mut |point| {
            found = Some(point.to_vec());
            true
        }));
        let near = |(x, place): (&f32, f64)| (f64::from(*x) - place).abs() < 2.1e-3;
        assert!(found.unwrap().iter().zip(PLACE).all(near), "seed {seed}");
    }
}

#[test]
fn neither_threads_nor_interruptions_change_what_is_offered() {
    let (model, query) = (Model::of(&network()), query(0.05));
    let offered = |threads: usize, seed: u64, stops: &[usize]| {
        let mut offered = Vec::new();
        let mut evolution = Evolution::new(&model, &query, seed);
        let mut refuse = |point: ArrayView1<f32>| {
            offered.push(point.to_vec());
            false
        };
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| stops.iter().for_each(|stop| assert!(!evolution.run(*stop, soon(), &mut refuse))));
        offered
    };
    let expected = offered(1, 7, &[20_000]);
    assert!(expected.len() > 50);
    assert_eq!(offered(3, 7, &[20_000]), expected);
    assert_eq!(offered(2, 7, &[1, 2_050, 2_100, 9_999, 20_000]), expected);
    assert_ne!(offered(1, 8, &[20_000]), expected);
}

#[test]
fn costs_no_more_than_it_may() {
    let (model, query) = (Model::of(&network()), query(-1.0));
    let mut evolution = Evolution::new(&model, &query, 0);
    for (granted, spent) in [(1_999, 0), (2_000, 2_000), (2_350, 2_300), (0, 2_300), (5_999, 4_000), (6_000, 6_000)] {
        assert!(!evolution.run(granted, soon(), &mut |_| panic!("no output is negative")));
        assert_eq!(evolution.spent, spent);
    }
    let (start, late) = (Instant::now(), Deadline::after(Duration::ZERO));
    assert!(!evolution.run(usize::MAX, late, &mut |_| true), "the deadline has passed");
    let none = Query { cases: Vec::new(), ..query };
    assert!(!Evolution::new(&model, &none, 0).run(usize::MAX, soon(), &mut |_| true), "nothing to look for");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn all_points_lie_in_the_box() {
    let model = Model::of(&network());
    let mut query = query(0.0);
    (query.lower[1], query.upper[1]) = (0.3, 0.3);
    (query.lower[2], query.upper[2]) = (-0.1, 0.7);
    let mut evolution = Evolution::new(&model, &query, 0);
    let samples = evolution.restart();
    let ends = samples.column(2).iter().filter(|x| **x == -0.1 || **x == 0.7).count();
    assert!((400..600).contains(&ends), "a quarter: {ends}");
    let inside = |points: &Array2<f32>| {
        let mut values = points.indexed_iter();
        values.all(|((_, j), x)| (query.lower[j]..=query.upper[j]).contains(x))
    };
    assert!(inside(&samples));
    evolution.parents = Generation { excesses: vec![0.0; SAMPLES], points: samples }.best(PARENTS);
    assert!(inside(&evolution.children()));
}
