//! The multiplier with which weak duality proves most about a linear function over a box and a ball.
//!
//! Over the box `a . x + m (|| s . (x - c) ||^p - r^p)` is least where each element has gone downhill from the center for a length that
//! depends on `m`, but no farther than the box lets it and at least as far as the box makes it. That minimum is concave in `m`, and
//! largest where the lengths add up to the radius:
//!
//! * L1: an element goes as far as it may while its steepness `|a / s|` exceeds `m`, and else no farther than it must. So the steepest
//!   elements use up the radius one after the other, and `m` is the steepness of the last one (a fractional knapsack).
//! * L2: the square of an element's length is `w (a / s)^2`, where that is between the squares of the least and of the most, and
//!   `m = 1 / (2 sqrt w)`. The sum of squares grows with `w` and is linear between bends (Bitran and Hax, *Disaggregation and resource
//!   allocation using convex knapsack problems with bounded variables*, 1981).
//!
//! Nothing here is rigorous: [`Ball::minimum`] is a lower bound whatever multiplier it takes, as long as that is not negative.

use super::Enclosure;
use crate::property::{Ball, Norm};

/// The multiplier where the ball misses the box: whatever it costs to go that far is charged many times over.
const MISSED: f64 = 1e40;

/// By what share of themselves the lengths that the box demands must exceed the radius before the ball counts as missed: far
/// more than rounding does.
const CLEARLY: f64 = 1e-12;

/// `w` is at least this share of what it would be without the box. Where ball and box hardly touch less would be better, but then
/// the multiplier is so large that rounding outweighs what is gained.
const LEAST_SHARE: f64 = 1e-16;

/// The least `w`, where the radius is 0; its multiplier neither overflows nor leaves anything to gain.
const LEAST_RATE: f64 = 1e-200;

/// The most rounds of fixing elements. There are a few in practice, and stopping early costs tightness only.
const ROUNDS: usize = 100;

/// What an element adds to the sum of lengths (L1) or of their squares (L2).
#[derive(Clone, Copy, Debug)]
struct Step {
    /// `|a / s|`, or its square.
    steepness: f64,
    /// The least that the box demands.
    near: f64,
    /// The most that the box permits downhill.
    far: f64,
}

impl Ball {
    /// The multiplier for [`Ball::minimum`]: for L1 of the norm, for L2 of its square. It may be anything where numbers overflow.
    pub(super) fn multiplier(&self, a: &[f64], over: &Enclosure) -> f64 {
        let power = |x: f64| if self.norm == Norm::L1 { x } else { x * x };
        let (budget, mut demanded) = (power(self.radius.hi), 0.0);
        let mut steps = Vec::with_capacity(a.len());
        let ends = over.lower.iter().zip(&over.upper).zip(self.center.iter().zip(&self.scale));
        for (((lower, upper), (center, scale)), a) in ends.zip(a) {
            let (center, scale) = (center.middle(), scale.lo);
            let (up, down) = (scale * (upper - center), scale * (center - lower));
            let (most, other) = if *a < 0.0 { (up, down) } else { (down, up) };
            let near = 0.0_f64.max(-other).max(-most);
            let step = Step { steepness: power((a / scale).abs()), near: power(near), far: power(most.max(near)) };
            demanded += step.near;
            if step.near < step.far && step.steepness > 0.0 {
                steps.push(step);
            }
        }
        match self.norm {
            _ if demanded - budget > CLEARLY * demanded => MISSED,
            Norm::L1 => last_steepness(&mut steps, (budget - demanded).max(0.0)),
            Norm::L2 => {
                let free: f64 = steps.iter().map(|step| step.near).sum();
                0.5 / rate(steps, (budget, (budget - (demanded - free)).max(0.0))).max(LEAST_RATE).sqrt()
            }
        }
    }
}

/// The steepness of the element with which the budget ends when the steepest go first; 0 where it lasts for all.
///
/// Halves are told apart without sorting them (Balas and Zemel, *An algorithm for large zero-one knapsack problems*, 1980).
fn last_steepness(mut steps: &mut [Step], mut budget: f64) -> f64 {
    while !steps.is_empty() {
        let half = steps.len() / 2;
        let (steeper, middle, flatter) = steps.select_nth_unstable_by(half, |x, y| y.steepness.total_cmp(&x.steepness));
        let used: f64 = steeper.iter().map(|step| step.far - step.near).sum();
        if used > budget {
            steps = steeper;
            continue;
        }
        budget -= used + (middle.far - middle.near);
        if budget <= 0.0 {
            return middle.steepness;
        }
        steps = flatter;
    }
    0.0
}

/// The `w` at which the elements' squares, `w` times their steepness but no less than near and no more than far, use up a budget.
///
/// Given a guess, the elements that are at an end there and would be so at the solution are fixed, and the rest is guessed again.
fn rate(mut steps: Vec<Step>, (whole, mut budget): (f64, f64)) -> f64 {
    let steepness = |steps: &[Step]| steps.iter().map(|step| step.steepness).sum::<f64>();
    let least = LEAST_SHARE * whole / steepness(&steps);
    let mut guess = f64::INFINITY;
    for _ in 0..ROUNDS {
        if steps.is_empty() {
            // Even all that the box permits is within the ball, or what it demands is about the radius.
            return if budget > 0.0 { f64::INFINITY } else { guess };
        }
        guess = (budget / steepness(&steps)).max(least);
        let (mut below, mut above) = (0.0, 0.0);
        for step in &steps {
            below += (step.near - guess * step.steepness).max(0.0);
            above += (guess * step.steepness - step.far).max(0.0);
        }
        if below == above {
            break;
        }
        let is_free = |step: &Step| match () {
            () if above > below => guess * step.steepness <= step.far,
            () => guess * step.steepness >= step.near,
        };
        let end = |step: &Step| if above > below { step.far } else { step.near };
        budget -= steps.iter().filter(|step| !is_free(step)).map(end).sum::<f64>();
        steps.retain(is_free);
    }
    guess
}
