//! Convolutions and transposed convolutions along one or two axes.

use super::window::{Axis, UNIT, axes};
use crate::error::ReadError;
use crate::network::{Conv, Map, Term};
use crate::read::onnx::call::Call;
use crate::read::onnx::shape::{Table, at, tables};
use crate::read::onnx::values::{Part, Value};

type Result<T> = std::result::Result<T, ReadError>;

/// What both kinds of convolution begin with.
struct Kernel {
    /// Shape of the weights, with a height of one added for one axis.
    shape: [usize; 4],
    groups: usize,
    /// Whether there are two axes.
    is_plane: bool,
}

impl Kernel {
    /// Takes `group` and `kernel_shape`; checks the shapes of source and weights.
    fn take(call: &mut Call<'_, '_>) -> Result<Kernel> {
        let (source, weights) = (call.computed(0)?.1, &call.constant(1)?.shape);
        let shape = match weights.as_slice() {
            [a, b, x] => [*a, *b, 1, *x],
            [a, b, y, x] => [*a, *b, *y, *x],
            _ => return Err(call.refuse("weights of 3 or 4 dimensions", format!("shape {weights:?}"))),
        };
        let fits = source.len() == weights.len() && at(source, 0) == 1 && shape.iter().all(|n| *n > 0);
        call.require(fits, format!("a source of one batch for weights {weights:?}"), format!("{source:?}"))?;
        if let Some(kernel) = call.integers("kernel_shape")? {
            let agrees = kernel.iter().map(|n| usize::try_from(*n).ok()).eq(weights.iter().skip(2).map(|n| Some(*n)));
            call.require(agrees, format!("a kernel_shape as in weights {weights:?}"), format!("{kernel:?}"))?;
        }
        let group = call.integer("group")?.unwrap_or(1);
        let groups = usize::try_from(group).ok().filter(|g| *g > 0 && shape.first().is_some_and(|n| n % g == 0));
        let groups = groups.ok_or_else(|| call.refuse("a group that divides the weights", group.to_string()))?;
        Ok(Kernel { shape, groups, is_plane: weights.len() == 4 })
    }

    fn spatial(&self) -> Vec<usize> {
        self.shape.iter().copied().skip(if self.is_plane { 2 } else { 3 }).collect()
    }

    /// Height and width, where the height may be missing.
    fn plane(&self, axes: &[Axis]) -> [Axis; 2] {
        let mut reversed = axes.iter().rev().copied();
        let x = reversed.next().unwrap_or(UNIT);
        [reversed.next().unwrap_or(UNIT), x]
    }

    fn output_shape(&self, channels: usize, [y, x]: [usize; 2]) -> Vec<usize> {
        if self.is_plane { vec![1, channels, y, x] } else { vec![1, channels, x] }
    }
}

/// The convolution, plus a number for each output channel.
fn finish<'a>(call: &mut Call<'_, 'a>, shape: Vec<usize>, source: usize, conv: Conv) -> Result<Value<'a>> {
    let roundings = call.constant(1)?.weights().map_or(0, |w| w.roundings());
    call.spend(conv.weights.len())?;
    let terms = vec![Term { source, map: Map::Conv(conv), roundings }];
    let Some(bias) = call.optional(2)? else { return call.sum(shape, terms, Vec::new()) };
    let channels = at(&shape, 1);
    call.require(bias.shape() == [channels], format!("a bias of {channels} numbers"), format!("{:?}", bias.shape()))?;
    let mut by_channel = vec![channels];
    by_channel.resize(shape.len() - 1, 1);
    let bias = bias.reshaped(by_channel);
    call.size(&shape)?;
    let part = Part::broadcast(call, (&bias, None), &shape)?;
    call.sum(shape, terms, vec![part])
}

/// `Conv`.
pub(crate) fn conv<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let kernel = Kernel::take(call)?;
    let (source, shape) = call.computed(0)?;
    let [outputs, group_inputs, height, width] = kernel.shape;
    let channels = at(shape, 1);
    let fits = group_inputs.checked_mul(kernel.groups) == Some(channels);
    call.require(fits, format!("weights for {channels} channels"), format!("{group_inputs} in each group"))?;
    let spatial: Vec<usize> = shape.iter().copied().skip(2).collect();
    let axes = axes(call, &spatial, &kernel.spatial())?;
    let [y, x] = kernel.plane(&axes);
    let tensor = call.constant(1)?;
    let weights = tensor.weights().ok_or_else(|| call.refuse("weights that binary64 holds closely", "others"))?;
    let conv = Conv {
        input: [channels, y.size, x.size],
        output: [outputs, y.windows, x.windows],
        kernel: [height, width],
        stride: [y.stride, x.stride],
        pad: [y.front, x.front],
        dilation: [y.dilation, x.dilation],
        groups: kernel.groups,
        weights: (0..tensor.shape.iter().product()).map(|i| weights.get(i)).collect(),
    };
    finish(call, kernel.output_shape(outputs, [y.windows, x.windows]), source, conv)
}

