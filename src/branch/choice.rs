//! Where to split.

use bartizan_proof::Interval;

/// The input element to halve, if any can be. `slopes` are the coefficients of the worst bound on the domain's cube, so that
/// `slope * width` grows like the coefficient times the square of the width: between the steepest direction, which is
/// often too narrow to matter, and the widest, which may not matter at all.
pub fn input(ends: &[Interval], slopes: &[f32]) -> Option<usize> {
    let score = |i: &usize| f64::from(slopes[*i].abs()) * (ends[*i].hi - ends[*i].lo);
    let can_split = |i: &usize| {
        let middle = ends[*i].middle();
        ends[*i].lo < middle && middle < ends[*i].hi
    };
    (0..ends.len()).filter(can_split).max_by(|i, j| score(i).total_cmp(&score(j)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_that_cannot_be_halved_are_left_alone() {
        let point = Interval { lo: 1.0, hi: 1.0 };
        let narrow = Interval { lo: 1.0, hi: 1.0_f64.next_up() };
        let wide = Interval { lo: 0.0, hi: 1.0 };
        assert_eq!(input(&[point, narrow, wide], &[9.0, 9.0, 0.0]), Some(2));
        assert_eq!(input(&[point, narrow], &[1.0, 1.0]), None);
        assert_eq!(input(&[wide, wide], &[1.0, -2.0]), Some(1));
    }
}
