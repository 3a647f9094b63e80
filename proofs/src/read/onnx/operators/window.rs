//! Windows that slide along the axes of convolutions and pools.

use crate::error::ReadError;
use crate::read::onnx::call::Call;

type Result<T> = std::result::Result<T, ReadError>;

/// How windows lie along one axis.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
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
    /// Number of windows.
    pub windows: usize,
}

/// The axis that a one-dimensional convolution lacks.
pub(crate) const UNIT: Axis = Axis { size: 1, kernel: 1, stride: 1, dilation: 1, front: 0, back: 0, windows: 1 };

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
    pub fn window(&self, index: usize) -> impl Iterator<Item = usize> {
        let places = (0..self.kernel).map(move |k| (index * self.stride + k * self.dilation).checked_sub(self.front));
        places.flatten().filter(|place| *place < self.size)
    }
}

/// Takes `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode` for a kernel over a source.
pub(crate) fn axes(call: &mut Call<'_, '_>, source: &[usize], kernel: &[usize]) -> Result<Vec<Axis>> {
    let rank = source.len();
    let strides = call.sizes("strides", rank, (1, Some(1)))?;
    let dilations = call.sizes("dilations", rank, (1, Some(1)))?;
    let pads = call.sizes("pads", 2 * rank, (0, Some(0)))?;
    let rounds_up = call.flag("ceil_mode", false)?;
    let auto_pad = call.text("auto_pad", "NOTSET")?;
    let is_known = matches!(auto_pad, "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER");
    call.require(is_known, "NOTSET, VALID, SAME_UPPER or SAME_LOWER as attribute auto_pad", auto_pad)?;
    let is_alone = auto_pad == "NOTSET" || (!rounds_up && pads.iter().all(|pad| *pad == 0));
    call.require(is_alone, format!("neither pads nor ceil_mode with auto_pad {auto_pad}"), "one of them")?;
    let sizes = source.iter().zip(kernel).zip(strides.iter().zip(&dilations));
    let all_pads = pads.iter().zip(pads.iter().skip(rank));
    sizes
        .zip(all_pads)
        .map(|(((size, kernel), (stride, dilation)), (front, back))| {
            let (size, kernel, stride, dilation) = (*size, *kernel, *stride, *dilation);
            let axis = Axis { size, kernel, stride, dilation, front: *front, back: *back, windows: 1 };
            if auto_pad.starts_with("SAME") { Ok(same(axis, auto_pad)) } else { fit(call, axis, rounds_up) }
        })
        .collect()
}

/// As many windows as fit; with rounding up one more if elements are left, which must begin in the source or before.
fn fit(call: &Call<'_, '_>, mut axis: Axis, rounds_up: bool) -> Result<Axis> {
    let padded = axis.front + axis.size + axis.back;
    let room = padded.checked_sub(axis.extent());
    let room = room.ok_or_else(|| call.refuse(format!("a window of at most {padded}"), axis.extent().to_string()))?;
    axis.windows = 1 + if rounds_up { room.div_ceil(axis.stride) } else { room / axis.stride };
    let last = (axis.windows - 1) * axis.stride;
    let begins_inside = !rounds_up || last < axis.front + axis.size;
    call.require(begins_inside, "windows that begin before the padding behind the source", "one that does not")?;
    Ok(axis)
}

/// One window for every `stride` elements, with the padding that this takes.
fn same(mut axis: Axis, auto_pad: &str) -> Axis {
    axis.windows = axis.size.div_ceil(axis.stride);
    let total = axis.end().saturating_sub(axis.size);
    axis.front = if auto_pad == "SAME_LOWER" { total.div_ceil(2) } else { total / 2 };
    axis.back = total - axis.front;
    axis
}
