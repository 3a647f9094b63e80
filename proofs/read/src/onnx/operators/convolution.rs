//! Convolutions and transposed convolutions along one or two axes.

use super::window::{Axis, UNIT, sliding, transposed};
use super::{Call, Conv, Map, NodeId, Part, Result, Table, Term, Value, at, tables};

/// Weights and source of a convolution, a height of one added where there is one axis.
struct Layer<'c> {
    /// Shape of the weights.
    weights: [usize; 4],
    groups: usize,
    /// Channels of the source.
    channels: usize,
    /// Dimensions of the source behind the channels.
    spatial: &'c [usize],
}

impl<'c> Layer<'c> {
    /// Takes `group` and `kernel_shape`; checks the shapes of source and weights.
    fn take(call: &mut Call<'c, '_>) -> Result<Layer<'c>> {
        let (source, weights) = (call.computed(0)?.1, &call.constant(1)?.shape);
        let refusal =
            || call.refuse(format!("a source [1, channels, ...] for weights {weights:?}"), format!("{source:?}"));
        let (shape, channels, spatial) = match (weights.as_slice(), source) {
            ([a, b, x], [1, channels, spatial @ ..]) if spatial.len() == 1 => ([*a, *b, 1, *x], *channels, spatial),
            ([a, b, y, x], [1, channels, spatial @ ..]) if spatial.len() == 2 => ([*a, *b, *y, *x], *channels, spatial),
            _ => return Err(refusal()),
        };
        if let Some(kernel) = call.sizes("kernel_shape", spatial.len(), 1)? {
            let agrees = weights.ends_with(&kernel);
            call.require(agrees, format!("a kernel_shape as in weights {weights:?}"), format!("{kernel:?}"))?;
        }
        let group = call.integer("group")?.unwrap_or(1);
        let groups = usize::try_from(group).ok().filter(|g| *g > 0 && at(weights, 0).is_multiple_of(*g));
        let groups = groups.ok_or_else(|| call.refuse("a group that divides the weights", group.to_string()))?;
        Ok(Layer { weights: shape, groups, channels, spatial })
    }

    fn kernel(&self) -> &[usize] {
        self.weights.get(4 - self.spatial.len()..).unwrap_or_default()
    }

    /// Adds a convolution of a node, plus a number for each output channel.
    fn add<'a>(&self, call: &mut Call<'_, 'a>, (source, conv): (NodeId, Conv)) -> Result<Value<'a>> {
        let [channels, height, width] = conv.output;
        let shape = if self.spatial.len() == 1 { vec![1, channels, width] } else { vec![1, channels, height, width] };
        call.size(&shape)?;
        call.spend(conv.weights.len())?;
        let roundings = call.constant(1)?.weights().map_or(usize::MAX, |weights| weights.roundings());
        let terms = vec![Term { source, map: Map::Conv(conv), roundings }];
        let Some(bias) = call.optional(2)? else { return call.sum(shape, terms, Vec::new()) };
        let found = format!("{:?}", bias.shape());
        call.require(bias.shape() == [channels], format!("a bias of {channels} numbers"), found)?;
        let mut by_channel = vec![1; self.spatial.len()];
        by_channel.insert(0, channels);
        let bias = bias.reshaped(by_channel);
        let part = Part::broadcast(call, (&bias, None), &shape)?;
        call.sum(shape, terms, vec![part])
    }
}

/// Height and width, where the height may be missing.
fn plane(axes: &[Axis]) -> [Axis; 2] {
    match axes {
        [y, x] => [*y, *x],
        [x] => [UNIT, *x],
        _ => [UNIT; 2],
    }
}

/// `Conv`.
pub(super) fn conv<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let layer = Layer::take(call)?;
    let [outputs, group_inputs, height, width] = layer.weights;
    let fits = group_inputs.checked_mul(layer.groups) == Some(layer.channels);
    call.require(fits, format!("weights for {} channels", layer.channels), format!("{group_inputs} a group"))?;
    let [y, x] = plane(&sliding(call, layer.spatial, layer.kernel())?);
    let weights = call.weights(1)?;
    let conv = Conv {
        input: [layer.channels, y.size, x.size],
        output: [outputs, y.windows, x.windows],
        kernel: [height, width],
        stride: [y.stride, x.stride],
        pad: [y.front, x.front],
        dilation: [y.dilation, x.dilation],
        groups: layer.groups,
        weights: (0..layer.weights.iter().product()).map(|i| weights.get(i)).collect(),
    };
    layer.add(call, (call.computed(0)?.0, conv))
}

/// `ConvTranspose`, in two nodes: the source spread out by the strides, with zeros between and around, and a
/// convolution of that with the kernel turned around.
pub(super) fn conv_transpose<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let layer = Layer::take(call)?;
    let [inputs, group_outputs, height, width] = layer.weights;
    call.require(layer.channels == inputs, format!("weights for {} channels", layer.channels), inputs.to_string())?;
    let [y, x] = plane(&transposed(call, layer.spatial, layer.kernel())?);
    let canvas = [inputs, y.windows + y.extent() - 1, x.windows + x.extent() - 1];
    call.size(&canvas)?;
    let [by_channel, rows, columns] = tables(&[inputs, y.size, x.size]).try_into().unwrap_or_default();
    let spread = call.rearrange(call.input(0)?, &[by_channel, spread(&rows, &y), spread(&columns, &x)])?;
    let Value::Computed { node, .. } = spread else { return Err(call.refuse("a computed source", "a constant")) };
    let conv = Conv {
        input: canvas,
        output: [group_outputs * layer.groups, y.windows, x.windows],
        kernel: [height, width],
        stride: [1, 1],
        pad: [0, 0],
        dilation: [y.dilation, x.dilation],
        groups: layer.groups,
        weights: turned(call, &layer)?,
    };
    layer.add(call, (node, conv))
}

/// The offsets along an axis of the spread-out source: element `i` is at place `extent - 1 - front + i stride`.
fn spread(offsets: &Table, axis: &Axis) -> Table {
    let before = axis.extent() - 1;
    let source = |place: usize| {
        let distance = (place + axis.front).checked_sub(before)?;
        let index = distance.is_multiple_of(axis.stride).then_some(distance / axis.stride)?;
        offsets.get(index).copied().flatten()
    };
    (0..axis.windows + before).map(source).collect()
}

/// Weights `[inputs][outputs / groups][y][x]` as `[outputs][inputs / groups][-y][-x]`.
fn turned(call: &Call<'_, '_>, layer: &Layer<'_>) -> Result<Vec<f64>> {
    let weights = call.weights(1)?;
    let [inputs, group_outputs, height, width] = layer.weights;
    let (area, group_inputs) = (height * width, inputs / layer.groups);
    let mut turned = Vec::with_capacity(inputs * group_outputs * area);
    for output in 0..group_outputs * layer.groups {
        let (group, output) = (output / group_outputs, output % group_outputs);
        for input in group * group_inputs..(group + 1) * group_inputs {
            let first = (input * group_outputs + output) * area;
            turned.extend((first..first + area).rev().map(|place| weights.get(place)));
        }
    }
    Ok(turned)
}
