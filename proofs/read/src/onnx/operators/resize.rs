//! `Resize` and `Upsample`: along each axis, every element of the result is the nearest one of the source, or a mean of its
//! two neighbours.
//!
//! Where an element lies is computed exactly, as a fraction. An execution computes it in binary32, so that a model is refused
//! where a nearest element might be another one for it.

use super::{Call, Interval, ONE, Result, Rounding, Term, Value, at, lowering, redirect, sparse, tables};

/// The most that executions round between summands and their mean beside its product and sum: one product for each of up
/// to three axes, and sums between them.
const INTERPOLATION_ROUNDINGS: usize = 6;

/// A coordinate of the source, `numerator / denominator` with a positive denominator.
type Fraction = [i64; 2];

/// Places and their weights.
type Neighbours = Vec<(usize, Interval)>;

/// How an axis of the source becomes one of the result.
struct Axis {
    source: usize,
    result: usize,
}

impl Axis {
    /// Whether executions compute halves and integers among the coordinates without rounding: all numbers are small
    /// and the scale is an integer over a power of two, or nothing is scaled.
    fn is_exact(&self) -> bool {
        if self.source == self.result {
            return self.source < 1 << 22;
        }
        let divisor = gcd(self.source, self.result);
        (self.source / divisor.max(1)).is_power_of_two() && self.source.max(self.result) < 1 << 12
    }

    /// Where element `i` of the result lies in the source; `None` for an unknown mode.
    fn coordinate(&self, mode: &str, i: usize) -> Option<Fraction> {
        let [n, m, i] = [self.source, self.result, i].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let half_pixel = [(2 * i + 1) * n - m, 2 * m];
        match mode {
            "asymmetric" => Some([i * n, m]),
            "half_pixel" | "half_pixel_symmetric" => Some(half_pixel),
            "pytorch_half_pixel" => Some(if m > 1 { half_pixel } else { [0, 1] }),
            "tf_half_pixel_for_nn" => Some([(2 * i + 1) * n, 2 * m]),
            "align_corners" => Some(if m > 1 { [i * (n - 1), m - 1] } else { [0, 1] }),
            _ => None,
        }
    }

    /// The last place of the source.
    fn last(&self) -> i64 {
        i64::try_from(self.source).unwrap_or(i64::MAX).saturating_sub(1)
    }

    /// The place next to a coordinate; `None` for an unknown mode, and where the coordinate is so near to a jump that a
    /// rounded one might lie beyond it.
    fn nearest(&self, mode: &str, [x, d]: Fraction) -> Option<i64> {
        let (floor, shifted) = match mode {
            "floor" => (x.div_euclid(d), x),
            "ceil" => (-(-x).div_euclid(d), x),
            "round_prefer_floor" => (-(d - 2 * x).div_euclid(2 * d), 2 * x + d),
            "round_prefer_ceil" => ((2 * x + d).div_euclid(2 * d), 2 * x + d),
            _ => return None,
        };
        let period = if shifted == x { d } else { 2 * d };
        let beyond = shifted.rem_euclid(period);
        let distance = i128::from(beyond.min(period - beyond));
        let is_far = (distance << 18) > i128::from(shifted.abs()) + i128::from(period);
        (is_far || (distance == 0 && self.is_exact())).then_some(floor.min(self.last()).max(0))
    }

    /// The places around a coordinate and their weights.
    fn neighbours(&self, [x, d]: Fraction) -> Option<Neighbours> {
        let (place, part) = (x.div_euclid(d), x.rem_euclid(d));
        let is_inside = place >= 0 && place < self.last() && part > 0;
        let first = usize::try_from(place.min(self.last()).max(0)).ok()?;
        if !is_inside {
            return Some(vec![(first, ONE)]);
        }
        let share = |part: i64| {
            let [part, whole] = [part, d].map(|n| usize::try_from(n).ok().map(lowering::whole));
            lowering::divide(part?, whole?)
        };
        Some(vec![(first, share(d - part)?), (first + 1, share(part)?)])
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `Resize` in mode nearest or linear, and `Upsample`, which is `Resize` without its attributes.
pub(super) fn resize<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    call.require(value.shape != [0], "elements to resize", "none")?;
    let mode = call.text("mode", "nearest")?;
    let is_old = call.operator == "Upsample" || call.opset < 11;
    let (coordinates, rounding) = if is_old { ("asymmetric", "floor") } else { modes(call)? };
    let shape = result_shape(call, is_old)?;
    call.size(&shape)?;
    let axes = value.shape.iter().zip(&shape).map(|(source, result)| Axis { source: *source, result: *result });
    let axes: Vec<Axis> = axes.collect();
    let is_smaller = axes.iter().any(|axis| axis.result < axis.source);
    call.require(!(is_old && is_smaller), "scales of at least 1 before operator set 11", "a smaller one")?;
    let along = |axis: &Axis| (0..axis.result).map(|i| axis.coordinate(coordinates, i)).collect::<Option<Vec<_>>>();
    let all: Option<Vec<Vec<Fraction>>> = axes.iter().map(along).collect();
    let all = call.demand(all, "a known coordinate_transformation_mode", coordinates)?;
    match mode {
        "nearest" => {
            let mut tables = tables(&value.shape);
            for (place, (axis, along)) in axes.iter().zip(all).enumerate() {
                let places: Option<Vec<i64>> = along.into_iter().map(|x| axis.nearest(rounding, x)).collect();
                let expected = "a known nearest_mode and elements with one that is surely the nearest";
                redirect(&mut tables, place, call.demand(places, expected, rounding)?.into_iter());
            }
            call.rearrange(value, &tables)
        }
        "linear" | "bilinear" => interpolate(call, shape, &axes, all),
        other => Err(call.refuse("mode nearest or linear", other)),
    }
}

/// Takes the attributes of `Resize` since operator set 11 that say how coordinates are computed.
fn modes<'a>(call: &mut Call<'_, 'a>) -> Result<(&'a str, &'a str)> {
    for flag in ["antialias", "exclude_outside"] {
        let is_set = call.flag(flag, false)?;
        call.require(!is_set, format!("attribute {flag} = 0"), 1)?;
    }
    call.float("cubic_coeff_a", -0.75)?;
    call.float("extrapolation_value", 0.0)?;
    let policy = call.text("keep_aspect_ratio_policy", "stretch")?;
    call.require(policy == "stretch", "keep_aspect_ratio_policy stretch", policy)?;
    Ok((call.text("coordinate_transformation_mode", "half_pixel")?, call.text("nearest_mode", "round_prefer_floor")?))
}

