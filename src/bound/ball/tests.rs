use bartizan_proof::certificate::{Item, Side, Target, Targets, Witness};
use bartizan_proof::property::{Bound, Region, RobustnessQuery};
use bartizan_proof::{Interval, check};
use rand::RngExt;

use super::*;
use crate::bound::linear;
use crate::random_networks::Builder;

const INPUTS: usize = 6;

/// A ball and a box around its center, which cuts it unless `reach` is large; every third input is held fixed.
fn random(builder: &mut Builder, norm: Norm, cut: f64) -> Region {
    let (center, mut scale) = (builder.uniform(INPUTS, 2.0), builder.uniform(INPUTS, 2.0));
    scale.iter_mut().for_each(|scale| *scale = 4_f64.powf(*scale));
    let mut bound = |i: usize| {
        let mut end = |side: f64| {
            let share = if builder.random.random::<bool>() { f64::from(builder.random.random::<f32>()) } else { cut };
            Interval::point(if i % 3 == 2 { center[i] } else { center[i] + side * share / scale[i] })
        };
        Bound { lower: end(-1.0), upper: end(1.0) }
    };
    let bounds = (0..INPUTS).map(&mut bound).collect();
    let points = |list: &[f64]| list.iter().copied().map(Interval::point).collect();
    let (center, scale, radius) = (points(&center), points(&scale), Interval::point(0.5));
    Region { ball: Some(property::Ball { norm, center, scale, radius }), ..Region::of_box(bounds) }
}

/// The ball, the ends of the box, and a linear function.
fn parts(builder: &mut Builder, region: &Region) -> (Ball<f64>, Vec<f64>, Vec<f64>, Vec<f64>) {
    let (lower, upper) = region.bounds.iter().map(|b| (b.outer().lo, b.outer().hi)).unzip();
    (Ball::of(region.ball.as_ref().unwrap()), lower, upper, builder.uniform(INPUTS, 1.0))
}

fn dot(a: &[f64], x: &[f64]) -> f64 {
    a.iter().zip(x).map(|(a, x)| a * x).sum()
}

#[test]
fn bounds_are_the_checkers() {
    for (seed, norm) in (0..100).flat_map(|seed| [Norm::L1, Norm::L2].map(|norm| (seed, norm))) {
        let mut builder = Builder::new(seed, INPUTS);
        let region = random(&mut builder, norm, if seed % 2 == 0 { 2.0 } else { 0.2 });
        let (ball, lower, upper, a) = parts(&mut builder, &region);
        let network = builder.given(a.clone(), &[0.0]).network();
        let target = Target { element: 0, side: Side::Lower, witness: Witness::Default };
        let steps = [Item::Tighten(1, Targets::Listed(vec![target]))];
        let proved = check::bounds(&network, &region, &steps).unwrap().outputs()[0].lo;
        let mut point = vec![0.0; INPUTS];
        let least = ball.least(&a, (&lower, &upper), &mut point);
        let over_box: f64 = a.iter().zip(lower.iter().zip(&upper)).map(|(a, (l, u))| (a * l).min(a * u)).sum();
        assert!((least.max(over_box) - proved).abs() < 1e-12, "{norm:?} {least} {over_box} {proved}");
        // The minimum is taken in the ball and the box.
        assert!(ball.distance(&point) <= 1.0 + 1e-12, "{norm:?} {}", ball.distance(&point));
        assert!(point.iter().zip(lower.iter().zip(&upper)).all(|(x, (l, u))| l <= x && x <= u), "{norm:?} {point:?}");
    }
}

#[test]
fn parts_of_the_box_are_bounded_like_the_checker_does_and_those_outside_are_empty() {
    let mut outside = [0; 2];
    for (seed, kind) in (0..400).flat_map(|seed| [(seed, 0), (seed, 1)]) {
        let norm = [Norm::L1, Norm::L2][kind];
        let mut builder = Builder::new(seed, INPUTS);
        let region = random(&mut builder, norm, 1.0);
        let (ball, mut lower, mut upper, a) = parts(&mut builder, &region);
        for (l, u) in lower.iter_mut().zip(&mut upper) {
            let middle = *l + (*u - *l) * f64::from(builder.random.random::<f32>());
            *(if builder.random.random::<bool>() { l } else { u }) = middle;
        }
        let bounds =
            lower.iter().zip(&upper).map(|(l, u)| Bound { lower: Interval::point(*l), upper: Interval::point(*u) });
        let part = Region { ball: region.ball.clone(), ..Region::of_box(bounds.collect()) };
        let network = builder.given(a.clone(), &[0.0]).network();
        let target = Target { element: 0, side: Side::Lower, witness: Witness::Default };
        let proved = check::bounds(&network, &part, &[Item::Tighten(1, Targets::Listed(vec![target]))]);
        let mut point = vec![0.0; INPUTS];
        let least = ball.least(&a, (&lower, &upper), &mut point);
        let nearest: Vec<f64> = (0..INPUTS).map(|i| ball.center[i].max(lower[i]).min(upper[i])).collect();
        match proved {
            Ok(proved) if ball.distance(&nearest) <= 1.0 => {
                let proved = proved.outputs()[0].lo;
                let over_box: f64 = a.iter().zip(lower.iter().zip(&upper)).map(|(a, (l, u))| (a * l).min(a * u)).sum();
                assert!((least.max(over_box) - proved).abs() < 1e-9, "{norm:?} {least} {over_box} {proved}");
            }
            // Bounds that contradict each other say that no point is left.
            proved => {
                outside[kind] += 1;
                let is_empty = proved.is_err() || proved.is_ok_and(|proved| proved.outputs()[0].lo > 1e6);
                assert!(is_empty && least > 1e3, "{norm:?} {least} {}", ball.distance(&nearest));
            }
        }
    }
    assert!(outside.iter().all(|count| *count > 20), "{outside:?}");
}

