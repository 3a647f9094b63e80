#![allow(clippy::float_arithmetic, clippy::as_conversions)]

mod forms;
mod signs;
mod single;
mod trees;
mod volume;

use std::num::NonZeroUsize;

use super::*;
use crate::arith::Interval;
use crate::certificate::{
    Close, Header, Literal, Multipliers, Proof, Side, Slopes, Split, Target, Targets, Witness, encode,
};
use crate::digest::Digest;
use crate::network::{Affine, Dense, Execution, Map, Node, Op, Parts, Term};
use crate::property::{Atom, Ball, Bound, Case, Norm, Variable};

/// A small random generator, so that tests need no dependency: 64-bit xorshift with a multiplier.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

fn dense(source: usize, inputs: usize, weights: Vec<f64>) -> Term {
    Term { source, map: Map::Dense(Dense { inputs, weights }), roundings: 0 }
}

fn affine(name: &str, size: usize, terms: Vec<Term>, bias: Vec<f64>) -> Node {
    let bias = bias.into_iter().map(Interval::point).collect();
    Node { name: name.to_owned(), size, op: Op::Affine(Affine { terms, bias, execution: Execution::PLAIN }) }
}

fn network(nodes: Vec<Node>, input: usize) -> Network {
    let output = nodes.len() - 1;
    let output_shape = vec![nodes[output].size];
    let digest = Digest::of(b"test");
    Network::new(Parts {
        nodes,
        output,
        input_shape: vec![input],
        output_shape,
        dropped: None,
        real_only: None,
        digest,
    })
    .unwrap()
}

/// Nodes 0 input(2), 1 affine(2), 2 relu, 3 affine(1): y = |x0 - x1| - 0.25.
fn distance() -> Network {
    let input = Node { name: "x".to_owned(), size: 2, op: Op::Input };
    let z = affine("z", 2, vec![dense(0, 2, vec![1.0, -1.0, -1.0, 1.0])], vec![]);
    let h = Node { name: "h".to_owned(), size: 2, op: Op::Relu(1) };
    let y = affine("y", 1, vec![dense(2, 2, vec![1.0, 1.0])], vec![-0.25]);
    network(vec![input, z, h, y], 2)
}

fn region(ends: &[(f64, f64)]) -> Region {
    let bound = |(l, u): &(f64, f64)| Bound { lower: Interval::point(*l), upper: Interval::point(*u) };
    Region::of_box(ends.iter().map(bound).collect())
}

/// "The output is never at most `b`" over the region.
fn never_at_most(b: f64, ends: &[(f64, f64)]) -> Property {
    let terms = vec![(Variable::Output(0), Interval::point(1.0))];
    let atoms = vec![Atom { terms, at_most: Interval::point(b), strict: false }];
    Property::new((ends.len(), 1), vec![region(ends)], vec![Case { region: 0, atoms }]).unwrap()
}

/// Closes case 0 by its first atom.
fn close(witness: Witness) -> Item {
    Item::Close(vec![Close { case: 0, multipliers: Multipliers::Atom(0), witness }])
}

/// Slopes of the first ReLU node.
fn alpha(alphas: &[f32]) -> Witness {
    Witness::Own(Slopes { alpha: [(1, alphas.to_vec())].into(), ..Slopes::default() })
}

/// A certificate with the given proofs, one a region.
fn certificate(network: &Network, property: &Property, trees: &[&[Item]]) -> Vec<u8> {
    let proofs = trees.iter().enumerate().map(|(region, items)| Proof { region, items: items.to_vec() });
    let header = Header::of(network, property);
    encode(&header, &proofs.collect::<Vec<_>>())
}

/// What the checker says of a single tree.
fn judge(network: &Network, property: &Property, items: &[Item]) -> Result<Verified, Rejected> {
    verify(network, property, &certificate(network, property, &[items]), NonZeroUsize::MIN)
}

/// Why the checker refuses a single tree.
fn refusal(network: &Network, property: &Property, items: &[Item]) -> Refusal {
    judge(network, property, items).unwrap_err().refusal
}

#[test]
fn a_true_claim_is_accepted_and_names_its_parts() {
    let (network, property) = (distance(), never_at_most(-0.3, &[(0.0, 1.0), (0.0, 1.0)]));
    let verified = judge(&network, &property, &[close(Witness::Default), Item::End]).unwrap();
    assert_eq!((verified.network(), verified.property()), (network.digest(), property.digest()));
    assert_eq!((verified.cases(), verified.leaves()), (1, 1));
}

