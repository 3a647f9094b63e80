//! Many trees grow together: all their new leaves are bounded in one batch.

use std::sync::Arc;

use ndarray::Array1;

use super::tree::{Taken, Tree};
use crate::bound::dual::{self, Effort, Reached, Row};
use crate::bound::frame::Frame;
use crate::deadline::Deadline;

/// How trees grow.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// Steps of an ascent at a root, where slopes move.
    pub root_steps: usize,
    /// Steps of an ascent below, where multipliers move.
    pub steps: usize,
    /// After how many levels of a tree slopes move again, and the steps of an ascent there; none where they do not.
    pub fresh: Option<(usize, usize)>,
    /// Leaves of a tree that are split in one round.
    pub splits: usize,
    /// When to stop.
    pub deadline: Deadline,
}

/// A point where a relaxed target is least.
#[derive(Clone, Debug)]
pub struct Corner {
    /// The tree.
    pub tree: usize,
    /// The point.
    pub input: Array1<f32>,
}

/// Bounds the roots that are not bounded yet, from given slopes or adaptive ones. `None` when the deadline passes first.
pub fn plant(frame: &Frame, trees: &mut [Tree], slopes: Option<&Arc<[u8]>>, growth: &Growth) -> Option<()> {
    let new: Vec<usize> = (0..trees.len()).filter(|i| !trees[*i].is_planted()).collect();
    let rows: Vec<Row> = new.iter().map(|i| trees[*i].root_row(slopes.cloned())).collect();
    let effort = Effort { steps: growth.root_steps, moves_slopes: true, deadline: growth.deadline };
    let found = dual::ascend(frame, &rows, &effort)?;
    new.into_iter().zip(found).for_each(|(i, reached)| trees[i].plant(reached));
    Some(())
}

/// One round: splits the worst leaves of the trees named. Returns the number of new leaves, 0 when nothing can be split, and the corners of
/// those below their goals: others hold no counterexample. `None` when the deadline passes first.
pub fn grow(frame: &Frame, trees: &mut [Tree], chosen: &[usize], growth: &Growth) -> Option<(usize, Vec<Corner>)> {
    let mut taken: Vec<(usize, Taken)> = Vec::new();
    for i in chosen {
        for _ in 0..growth.splits {
            if !trees[*i].is_open() {
                break;
            }
            taken.extend(trees[*i].take().map(|leaf| (*i, leaf)));
        }
    }
    let (levels, steps) = growth.fresh.unwrap_or((usize::MAX, 0));
    let (fresh, stale): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(i, leaf)| trees[*i].is_fresh(*leaf, levels));
    let (mut count, mut corners) = (0, Vec::new());
    for (taken, steps, moves_slopes) in [(stale, growth.steps, false), (fresh, steps, true)] {
        let rows: Vec<Row> = taken.iter().flat_map(|(i, leaf)| trees[*i].rows(*leaf)).collect();
        let found = dual::ascend(frame, &rows, &Effort { steps, moves_slopes, deadline: growth.deadline })?;
        let mut found = found.into_iter();
        for (i, leaf) in taken {
            let mut children = [(); 2].map(|()| found.next().expect("two rows a leaf"));
            count += children.len();
            let below = children.iter_mut().filter(|child| child.bound < trees[i].goal);
            corners.extend(below.map(|Reached { input, .. }| Corner { tree: i, input: std::mem::take(input) }));
            trees[i].split(leaf, children, moves_slopes);
        }
    }
    Some((count, corners))
}
