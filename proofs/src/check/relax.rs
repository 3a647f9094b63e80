//! What a certificate may say about the relaxation of ReLUs and about multipliers.

use crate::certificate::Slopes;
use crate::error::Refusal;

use super::state::State;

/// Checks that slopes are slopes, multipliers are multipliers, and that both fit what they belong to, be it some literals.
pub(crate) fn check_slopes(state: &State, slopes: &Slopes, literals: usize) -> Result<(), Refusal> {
    for (place, alphas) in &slopes.alpha {
        let expected = state.ground().size(*place).ok_or(Refusal::UnknownElement(*place, 0))?;
        if alphas.len() != expected {
            return Err(Refusal::SlopeCount(*place, expected, alphas.len()));
        }
        if let Some(wrong) = alphas.iter().find(|alpha| !alpha.is_nan() && !(0.0..=1.0).contains(*alpha)) {
            return Err(Refusal::Slope(*wrong));
        }
    }
    check_multipliers(&slopes.beta, literals, "literals on the path")?;
    check_multipliers(&slopes.constraints, state.ground().region.constraints.len(), "constraints of the region")
}

/// Checks multipliers of at most so many things.
pub(crate) fn check_multipliers(multipliers: &[f32], most: usize, of: &'static str) -> Result<(), Refusal> {
    if multipliers.len() > most {
        return Err(Refusal::MultiplierCount(most, of, multipliers.len()));
    }
    multipliers.iter().try_for_each(|multiplier| check_multiplier(*multiplier))
}

/// Checks one multiplier.
pub(crate) fn check_multiplier(multiplier: f32) -> Result<(), Refusal> {
    if multiplier >= 0.0 && multiplier.is_finite() { Ok(()) } else { Err(Refusal::Multiplier(multiplier)) }
}
