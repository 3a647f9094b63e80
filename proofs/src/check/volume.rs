//! Volume: a tree may leave parts of its region, and may prove of others that some one case happens at each of their points.
//!
//! The parts at which a tree ends leave nothing out of the region (`cover`), and each lies in the input box of its state. So whatever
//! no left and no violated part holds is certified, and its volume is at least that of the region less that of their boxes; the
//! same with certified and violated exchanged. That stays true where parts overlap, and where what is assumed of hidden
//! values makes a part less than its box: then less is claimed than could be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::arith::{Interval, WHOLE, share_up};
use crate::property::Region;
use crate::verdict::Shares;

use super::affine::LinearAtom;
use super::leaf::Goal;
use super::state::State;

/// What is known of the points at which a tree ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// No case happens at any of them.
    Certified,
    /// Some one case happens at each of them.
    Violated,
    /// Nothing.
    Left,
}

/// The volumes of the boxes at which a region's tree has ended, of each kind, as shares of the region's, rounded up.
#[derive(Debug)]
pub(crate) struct Measure {
    whole: Vec<Interval>,
    certified: AtomicU64,
    violated: AtomicU64,
    left: AtomicU64,
}

impl Measure {
    /// Nothing yet.
    pub fn new(region: &Region) -> Self {
        let [certified, violated, left] = [(); 3].map(|()| AtomicU64::new(0));
        Measure { whole: region.bounds.iter().map(|b| b.outer()).collect(), certified, violated, left }
    }

    /// Adds the input box of a state.
    pub fn add(&self, part: Part, state: &State) {
        let elements = self.whole.iter().enumerate().map(|(i, whole)| (state.input(i).unwrap_or(*whole), *whole));
        let share = share_up(elements);
        let sum = match part {
            Part::Certified => &self.certified,
            Part::Violated => &self.violated,
            Part::Left => &self.left,
        };
        // A tree whose splits do not speak of the input may count the region many times over.
        let add = |sum: u64| Some(sum.saturating_add(share));
        let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// What has been proved once the tree has ended.
    pub fn shares(&self) -> Shares {
        let [certified, violated, left] =
            [&self.certified, &self.violated, &self.left].map(|s| s.load(Ordering::Relaxed));
        let remaining = WHOLE.saturating_sub(left);
        Shares::new(
            remaining.saturating_sub(violated).min(certified),
            remaining.saturating_sub(certified).min(violated),
        )
    }
}

/// The negations of a case's atoms, one goal for each. `-a.v <= -b` is refuted where `a.v < b`, so that strict atoms hold too.
pub(crate) fn negations(goal: &Goal) -> Vec<Arc<Goal>> {
    let negated = |atom: &LinearAtom| LinearAtom {
        terms: atom.terms.iter().map(|(variable, c)| (*variable, -*c)).collect(),
        at_most: -atom.at_most,
    };
    let goals = goal.atoms.iter().enumerate();
    goals.map(|(case, atom)| Arc::new(Goal { case, atoms: vec![negated(atom)] })).collect()
}
