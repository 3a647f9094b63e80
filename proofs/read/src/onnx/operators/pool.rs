//! Averages, sums and maxima over windows and along axes.

use super::window::{Axis, axes};
use super::{Call, Interval, ONE, Result, Rounding, Term, Value, lowering, sparse};

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

/// The sum of the elements of each window of operand 0, times a weight that depends on their number.
fn weigh<'a>(call: &mut Call<'_, 'a>, shape: Vec<usize>, windows: &Windows, share: Share<'_>) -> Result<Value<'a>> {
    let source = call.input(0)?;
    let weights: Vec<Interval> = windows.iter().map(|window| share(window.len())).collect();
    let (weights, roundings) = call.rounded(&weights)?;
    let rows = windows.iter().zip(&weights).map(|(window, w)| window.iter().map(|place| (*place, *w)));
    let map = sparse(source.shape.iter().product(), rows);
    let term = Term { source: call.node(source)?, map, roundings };
    // A mean may be computed with the reciprocal of the count, rounded.
    call.rounding(Rounding::Sums(1), |call| call.sum(shape, vec![term], Vec::new()))
}

/// `ReduceSum`, `ReduceMean`, and `GlobalAveragePool`, which is the mean along all axes but the first two.
pub(super) fn reduce<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let shape = &call.input(0)?.shape;
    let (mut axes, mut keeps): (Vec<usize>, bool) = ((2..shape.len()).collect(), true);
    if call.operator != "GlobalAveragePool" {
        keeps = call.flag("keepdims", true)?;
        let empty_is_none = call.flag("noop_with_empty_axes", false)?;
        let listed = call.list_or("axes", 1)?.unwrap_or_default();
        let is_all = listed.is_empty() && !empty_is_none;
        axes = if is_all { (0..shape.len()).collect() } else { call.axes(&listed, shape.len())? };
    }
    call.spend(shape.iter().product())?;
    let is_reduced = |axis: &usize| axes.contains(axis);
    let along = |(axis, n): (usize, &usize)| {
        (*n, if is_reduced(&axis) { vec![(0..*n).collect()] } else { (0..*n).map(|i| vec![i]).collect() })
    };
    let windows = cross(shape.iter().enumerate().map(along));
    let kept = shape.iter().enumerate().map(|(axis, n)| if is_reduced(&axis) { keeps.then_some(1) } else { Some(*n) });
    let share: Share<'_> = if call.operator == "ReduceSum" { &|_| ONE } else { &lowering::one_over };
    weigh(call, kept.flatten().collect(), &windows, share)
}

/// `AveragePool`: the mean over the elements of a window that lie in the source, or in the source and its padding.
pub(super) fn average_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let counts_padding = call.flag("count_include_pad", false)?;
    let (shape, axes, windows) = take_windows(call)?;
    let overhangs = axes.iter().any(|axis| axis.end() > axis.front + axis.size + axis.back);
    call.require(!(counts_padding && overhangs), "windows that end in the padding", "ceil_mode beyond it")?;
    let whole: usize = axes.iter().map(|axis| axis.kernel).product();
    weigh(call, shape, &windows, &|count| lowering::one_over(if counts_padding { whole } else { count }))
}

/// `MaxPool`: the largest element of a window that lies in the source. In rounds, neighbours in each window play
/// `max(a, b) = a + relu(b - a)`, and the last of an odd number passes on, until windows have one element.
pub(super) fn max_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.flag("storage_order", false)?;
    let (shape, _, mut windows) = take_windows(call)?;
    let has_empty = windows.iter().any(Vec::is_empty);
    call.require(!has_empty, "windows that reach the source", "one of padding only")?;
    let mut winners = call.input(0)?.clone();
    call.rounding = Rounding::Nothing;
    while windows.iter().any(|window| window.len() > 1) {
        let pairs: Vec<&[usize]> = windows.iter().flat_map(|window| window.chunks(2)).collect();
        let played = pairs.iter().filter(|pair| pair.len() == 2);
        let (matches, size) = (played.clone().count(), winners.shape.iter().product());
        let map = sparse(size, played.map(|pair| pair.iter().copied().zip([-1.0, 1.0])));
        let source = call.node(&winners)?;
        let difference = call.sum(vec![matches], vec![Term { source, map, roundings: 0 }], Vec::new())?;
        let (excess, mut played) = (call.relu(&difference)?, 0..);
        let firsts = pairs.iter().map(|pair| pair.first().copied()).collect();
        let gains = pairs.iter().map(|pair| if pair.len() == 2 { played.next() } else { None }).collect();
        let parts = vec![(&winners, None, Some(firsts)), (&excess, None, Some(gains))];
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