/// `ConvTranspose`, in two nodes: the source spread out by the strides, with zeros between and around, and a
/// convolution of that with the kernel turned around.
pub(crate) fn conv_transpose<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let kernel = Kernel::take(call)?;
    let shape = call.computed(0)?.1;
    let [channels, group_outputs, height, width] = kernel.shape;
    call.require(at(shape, 1) == channels, format!("{channels} channels"), at(shape, 1).to_string())?;
    let spatial: Vec<usize> = shape.iter().copied().skip(2).collect();
    let axes = transposed_axes(call, &spatial, &kernel.spatial())?;
    let [y, x] = kernel.plane(&axes);
    let outputs = group_outputs * kernel.groups;
    let canvas = [channels, y.windows + y.extent() - 1, x.windows + x.extent() - 1];
    call.size(&canvas)?;
    let [by_channel, rows, columns] = tables(&[channels, y.size, x.size]).try_into().unwrap_or_default();
    let spread = call.rearrange(call.input(0)?, &[by_channel, spread(&rows, &y), spread(&columns, &x)])?;
    let Value::Computed { node, .. } = spread else { return Err(call.refuse("a computed source", "a constant")) };
    let turned = turned_weights(call, &kernel)?;
    let conv = Conv {
        input: canvas,
        output: [outputs, y.windows, x.windows],
        kernel: [height, width],
        stride: [1, 1],
        pad: [0, 0],
        dilation: [y.dilation, x.dilation],
        groups: kernel.groups,
        weights: turned,
    };
    finish(call, kernel.output_shape(outputs, [y.windows, x.windows]), node, conv)
}

/// The axes of a transposed convolution; `windows` is the number of results.
fn transposed_axes(call: &mut Call<'_, '_>, source: &[usize], kernel: &[usize]) -> Result<Vec<Axis>> {
    let rank = source.len();
    let added = call.sizes("output_padding", rank, (0, Some(0)))?;
    let strides = call.sizes("strides", rank, (1, Some(1)))?;
    let dilations = call.sizes("dilations", rank, (1, Some(1)))?;
    let pads = call.sizes("pads", 2 * rank, (0, Some(0)))?;
    let auto_pad = call.text("auto_pad", "NOTSET")?;
    call.require(auto_pad == "NOTSET", "NOTSET as attribute auto_pad", auto_pad)?;
    let all_pads = pads.iter().zip(pads.iter().skip(rank)).zip(&added);
    let sizes = source.iter().zip(kernel).zip(strides.iter().zip(&dilations));
    sizes
        .zip(all_pads)
        .map(|(((size, kernel), (stride, dilation)), ((front, back), added))| {
            let (size, kernel, stride, dilation) = (*size, *kernel, *stride, *dilation);
            let mut axis = Axis { size, kernel, stride, dilation, front: *front, back: *back, windows: 1 };
            let full = stride * (size - 1) + axis.extent() + added;
            axis.windows = full.saturating_sub(front + back);
            call.require(axis.windows > 0, format!("pads below {full}"), format!("{}", front + back))?;
            Ok(axis)
        })
        .collect()
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
fn turned_weights(call: &Call<'_, '_>, kernel: &Kernel) -> Result<Vec<f64>> {
    let weights = call.constant(1)?.weights();
    let weights = weights.ok_or_else(|| call.refuse("weights that binary64 holds closely", "others"))?;
    let [channels, group_outputs, height, width] = kernel.shape;
    let (area, group_inputs) = (height * width, channels / kernel.groups);
    let mut turned = Vec::with_capacity(channels * group_outputs * area);
    for group in 0..kernel.groups {
        for output in 0..group_outputs {
            for input in 0..group_inputs {
                let first = ((group * group_inputs + input) * group_outputs + output) * area;
                turned.extend((first..first + area).rev().map(|place| weights.get(place)));
            }
        }
    }
    Ok(turned)
}
