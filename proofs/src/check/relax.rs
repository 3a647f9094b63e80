//! The step through a ReLU, and what a certificate may say about it.

use crate::arith::Slope;
use crate::certificate::Slopes;
use crate::error::Rejected;
use crate::network::{Network, NodeId, Op};

/// The slope rule of a ReLU node in one linear bound.
pub(crate) fn slope_at(slopes: &Slopes, relu: NodeId) -> Slope<'_> {
    slopes.alpha.get(&relu).map_or(Slope::Adaptive, |alpha| Slope::Given(alpha))
}

/// Checks that a witness gives every ReLU node that it names one number in `[0, 1]` for each element.
pub(crate) fn check_slopes(network: &Network, slopes: &Slopes) -> Result<(), Rejected> {
    for (node, alpha) in &slopes.alpha {
        let found = network.nodes().get(*node).filter(|n| matches!(n.op, Op::Relu(_)));
        let expected = found.map_or(0, |n| n.size);
        if found.is_none() || alpha.len() != expected || !alpha.iter().all(|a| (0.0..=1.0).contains(a)) {
            return Err(Rejected::Slopes { node: *node, expected });
        }
    }
    Ok(())
}