#[test]
fn a_false_claim_is_refused_whatever_the_slopes() {
    let (network, property) = (distance(), never_at_most(-0.25, &[(0.0, 1.0), (0.0, 1.0)]));
    for slope in [0.0, 0.25, 0.5, 1.0] {
        let refused = refusal(&network, &property, &[close(alpha(&[slope; 2])), Item::End]);
        assert!(matches!(refused, Refusal::NotRefuted(0, bound) if bound <= 0.0), "{refused}");
    }
}

#[test]
fn better_slopes_prove_more() {
    // On x0 in [0, 1], x1 in [0, 0.5] the exact minimum of y is -0.25; alpha (1, 0) gives min(x0 - x1) - 0.25 = -0.75.
    let (network, property) = (distance(), never_at_most(-0.3, &[(0.0, 1.0), (0.0, 0.5)]));
    assert!(judge(&network, &property, &[close(alpha(&[1.0, 0.0])), Item::End]).is_err());
    assert!(judge(&network, &property, &[close(alpha(&[0.0, 0.0])), Item::End]).is_ok());
}

#[test]
fn a_multiplier_of_zero_proves_nothing() {
    let (network, property) = (distance(), never_at_most(-0.3, &[(0.0, 1.0), (0.0, 1.0)]));
    let idle = Close { case: 0, multipliers: Multipliers::Each(vec![0.0]), witness: Witness::Default };
    let refused = refusal(&network, &property, &[Item::Close(vec![idle]), Item::End]);
    assert!(matches!(refused, Refusal::NotRefuted(0, bound) if bound <= 0.0));
}

#[test]
fn counterexamples_are_replayed() {
    let network = distance();
    let property = never_at_most(-0.25, &[(0.0, 1.0), (0.0, 1.0)]);
    let violated = replay(&network, &never_at_most(-0.2, &[(0.0, 1.0), (0.0, 1.0)]), &[0.5, 0.5]).unwrap();
    assert_eq!((violated.case(), violated.point()), (0, [0.5, 0.5].as_slice()));
    assert!(violated.outputs()[0].lo <= -0.25 && violated.outputs()[0].hi >= -0.25);
    let refusal = |point: &[f64]| replay(&network, &property, point).unwrap_err().refusal;
    assert_eq!(refusal(&[0.1, 0.9]), Refusal::NotViolated);
    assert_eq!(refusal(&[0.5]), Refusal::PointSize(2, 1));
    assert_eq!(refusal(&[0.5, 1.5]), Refusal::OutsideRegion(1, 1.5, 0.0, 1.0));
}

#[test]
fn strict_atoms_need_a_strict_counterexample() {
    let mut property = never_at_most(-0.25, &[(0.5, 0.5), (0.5, 0.5)]);
    let network = {
        // y = x0 - 0.75 exactly, so that y = -0.25 at 0.5 without any rounding.
        let input = Node { name: "x".to_owned(), size: 2, op: Op::Input };
        let map = Map::Select(vec![Some(0)]);
        let y = affine("y", 1, vec![Term { source: 0, map, roundings: 0 }], vec![]);
        network(vec![input, y], 2)
    };
    let at_half = |at_most: f64, strict: bool| {
        let terms = vec![(Variable::Input(0), Interval::point(1.0))];
        let atoms = vec![Atom { terms, at_most: Interval::point(at_most), strict }];
        let regions = property.regions().to_vec();
        property = Property::new((2, 1), regions, vec![Case { region: 0, atoms }]).unwrap();
        replay(&network, &property, &[0.5, 0.5]).is_ok()
    };
    let mut at_half = at_half;
    assert!(at_half(0.5, false));
    assert!(!at_half(0.5, true));
    assert!(at_half(0.75, true));
}

/// A random network with a residual connection: input, (affine, relu) twice, then an affine of both ReLU layers.
fn random_network(random: &mut Random, sizes: [usize; 4]) -> Network {
    let [inputs, first, second, outputs] = sizes;
    let mut weights = |n: usize, scale: f64| (0..n).map(|_| random.range(-scale, scale)).collect::<Vec<f64>>();
    let relu = |source, size| Node { name: format!("h{source}"), size, op: Op::Relu(source) };
    let nodes = vec![
        Node { name: "x".to_owned(), size: inputs, op: Op::Input },
        affine("z1", first, vec![dense(0, inputs, weights(first * inputs, 1.5))], weights(first, 0.5)),
        relu(1, first),
        affine("z2", second, vec![dense(2, first, weights(second * first, 1.0))], weights(second, 0.5)),
        relu(3, second),
        affine(
            "y",
            outputs,
            vec![dense(4, second, weights(outputs * second, 1.0)), dense(2, first, weights(outputs * first, 1.0))],
            weights(outputs, 0.5),
        ),
    ];
    network(nodes, inputs)
}

