//! Pools: averages and maxima over windows, along any number of axes.

use super::reduction::{Windows, weigh};
use super::window::{Axis, sliding};
use super::{Affine, Call, Map, NodeId, Op, Part, Result, Term, Value, lowering, sparse};

/// `AveragePool`: the mean over the elements of a window that lie in the source, or in the source and its padding.
pub(super) fn average_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let counts_padding = call.flag("count_include_pad", false)?;
    let (shape, axes, windows) = take_windows(call)?;
    let overhangs = axes.iter().any(|axis| axis.end() > axis.front + axis.size + axis.back);
    call.require(!(counts_padding && overhangs), "windows that end in the padding", "ceil_mode beyond it")?;
    let whole: usize = axes.iter().map(|axis| axis.kernel).product();
    let count = |window: &Vec<usize>| if counts_padding { whole } else { window.len() };
    let shares: Vec<_> = windows.iter().map(|window| lowering::one_over(count(window))).collect();
    weigh(call, shape, &windows, &shares)
}

/// `MaxPool`: the largest element of a window that lies in the source.
pub(super) fn max_pool<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.flag("storage_order", false)?;
    let (shape, _, windows) = take_windows(call)?;
    let has_empty = windows.iter().any(Vec::is_empty);
    call.require(!has_empty, "windows that reach the source", "one of padding only")?;
    let (source, windows) = tournament(call, windows)?;
    let winners = Value::Computed { node: source, shape: Vec::new() };
    let places = windows.iter().map(|window| window.first().copied()).collect();
    call.sum(shape, Vec::new(), vec![Part { value: &winners, places: Some(places), weights: None }])
}

/// Takes `kernel_shape` and what goes with it: the shape of the result, how windows lie along each axis, and the
/// source elements in every window.
fn take_windows(call: &mut Call<'_, '_>) -> Result<(Vec<usize>, Vec<Axis>, Windows)> {
    let (_, source) = call.computed(0)?;
    let [1, channels, spatial @ ..] = source else {
        return Err(call.refuse("a source [1, channels, ...]", format!("{source:?}")));
    };
    let kernel = call.sizes("kernel_shape", spatial.len(), 1)?;
    let kernel = kernel.ok_or_else(|| call.refuse("attribute kernel_shape", "none"))?;
    let axes = sliding(call, spatial, &kernel)?;
    let shape: Vec<usize> = [1, *channels].into_iter().chain(axes.iter().map(|axis| axis.windows)).collect();
    let kernel = axes.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.kernel));
    let cost = kernel.and_then(|kernel| kernel.checked_mul(call.size(&shape).ok()?));
    call.spend(cost.unwrap_or(usize::MAX))?;
    let mut windows: Windows = (0..*channels).map(|channel| vec![channel]).collect();
    for axis in &axes {
        let along: Windows = (0..axis.windows).map(|index| axis.window(index).collect()).collect();
        let cross = |window: &[usize], places: &[usize]| -> Vec<usize> {
            window.iter().flat_map(|base| places.iter().map(move |place| base * axis.size + place)).collect()
        };
        windows = windows.iter().flat_map(|window| along.iter().map(|places| cross(window, places))).collect();
    }
    Ok((shape, axes, windows))
}

/// Rounds in which neighbours in each window of operand 0 play `max(a, b) = a + relu(b - a)`, and the last of an odd
/// number passes on, until windows have one element: the node of the winners, and each window's place in it.
fn tournament(call: &mut Call<'_, '_>, mut windows: Windows) -> Result<(NodeId, Windows)> {
    let (mut source, _) = call.computed(0)?;
    while windows.iter().any(|window| window.len() > 1) {
        let size = call.lowering.nodes.get(source).map_or(0, |node| node.size);
        let pairs: Vec<&[usize]> = windows.iter().flat_map(|window| window.chunks(2)).collect();
        let mut matches = 0;
        let gain = |pair: &&[usize]| {
            matches += pair.len() - 1;
            (pair.len() == 2).then(|| matches - 1)
        };
        let gains = Map::Select(pairs.iter().map(gain).collect());
        let firsts = Map::Select(pairs.iter().map(|pair| pair.first().copied()).collect());
        let played = pairs.iter().filter(|pair| pair.len() == 2);
        let differences = sparse(size, played.map(|pair| pair.iter().copied().zip([-1.0, 1.0])));
        let difference = affine(call, matches, vec![(source, differences)])?;
        let excess = call.push(matches, Op::Relu(difference))?;
        source = affine(call, pairs.len(), vec![(source, firsts), (excess, gains)])?;
        let mut places = 0..;
        windows = windows.iter().map(|w| places.by_ref().take(w.len().div_ceil(2)).collect()).collect();
    }
    Ok((source, windows))
}

fn affine(call: &mut Call<'_, '_>, size: usize, terms: Vec<(NodeId, Map)>) -> Result<NodeId> {
    let terms = terms.into_iter().map(|(source, map)| Term { source, map, roundings: 0 }).collect();
    call.push(size, Op::Affine(Affine { terms, bias: Vec::new() }))
}
