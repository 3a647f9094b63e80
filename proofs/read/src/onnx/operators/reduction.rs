//! Sums and means along axes.

use super::{Call, Interval, Result, Table, Term, Value, lowering, outer_sum, sparse, tables};

/// For each result element the source elements that it is computed from.
pub(super) type Windows = Vec<Vec<usize>>;

/// The sum of the elements of each window of operand 0, times the window's weight.
pub(super) fn weigh<'a>(
    call: &mut Call<'_, 'a>,
    shape: Vec<usize>,
    windows: &Windows,
    weights: &[Interval],
) -> Result<Value<'a>> {
    let (source, source_shape) = call.computed(0)?;
    let (weights, roundings) = call.rounded(weights)?;
    let rows = windows.iter().zip(&weights).map(|(window, w)| window.iter().map(|place| (*place, *w)));
    let map = sparse(source_shape.iter().product(), rows);
    call.sum(shape, vec![Term { source, map, roundings }], Vec::new())
}

/// `ReduceSum`.
pub(super) fn reduce_sum<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    reduce(call, |_| Interval::point(1.0))
}

/// `ReduceMean`.
pub(super) fn reduce_mean<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    reduce(call, lowering::one_over)
}

/// `GlobalAveragePool`.
pub(super) fn global_average_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let axes: Vec<usize> = (2..call.computed(0)?.1.len()).collect();
    reduce_axes(call, &axes, true, lowering::one_over)
}

fn reduce<'a>(call: &mut Call<'_, 'a>, weight: impl Fn(usize) -> Interval) -> Result<Value<'a>> {
    let keeps = call.flag("keepdims", true)?;
    let empty_is_none = call.flag("noop_with_empty_axes", false)?;
    let axes = call.list_or("axes", 1)?.unwrap_or_default();
    let rank = call.computed(0)?.1.len();
    let axes = if axes.is_empty() && !empty_is_none { (0..rank).collect() } else { call.axes(&axes, rank)? };
    reduce_axes(call, &axes, keeps, weight)
}

fn reduce_axes<'a>(
    call: &mut Call<'_, 'a>,
    axes: &[usize],
    keeps: bool,
    weight: impl Fn(usize) -> Interval,
) -> Result<Value<'a>> {
    let (_, shape) = call.computed(0)?;
    call.spend(shape.iter().product())?;
    let (mut kept, mut reduced, mut result): (Vec<Table>, Vec<Table>, Vec<usize>) = Default::default();
    for (axis, table) in tables(shape).into_iter().enumerate() {
        if axes.contains(&axis) {
            result.extend(keeps.then_some(1));
            reduced.push(table);
        } else {
            result.push(table.len());
            kept.push(table);
        }
    }
    let offsets = outer_sum(&reduced);
    let window = |base: &Option<usize>| offsets.iter().filter_map(|offset| Some((*base)? + (*offset)?)).collect();
    let windows: Windows = outer_sum(&kept).iter().map(window).collect();
    let weights = vec![weight(offsets.len()); windows.len()];
    weigh(call, result, &windows, &weights)
}