/// The shape that sizes or scales give. Scales must give integers.
fn result_shape(call: &mut Call<'_, '_>, is_old: bool) -> Result<Vec<usize>> {
    let old = call.input(0)?.shape.clone();
    let listed = call.integers("axes")?.map_or(Ok((0..old.len()).collect()), |axes| call.axes(&axes, old.len()))?;
    let single = |numbers: Vec<[u8; 4]>| {
        let number = |bytes: &[u8; 4]| Interval::point(f32::from_le_bytes(*bytes).into());
        numbers.iter().map(number).collect::<Vec<_>>()
    };
    let mut attribute = call.attribute("scales", (6, "floats"), super::Field::fixed)?.map(single);
    if let (Some(height), Some(width)) = (call.any_float("height_scale")?, call.any_float("width_scale")?) {
        attribute = Some(vec![ONE, ONE, height, width]);
    }
    let is_given = |index| call.unchecked(index).is_some_and(|value| value.shape != [0]);
    let (scales_at, sizes_at) = if is_old { (1, 3) } else { (2, 3) };
    let (has_scales, has_sizes) = (is_given(scales_at), !is_old && is_given(sizes_at));
    if !is_old {
        call.unchecked(1);
    }
    let is_one = usize::from(attribute.is_some()) + usize::from(has_scales) + usize::from(has_sizes) == 1;
    call.require(is_one, "either scales or sizes", "none or both")?;
    let new: Vec<usize> = if has_sizes {
        call.shape(sizes_at)?
    } else {
        let scales = attribute.map_or_else(|| call.reals(call.input(scales_at)?), Ok)?;
        let size = |(axis, scale): (&usize, &Interval)| {
            let product = lowering::multiply(lowering::whole(at(&old, *axis)), *scale);
            lowering::integer(product).and_then(|size| usize::try_from(size).ok())
        };
        let sizes = listed.iter().zip(&scales).map(size).collect::<Option<Vec<_>>>();
        let sizes = call.demand(sizes, "scales that give integers", "others")?;
        call.require(scales.len() == listed.len(), format!("{} scales", listed.len()), scales.len())?;
        sizes
    };
    call.require(new.len() == listed.len(), format!("{} sizes", listed.len()), new.len())?;
    let mut shape = old;
    for (axis, size) in listed.iter().zip(&new) {
        shape.get_mut(*axis).into_iter().for_each(|place| *place = *size);
    }
    Ok(shape)
}

/// Means of neighbours along all axes.
fn interpolate<'a>(
    call: &mut Call<'_, 'a>,
    shape: Vec<usize>,
    axes: &[Axis],
    coordinates: Vec<Vec<Fraction>>,
) -> Result<Value<'a>> {
    let source = call.input(0)?;
    let scaled = axes.iter().filter(|axis| axis.source != axis.result);
    let neighbours = scaled.fold(1usize, |count, _| count.saturating_mul(2));
    call.spend(call.size(&shape)?.saturating_mul(neighbours))?;
    let mut all = Vec::new();
    for (axis, along) in axes.iter().zip(coordinates) {
        let along: Option<Vec<Neighbours>> = along.into_iter().map(|x| axis.neighbours(x)).collect();
        all.push((axis.source, call.demand(along, "coordinates within the source", "others")?));
    }
    let size = call.size(&shape)?;
    let weights: Vec<Interval> = (0..size).flat_map(|i| around(&all, i)).map(|(_, weight)| weight).collect();
    if weights.iter().any(|weight| !weight.is_point()) || !axes.iter().all(Axis::is_exact) {
        call.only_real("interpolates with weights that executions round");
    }
    let (weights, roundings) = call.rounded(&weights)?;
    let mut weights = weights.into_iter();
    let rows = (0..size).map(|i| {
        let places: Vec<usize> = around(&all, i).into_iter().map(|(place, _)| place).collect();
        places.into_iter().zip(weights.by_ref()).collect::<Vec<_>>()
    });
    let map = sparse(source.shape.iter().product(), rows);
    let term = Term { source: call.node(source)?, map, roundings };
    call.rounding(Rounding::Sums(INTERPOLATION_ROUNDINGS), |call| call.sum(shape, vec![term], Vec::new()))
}

/// The places of the source that element `i` of the result is a mean of, and their weights, given the length of each axis of
/// the source and the neighbours of each index along it.
fn around(axes: &[(usize, Vec<Neighbours>)], i: usize) -> Neighbours {
    let (mut rest, mut stride) = (i, 1);
    let mut found = vec![(0, ONE)];
    for (source, along) in axes.iter().rev() {
        let next = along.get(rest % along.len().max(1)).map_or(&[][..], Vec::as_slice);
        let extend = |(place, weight): (usize, Interval)| {
            next.iter().map(move |(step, share)| (step * stride + place, lowering::multiply(weight, *share)))
        };
        found = found.into_iter().flat_map(extend).collect();
        rest /= along.len().max(1);
        stride *= source;
    }
    found
}
