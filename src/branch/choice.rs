//! Where to split.

use bartizan_proof::Interval;
use bartizan_proof::certificate::Split;

use super::family::Clip;
use super::judge::Judgement;

/// The share of an input's magnitude below which it is not halved: the search's arithmetic sees nothing there.
const NARROWEST: f64 = 1.0 / 1_048_576.0;

/// The width of each input of a region below which it is not halved.
pub fn narrowest(region: &[Interval]) -> Vec<f64> {
    region.iter().map(|end| end.lo.abs().max(end.hi.abs()) * NARROWEST).collect()
}

/// The share of a domain that a clip must take off to be better than a halving, which may refute as much.
const WORTH_CLIPPING: f32 = 0.5;

/// How to split a domain, if any input is wider than `narrowest`.
pub fn split(ends: &[Interval], narrowest: &[f64], judgement: &Judgement) -> Option<Split> {
    let clip = judgement.clip.and_then(|clip| cut(ends, narrowest, clip));
    clip.or_else(|| input(ends, narrowest, &judgement.steepness).map(Split::Middle))
}

/// A clip that is worth it.
fn cut(ends: &[Interval], narrowest: &[f64], Clip { input, at, share }: Clip) -> Option<Split> {
    let Interval { lo, hi } = ends[input];
    let value = ends[input].middle() + f64::from(at) * (hi - lo) / 2.0;
    let is_worth = share > WORTH_CLIPPING && hi - lo > narrowest[input] && lo < value && value < hi;
    is_worth.then_some(Split::At { place: 0, element: input, below: value, above: value })
}

/// The input element to halve, if any is wider than `narrowest`. With the steepness of the atoms' bounds on the domain's cube,
/// `steepness * width` grows like the coefficient times the square of the width: between the steepest direction, which is
/// often too narrow to matter, and the widest, which may not matter at all.
pub fn input(ends: &[Interval], narrowest: &[f64], steepness: &[f32]) -> Option<usize> {
    let score = |i: &usize| f64::from(steepness[*i]) * (ends[*i].hi - ends[*i].lo);
    let can_split = |i: &usize| ends[*i].hi - ends[*i].lo > narrowest[*i];
    (0..ends.len()).filter(can_split).max_by(|i, j| score(i).total_cmp(&score(j)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_inputs_are_left_alone() {
        let point = Interval { lo: 1.0, hi: 1.0 };
        let narrow = Interval { lo: 1.0, hi: 1.000_000_5 };
        let wide = Interval { lo: -1.0, hi: 1.0 };
        let choose = |ends: &[Interval], slopes: &[f32]| input(ends, &narrowest(&vec![wide; ends.len()]), slopes);
        assert_eq!(choose(&[point, narrow, wide], &[9.0, 9.0, 0.0]), Some(2));
        assert_eq!(choose(&[point, narrow], &[1.0, 1.0]), None);
        assert_eq!(choose(&[wide, wide], &[1.0, 2.0]), Some(1));
    }

    #[test]
    fn clips_that_take_off_more_than_half_go_first() {
        let wide = Interval { lo: 2.0, hi: 4.0 };
        let at = |at, share| cut(&[wide], &[1e-3], Clip { input: 0, at, share });
        let expected = |value| Split::At { place: 0, element: 0, below: value, above: value };
        assert_eq!(at(0.5, 0.75), Some(expected(3.5)));
        assert_eq!(at(-0.5, 0.75), Some(expected(2.5)));
        assert_eq!((at(0.5, 0.25), at(1.0, 0.75)), (None, None));
        assert_eq!(cut(&[wide], &[3.0], Clip { input: 0, at: 0.0, share: 0.6 }), None);
    }
}
