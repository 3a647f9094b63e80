//! Windows that slide along the axes of convolutions and pools.

use super::{Call, Result, at};

/// How windows lie along one axis.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// Elements of the source.
    pub size: usize,
    /// Elements of a window.
    pub kernel: usize,
    /// Distance of neighbouring windows.
    pub stride: usize,
    /// Distance of neighbouring elements of a window.
    pub dilation: usize,
    /// Padding in front of the source.
    pub front: usize,
    /// Padding behind it.
    pub back: usize,
    /// Number of windows; for a transposed convolution, of results.
    pub windows: usize,
}

/// The axis that a one-dimensional convolution lacks.
pub(super) const UNIT: Axis = Axis { size: 1, kernel: 1, stride: 1, dilation: 1, front: 0, back: 0, windows: 1 };

impl Axis {
    /// Elements from the first to the last one of a window.
    pub fn extent(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    /// Where the windows end: past the padding behind the source, when their number was rounded up.
    pub fn end(&self) -> usize {
        (self.windows - 1) * self.stride + self.extent()
    }

    /// The elements of a window that lie in the source.
    pub fn window(&self, index: usize) -> Vec<usize> {
        let places = (0..self.kernel).map(|k| (index * self.stride + k * self.dilation).checked_sub(self.front));
        places.flatten().filter(|place| *place < self.size).collect()
    }

    /// Spreads the source of a transposed convolution out by the strides, with zeros between and around, so that a
    /// convolution with stride 1 computes it: element `i` comes to place `extent - 1 - front + i stride`. Returns the
    /// element at each place, if any, else -1.
    pub fn spread(&mut self) -> impl Iterator<Item = i64> {
        let (before, axis) = (self.extent() - 1, *self);
        *self = Axis { size: axis.windows + before, stride: 1, front: 0, back: 0, ..axis };
        (0..self.size).map(move |place| {
            let distance = (place + axis.front).checked_sub(before).filter(|d| d.is_multiple_of(axis.stride));
            distance.and_then(|distance| i64::try_from(distance / axis.stride).ok()).unwrap_or(-1)
        })
    }
}

/// Takes the number of results along each axis of a transposed convolution where that, and not the padding, is given: padding is
/// the same in front and behind, as definition and runtimes disagree on what to do with an odd one.
fn results(call: &mut Call<'_, '_>, source: &[usize], strides: &[usize], auto_pad: &str) -> Result<Option<Vec<usize>>> {
    let given = call.integers("output_shape")?;
    if let Some(given) = given {
        let is_alone = auto_pad != "VALID";
        call.require(is_alone, "no output_shape with auto_pad VALID", format!("{given:?}"))?;
        let sizes: Option<Vec<usize>> = given.iter().map(|n| usize::try_from(*n).ok()).collect();
        let sizes = sizes.filter(|sizes| sizes.len() == source.len() && !sizes.contains(&0));
        return call.demand(sizes, format!("{} numbers as output_shape", source.len()), format!("{given:?}")).map(Some);
    }
    let scaled = || source.iter().zip(strides).map(|(n, stride)| n.saturating_mul(*stride)).collect();
    Ok(auto_pad.starts_with("SAME").then(scaled))
}

/// Takes what says how windows of a kernel lie over a source. For a transposed convolution, whose windows lie over the
/// result, the number of windows is that of the results, `output_padding` among them. With `auto_pad` there is a window
/// for every `stride` elements, and the padding that this takes. Without, there are as many as fit; with `ceil_mode` one
/// more if elements are left, which must begin in the source.
pub(super) fn axes(call: &mut Call<'_, '_>, source: &[usize], kernel: &[usize]) -> Result<Vec<Axis>> {
    let (rank, is_transposed) = (source.len(), call.operator == "ConvTranspose");
    let strides = call.sizes("strides", vec![1; rank], 1)?;
    let dilations = call.sizes("dilations", vec![1; rank], 1)?;
    let pads = call.sizes("pads", vec![0; 2 * rank], 0)?;
    let added = if is_transposed { call.sizes("output_padding", vec![0; rank], 0)? } else { vec![0; rank] };
    let rounds_up = !is_transposed && call.flag("ceil_mode", false)?;
    let auto_pad = call.text("auto_pad", "NOTSET")?;
    let known = ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"];
    let results = if is_transposed { results(call, source, &strides, auto_pad)? } else { None };
    call.require(known.contains(&auto_pad), format!("one of {known:?} as attribute auto_pad"), auto_pad)?;
    let is_alone = (auto_pad == "NOTSET" && results.is_none()) || (!rounds_up && pads.iter().all(|pad| *pad == 0));
    call.require(is_alone, format!("neither pads nor ceil_mode with auto_pad {auto_pad}"), "one of them")?;
    let steps = strides.into_iter().zip(dilations).zip(pads.iter().zip(pads.iter().skip(rank)));
    let mut axes = Vec::new();
    for (place, ((size, kernel), (((stride, dilation), (front, back)), added))) in
        source.iter().zip(kernel).zip(steps.zip(added)).enumerate()
    {
        let mut axis = Axis { size: *size, kernel: *kernel, stride, dilation, front: *front, back: *back, windows: 1 };
        if is_transposed {
            let full = axis.stride * (axis.size - 1) + axis.extent() + added;
            if let Some(results) = &results {
                let total = full.checked_sub(at(results, place)).filter(|total| total.is_multiple_of(2));
                let total = call.demand(
                    total,
                    format!("a result that leaves an even part of {full} as padding"),
                    at(results, place),
                )?;
                (axis.front, axis.back) = (total / 2, total / 2);
            }
            axis.windows = full.saturating_sub(axis.front + axis.back);
            call.require(axis.windows > 0, format!("pads below {full}"), axis.front + axis.back)?;
        } else if auto_pad.starts_with("SAME") {
            axis.windows = axis.size.div_ceil(axis.stride);
            let total = axis.end().saturating_sub(axis.size);
            axis.front = if auto_pad == "SAME_LOWER" { total.div_ceil(2) } else { total / 2 };
            axis.back = total - axis.front;
        } else {
            let padded = axis.front + axis.size + axis.back;
            let room = padded.checked_sub(axis.extent());
            let room = call.demand(room, format!("windows of at most {padded}"), axis.extent())?;
            axis.windows = 1 + if rounds_up { room.div_ceil(axis.stride) } else { room / axis.stride };
            let is_inside = !rounds_up || (axis.windows - 1) * axis.stride < axis.front + axis.size;
            call.require(is_inside, "windows that begin before the padding behind the source", "one that does not")?;
        }
        axes.push(axis);
    }
    Ok(axes)
}
