//! Tests of the ladder over balls.

use bartizan_proof::property::{Norm, RobustnessQuery};
use bartizan_proof::{Interval, Network, Property, check};
use rand::RngExt;

use super::*;
use crate::random_networks::Builder;

const INPUTS: usize = 4;

const OPTIONS: Options = Options {
    method: Method::Auto,
    split: Split::Auto,
    timeout: Duration::from_secs(5),
    attack: true,
    seed: 0,
    cancelled: None,
};

/// What is asked of a point of a random network.
#[derive(Clone)]
struct Asked {
    point: Vec<f64>,
    label: usize,
    norm: Option<Norm>,
    radii: Vec<f64>,
    clip: bool,
}

impl Asked {
    fn property(&self) -> Property {
        let radii: Vec<Interval> = self.radii.iter().copied().map(Interval::point).collect();
        let query = RobustnessQuery {
            point: &self.point,
            label: self.label,
            outputs: 3,
            norm: self.norm,
            radii: &radii,
            factor: Interval::point(1.0),
            clip: self.clip.then(|| (Interval::point(0.0), Interval::point(1.0))),
            normalisation: None,
        };
        query.property().unwrap()
    }

    /// How far a point is out, in radii; nothing is less than 0.
    fn distance(&self, x: &[f64]) -> f64 {
        let steps = || {
            x.iter().zip(&self.point).zip(&self.radii).filter(|(_, r)| **r > 0.0).map(|((x, p), r)| (x - p).abs() / r)
        };
        match self.norm {
            None => steps().fold(0.0, f64::max),
            Some(Norm::L2) => steps().map(|s| s * s).sum::<f64>().sqrt(),
            Some(Norm::L1) => steps().sum(),
        }
    }

    /// A point that is asked about, often at the edge.
    fn sample(&self, builder: &mut Builder) -> Vec<f64> {
        let power = if builder.random.random::<bool>() { 1 } else { 9 };
        let steps: Vec<f64> = builder.uniform(INPUTS, 1.0).iter().map(|s| s.powi(power)).collect();
        let at = |t: f64| -> Vec<f64> {
            let moved = |((p, r), s): ((&f64, &f64), &f64)| p + t * r * s;
            let x = self.point.iter().zip(&self.radii).zip(&steps).map(moved);
            x.map(|x| if self.clip { x.clamp(0.0, 1.0) } else { x }).collect()
        };
        let share = builder.random.random::<f32>().max(0.5);
        // Clipping may bring a point back inside, so that this is not always the edge.
        at(f64::from(share) / self.distance(&at(1.0)).max(1e-9))
    }
}

fn ask(seed: u64, norm: Option<Norm>, radius: f64) -> (Network, Asked, Builder) {
    let mut builder = Builder::new(seed, INPUTS);
    let network = builder.dense(8).relu().dense(6).relu().dense(3).network();
    let clip = seed.is_multiple_of(2);
    let mut point: Vec<f64> = builder.uniform(INPUTS, 0.5).iter().map(|x| x + 0.5).collect();
    if clip {
        point[0] = 0.0;
    }
    let mut radii: Vec<f64> = builder.uniform(INPUTS, 1.0).iter().map(|x| radius * 2_f64.powf(*x)).collect();
    if seed.is_multiple_of(3) {
        radii[3] = 0.0;
    }
    let label = label_of(&network, &point);
    (network, Asked { point, label, norm, radii, clip }, builder)
}

fn label_of(network: &Network, x: &[f64]) -> usize {
    let outputs = network.evaluate(x);
    (0..outputs.len()).max_by(|i, j| outputs[*i].total_cmp(&outputs[*j])).unwrap()
}

fn verdict(network: &Network, property: &Property, options: &Options) -> Verdict {
    Verifier::new(network.clone()).verify(property, options).unwrap().verdict
}

const NORMS: [Option<Norm>; 3] = [Some(Norm::L1), Some(Norm::L2), None];

