//! Where to split.

use bartizan_proof::Interval;

/// The share of an input's magnitude below which it is not halved: the search's arithmetic sees nothing there.
const NARROWEST: f64 = 1.0 / 1_048_576.0;

/// The width of each input of a region below which it is not halved.
pub fn narrowest(region: &[Interval]) -> Vec<f64> {
    region.iter().map(|end| end.lo.abs().max(end.hi.abs()) * NARROWEST).collect()
}

/// The input element to halve, if any is wider than `narrowest`. `slopes` are the coefficients of the worst bound on the domain's cube, so that
/// `slope * width` grows like the coefficient times the square of the width: between the steepest direction, which is
/// often too narrow to matter, and the widest, which may not matter at all.
pub fn input(ends: &[Interval], narrowest: &[f64], slopes: &[f32]) -> Option<usize> {
    let score = |i: &usize| f64::from(slopes[*i].abs()) * (ends[*i].hi - ends[*i].lo);
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
        assert_eq!(choose(&[wide, wide], &[1.0, -2.0]), Some(1));
    }
}
