//! The structural rule: two subtrees cover their parent when what they assume of one value leaves nothing out.

use crate::arith::Interval;
use crate::certificate::{Literal, Side, Split};
use crate::error::Refusal;

use super::state::State;

/// What the first and the second subtree of a split assume.
pub(crate) fn assumptions(state: &State, split: &Split) -> Result<[Literal; 2], Refusal> {
    let (place, element, below, above) = match *split {
        Split::At { place, element, below, above } => (place, element, below, above),
        Split::Middle(element) => {
            let middle = state.input(element).map(Interval::middle).ok_or(Refusal::UnknownElement(0, element))?;
            (0, element, middle, middle)
        }
    };
    let side = |side, at| Literal { place, element, side, at };
    // Not so for NaN.
    if above <= below {
        Ok([side(Side::Upper, below), side(Side::Lower, above)])
    } else {
        Err(Refusal::Gap(below, above))
    }
}