#[test]
fn verdicts_agree_with_samples_and_smaller_balls_keep_them() {
    let [mut verified, mut violated] = [[0; 3]; 2];
    for seed in 0..60 {
        // From the smallest ball to the box that holds them all.
        let mut is_violated = false;
        for (kind, norm) in NORMS.into_iter().enumerate() {
            let (network, asked, mut builder) = ask(seed, norm, 0.3);
            let property = asked.property();
            match verdict(&network, &property, &OPTIONS) {
                Verdict::Verified(..) => {
                    verified[kind] += 1;
                    assert!(!is_violated, "seed {seed}: {norm:?}");
                    for _ in 0..500 {
                        assert_eq!(
                            label_of(&network, &asked.sample(&mut builder)),
                            asked.label,
                            "seed {seed}: {norm:?}"
                        );
                    }
                }
                Verdict::Violated(found) => {
                    violated[kind] += 1;
                    is_violated = true;
                    assert!(asked.distance(found.point()) <= 1.0 && label_of(&network, found.point()) != asked.label);
                    let fixed = |i: &usize| asked.radii[*i] == 0.0;
                    assert!((0..INPUTS).filter(fixed).all(|i| found.point()[i] == asked.point[i]));
                    check::replay(&network, &property, found.point()).unwrap();
                }
                Verdict::Unknown(_) => {}
            }
        }
    }
    assert!(verified.iter().all(|count| *count >= 30) && violated.iter().all(|count| *count >= 15));
    let undecided = |kind: usize| 60 - verified[kind] - violated[kind];
    assert!((0..3).all(|kind| undecided(kind) <= 2), "verified {verified:?}, violated {violated:?}");
}

#[test]
fn parts_of_the_input_are_proved_within_balls() {
    let options = Options { split: Split::Inputs, timeout: Duration::from_secs(1), ..OPTIONS };
    let mut verified = [0; 2];
    for (seed, kind) in (0..30).flat_map(|seed| [(seed, 0), (seed, 1)]) {
        let (network, asked, mut builder) = ask(seed, NORMS[kind], 0.3);
        match verdict(&network, &asked.property(), &options) {
            Verdict::Verified(..) => {
                verified[kind] += 1;
                for _ in 0..200 {
                    assert_eq!(label_of(&network, &asked.sample(&mut builder)), asked.label, "seed {seed}");
                }
            }
            Verdict::Violated(found) => assert!(asked.distance(found.point()) <= 1.0),
            Verdict::Unknown(_) => {}
        }
    }
    assert!(verified.iter().all(|count| *count > 10), "{verified:?}");
}

#[test]
fn balls_prove_what_boxes_cannot() {
    let methods = [Method::Linear, Method::Slopes, Method::Branch];
    let [mut proved, mut more] = [[0; 3]; 2];
    for (seed, (place, method)) in (0..40).flat_map(|seed| methods.into_iter().enumerate().map(move |m| (seed, m))) {
        let options = Options { method, ..OPTIONS };
        let is_verified = |norm| {
            let (network, asked, _) = ask(seed, norm, 0.3);
            matches!(verdict(&network, &asked.property(), &options), Verdict::Verified(..))
        };
        let [l1, l2, linf] = NORMS.map(is_verified);
        // A ball is a part of the box, and its bounds are never worse than those of the box.
        assert!((l1 && l2) || !linf, "seed {seed}, {method:?}: {l1} {l2} {linf}");
        proved[place] += usize::from(linf);
        more[place] += usize::from(l1 && l2 && !linf);
    }
    assert!(proved.iter().all(|count| *count > 10) && more.iter().all(|count| *count > 1), "{proved:?} {more:?}");
}

#[test]
fn features_held_fixed_have_no_part_in_bounds() {
    // The output's first half depends on the fixed feature so much that nothing would hold if it moved or counted.
    for norm in [Norm::L1, Norm::L2] {
        let mut builder = Builder::new(1, INPUTS);
        let weights = [1e3, 1.0, 0.5, -0.5].map(|w| [w, 0.0, 0.0]);
        let rows: Vec<f64> = (0..3).flat_map(|out| weights.map(|w| w[out])).collect();
        let network = builder.given(rows, &[0.0; 3]).network();
        let point = vec![0.001, 0.1, 0.0, 0.0];
        let radii = vec![0.0, 1.0, 1.0, 1.0];
        let mut asked = Asked { point, label: 0, norm: Some(norm), radii, clip: false };
        // At the point the first output is 1.1, and it falls by the dual norm of (1, 0.5, -0.5).
        let steepest = if norm == Norm::L1 { 1.0 } else { 1.5_f64.sqrt() };
        for (share, is_robust) in [(0.999, true), (1.001, false)] {
            asked.radii[1..].iter_mut().for_each(|radius| *radius = share * 1.1 / steepest);
            let found = verdict(&network, &asked.property(), &OPTIONS);
            assert_eq!(matches!(found, Verdict::Verified(..)), is_robust, "{norm:?} {share}");
            assert_eq!(matches!(found, Verdict::Violated(..)), !is_robust, "{norm:?} {share}");
        }
    }
}
