//! One PNG image.

use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Info, Limits, Transformations};
use bartizan_read::ReadError;

/// Bytes that a decoder may hold, and the samples of an image.
const LARGEST_IMAGE: usize = 256 << 20;

/// The shape `[channels, height, width]` of an image, and its samples in that order.
///
/// # Errors
///
/// The file is damaged, or of a kind that is refused.
pub fn decode(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), ReadError> {
    let damaged = |error: DecodingError| ReadError::part("image", "a complete PNG file", error.to_string());
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: LARGEST_IMAGE });
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let channels = channels(reader.info())?;
    let size = reader.output_buffer_size().filter(|size| *size <= LARGEST_IMAGE);
    let size = size.ok_or_else(|| {
        let found = format!("{} x {} pixels", reader.info().width, reader.info().height);
        ReadError::part("image", format!("at most {} MiB of samples", LARGEST_IMAGE >> 20), found)
    })?;
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    let samples: Vec<f64> = match frame.bit_depth {
        BitDepth::Sixteen => samples.as_chunks().0.iter().map(|bytes| f64::from(u16::from_be_bytes(*bytes))).collect(),
        _ => samples.iter().map(|byte| f64::from(*byte)).collect(),
    };
    let elements = (0..channels).flat_map(|channel| samples.iter().skip(channel).step_by(channels).copied()).collect();
    Ok((vec![channels, frame.height as usize, frame.width as usize], elements))
}

/// Channels of an image of a kind that is not refused.
fn channels(info: &Info) -> Result<usize, ReadError> {
    let refused = |expected: &str, found: String| Err(ReadError::part("image", expected, found));
    let has_alpha = matches!(info.color_type, ColorType::GrayscaleAlpha | ColorType::Rgba);
    if has_alpha || info.trns.is_some() {
        return refused("grey or colours without transparency", format!("{:?} with transparency", info.color_type));
    }
    if info.animation_control.is_some() {
        return refused("one picture", "an animation".to_owned());
    }
    match (info.color_type, info.bit_depth) {
        (ColorType::Grayscale, BitDepth::Eight | BitDepth::Sixteen) => Ok(1),
        (ColorType::Grayscale, depth) => refused("8 or 16 bits a sample", format!("{} bits", depth as u8)),
        _ => Ok(3),
    }
}