#[test]
fn bounds_hold_and_are_those_of_the_dual_norm_where_the_box_cuts_nothing_off() {
    for (seed, norm) in (0..100).flat_map(|seed| [Norm::L1, Norm::L2].map(|norm| (seed, norm))) {
        let mut builder = Builder::new(seed, INPUTS);
        let region = random(&mut builder, norm, 1.0);
        let (ball, lower, upper, a) = parts(&mut builder, &region);
        let mut point = vec![0.0; INPUTS];
        let least = ball.least(&a, (&lower, &upper), &mut point);
        for _ in 0..200 {
            let share = |_| f64::from(builder.random.random::<f32>());
            let mut x: Vec<f64> =
                (0..INPUTS).map(share).zip(lower.iter().zip(&upper)).map(|(s, (l, u))| l + s * (u - l)).collect();
            ball.pull(&mut x);
            assert!(ball.distance(&x) <= 1.0 + 1e-12 && dot(&a, &x) >= least - 1e-12);
        }
        let wide = ball.least(&a, (&[-99.0; INPUTS], &[99.0; INPUTS]), &mut point);
        // Where nothing cuts the ball, the bound is taken in it.
        assert!((ball.distance(&point) - 1.0).abs() < 1e-12 && (dot(&a, &point) - wide).abs() < 1e-12);
        assert!(wide <= least + 1e-12);
    }
}

#[test]
fn points_are_gradients() {
    const STEP: f64 = 1e-6;
    for (seed, norm) in (0..100).flat_map(|seed| [Norm::L1, Norm::L2].map(|norm| (seed, norm))) {
        let mut builder = Builder::new(seed, INPUTS);
        let region = random(&mut builder, norm, 0.2);
        let (ball, lower, upper, a) = parts(&mut builder, &region);
        let (mut point, mut other) = (vec![0.0; INPUTS], vec![0.0; INPUTS]);
        let least = ball.least(&a, (&lower, &upper), &mut point);
        assert!((dot(&a, &point) - least).abs() < 1e-12);
        for i in 0..INPUTS {
            let mut at = |step: f64| {
                let mut moved = a.clone();
                moved[i] += step;
                ball.least(&moved, (&lower, &upper), &mut other)
            };
            let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            assert!((slope - point[i]).abs() < 1e-4, "{norm:?} input {i}: {slope} {}", point[i]);
        }
    }
}

#[test]
fn bounds_in_single_precision_over_the_range_of_pixels_are_the_checkers() {
    const PIXELS: usize = 64;
    for (seed, norm) in (0..60).flat_map(|seed| [Norm::L1, Norm::L2].map(|norm| (seed, norm))) {
        let mut builder = Builder::new(seed, PIXELS);
        let mut a = builder.uniform(PIXELS, 1.0);
        a.iter_mut().step_by(7).for_each(|a| *a = 0.0);
        let point: Vec<f64> = builder.uniform(PIXELS, 1.0).iter().map(|x| x.clamp(0.0, 1.0)).collect();
        let radii = [Interval { lo: 0.8_f64.next_down(), hi: 0.8 }; PIXELS];
        let query = RobustnessQuery {
            point: &point,
            label: 0,
            outputs: 2,
            norm: Some(norm),
            radii: &radii,
            factor: Interval::point(1.0),
            clip: Some((Interval::point(0.0), Interval::point(1.0))),
            normalisation: None,
        };
        let property = query.property().unwrap();
        let region = &property.regions()[0];
        let network = builder.given([a.clone(), vec![0.0; PIXELS]].concat(), &[0.0; 2]).network();
        let target = Target { element: 0, side: Side::Lower, witness: Witness::Default };
        let steps = [Item::Tighten(1, Targets::Listed(vec![target]))];
        let proved = check::bounds(&network, region, &steps).unwrap().outputs()[0].lo;
        let bounds = crate::bound::Bounds::<f32>::of_region(region);
        let a: Vec<f32> = a.iter().map(|a| *a as f32).collect();
        let least = linear::least_over(&bounds, 0, ndarray::ArrayView1::from(&a));
        assert!((f64::from(least) - proved).abs() < 1e-5, "{norm:?} {least} {proved}");
    }
}
