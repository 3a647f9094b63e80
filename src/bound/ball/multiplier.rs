//! How far each input goes where a linear function is least over a box and a ball, as the checker's multiplier has it.
//!
//! In radii an input goes downhill from the center for `w |g|` (L2), or as far as the box permits if it is steep and no farther than the
//! box demands otherwise (L1). The lengths add up to the radius, unless all that the box permits does not come to that.

use crate::real::Real;

/// The most rounds of fixing inputs; there are a few in practice.
const ROUNDS: usize = 100;

/// One input: how steep the function is along it, and the least and the most length that the box has for it downhill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<T> {
    /// Where it belongs.
    pub input: usize,
    /// Not negative.
    pub steepness: T,
    /// What the box demands.
    pub near: T,
    /// What the box permits, not less.
    pub far: T,
}

/// The steepest inputs go as far as they may, until the lengths come to the budget. Returns the input with which that happens, if there is
/// one, and how far it goes beyond what is demanded; the inputs before it are moved to the front and counted.
pub(super) fn fill<T: Real>(mut steps: &mut [Step<T>], mut budget: T) -> (usize, Option<(Step<T>, T)>) {
    let mut before = 0;
    while !steps.is_empty() {
        let order = |x: &Step<T>, y: &Step<T>| y.steepness.wide().total_cmp(&x.steepness.wide());
        let (steeper, middle, flatter) = steps.select_nth_unstable_by(steps.len() / 2, order);
        let used: T = steeper.iter().map(|step| step.far - step.near).sum();
        if used > budget {
            steps = steeper;
            continue;
        }
        budget -= used;
        before += steeper.len();
        if middle.far - middle.near >= budget {
            return (before, Some((*middle, budget)));
        }
        budget -= middle.far - middle.near;
        before += 1;
        steps = flatter;
    }
    (before, None)
}

/// The `w` at which the squares of all lengths, `w` times the steepness but no less than near and no more than far, come to the budget;
/// infinite where they never do. Inputs that are at an end at a guess and stay there are fixed, and the rest is guessed again.
pub(super) fn rate<T: Real>(mut steps: Vec<Step<T>>, mut budget: T) -> T {
    let square = |x: T| x * x;
    let mut guess = T::infinity();
    for _ in 0..ROUNDS {
        if steps.is_empty() {
            return if budget > T::zero() { T::infinity() } else { guess };
        }
        let whole: T = steps.iter().map(|step| square(step.steepness)).sum();
        guess = (budget.max(T::zero()) / whole).sqrt();
        let (mut below, mut above) = (T::zero(), T::zero());
        for step in &steps {
            let length = guess * step.steepness;
            below += (square(step.near) - square(length)).max(T::zero());
            above += (square(length) - square(step.far)).max(T::zero());
        }
        if below == above {
            break;
        }
        let is_free = |step: &Step<T>| match above > below {
            true => guess * step.steepness <= step.far,
            false => guess * step.steepness >= step.near,
        };
        let end = |step: &Step<T>| square(if above > below { step.far } else { step.near });
        let before = steps.len();
        budget -= steps.iter().filter(|step| !is_free(step)).map(end).sum::<T>();
        steps.retain(is_free);
        if steps.len() == before {
            break;
        }
    }
    guess
}
