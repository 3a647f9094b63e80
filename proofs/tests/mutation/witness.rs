//! The search for slopes and multipliers that refute a case.

use bartizan_proof::certificate::{Close, Multipliers, Slopes, Witness};

use crate::facts::{Facts, Linear, SLACK};
use crate::random::Random;
use crate::signs;

const ALPHAS: [f32; 4] = [0.0, 0.3, 0.7, 1.0];
const FACTORS: [f32; 6] = [0.0, 0.1, 0.4, 1.0, 2.0, 5.0];

/// Something to refute.
pub struct Goal {
    pub case: usize,
    pub atoms: Vec<Linear>,
}

/// Combinations of two atoms that are tried.
const PAIRS: [[f32; 2]; 5] = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.2, 0.8], [0.8, 0.2]];

/// What refutes a goal, if it is found.
pub fn close(facts: &Facts, goal: &Goal, kept: &[Slopes], random: &mut Random) -> Option<Close> {
    let combinations: Vec<Vec<f32>> =
        if goal.atoms.len() == 1 { vec![vec![1.0]] } else { PAIRS.iter().map(|pair| pair.to_vec()).collect() };
    let prefers_own = random.below(2) == 0;
    for numbers in combinations {
        let combined: Vec<(f64, &Linear)> =
            numbers.iter().zip(&goal.atoms).map(|(m, atom)| (f64::from(*m), atom)).collect();
        let refutes = |slopes: &Slopes| facts.lower(&combined, slopes) > SLACK;
        let known = kept.iter().position(&refutes).map(Witness::Kept);
        let default = (!prefers_own && refutes(&Slopes::default())).then_some(Witness::Default);
        let own = || {
            let own = improve(facts, &combined);
            let rounded = own.clone().rounded();
            let shorter = if random.below(3) != 0 && refutes(&rounded) { rounded } else { own };
            refutes(&shorter).then_some(Witness::Own(shorter))
        };
        let found = default.or(known).or_else(own);
        let is_lucky = found.is_none() && random.below(4) == 0;
        let tree = || is_lucky.then(|| signs::refute(facts, &combined, kept, random)).flatten();
        if let Some(witness) = found.or_else(tree) {
            return Some(Close { case: goal.case, multipliers: in_short(&numbers), witness });
        }
    }
    None
}

/// One atom alone where the others have no part.
fn in_short(numbers: &[f32]) -> Multipliers {
    match numbers {
        [1.0] | [1.0, 0.0] => Multipliers::Atom(0),
        [0.0, 1.0] => Multipliers::Atom(1),
        numbers => Multipliers::Each(numbers.to_vec()),
    }
}

/// Slopes of the undecided ReLUs and multipliers, improved one at a time.
pub fn improve(facts: &Facts, goal: &[(f64, &Linear)]) -> Slopes {
    let mut slopes = Slopes { beta: vec![0.0; facts.cuts.len()], ..Slopes::default() };
    slopes.constraints = vec![0.0; facts.ground.constraints.len()];
    for place in 1..facts.bounds.len() - 1 {
        let start = |(l, u): &(f64, f64)| if *l >= 0.0 || *u <= 0.0 { f32::NAN } else { f32::from(*u > -l) };
        slopes.alpha.insert(place, facts.bounds[place].iter().map(start).collect());
    }
    let mut best = facts.lower(goal, &slopes);
    for _ in 0..2 {
        let alphas: Vec<(usize, usize)> =
            slopes.alpha.iter().flat_map(|(place, list)| (0..list.len()).map(|i| (*place, i))).collect();
        for (place, i) in alphas.into_iter().filter(|(place, i)| facts.is_undecided(*place, *i)) {
            try_each(&ALPHAS, &mut best, &mut slopes, |slopes, a| {
                if let Some(alpha) = slopes.alpha.get_mut(&place).and_then(|list| list.get_mut(i)) {
                    *alpha = a;
                }
                facts.lower(goal, slopes)
            });
        }
        for i in 0..slopes.beta.len() + slopes.constraints.len() {
            try_each(&FACTORS, &mut best, &mut slopes, |slopes, m| {
                if let Some(multiplier) = slopes.beta.iter_mut().chain(&mut slopes.constraints).nth(i) {
                    *multiplier = m;
                }
                facts.lower(goal, slopes)
            });
        }
    }
    while slopes.beta.last() == Some(&0.0) {
        slopes.beta.pop();
    }
    slopes
}

/// Keeps the best of some numbers in one place.
fn try_each(numbers: &[f32], best: &mut f64, slopes: &mut Slopes, set: impl Fn(&mut Slopes, f32) -> f64) {
    for number in numbers {
        let mut other = slopes.clone();
        let bound = set(&mut other, *number);
        if bound > *best {
            (*best, *slopes) = (bound, other);
        }
    }
}
