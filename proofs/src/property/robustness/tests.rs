#![allow(clippy::float_arithmetic, clippy::as_conversions)]

use super::*;
use crate::arith::Enclosure;

/// The floats around a number that is none.
fn around(x: f64) -> Interval {
    Interval { lo: x.next_down(), hi: x.next_up() }
}

/// A tenth around each element.
const TENTH: Interval = Interval { lo: 0.1_f64.next_down(), hi: 0.1_f64.next_up() };
const TENTHS: [Interval; 3] = [TENTH; 3];

fn query(point: &[f64]) -> RobustnessQuery<'_> {
    let clip = Some((Interval::point(0.0), Interval::point(1.0)));
    let (radii, factor) = (&TENTHS[..point.len()], Interval::point(1.0));
    RobustnessQuery { point, label: 1, outputs: 3, norm: None, radii, factor, clip, normalisation: None }
}

#[test]
fn region_is_cut_to_the_valid_range_and_rounded_outward() {
    let property = query(&[0.0, 0.5, 1.0]).property().unwrap();
    let bounds = &property.regions()[0].bounds;
    assert_eq!(bounds[0].lower, Interval::point(0.0));
    assert!(bounds[0].outer().hi > 0.1 && bounds[0].inner().unwrap().hi < 0.1);
    assert!(bounds[1].outer().lo < 0.4 && bounds[1].outer().hi > 0.6);
    assert_eq!(bounds[2].upper, Interval::point(1.0));
    assert_eq!(property.cases().len(), 2);
}

#[test]
fn normalisation_encloses() {
    let n = Normalisation { mean: vec![around(0.1307)], deviation: vec![around(0.3081)] };
    let q = RobustnessQuery { normalisation: Some(&n), ..query(&[0.5]) };
    let outer = q.property().unwrap().regions()[0].bounds[0].outer();
    let (low, high) = ((0.4 - 0.1307) / 0.3081, (0.6 - 0.1307) / 0.3081);
    assert!(outer.lo < low && outer.hi > high && outer.hi - outer.lo < high - low + 1e-14);
    assert!((q.network_input().unwrap()[0] - 1.198_636_8).abs() < 1e-6);
}

#[test]
fn nonsense_is_refused_with_its_reason() {
    let message = |q: &RobustnessQuery| q.property().unwrap_err().to_string();
    assert_eq!(message(&RobustnessQuery { label: 3, ..query(&[0.5]) }), "label 3 is outside the network's 3 classes");
    assert_eq!(message(&query(&[0.5, 1.5])), "element 1 of the point: expected a value in [0, 1], found 1.5");
    assert_eq!(message(&query(&[f64::NAN])), "element 0 of the point is NaN; expected a finite number");
    let n = Normalisation { mean: vec![Interval::point(0.0)], deviation: vec![Interval::point(0.0)] };
    assert_eq!(
        message(&RobustnessQuery { normalisation: Some(&n), ..query(&[0.5]) }),
        "deviation of element 0: expected a positive number, found Some(0.0)"
    );
}

#[test]
fn radii_of_each_element_are_enclosed_and_multiplied() {
    let radii = [TENTH, Interval::point(0.0), Interval::point(2.0)];
    let factor = around(0.3);
    let q = RobustnessQuery { radii: &radii, factor, clip: None, ..query(&[0.5, 0.25, 1.0]) };
    let property = q.property().unwrap();
    let region = &property.regions()[0];
    let outer = |i: usize| region.bounds[i].outer();
    assert!(outer(0).lo < 0.5 - 0.03 && outer(0).lo > 0.47 - 1e-15 && outer(2).hi > 1.6 && outer(2).hi < 1.6 + 1e-15);
    assert_eq!((outer(1), region.ball.is_none()), (Interval::point(0.25), true));
}

#[test]
fn radii_and_factors_that_make_no_sense_are_refused() {
    let message = |q: &RobustnessQuery| q.property().unwrap_err().to_string();
    let point = [0.5, 0.5];
    let q = |radii: &'static [Interval], factor| RobustnessQuery { radii, factor, ..query(&point) };
    let (one, zero) = (Interval::point(1.0), Interval::point(0.0));
    assert_eq!(message(&q(&TENTHS, one)), "radii: expected 2 numbers, found 3");
    assert_eq!(message(&q(&TENTHS[..2], zero)), "factor of the radii: expected a positive number, found 0");
    static NEGATIVE: [Interval; 2] = [TENTH, Interval { lo: -0.5, hi: -0.5 }];
    assert_eq!(message(&q(&NEGATIVE, one)), "radius of element 1: expected a non-negative number, found -0.5");
}

#[test]
fn nothing_that_varies_makes_no_ball() {
    let radii = [Interval::point(0.0); 2];
    let q = RobustnessQuery { norm: Some(Norm::L2), radii: &radii, ..query(&[0.5, 1.0]) };
    assert_eq!(q.property().unwrap().regions()[0].ball, None);
}

