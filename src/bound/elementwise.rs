//! What [`super::dual`] does to one row, element by element, in loops that compilers vectorise for whatever the processor has.

use fearless_simd::{Level, dispatch};
use ndarray::ArrayView1;

/// How fast the means of gradients and of their squares forget (Kingma and Ba 2015).
pub const DECAY: (f32, f32) = (0.5, 0.9);

/// Slopes are multiples of one over this.
pub const GRID: f32 = 128.0;

/// By how much a bound gains for each unit by which the ends of an interval are tightened, with coefficient `a` on the ReLU, whose input is
/// `z` at the minimiser and whose line has value `h` there.
pub fn gains_of(a: f32, (z, h): (f32, f32), (l, u): (f32, f32)) -> [f32; 2] {
    // Ends may be no numbers, on which `clamp` panics.
    let (width, z) = (u - l, z.max(l).min(u));
    match a < 0.0 {
        true => [-a * u * (u - z) / (width * width), a * l * (z - l) / (width * width)],
        false => [-l, u].map(|distance| a * (z.max(0.0) - h).max(0.0) / width.max(distance)),
    }
}

/// The elements of a row of a matrix in row-major order; panics on others.
pub fn slice<'a>(row: ArrayView1<'a, f32>) -> &'a [f32] {
    row.to_slice().expect("row-major")
}

/// `2^23`: numbers of this size have no digits below one.
const ROUNDER: f32 = 8_388_608.0;

/// A multiplier of two bytes, not larger.
pub fn short(multiplier: f32) -> f32 {
    f32::from_bits(multiplier.to_bits() & 0xffff_0000)
}

/// Independent partial sums.
const LANES: usize = 16;

/// Adds the relaxed coefficients; returns what the relaxation costs.
pub fn relax_row(a: &[f32], lines: (&[f32], &[f32], &[f32]), into: &mut [f32]) -> f32 {
    dispatch!(Level::new(), _simd => relax_row_inline(a, lines, into))
}

#[inline(always)]
fn relax_row_inline(a: &[f32], (below, above, offset): (&[f32], &[f32], &[f32]), into: &mut [f32]) -> f32 {
    let mut costs = [0.0; LANES];
    let n = a.len();
    let (below, above, offset, into) = (&below[..n], &above[..n], &offset[..n], &mut into[..n]);
    let whole = n - n % LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, cost) in costs.iter_mut().enumerate() {
            let j = start + lane;
            let (positive, negative) = (a[j].max(0.0), a[j].min(0.0));
            into[j] += positive * below[j] + negative * above[j];
            *cost += negative * offset[j];
        }
    }
    for j in whole..n {
        let (positive, negative) = (a[j].max(0.0), a[j].min(0.0));
        into[j] += positive * below[j] + negative * above[j];
        costs[0] += negative * offset[j];
    }
    costs.iter().sum()
}

/// The corner of the box where `a . x` is least, and that value.
pub fn corner_of(a: &[f32], ends: (&[f32], &[f32]), corner: &mut [f32]) -> f32 {
    dispatch!(Level::new(), _simd => corner_of_inline(a, ends, corner))
}

#[inline(always)]
fn corner_of_inline(a: &[f32], (lower, upper): (&[f32], &[f32]), corner: &mut [f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let n = a.len();
    let (lower, upper, corner) = (&lower[..n], &upper[..n], &mut corner[..n]);
    for (j, a) in a.iter().enumerate() {
        corner[j] = if *a < 0.0 { upper[j] } else { lower[j] };
    }
    let whole = n - n % LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += a[start + lane] * corner[start + lane];
        }
    }
    for j in whole..n {
        sums[0] += a[j] * corner[j];
    }
    sums.iter().sum()
}

/// The values on the lines that coefficients choose.
pub fn value_row(z: &[f32], a: Option<&[f32]>, lines: (&[f32], &[f32], &[f32]), value: &mut [f32]) {
    dispatch!(Level::new(), _simd => value_row_inline(z, a, lines, value))
}

#[inline(always)]
fn value_row_inline(z: &[f32], a: Option<&[f32]>, (below, above, offset): (&[f32], &[f32], &[f32]), value: &mut [f32]) {
    let n = z.len();
    let (below, above, offset, value) = (&below[..n], &above[..n], &offset[..n], &mut value[..n]);
    match a {
        Some(a) => {
            let a = &a[..n];
            for j in 0..n {
                let on_lower = below[j] * z[j];
                let on_upper = above[j] * z[j] + offset[j];
                // Both are computed: a branch would keep the loop from being vectorised.
                let is_negative = ((a[j] < 0.0) as u32).wrapping_neg();
                value[j] = f32::from_bits(on_upper.to_bits() & is_negative | on_lower.to_bits() & !is_negative);
            }
        }
        None => value.iter_mut().zip(z).zip(below).for_each(|((value, z), below)| *value = below * z),
    }
}

/// A step of slopes.
pub fn follow_row(a: &[f32], z: &[f32], offset: &[f32], state: [&mut [f32]; 3], rates: (f32, (f32, f32))) {
    dispatch!(Level::new(), _simd => follow_row_inline(a, z, offset, state, rates))
}

#[inline(always)]
fn follow_row_inline(
    a: &[f32],
    z: &[f32],
    offset: &[f32],
    [now, mean, square]: [&mut [f32]; 3],
    (rate, corrected): (f32, (f32, f32)),
) {
    let n = a.len();
    let (z, offset, now, mean, square) = (&z[..n], &offset[..n], &mut now[..n], &mut mean[..n], &mut square[..n]);
    for j in 0..n {
        let gradient = a[j].max(0.0) * z[j];
        mean[j] = DECAY.0 * mean[j] + (1.0 - DECAY.0) * gradient;
        square[j] = DECAY.1 * square[j] + (1.0 - DECAY.1) * gradient * gradient;
        let size = (square[j] * corrected.1).sqrt();
        let step = rate * mean[j] * corrected.0 / (size + 1e-30);
        // Adding what leaves no room for smaller digits rounds to whole numbers.
        let moved = ((now[j] + step).clamp(0.0, 1.0) * GRID + ROUNDER - ROUNDER) / GRID;
        now[j] = if offset[j] > 0.0 { moved } else { now[j] };
    }
}
