//! Parts of the input region.

use bartizan_proof::Interval;
use bartizan_proof::certificate::Split;
use ndarray::{Array2, ArrayView1, Axis};

use super::tree::NodeId;

/// A part of the region that is not refuted yet, with what its parent knows of it.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its node in the tree.
    pub node: NodeId,
    /// The ends of each input element, exactly as the checker halves them.
    pub ends: Vec<Interval>,
    /// The parent's bound.
    pub bound: f32,
    /// How far the parent's most promising point is from being a counterexample.
    pub excess: f32,
    /// By how much backward bounds should improve on forward ones, once that has been seen.
    pub worth: Option<f32>,
    /// Whether it must be split even if it seems refuted, because the checker thinks otherwise.
    pub is_disputed: bool,
}

impl Domain {
    /// The two parts that a split of an input makes.
    pub fn parts(&self, split: &Split) -> [Vec<Interval>; 2] {
        [false, true].map(|is_second| {
            let mut ends = self.ends.clone();
            keep(&mut ends, split, is_second);
            ends
        })
    }

    /// The boxes of some domains, `[domains, inputs]`, rounded outward.
    pub fn boxes(domains: &[Domain]) -> (Array2<f32>, Array2<f32>) {
        let ends = |end: fn(&Interval) -> f32| {
            let rows: Vec<Vec<f32>> = domains.iter().map(|d| d.ends.iter().map(end).collect()).collect();
            let rows: Vec<ArrayView1<f32>> = rows.iter().map(ArrayView1::from).collect();
            ndarray::stack(Axis(0), &rows).expect("boxes of one width")
        };
        (ends(|i| rounded_down(i.lo)), ends(|i| -rounded_down(-i.hi)))
    }
}

/// Keeps one part of a box, as the checker does for a split of an input.
pub fn keep(ends: &mut [Interval], split: &Split, is_second: bool) {
    let (input, below, above) = match *split {
        Split::Middle(input) => (input, ends[input].middle(), ends[input].middle()),
        Split::At { place: 0, element, below, above } => (element, below, above),
        Split::At { .. } => return,
    };
    let end = if is_second { &mut ends[input].lo } else { &mut ends[input].hi };
    *end = if is_second { end.max(above) } else { end.min(below) };
}

fn rounded_down(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) > x { near.next_down() } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain() -> Domain {
        let ends = vec![Interval { lo: 0.1, hi: 0.3 }];
        Domain { node: 0, ends, bound: 0.0, excess: 0.0, worth: None, is_disputed: false }
    }

    #[test]
    fn boxes_are_rounded_outward() {
        let (lower, upper) = Domain::boxes(&[domain()]);
        assert!(f64::from(lower[[0, 0]]) <= 0.1 && f64::from(upper[[0, 0]]) >= 0.3);
        assert!(f64::from(lower[[0, 0]].next_up()) > 0.1 && f64::from(upper[[0, 0]].next_down()) < 0.3);
    }

    #[test]
    fn parts_meet_where_they_are_split() {
        let ends = |split: Split| {
            let [low, high] = domain().parts(&split);
            (low[0].lo, low[0].hi, high[0].lo, high[0].hi)
        };
        assert_eq!(ends(Split::Middle(0)), (0.1, 0.2, 0.2, 0.3));
        let at = |place, below, above| Split::At { place, element: 0, below, above };
        assert_eq!(ends(at(0, 0.25, 0.25)), (0.1, 0.25, 0.25, 0.3));
        assert_eq!(ends(at(0, 0.5, 0.0)), (0.1, 0.3, 0.1, 0.3));
        assert_eq!(ends(at(1, 0.2, 0.2)), (0.1, 0.3, 0.1, 0.3));
    }
}
