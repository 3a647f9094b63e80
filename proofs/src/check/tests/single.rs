//! Float32 semantics: what executions in binary32 may differ by.

use super::*;
use crate::semantics::Semantics;

/// `2^n`.
fn power(n: i32) -> f64 {
    2f64.powi(n)
}

fn input(size: usize) -> Node {
    Node { name: "x".to_owned(), size, op: Op::Input }
}

fn relu(source: usize, size: usize) -> Node {
    Node { name: "h".to_owned(), size, op: Op::Relu(source) }
}

fn under_float32(network: Network) -> Network {
    network.under(Semantics::Float32).unwrap()
}

/// What is proved of the first output at a point.
fn output(network: &Network, at: &[f64]) -> Interval {
    let ends: Vec<(f64, f64)> = at.iter().map(|x| (*x, *x)).collect();
    bounds(network, &region(&ends), &[]).unwrap().outputs()[0]
}

#[test]
fn sums_leave_room_for_every_order() {
    let sum = network(vec![input(3), affine("y", 1, vec![dense(0, 3, vec![1.0; 3])], vec![])], 3);
    let at = [power(24), 1.0, -power(24)];
    let real = output(&sum, &at);
    assert!(real.lo <= 1.0 && real.hi >= 1.0 && real.hi - real.lo < 1e-6, "{real:?}");
    // From the left it is 0; with the 1 last it is 1; two roundings of a sum of absolute values of 2^25 are 4.
    let found = output(&under_float32(sum), &at);
    assert!(found.lo <= 0.0 && found.lo > -3.01 && found.hi >= 2.0 && found.hi < 5.01, "{found:?}");
}

#[test]
fn weights_that_overflow_when_they_are_folded_prove_nothing() {
    let two = |first: i32, second: i32| {
        let z = affine("z", 1, vec![dense(0, 1, vec![power(first)])], vec![]);
        let y = affine("y", 1, vec![dense(1, 1, vec![power(second)])], vec![]);
        network(vec![input(1), z, y], 1)
    };
    assert!(output(&two(100, 30), &[power(-90)]).is_finite());
    assert_eq!(output(&under_float32(two(100, 30)), &[power(-90)]), Interval::EVERYTHING);
    assert_eq!(output(&under_float32(two(30, 100)), &[power(-90)]), Interval::EVERYTHING);
    assert_eq!(output(&under_float32(two(-90, 70)), &[1.0]), Interval::EVERYTHING);
    let found = output(&under_float32(two(20, 30)), &[power(-40)]);
    assert!(found.lo < power(10) && found.hi > power(10) && found.hi - found.lo < 0.01, "{found:?}");
}

#[test]
fn what_is_flushed_to_zero_counts_where_nothing_is_rounded() {
    let plain = network(vec![input(1), relu(0, 1)], 1);
    let single = under_float32(plain.clone());
    let (tiny, found) = (power(-130), output(&single, &[power(-130)]));
    assert!(found.lo <= 0.0 && found.hi >= tiny && found.hi < power(-120), "{found:?}");
    // The other semantics know nothing of it.
    let real = single.under(Semantics::Real).unwrap();
    assert_eq!((output(&plain, &[tiny]), output(&real, &[tiny])), (Interval::point(tiny), Interval::point(tiny)));
    assert_eq!((real.nodes().len(), real.output()), (2, 1));
}

#[test]
fn nothing_is_claimed_after_what_may_overflow() {
    let z = affine("z", 1, vec![dense(0, 2, vec![power(40), -power(40)])], vec![]);
    let single = under_float32(network(vec![input(2), z, relu(1, 1)], 2));
    assert_eq!(output(&single, &[power(40), power(40)]), Interval::EVERYTHING);
    assert!(output(&single, &[1.0, 0.5]).is_finite());
}

#[test]
fn counterexamples_happen_in_every_execution() {
    let sum = network(vec![input(3), affine("y", 1, vec![dense(0, 3, vec![1.0; 3])], vec![])], 3);
    let at = [power(24), 1.0, -power(24)];
    let ends: Vec<(f64, f64)> = at.iter().map(|x| (*x, *x)).collect();
    assert!(replay(&sum, &never_at_most(1.001, &ends), &at).is_ok());
    let single = under_float32(sum);
    let refused = replay(&single, &never_at_most(1.001, &ends), &at).unwrap_err().refusal;
    assert_eq!(refused, Refusal::NotViolated);
    assert_eq!(replay(&single, &never_at_most(5.1, &ends), &at).unwrap().semantics(), Semantics::Float32);
}

#[test]
fn what_is_rounded_early_counts_once_in_a_counterexample() {
    // z = 3 x0 + 5 x1 is rounded; y = relu(z) - relu(z) has nothing of that left.
    let z = affine("z", 1, vec![dense(0, 2, vec![3.0, 5.0])], vec![]);
    let copy = |name| affine(name, 1, vec![dense(2, 1, vec![1.0])], vec![]);
    let y = affine("y", 1, vec![dense(3, 1, vec![1.0]), dense(4, 1, vec![-1.0])], vec![]);
    let single = under_float32(network(vec![input(2), z, relu(1, 1), copy("a"), copy("b"), y], 2));
    let (at, ends) = ([power(20); 2], [(power(20), power(20)); 2]);
    // In units of 2^-24 of 2^23: 2 behind each copy, and 1 for the difference of two.
    let (alone, together) = (2.0 * power(23) * power(-24), 6.0 * power(23) * power(-24));
    assert!(output(&single, &at).hi > 0.9 * together);
    assert!(replay(&single, &never_at_most(1.1 * alone, &ends), &at).is_ok());
    assert!(replay(&single, &never_at_most(0.9 * alone, &ends), &at).is_err());
}
