//! Averages, sums and maxima over windows and along axes.

use super::window::{Axis, axes};
use super::{Call, Interval, ONE, Result, Rounding, Term, Value, at, lowering, sparse};

/// For each result element the source elements that it is computed from.
type Windows = Vec<Vec<usize>>;

/// The weight of the elements of a window, given their number.
type Share<'s> = &'s dyn Fn(usize) -> Interval;

/// The windows of a tensor, given the size of each of its axes and the windows along it.
fn cross(axes: impl IntoIterator<Item = (usize, Windows)>) -> Windows {
    axes.into_iter().fold(vec![vec![0]], |windows, (size, along)| {
        let extend = |window: &[usize], places: &[usize]| {
            window.iter().flat_map(|base| places.iter().map(move |place| base * size + place)).collect()
        };
        windows.iter().flat_map(|window| along.iter().map(|places| extend(window, places))).collect()
    })
}

/// The sum of the elements of each window of a value, times a weight that depends on their number, in a given shape.
fn weigh<'a>(
    call: &mut Call<'_, 'a>,
    source: &Value<'a>,
    (shape, windows): (Vec<usize>, &Windows),
    share: Share<'_>,
) -> Result<Value<'a>> {
    let weights: Vec<Interval> = windows.iter().map(|window| share(window.len())).collect();
    let (weights, roundings) = call.rounded(&weights)?;
    let rows = windows.iter().zip(&weights).map(|(window, w)| window.iter().map(|place| (*place, *w)));
    let map = sparse(source.shape.iter().product(), rows);
    let term = Term { source: call.node(source)?, map, roundings };
    // A mean may be computed with the reciprocal of the count, rounded.
    call.rounding(Rounding::Sums(1), |call| call.sum(shape, vec![term], Vec::new()))
}

/// `ReduceSum`, `ReduceMean`, `ReduceL1`, `ReduceMax` and `ReduceMin`, and `GlobalAveragePool` and `GlobalMaxPool`, which
/// are the mean and the largest along all axes but the first two.
pub(super) fn reduce<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let shape = &value.shape;
    let (mut axes, mut keeps): (Vec<usize>, bool) = ((2..shape.len()).collect(), true);
    if !call.operator.starts_with("Global") {
        keeps = call.flag("keepdims", true)?;
        let empty_is_none = call.flag("noop_with_empty_axes", false)?;
        let listed = call.list_or("axes", 1)?.unwrap_or_default();
        let is_all = listed.is_empty() && !empty_is_none;
        let reduces = is_all || !listed.is_empty() || call.operator != "ReduceL1";
        call.require(reduces, "axes to reduce", "none, of which definition and executions disagree")?;
        axes = if is_all { (0..shape.len()).collect() } else { call.axes(&listed, shape.len())? };
    }
    call.spend(shape.iter().product())?;
    let is_reduced = |axis: &usize| axes.contains(axis);
    let along = |(axis, n): (usize, &usize)| {
        (*n, if is_reduced(&axis) { vec![(0..*n).collect()] } else { (0..*n).map(|i| vec![i]).collect() })
    };
    let windows = cross(shape.iter().enumerate().map(along));
    let kept = shape.iter().enumerate().map(|(axis, n)| if is_reduced(&axis) { keeps.then_some(1) } else { Some(*n) });
    let shape = kept.flatten().collect();
    match call.operator {
        "ReduceMax" | "ReduceMin" | "GlobalMaxPool" => tournament(call, shape, windows),
        "ReduceSum" => weigh(call, value, (shape, &windows), &|_| ONE),
        "ReduceL1" => {
            let sizes = magnitudes(call, value)?;
            weigh(call, &sizes, (shape, &windows), &|_| ONE)
        }
        _ => weigh(call, value, (shape, &windows), &lowering::one_over),
    }
}

/// `|x| = 2 relu(x) - x`.
fn magnitudes<'a>(call: &mut Call<'_, 'a>, x: &Value<'a>) -> Result<Value<'a>> {
    let positive = call.relu(x)?;
    let [minus, two] = [-ONE, ONE + ONE].map(Value::scalar);
    call.rounding(Rounding::Nothing, |call| call.combine(&[(x, Some(&minus)), (&positive, Some(&two))]))
}

/// `CumSum`: the sums of the elements up to each, or from each on when `reverse`, without itself when `exclusive`.
pub(super) fn cumulative<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (value, axis) = (call.input(0)?, call.list(1)?.unwrap_or_default());
    let (is_reverse, is_exclusive) = (call.flag("reverse", false)?, call.flag("exclusive", false)?);
    let &[axis] = axis else { return Err(call.refuse("one axis as input 1", format!("{axis:?}"))) };
    let axis = call.axis(axis, value.shape.len())?;
    call.spend(value.shape.iter().product::<usize>().saturating_mul(at(&value.shape, axis)))?;
    let own = usize::from(!is_exclusive);
    let along = |n: usize| -> Windows {
        (0..n).map(|i| if is_reverse { (i + 1 - own..n).collect() } else { (0..i + own).collect() }).collect()
    };
    let alone = |n: usize| (0..n).map(|i| vec![i]).collect();
    let all = value.shape.iter().enumerate();
    let windows = cross(all.map(|(place, n)| (*n, if place == axis { along(*n) } else { alone(*n) })));
    weigh(call, value, (value.shape.clone(), &windows), &|_| ONE)
}

