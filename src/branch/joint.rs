//! Which combination of a case's atoms is worth bounding.
//!
//! A case is refuted when some convex combination of its atoms is positive on the whole domain. With linear lower bounds
//! `c_k + A_k . t` of the atoms over `t` in `[-1, 1]^n`, the best combination solves the matrix game
//! `max over lambda of min over t of sum_k lambda_k (c_k + A_k . t)`.

use ndarray::{ArrayView1, ArrayView2};

use crate::real::Real;

/// Rounds of play.
const ROUNDS: usize = 24;

/// A combination of linear functions over the cube, and its minimum.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture<T> {
    /// Non-negative weights that sum to one.
    pub weights: Vec<T>,
    /// The minimum over the cube.
    pub value: T,
}

/// A good combination of the linear functions `constants[k] + slopes[k] . t`, by regret matching (Hart and Mas-Colell 2000; with the clipped
/// regrets of Tammelin 2014) against an opponent who always answers best.
pub fn best_mixture<T: Real>(constants: ArrayView1<T>, slopes: ArrayView2<T>) -> Mixture<T> {
    let count = constants.len();
    let mut regrets = vec![T::zero(); count];
    let mut sum = vec![T::zero(); count];
    let mut current = vec![T::one() / T::of(count as f64); count];
    let (mut combined, mut payoffs) = (vec![T::zero(); slopes.ncols()], vec![T::zero(); count]);
    let mut best = Mixture { weights: current.clone(), value: T::neg_infinity() };
    for round in 1..=ROUNDS {
        let value = answer(constants, slopes, &current, (&mut combined, &mut payoffs));
        keep_better(&mut best, &current, value);
        let mut total = T::zero();
        for (regret, payoff) in regrets.iter_mut().zip(&payoffs) {
            *regret = (*regret + *payoff - value).max(T::zero());
            total += *regret;
        }
        if total <= T::zero() {
            break;
        }
        current.iter_mut().zip(&regrets).for_each(|(weight, regret)| *weight = *regret / total);
        let share = T::of(round as f64);
        sum.iter_mut().zip(&current).for_each(|(sum, weight)| *sum += share * *weight);
    }
    let total: T = sum.iter().copied().sum();
    if total > T::zero() {
        let average: Vec<T> = sum.iter().map(|s| *s / total).collect();
        let value = answer(constants, slopes, &average, (&mut combined, &mut payoffs));
        keep_better(&mut best, &average, value);
    }
    best
}

fn keep_better<T: Real>(best: &mut Mixture<T>, weights: &[T], value: T) {
    if value > best.value {
        *best = Mixture { weights: weights.to_vec(), value };
    }
}

/// The minimum of a combination, and what each function is worth where it is taken.
fn answer<T: Real>(
    constants: ArrayView1<T>,
    slopes: ArrayView2<T>,
    weights: &[T],
    (combined, payoffs): (&mut [T], &mut [T]),
) -> T {
    combined.fill(T::zero());
    for (slopes, weight) in slopes.rows().into_iter().zip(weights) {
        combined.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += *weight * *slope);
    }
    let mut value = T::zero();
    for (((payoff, constant), slopes), weight) in payoffs.iter_mut().zip(constants).zip(slopes.rows()).zip(weights) {
        let at_corner = |(sum, slope): (&T, &T)| if *sum > T::zero() { -*slope } else { *slope };
        *payoff = *constant + combined.iter().zip(slopes).map(at_corner).sum::<T>();
        value += *weight * *payoff;
    }
    value
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn two_opposed_functions_are_worth_more_together() {
        // Each alone has minimum -9; their mean is 1 everywhere.
        let mixture = best_mixture(array![1.0, 1.0].view(), array![[10.0], [-10.0]].view());
        assert!((mixture.value - 1.0_f64).abs() < 0.1, "{mixture:?}");
    }

    #[test]
    fn a_dominating_function_stands_alone() {
        let mixture = best_mixture(array![5.0_f64, -1.0].view(), array![[1.0, 1.0], [2.0, -2.0]].view());
        assert!(mixture.value > 2.9 && mixture.weights[0] > 0.95, "{mixture:?}");
    }

    #[test]
    fn values_are_minima_of_what_is_returned() {
        let slopes = array![[1.0, -2.0, 0.5], [-1.0, 1.0, 0.25], [0.0, 0.5, -4.0]];
        let constants = array![1.0, 0.5, 3.0];
        let mixture: Mixture<f64> = best_mixture(constants.view(), slopes.view());
        let weights = ndarray::Array1::from(mixture.weights);
        let minimum = weights.dot(&constants) - weights.dot(&slopes).mapv(f64::abs).sum();
        assert!((minimum - mixture.value).abs() < 1e-12);
        let alone = constants.iter().zip(slopes.rows()).map(|(c, row)| c - row.mapv(f64::abs).sum());
        assert!(alone.fold(f64::NEG_INFINITY, f64::max) < mixture.value);
    }
}