/// Numbers in `[0, 1)`: a linear congruence, whose upper bits are random enough.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What is asked about in the tests below, in binary floats near the numbers that are meant.
struct Asked {
    norm: Norm,
    point: Vec<f64>,
    radii: Vec<f64>,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    factor: f64,
}

impl Asked {
    /// The sizes of numbers vary widely; every third element is held fixed.
    fn random(norm: Norm, random: &mut Random) -> Asked {
        let size = |random: &mut Random| 10_f64.powf(4.0 * random.unit() - 2.0);
        let mut list = |make: &dyn Fn(&mut Random, usize) -> f64| (0..7).map(|i| make(random, i)).collect();
        let point: Vec<f64> = list(&|random, _| size(random));
        let radii = list(&|random, i| if i % 3 == 2 { 0.0 } else { size(random) });
        let (mean, deviation) = (list(&|random, _| size(random)), list(&|random, _| size(random)));
        Asked { norm, point, radii, mean, deviation, factor: 0.25 + random.unit() }
    }

    fn region(&self) -> Region {
        let radius = |r: &f64| if *r == 0.0 { Interval::point(0.0) } else { around(*r) };
        let radii: Vec<Interval> = self.radii.iter().map(radius).collect();
        let enclosed = |list: &[f64]| list.iter().map(|x| around(*x)).collect();
        let n = Normalisation { mean: enclosed(&self.mean), deviation: enclosed(&self.deviation) };
        let (norm, factor, normalisation) = (Some(self.norm), around(self.factor), Some(&n));
        let (point, label, outputs, radii, clip) = (&self.point[..], 0, 2, &radii[..], None);
        let q = RobustnessQuery { point, label, outputs, norm, radii, factor, clip, normalisation };
        q.property().unwrap().regions()[0].clone()
    }

    /// The network input at a distance from the point: `share` of the ball's radius, in a random direction.
    fn input(&self, share: f64, random: &mut Random) -> Vec<f64> {
        let steps: Vec<f64> = self.radii.iter().map(|r| if *r == 0.0 { 0.0 } else { random.unit() - 0.5 }).collect();
        let length = match self.norm {
            Norm::L1 => steps.iter().map(|s| s.abs()).sum::<f64>(),
            Norm::L2 => steps.iter().map(|s| s * s).sum::<f64>().sqrt(),
        };
        let moved = |i: usize| self.point[i] + share * self.factor * self.radii[i] * steps[i] / length;
        (0..steps.len()).map(|i| (moved(i) - self.mean[i]) / self.deviation[i]).collect()
    }
}

#[test]
fn proofs_speak_of_all_that_is_asked_and_of_hardly_more() {
    let mut random = Random(1);
    for norm in [Norm::L1, Norm::L2].repeat(50) {
        let asked = Asked::random(norm, &mut random);
        let region = asked.region();
        let ball = region.ball.as_ref().unwrap();
        let over = Enclosure::of_intervals(region.bounds.iter().map(|b| b.outer()));
        let a: Vec<f64> = asked.deviation.iter().map(|d| d * (random.unit() - 0.5)).collect();
        let least = ball.minimum(&a, &over);
        let value = |x: &[f64]| a.iter().zip(x).map(|(a, x)| a * x).sum::<f64>();
        let size = a.iter().zip(&over.magnitude).map(|(a, m)| a.abs() * m).sum::<f64>();
        for _ in 0..200 {
            let share = random.unit();
            assert!(value(&asked.input(share, &mut random)) >= least - 1e-13 * size);
        }
        // By the dual norm.
        let steep = |i: usize| a[i] * asked.radii[i] / asked.deviation[i];
        let dual = match norm {
            Norm::L1 => (0..a.len()).map(|i| steep(i).abs()).fold(0.0, f64::max),
            Norm::L2 => (0..a.len()).map(|i| steep(i) * steep(i)).sum::<f64>().sqrt(),
        };
        let center: f64 = value(&asked.input(0.0, &mut random));
        assert!((least - (center - asked.factor * dual)).abs() < 1e-12 * size, "{norm:?}");
    }
}

#[test]
fn replays_accept_points_inside_and_none_outside() {
    let mut random = Random(2);
    for norm in [Norm::L1, Norm::L2].repeat(200) {
        let asked = Asked::random(norm, &mut random);
        let region = asked.region();
        let ball = region.ball.as_ref().unwrap();
        let mut contains = |share: f64| {
            let input = asked.input(share, &mut random);
            let fixed = |(i, x): (usize, &f64)| {
                if asked.radii[i] == 0.0 { region.bounds[i].outer() } else { Interval::point(*x) }
            };
            ball.certainly_contains(&input.iter().enumerate().map(fixed).collect::<Vec<_>>())
        };
        assert!(contains(0.0) && contains(0.9) && contains(1.0 - 1e-7), "{norm:?}");
        assert!(!contains(1.0 + 1e-11) && !contains(1.1), "{norm:?}");
    }
}
