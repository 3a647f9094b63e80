//! Pools: averages and maxima over windows, along any number of axes.

use super::reduction::{Windows, weigh};
use super::window::{Axis, axes};
use crate::arith::lowering;
use crate::error::ReadError;
use crate::network::{Affine, Map, NodeId, Op, Sparse, Term};
use crate::read::onnx::call::Call;
use crate::read::onnx::shape::at;
use crate::read::onnx::values::Value;

type Result<T> = std::result::Result<T, ReadError>;

/// `AveragePool`: the mean over the elements of a window that lie in the source, or in the source and its padding.
pub(crate) fn average_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let counts_padding = call.flag("count_include_pad", false)?;
    let (shape, axes) = take_axes(call)?;
    let overhangs = axes.iter().any(|axis| axis.end() > axis.front + axis.size + axis.back);
    call.require(!(counts_padding && overhangs), "windows that end in the padding", "ceil_mode beyond it")?;
    let windows = windows(call, &shape, &axes)?;
    let whole: usize = axes.iter().map(|axis| axis.kernel).product();
    let shares: Vec<_> =
        windows.iter().map(|window| lowering::one_over(if counts_padding { whole } else { window.len() })).collect();
    weigh(call, shape, &windows, &shares)
}

/// `MaxPool`: the largest element of a window that lies in the source.
pub(crate) fn max_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.flag("storage_order", false)?;
    let (shape, axes) = take_axes(call)?;
    let windows = windows(call, &shape, &axes)?;
    let has_empty = windows.iter().any(Vec::is_empty);
    call.require(!has_empty, "windows that reach the source", "one of padding only")?;
    let (source, _) = call.computed(0)?;
    maximum(call, source, shape, windows)
}

/// Takes `kernel_shape` and what goes with it; the shape of the result.
fn take_axes(call: &mut Call<'_, '_>) -> Result<(Vec<usize>, Vec<Axis>)> {
    let (_, shape) = call.computed(0)?;
    let rank = shape.len().saturating_sub(2);
    call.require(rank > 0 && at(shape, 0) == 1, "one batch, channels and an axis", format!("shape {shape:?}"))?;
    let kernel = call.sizes("kernel_shape", rank, (1, None))?;
    let spatial: Vec<usize> = shape.iter().copied().skip(2).collect();
    let axes = axes(call, &spatial, &kernel)?;
    let result = [1, at(shape, 1)].into_iter().chain(axes.iter().map(|axis| axis.windows)).collect();
    Ok((result, axes))
}

/// The elements of every window in the order of the result.
fn windows(call: &mut Call<'_, '_>, shape: &[usize], axes: &[Axis]) -> Result<Windows> {
    let kernel = axes.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.kernel.min(axis.size)));
    let cost = kernel.and_then(|kernel| kernel.checked_mul(call.size(shape).ok()?)).unwrap_or(usize::MAX);
    call.spend(cost)?;
    let mut windows: Windows = (0..at(shape, 1)).map(|channel| vec![channel]).collect();
    for axis in axes {
        let along: Windows = (0..axis.windows).map(|index| axis.window(index).collect()).collect();
        let cross = |window: &Vec<usize>, places: &Vec<usize>| -> Vec<usize> {
            window.iter().flat_map(|base| places.iter().map(move |place| base * axis.size + place)).collect()
        };
        windows = windows.iter().flat_map(|window| along.iter().map(move |places| cross(window, places))).collect();
    }
    Ok(windows)
}

/// The largest element of each window, by rounds of a tournament: `max(a, b) = a + relu(b - a)` for neighbours, while
/// the last of an odd number passes on.
fn maximum<'a>(
    call: &mut Call<'_, 'a>,
    mut source: NodeId,
    shape: Vec<usize>,
    mut windows: Windows,
) -> Result<Value<'a>> {
    while windows.iter().any(|window| window.len() > 1) {
        let size = call.lowering.nodes.get(source).map_or(0, |node| node.size);
        let pairs = || windows.iter().flat_map(|window| window.chunks(2));
        let differences =
            pairs().filter_map(|pair| if let [a, b] = pair { Some([(*a, -1.0), (*b, 1.0)]) } else { None });
        let entries: Vec<(usize, f64)> = differences.flatten().collect();
        let matches = entries.len() / 2;
        let starts = (0..=matches).map(|i| 2 * i).collect();
        let term = |source, map| Term { source, map, roundings: 0 };
        let terms = vec![term(source, Map::Sparse(Sparse { inputs: size, starts, entries }))];
        let firsts = pairs().map(|pair| pair.first().copied()).collect();
        let mut played = 0..matches;
        let excesses: Vec<_> = pairs().map(|pair| if pair.len() == 2 { played.next() } else { None }).collect();
        let winners = excesses.len();
        let mut next = 0..winners;
        let rounds: Windows = windows.iter().map(|w| next.by_ref().take(w.len().div_ceil(2)).collect()).collect();
        let difference = node_of(call.push(vec![matches], Op::Affine(Affine { terms, bias: Vec::new() }))?);
        let excess = node_of(call.push(vec![matches], Op::Relu(difference))?);
        let terms = vec![term(source, Map::Select(firsts)), term(excess, Map::Select(excesses))];
        source = node_of(call.push(vec![winners], Op::Affine(Affine { terms, bias: Vec::new() }))?);
        windows = rounds;
    }
    let places = windows.iter().map(|window| window.first().copied()).collect();
    let winners = Value::Computed { node: source, shape: Vec::new() };
    let part = crate::read::onnx::values::Part { value: &winners, places: Some(places), weights: None };
    call.sum(shape, Vec::new(), vec![part])
}

/// The node of a value that was just pushed.
fn node_of(value: Value<'_>) -> NodeId {
    match value {
        Value::Computed { node, .. } => node,
        Value::Constant(_) => NodeId::MAX,
    }
}
