//! Bisection down to neighbouring floats, and the allowance for rounding that every solved end of an interval is given.

/// How far, relatively, a computed probability may lie from the true one before an end of an interval errs inwards. It
/// is five times the largest error measured for probabilities above 1e-9 (see [`counts`](super::counts)), and moves the
/// ends by less than 1e-12 of themselves.
pub(super) const ALLOWANCE: f64 = 1e-13;

/// Two floats without another one between them: `is_below` holds at the first and not at the second, or they are the
/// ends.
///
/// `is_below` is taken to hold at `below` and not at `above`, both finite and not negative, and to change once between
/// them; where it changes more often (by rounding), one of the places is found. This ends: while `below` is zero each
/// step halves `above` or makes `below` positive, which takes at most as many steps as there are binary orders of
/// magnitude; from then on each step halves the gap, and floats within a factor of two of each other are at most 2^53
/// apart.
pub(super) fn boundary(mut below: f64, mut above: f64, is_below: impl Fn(f64) -> bool) -> (f64, f64) {
    loop {
        let middle = below + (above - below) / 2.0;
        if !(below < middle && middle < above) {
            return (below, above);
        }
        if is_below(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_ends_are_neighbours_around_the_change() {
        for root in [f64::MIN_POSITIVE / 4.0, 1e-300, 1e-9, 0.1, 0.5, 1.0 - f64::EPSILON] {
            let steps = Cell::new(0);
            let (below, above) = boundary(0.0, 1.0, |p| {
                steps.set(steps.get() + 1);
                p < root
            });
            assert!(below < root && root <= above && below.next_up() == above, "{root}: {below} {above}");
            assert!(steps.get() <= 1075 + 54, "{root}: {} steps", steps.get());
        }
    }

    #[test]
    fn without_a_change_an_end_is_found() {
        assert_eq!(boundary(0.0, 1.0, |_| true), (1.0f64.next_down(), 1.0));
        assert_eq!(boundary(0.0, 1.0, |_| false), (0.0, 0.0f64.next_up()));
        assert_eq!(boundary(0.5, 0.5, |_| false), (0.5, 0.5));
    }
}
