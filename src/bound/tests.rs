use std::time::Duration;

use bartizan_proof::property::Region;
use bartizan_proof::{Network, check};
use ndarray::{Array1, Array2, Axis};

use super::*;
use crate::deadline::Deadline;
use crate::lp::{self, Objective};
use crate::output_bounds::{Request, prove};
use crate::random_networks::{Builder, assorted, random_point, random_region};
use crate::verify::{Method, Verifier};

fn ends(region: &Region) -> (Array2<f64>, Array2<f64>) {
    let row = |end: fn(&bartizan_proof::property::Bound) -> f64| {
        region.bounds.iter().map(end).collect::<Array1<f64>>().insert_axis(Axis(0))
    };
    (row(|b| b.outer().lo), row(|b| b.outer().hi))
}

/// A deadline that no test reaches.
fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(600))
}

/// The outputs at a point, by the checker's interval evaluation.
fn outputs_at(network: &Network, point: &[f64]) -> Vec<f64> {
    let bound = |x: &f64| {
        let x = bartizan_proof::Interval::point(*x);
        bartizan_proof::property::Bound { lower: x, upper: x }
    };
    let region = Region::of_box(point.iter().map(bound).collect());
    let proved = check::bounds(network, &region, &[]).unwrap();
    proved.outputs().iter().map(|o| o.middle()).collect()
}

#[test]
fn fused_models_compute_what_the_network_computes() {
    for seed in 0..10 {
        for network in assorted(seed) {
            let mut builder = Builder::new(seed, 1);
            let point = builder.uniform(network.input_size(), 2.0);
            let batch = Array1::from(point.clone()).insert_axis(Axis(0));
            let model = Model::<f64>::of(&network);
            let found = model.evaluate(batch.view());
            for (found, expected) in found[model.output()].iter().zip(outputs_at(&network, &point)) {
                assert!((found - expected).abs() < 1e-10, "{found} {expected}");
            }
        }
    }
}

#[test]
fn sampled_values_never_leave_interval_or_linear_bounds_of_any_node() {
    for seed in 0..20 {
        for network in assorted(seed) {
            let mut builder = Builder::new(seed + 100, 1);
            let region = random_region(&mut builder, network.input_size(), 0.4);
            let model = Model::<f64>::of(&network);
            let (lower, upper) = ends(&region);
            let loose = interval::propagate(&model, Bounds::of_input(lower.clone(), upper.clone()));
            let (tight, _) = linear::propagate(&model, Bounds::of_input(lower, upper), soon()).unwrap();
            for _ in 0..20 {
                let point = Array1::from(random_point(&mut builder, &region)).insert_axis(Axis(0));
                let values = model.evaluate(point.view());
                for (id, value) in values.iter().enumerate() {
                    for (j, v) in value.iter().enumerate() {
                        let at = [0, j];
                        assert!(tight.lower[id][at] <= v + 1e-9 && v - 1e-9 <= tight.upper[id][at]);
                        assert!(loose.lower[id][at] <= tight.lower[id][at] + 1e-9);
                        assert!(tight.upper[id][at] <= loose.upper[id][at] + 1e-9);
                    }
                }
            }
        }
    }
}

#[test]
fn proved_output_bounds_get_no_looser_up_the_ladder_and_hold_every_sample() {
    for seed in 0..6 {
        for network in assorted(seed) {
            let mut builder = Builder::new(seed + 200, 1);
            let region = random_region(&mut builder, network.input_size(), 0.3);
            let verifier = Verifier::new(network);
            let deadline = soon();
            let bounds = |method, hidden_programs| {
                prove(&verifier, &region, &Request { method, hidden_programs, deadline }).unwrap()
            };
            let ladder = [
                bounds(Method::Ibp, false),
                bounds(Method::Linear, false),
                bounds(Method::Lp, false),
                bounds(Method::Lp, true),
            ];
            let searched = [Method::Slopes, Method::Branch].map(|method| bounds(method, false));
            let pairs = ladder.windows(2).map(|pair| [&pair[0], &pair[1]]);
            for [looser, tighter] in pairs.chain(searched.iter().map(|searched| [&ladder[1], searched])) {
                for (looser, tighter) in looser.outputs().iter().zip(tighter.outputs()) {
                    assert!(looser.lo <= tighter.lo + 1e-9 && tighter.hi <= looser.hi + 1e-9, "{looser:?} {tighter:?}");
                }
            }
            for _ in 0..20 {
                let values = outputs_at(verifier.network(), &random_point(&mut builder, &region));
                let proved = ladder[3].outputs().iter().zip(searched[0].outputs()).zip(searched[1].outputs());
                for (((proved, slopes), signs), y) in proved.zip(values) {
                    assert!([slopes, signs].iter().all(|i| i.lo <= y + 1e-9 && y - 1e-9 <= i.hi));
                    assert!(proved.lo <= y + 1e-9 && y - 1e-9 <= proved.hi);
                }
            }
        }
    }
}

#[test]
fn linear_programs_are_no_looser_than_linear_bounds_and_their_witness_nearly_reaches_them() {
    let (mut solved, mut short) = (0, 0);
    for seed in 0..12 {
        for network in assorted(seed) {
            let mut builder = Builder::new(seed + 300, 1);
            let region = random_region(&mut builder, network.input_size(), 0.3);
            let model = Model::<f64>::of(&network);
            let (lower, upper) = ends(&region);
            let (bounds, relaxations) = linear::propagate(&model, Bounds::of_input(lower, upper), soon()).unwrap();
            let outputs = network.output_size();
            let rows = Rows {
                node: model.output(),
                coefficients: Array2::eye(outputs),
                constants: Array1::zeros(outputs),
                domains: vec![0; outputs],
            };
            let linear = linear::lower_bounds(&model, &bounds, &relaxations, &rows).lower;
            let verifier = Verifier::new(network);
            let deadline = soon();
            let proved =
                prove(&verifier, &region, &Request { method: Method::Lp, hidden_programs: false, deadline }).unwrap();
            for i in 0..outputs {
                let objective = Objective {
                    node: model.output(),
                    coefficients: Array2::from_shape_fn((1, outputs), |(_, j)| f64::from(u8::from(i == j))),
                    inputs: None,
                    constants: Array1::zeros(1),
                };
                let value = lp::minimise_largest(&model, (&bounds, 0), &objective, deadline).unwrap().value;
                assert!(value >= linear[i] - 1e-6, "program {value} below linear bound {}", linear[i]);
                solved += 1;
                short += usize::from(proved.outputs()[i].lo < value - 1e-6 * value.abs().max(1.0));
            }
        }
    }
    // Degenerate vertices may cost the witness something; most must not.
    assert!(short * 20 <= solved, "{short} of {solved} witnesses fall short of the program's value");
}