#[test]
fn regions_that_no_property_may_have_prove_no_bounds() {
    let network = distance();
    let whole = || region(&[(0.0, 1.0), (0.0, 1.0)]);
    let ball = |center: &[f64], scale: f64, radius: f64| {
        let [center, scale] =
            [center.to_vec(), vec![scale; center.len()]].map(|l| l.into_iter().map(Interval::point).collect());
        Region { ball: Some(Ball { norm: Norm::L2, center, scale, radius: Interval::point(radius) }), ..whole() }
    };
    let atom = |variable, coefficient: f64| Atom {
        terms: vec![(variable, Interval::point(coefficient))],
        at_most: Interval::point(0.0),
        strict: false,
    };
    let constrained = |atom| Region { constraints: vec![atom], ..whole() };
    assert!(bounds(&network, &ball(&[0.5, 0.5], 1.0, 0.1), &[]).is_ok());
    let regions = [
        ball(&[], 1.0, 0.0),
        ball(&[0.5, 0.5], 0.0, 0.1),
        ball(&[0.5, f64::NAN], 1.0, 0.1),
        ball(&[0.5, 0.5], 1.0, -0.1),
        region(&[(f64::NAN, 1.0), (0.0, 1.0)]),
        region(&[(0.0, f64::INFINITY), (0.0, 1.0)]),
        region(&[(1.0, 0.0), (0.0, 1.0)]),
        constrained(atom(Variable::Input(2), 1.0)),
        constrained(atom(Variable::Input(0), f64::NAN)),
    ];
    for region in regions {
        let refused = bounds(&network, &region, &[]).unwrap_err();
        assert!(matches!(refused.refusal, Refusal::Property(_)), "{refused} {region:?}");
    }
}

#[test]
fn sampled_points_never_leave_proved_bounds() {
    let mut random = Random(7);
    for round in 0..300 {
        let sizes = [1 + round % 4, 1 + round % 7, 1 + round % 5, 1 + round % 3];
        let network = random_network(&mut random, sizes);
        let center: Vec<f64> = (0..sizes[0]).map(|_| random.range(-1.0, 1.0)).collect();
        let radius = random.range(0.0, 0.7);
        let region = region(&center.iter().map(|c| (c - radius, c + radius)).collect::<Vec<_>>());
        let default =
            |element| [Side::Lower, Side::Upper].map(|side| Target { element, side, witness: Witness::Default });
        let ends = Targets::Listed((0..sizes[3]).flat_map(default).collect());
        let alphas = [(1, (0..sizes[1]).map(|_| random.unit() as f32).collect()), (2, vec![0.25; sizes[2]])].into();
        let own = Witness::Own(Slopes { alpha: alphas, ..Slopes::default() });
        let both = (0..sizes[3])
            .flat_map(|element| [Side::Lower, Side::Upper].map(|side| Target { element, side, witness: own.clone() }));
        let steps = [Item::TightenAll, Item::Tighten(3, ends), Item::Tighten(3, Targets::Listed(both.collect()))];
        let loose = bounds(&network, &region, &[]).unwrap();
        let tight = bounds(&network, &region, &steps).unwrap();
        for _ in 0..20 {
            let point: Vec<f64> = region.bounds.iter().map(|b| random.range(b.lower.lo, b.upper.hi)).collect();
            let input = crate::arith::Enclosure::of_intervals(point.iter().map(|x| Interval::point(*x)));
            let exact = crate::arith::enclose_all(&network, input);
            for i in 0..sizes[3] {
                let (y, t, l) = (exact[5].interval(i), tight.outputs()[i], loose.outputs()[i]);
                assert!(t.lo <= y.hi && y.lo <= t.hi, "round {round}: {y:?} outside {t:?}");
                let slack = 1e-12 * l.magnitude();
                assert!(l.lo <= t.lo + slack && t.hi <= l.hi + slack, "round {round}: {t:?} is looser than {l:?}");
            }
        }
    }
}

#[test]
fn huge_numbers_prove_nothing_instead_of_something_false() {
    let input = Node { name: "x".to_owned(), size: 1, op: Op::Input };
    let z = affine("z", 2, vec![dense(0, 1, vec![1e200, -1e200])], vec![]);
    let h = Node { name: "h".to_owned(), size: 2, op: Op::Relu(1) };
    let y = affine("y", 1, vec![dense(2, 2, vec![1e200, -1e200])], vec![]);
    let network = network(vec![input, z, h, y], 1);
    for b in [-1e308, -1.0, 0.0] {
        let property = never_at_most(b, &[(-1.0, 1.0)]);
        let refused = refusal(&network, &property, &[close(Witness::Default), Item::End]);
        assert!(matches!(refused, Refusal::NotRefuted(..)), "{refused}");
    }
}
