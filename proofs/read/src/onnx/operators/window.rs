//! Windows that slide along the axes of convolutions and pools.

use super::{Call, Result};

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
    pub fn window(&self, index: usize) -> impl Iterator<Item = usize> {
        let places = (0..self.kernel).map(move |k| (index * self.stride + k * self.dilation).checked_sub(self.front));
        places.flatten().filter(|place| *place < self.size)
    }

    /// As many windows as fit; with rounding up one more if elements are left, which must begin in the source.
    fn fit(mut self, call: &Call<'_, '_>, rounds_up: bool) -> Result<Axis> {
        let padded = self.front + self.size + self.back;
        let room = padded.checked_sub(self.extent());
        let room =
            room.ok_or_else(|| call.refuse(format!("windows of at most {padded}"), self.extent().to_string()))?;
        self.windows = 1 + if rounds_up { room.div_ceil(self.stride) } else { room / self.stride };
        let last = (self.windows - 1) * self.stride;
        let begins_inside = !rounds_up || last < self.front + self.size;
        call.require(begins_inside, "windows that begin before the padding behind the source", "one that does not")?;
        Ok(self)
    }

    /// One window for every `stride` elements, with the padding that this takes.
    fn cover(mut self, more_in_front: bool) -> Axis {
        self.windows = self.size.div_ceil(self.stride);
        let total = self.end().saturating_sub(self.size);
        self.front = if more_in_front { total.div_ceil(2) } else { total / 2 };
        self.back = total - self.front;
        self
    }
}

/// Takes `strides`, `dilations` and `pads` for a kernel over a source; no windows are placed yet.
fn axes(call: &mut Call<'_, '_>, source: &[usize], kernel: &[usize]) -> Result<Vec<Axis>> {
    let rank = source.len();
    let strides = call.sizes("strides", rank, 1)?.unwrap_or_else(|| vec![1; rank]);
    let dilations = call.sizes("dilations", rank, 1)?.unwrap_or_else(|| vec![1; rank]);
    let pads = call.sizes("pads", 2 * rank, 0)?.unwrap_or_else(|| vec![0; 2 * rank]);
    let sizes = source.iter().zip(kernel).zip(strides.into_iter().zip(dilations));
    let pads = pads.iter().zip(pads.iter().skip(rank));
    let axis = |(((size, kernel), (stride, dilation)), (front, back)): (((&usize, &usize), _), (&usize, &usize))| {
        Axis { size: *size, kernel: *kernel, stride, dilation, front: *front, back: *back, windows: 1 }
    };
    Ok(sizes.zip(pads).map(axis).collect())
}

/// The windows of a convolution or pool, by `auto_pad` and `ceil_mode`.
pub(super) fn sliding(call: &mut Call<'_, '_>, source: &[usize], kernel: &[usize]) -> Result<Vec<Axis>> {
    let axes = axes(call, source, kernel)?;
    let rounds_up = call.flag("ceil_mode", false)?;
    let auto_pad = call.text("auto_pad", "NOTSET")?;
    let is_known = matches!(auto_pad, "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER");
    call.require(is_known, "NOTSET, VALID, SAME_UPPER or SAME_LOWER as attribute auto_pad", auto_pad)?;
    let is_alone = !rounds_up && axes.iter().all(|axis| axis.front + axis.back == 0);
    let expected = || format!("neither pads nor ceil_mode with auto_pad {auto_pad}");
    call.require(auto_pad == "NOTSET" || is_alone, expected(), "one of them")?;
    let is_same = auto_pad.starts_with("SAME");
    let place = |axis: Axis| if is_same { Ok(axis.cover(auto_pad == "SAME_LOWER")) } else { axis.fit(call, rounds_up) };
    axes.into_iter().map(place).collect()
}

/// The results of a transposed convolution, by `output_padding`.
pub(super) fn transposed(call: &mut Call<'_, '_>, source: &[usize], kernel: &[usize]) -> Result<Vec<Axis>> {
    let mut axes = axes(call, source, kernel)?;
    let added = call.sizes("output_padding", source.len(), 0)?.unwrap_or_else(|| vec![0; source.len()]);
    let auto_pad = call.text("auto_pad", "NOTSET")?;
    call.require(auto_pad == "NOTSET", "NOTSET as attribute auto_pad", auto_pad)?;
    for (axis, added) in axes.iter_mut().zip(added) {
        let full = axis.stride * (axis.size - 1) + axis.extent() + added;
        axis.windows = full.saturating_sub(axis.front + axis.back);
        call.require(axis.windows > 0, format!("pads below {full}"), format!("{}", axis.front + axis.back))?;
    }
    Ok(axes)
}