/// `AveragePool`: the mean over the elements of a window that lie in the source, or in the source and its padding.
pub(super) fn average_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let counts_padding = call.flag("count_include_pad", false)?;
    let (shape, axes, windows) = take_windows(call)?;
    let overhangs = axes.iter().any(|axis| axis.end() > axis.front + axis.size + axis.back);
    call.require(!(counts_padding && overhangs), "windows that end in the padding", "ceil_mode beyond it")?;
    let whole: usize = axes.iter().map(|axis| axis.kernel).product();
    let source = call.input(0)?;
    weigh(call, source, (shape, &windows), &|count| lowering::one_over(if counts_padding { whole } else { count }))
}

/// `MaxPool`: the largest element of a window that lies in the source.
pub(super) fn max_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.flag("storage_order", false)?;
    let (shape, _, windows) = take_windows(call)?;
    let has_empty = windows.iter().any(Vec::is_empty);
    call.require(!has_empty, "windows that reach the source", "one of padding only")?;
    tournament(call, shape, windows)
}

/// The largest element of each window of operand 0, or for `ReduceMin` the smallest. In rounds, neighbours in each window
/// play `max(a, b) = a + relu(b - a)` or `min(a, b) = a - relu(a - b)`, and the last of an odd number passes on, until
/// windows have one element.
fn tournament<'a>(call: &mut Call<'_, 'a>, shape: Vec<usize>, mut windows: Windows) -> Result<Value<'a>> {
    let (signs, gain) = if call.operator == "ReduceMin" { ([1.0, -1.0], -ONE) } else { ([-1.0, 1.0], ONE) };
    let gain = (gain != ONE).then(|| Value::scalar(gain));
    let mut winners = call.input(0)?.clone();
    call.rounding = Rounding::Nothing;
    while windows.iter().any(|window| window.len() > 1) {
        let pairs: Vec<&[usize]> = windows.iter().flat_map(|window| window.chunks(2)).collect();
        let played = pairs.iter().filter(|pair| pair.len() == 2);
        let (matches, size) = (played.clone().count(), winners.shape.iter().product());
        let map = sparse(size, played.map(|pair| pair.iter().copied().zip(signs)));
        let source = call.node(&winners)?;
        let difference = call.sum(vec![matches], vec![Term { source, map, roundings: 0 }], Vec::new())?;
        let (excess, mut played) = (call.relu(&difference)?, 0..);
        let firsts = pairs.iter().map(|pair| pair.first().copied()).collect();
        let gains = pairs.iter().map(|pair| if pair.len() == 2 { played.next() } else { None }).collect();
        let parts = vec![(&winners, None, Some(firsts)), (&excess, gain.as_ref(), Some(gains))];
        winners = call.sum(vec![pairs.len()], Vec::new(), parts)?;
        let mut places = 0..;
        windows = windows.iter().map(|w| places.by_ref().take(w.len().div_ceil(2)).collect()).collect();
    }
    call.place(&winners, shape, windows.iter().map(|window| window.first().copied()).collect())
}

/// Takes `kernel_shape` and what goes with it: the shape of the result, how windows lie along each axis, and the
/// source elements in every window.
fn take_windows(call: &mut Call<'_, '_>) -> Result<(Vec<usize>, Vec<Axis>, Windows)> {
    let source = &call.input(0)?.shape;
    let [1, channels, spatial @ ..] = source.as_slice() else {
        return Err(call.refuse("a source [1, channels, ...]", format!("{source:?}")));
    };
    let kernel = call.sizes("kernel_shape", vec![0; spatial.len()], 1)?;
    call.require(!kernel.is_empty() && !kernel.contains(&0), "attribute kernel_shape", "none")?;
    let axes = axes(call, spatial, &kernel)?;
    let shape: Vec<usize> = [1, *channels].into_iter().chain(axes.iter().map(|axis| axis.windows)).collect();
    let cost = kernel.iter().try_fold(call.size(&shape)?, |cost, n| cost.checked_mul(*n));
    call.spend(cost.unwrap_or(usize::MAX))?;
    let by_channel = (*channels, (0..*channels).map(|channel| vec![channel]).collect());
    let along = |axis: &Axis| (axis.size, (0..axis.windows).map(|index| axis.window(index)).collect());
    let windows = cross([by_channel].into_iter().chain(axes.iter().map(along)));
    Ok((shape, axes, windows))
}
