//! What ascends, and what comes of it.

use std::sync::Arc;

use ndarray::Array1;

use crate::bound::frame::Target;
use crate::deadline::Deadline;

/// The assumption that the input of some ReLUs, an element of an affine node, has a sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sign {
    /// The node.
    pub node: usize,
    /// Its element.
    pub element: usize,
    /// At least 0, or at most 0.
    pub is_positive: bool,
    /// The multiplier.
    pub beta: f32,
    /// The size of the coefficient before it was split: the scale on which the multiplier is sought.
    pub scale: f32,
}

/// A target under assumptions.
#[derive(Clone, Debug)]
pub struct Row<'t> {
    /// What is bounded from below.
    pub target: &'t Target,
    /// What is assumed.
    pub signs: Vec<Sign>,
    /// Slopes to begin with, in units of 1/128, by slots; adaptive ones where there are none.
    pub slopes: Option<Arc<[u8]>>,
    /// Multipliers of the frame's cuts to begin with; 0 where there are none.
    pub cuts: Option<Arc<[f32]>>,
    /// The width of the target's values: the scale on which multipliers of cuts are sought.
    pub width: f32,
    /// A bound that is good enough.
    pub goal: f32,
}

/// What a row has reached.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The best lower bound.
    pub bound: f32,
    /// The slopes behind it, by slots.
    pub slopes: Arc<[u8]>,
    /// The multipliers of signs behind it.
    pub betas: Vec<f32>,
    /// The multipliers of the frame's cuts behind it.
    pub cuts: Arc<[f32]>,
    /// The undecided elements whose relaxation costs most, worst first.
    pub choices: Vec<Choice>,
    /// The corner of the box where the relaxed target is least, or a point on or near the ball.
    pub input: Array1<f32>,
    /// By how much the bound gains for each unit by which the two ends of each slot's interval are tightened, where slopes have moved.
    pub gains: Option<Box<[[f32; 2]]>>,
}

/// An element whose sign could be assumed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The affine node.
    pub node: usize,
    /// Its element.
    pub element: usize,
    /// What its relaxation costs at the minimiser.
    pub score: f32,
    /// The size of the coefficient on it.
    pub scale: f32,
}

/// How an ascent goes.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The number of steps.
    pub steps: usize,
    /// Whether slopes move, or only multipliers.
    pub moves_slopes: bool,
    /// When to give up.
    pub deadline: Deadline,
}
