//! Convolutions and transposed convolutions along one or two axes.

use super::window::{Axis, UNIT, axes};
use super::{Call, Conv, Map, Result, Term, Value, at, outer_sum, redirect, tables};

/// `Conv`, and `ConvTranspose` in two nodes: the source spread out by the strides, and a convolution of that with the
/// kernel turned around.
pub(super) fn conv<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (source, weights) = (call.input(0)?, call.input(1)?);
    let (expected, found) = (format!("a source [1, channels, ...] for weights {:?}", weights.shape), &source.shape);
    let ([1, channels, spatial @ ..], [outer, inner, kernel @ ..]) = (&source.shape[..], &weights.shape[..]) else {
        return Err(call.refuse(expected, format!("{found:?}")));
    };
    let fits = spatial.len() == kernel.len() && matches!(kernel.len(), 1 | 2);
    call.require(fits, expected, format!("{found:?}"))?;
    let stated = call.sizes("kernel_shape", kernel.to_vec(), 1)?;
    call.require(stated == kernel, format!("a kernel_shape as in weights {:?}", weights.shape), format!("{stated:?}"))?;
    let group = call.integer("group")?.unwrap_or(1);
    let groups = usize::try_from(group).ok().filter(|g| *g > 0 && outer.is_multiple_of(*g));
    let groups = call.demand(groups, "a group that divides the weights", group)?;
    let (is_transposed, whole) = (call.operator == "ConvTranspose", inner.saturating_mul(groups));
    let (inputs, outputs) = if is_transposed { (*outer, whole) } else { (whole, *outer) };
    call.require(inputs == *channels, format!("weights for {channels} channels"), inputs)?;
    let axes = axes(call, spatial, kernel)?;
    let shape = [1, outputs].into_iter().chain(axes.iter().map(|axis| axis.windows)).collect();
    let mut plane = [vec![UNIT; 2 - axes.len()], axes].concat().try_into().unwrap_or([UNIT; 2]);
    let (mut source, mut weights) = (source.clone(), weights.clone());
    if is_transposed {
        (source, weights) = turned(call, &mut plane, groups)?;
    }
    let expected = "floats of little relative error as input 1";
    let (weights, roundings) = call.demand(weights.weights(), expected, weights.kind())?;
    let [y, x] = plane;
    let conv = Conv {
        input: [*channels, y.size, x.size],
        output: [outputs, y.windows, x.windows],
        kernel: [y.kernel, x.kernel],
        stride: [y.stride, x.stride],
        pad: [y.front, x.front],
        dilation: [y.dilation, x.dilation],
        groups,
        weights,
    };
    call.spend(conv.weights.len())?;
    let term = Term { source: call.node(&source)?, map: Map::Conv(conv), roundings };
    let Some(bias) = call.optional(2)? else { return call.sum(shape, vec![term], Vec::new()) };
    call.require(bias.shape == [outputs], format!("a bias of {outputs} numbers"), format!("{:?}", bias.shape))?;
    let bias = bias.reshaped([vec![outputs], vec![1; kernel.len()]].concat());
    call.sum(shape, vec![term], vec![(&bias, None, None)])
}

/// Source and weights for which a convolution computes the transposed one: the source spread out along both axes, and
/// weights `[inputs][outputs / groups][y][x]` as `[outputs][inputs / groups][-y][-x]`.
fn turned<'a>(call: &mut Call<'_, 'a>, [y, x]: &mut [Axis; 2], groups: usize) -> Result<(Value<'a>, Value<'a>)> {
    let (source, weights) = (call.input(0)?, call.input(1)?);
    let [inputs, outputs] = [0, 1].map(|axis| at(&weights.shape, axis));
    call.size(&[inputs, y.windows + y.extent() - 1, x.windows + x.extent() - 1])?;
    let mut tables_of_source = tables(&[inputs, y.size, x.size]);
    redirect(&mut tables_of_source, 1, y.spread());
    redirect(&mut tables_of_source, 2, x.spread());
    let spread = call.rearrange(source, &tables_of_source)?;
    let sizes = [groups, inputs / groups, outputs, y.kernel, x.kernel];
    let [group, input, output, mut rows, mut columns] = tables(&sizes).try_into().unwrap_or_default();
    rows.reverse();
    columns.reverse();
    let turned = outer_sum(&[group, output, input, rows, columns]);
    Ok((spread, call.pick(weights, &weights.shape, &turned)?))
}
