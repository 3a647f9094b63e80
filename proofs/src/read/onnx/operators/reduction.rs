//! Sums and means along axes.

use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::network::{Map, Sparse, Term};
use crate::read::onnx::call::Call;
use crate::read::onnx::shape::{Table, at, outer_sum, tables};
use crate::read::onnx::values::Value;

type Result<T> = std::result::Result<T, ReadError>;

/// For each result element the source elements that it is computed from.
pub(crate) type Windows = Vec<Vec<usize>>;

/// The sum of the elements of each window of operand 0, times the window's weight.
pub(crate) fn weigh<'a>(
    call: &mut Call<'_, 'a>,
    shape: Vec<usize>,
    windows: &Windows,
    weights: &[Interval],
) -> Result<Value<'a>> {
    let (source, source_shape) = call.computed(0)?;
    let (weights, roundings) = call.weights(weights)?;
    let (mut starts, mut entries) = (vec![0], Vec::new());
    for (window, weight) in windows.iter().zip(&weights) {
        entries.extend(window.iter().map(|place| (*place, *weight)));
        starts.push(entries.len());
    }
    let map = Map::Sparse(Sparse { inputs: source_shape.iter().product(), starts, entries });
    call.sum(shape, vec![Term { source, map, roundings }], Vec::new())
}

/// `ReduceSum`.
pub(crate) fn reduce_sum<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    reduce(call, |_| Interval::point(1.0))
}

/// `ReduceMean`.
pub(crate) fn reduce_mean<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    reduce(call, lowering::one_over)
}

fn reduce<'a>(call: &mut Call<'_, 'a>, weight: impl Fn(usize) -> Interval) -> Result<Value<'a>> {
    let keeps = call.flag("keepdims", true)?;
    let has_no_default = call.flag("noop_with_empty_axes", false)?;
    let axes = call.list_or("axes", 1)?.unwrap_or_default();
    let rank = call.computed(0)?.1.len();
    match axes.as_slice() {
        [] if has_no_default => Ok(call.input(0)?.clone()),
        [] => reduce_axes(call, &(0..rank).collect::<Vec<_>>(), keeps, weight),
        axes => {
            let axes = call.axes(axes, rank)?;
            reduce_axes(call, &axes, keeps, weight)
        }
    }
}

/// `GlobalAveragePool`.
pub(crate) fn global_average_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let rank = call.computed(0)?.1.len();
    reduce_axes(call, &(2..rank).collect::<Vec<_>>(), true, lowering::one_over)
}

fn reduce_axes<'a>(
    call: &mut Call<'_, 'a>,
    axes: &[usize],
    keeps: bool,
    weight: impl Fn(usize) -> Interval,
) -> Result<Value<'a>> {
    let (_, shape) = call.computed(0)?;
    call.spend(shape.iter().product())?;
    let mut result = Vec::new();
    let (mut kept, mut reduced): (Vec<Table>, Vec<Table>) = Default::default();
    for (axis, table) in tables(shape).into_iter().enumerate() {
        match axes.contains(&axis) {
            true => reduced.push(table),
            false => kept.push(table),
        }
        if keeps || !axes.contains(&axis) {
            result.push(if axes.contains(&axis) { 1 } else { at(shape, axis) });
        }
    }
    let offsets = outer_sum(&reduced);
    let window = |base: &Option<usize>| offsets.iter().filter_map(|offset| Some((*base)? + (*offset)?)).collect();
    let windows: Windows = outer_sum(&kept).iter().map(window).collect();
    let weights = vec![weight(offsets.len()); windows.len()];
    weigh(call, result, &windows, &weights)
}
