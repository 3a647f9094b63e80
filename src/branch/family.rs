//! What is known of combinations of one case's atoms in one domain.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, Axis, s};

use super::joint::best_mixture;

/// Linear lower bounds `constants + slopes . t` over `t` in the cubes `[-1, 1]^n` of their domains.
#[derive(Clone, Debug)]
pub struct OnCubes {
    /// One constant a row.
    pub constants: Array1<f32>,
    /// `[rows, inputs]`.
    pub slopes: Array2<f32>,
    /// What each row is at least in the ball, where there is one; its minimum over the cube may be lower or higher.
    pub in_ball: Option<Vec<f32>>,
}

/// Combinations of one case's atoms whose bounds in one domain are known.
#[derive(Clone, Debug)]
pub struct Family {
    /// The domain, counted within its batch.
    pub domain: usize,
    /// The place of the case in the query.
    pub place: usize,
    /// The best bound so far.
    pub value: f32,
    /// Weights of the atoms in each combination, `[combinations, atoms]`.
    weights: Array2<f32>,
    bounds: OnCubes,
}

/// A cut across an input that takes a refuted part off a domain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// The input.
    pub input: usize,
    /// Where, from -1 at its lower end to 1 at its upper.
    pub at: f32,
    /// The share of the domain that is refuted.
    pub share: f32,
}

/// How much of what could be cut off is kept, so that a bound is positive on the rest beyond rounding.
const MARGIN: f32 = 0.02;

impl Family {
    /// Each atom alone; the rows of `found` are theirs.
    pub fn of_atoms((domain, place): (usize, usize), found: &OnCubes, rows: Range<usize>) -> Self {
        let value = found.best(rows.clone()).map_or(f32::NEG_INFINITY, |(_, value)| value);
        let weights = Array2::eye(rows.len());
        let constants = found.constants.slice(s![rows.clone()]).to_owned();
        let bounds = OnCubes { constants, slopes: found.slopes.slice(s![rows, ..]).to_owned(), in_ball: None };
        Family { domain, place, value, weights, bounds }
    }

    /// Number of atoms.
    pub fn atoms(&self) -> usize {
        self.weights.ncols()
    }

    /// The weights of the atoms in the best mixture of the known combinations.
    pub fn best(&self) -> Array1<f32> {
        let mixture = best_mixture(self.bounds.constants.view(), self.bounds.slopes.view());
        Array1::from(mixture.weights).dot(&self.weights)
    }

    /// Adds a combination with its bound.
    pub fn push(&mut self, weights: Array1<f32>, value: f32, (constant, slopes): (f32, ArrayView1<f32>)) {
        self.value = self.value.max(value);
        self.weights.push_row(weights.view()).expect("one weight an atom");
        self.bounds.constants.append(Axis(0), ndarray::aview1(&[constant])).expect("one axis");
        self.bounds.slopes.push_row(slopes).expect("one slope an input");
    }

    /// The slopes of the combination that came last.
    pub fn slopes(&self) -> ArrayView1<'_, f32> {
        self.bounds.slopes.row(self.bounds.slopes.nrows() - 1)
    }

    /// How steep the bounds of all atoms are in each input, in sum: opposite slopes do not cancel here, as they do in a
    /// combination, whose bound they keep loose all the same.
    pub fn steepness(&self) -> Array1<f32> {
        self.bounds.slopes.slice(s![..self.atoms(), ..]).mapv(f32::abs).sum_axis(Axis(0))
    }

    /// The largest part of the cube that a known bound refutes and that a cut across one input takes off, if there is any.
    pub fn clip(&self) -> Option<Clip> {
        let rows = self.bounds.constants.iter().zip(self.bounds.slopes.rows());
        let clips = rows.flat_map(|(constant, slopes)| {
            let sum: f32 = slopes.iter().map(|a| a.abs()).sum();
            let cut = move |(input, slope): (usize, &f32)| Clip::of(input, *slope, sum - slope.abs() - constant);
            slopes.into_iter().enumerate().filter_map(cut)
        });
        clips.reduce(|best, other| if other.share > best.share { other } else { best })
    }
}

impl Clip {
    /// The bound `slope t - others` is positive from `others / slope` on.
    fn of(input: usize, slope: f32, others: f32) -> Option<Clip> {
        let from = others / slope.abs();
        if !(from > -1.0 && from < 1.0) {
            return None;
        }
        let from = from + MARGIN * (1.0 - from);
        Some(Clip { input, at: if slope > 0.0 { from } else { -from }, share: (1.0 - from) / 2.0 })
    }
}

impl OnCubes {
    /// The minimum of a row over its cube, or what it is at least in the ball where that is more.
    pub fn value(&self, row: usize) -> f32 {
        let on_cube = self.constants[row] - self.slopes.row(row).iter().map(|a| a.abs()).sum::<f32>();
        self.in_ball.as_ref().map_or(on_cube, |least| on_cube.max(least[row]))
    }

    /// The row with the largest minimum, counted from the first, and that minimum.
    pub fn best(&self, rows: Range<usize>) -> Option<(usize, f32)> {
        let values = rows.map(|row| self.value(row)).enumerate();
        values.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn family(constants: Array1<f32>, slopes: Array2<f32>) -> Family {
        let rows = 0..constants.len();
        Family::of_atoms((0, 0), &OnCubes { constants, slopes, in_ball: None }, rows)
    }

    #[test]
    fn opposite_slopes_do_not_cancel() {
        let mut family = family(array![-1.0, -1.0], array![[3.0, 0.5], [-3.0, 0.25]]);
        family.push(array![0.5, 0.5], -0.5, (-1.0, array![0.0, 0.375].view()));
        assert_eq!((family.steepness(), family.slopes().to_vec()), (array![6.0, 0.75], vec![0.0, 0.375]));
        assert_eq!((family.atoms(), family.value), (2, -0.5));
    }

    #[test]
    fn clips_take_off_what_a_bound_refutes() {
        // 1 - 4 t - 0.5 s is positive wherever t is below 1/8; the other atom refutes a smaller part.
        let clip = family(array![1.0, -2.0], array![[-4.0, 0.5], [3.0, 0.0]]).clip().unwrap();
        assert_eq!(clip.input, 0);
        assert!((clip.at - 0.125).abs() < 0.03 && clip.at < 0.125, "{clip:?}");
        assert!((clip.share - (1.0 + clip.at) / 2.0).abs() < 1e-6, "{clip:?}");
        let rising = family(array![1.0], array![[4.0, 0.5]]).clip().unwrap();
        assert!(rising.at > -0.125 && (rising.share - (1.0 - rising.at) / 2.0).abs() < 1e-6, "{rising:?}");
        assert_eq!(family(array![-9.0], array![[4.0, 0.0]]).clip(), None);
    }
}
