//! Points as pictures: PNG files inside data URIs.
//!
//! Values are drawn between the ends of a range: black (or no colour) to white (or all of it). Changes are drawn in colours that
//! everybody can tell apart: blue where a value falls, white where it stays, orange where it rises; of a pixel's channels, the one
//! that changes most decides.

use png::{BitDepth, ColorType, Encoder};

/// Sides of pictures that are drawn: below they show nothing, above they make a report too large.
const SIDES: std::ops::RangeInclusive<usize> = 4..=256;

/// The colours of the strongest fall, of no change and of the strongest rise.
const COLOURS: [[f64; 3]; 3] = [[33.0, 102.0, 172.0], [247.0, 247.0, 247.0], [230.0, 97.0, 1.0]];

/// How a network input is a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// One, or three for red, green and blue; each is a plane of its own.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Layout {
    /// The picture of inputs of some shape; none where they are no pictures.
    pub fn of(shape: &[usize]) -> Option<Layout> {
        let (channels, height, width) = match shape {
            [height, width] | [1, height, width] => (1, *height, *width),
            [3, height, width] => (3, *height, *width),
            _ => return None,
        };
        (SIDES.contains(&height) && SIDES.contains(&width)).then_some(Layout { channels, height, width })
    }

    /// Number of values.
    pub fn size(self) -> usize {
        self.channels * self.pixels()
    }

    fn pixels(self) -> usize {
        self.height * self.width
    }

    /// A point as a data URI; values beyond the range are drawn as its ends. None where the number of values is another.
    pub fn picture(self, values: &[f64], (low, high): (f64, f64)) -> Option<String> {
        let span = if high > low { high - low } else { 1.0 };
        let byte = |value: f64| ((value - low) / span * 255.0).round().clamp(0.0, 255.0) as u8;
        let planes: Vec<&[f64]> = self.planes(values)?;
        let bytes = (0..self.pixels()).flat_map(|pixel| planes.iter().map(move |plane| byte(plane[pixel]))).collect();
        self.encode(bytes, if self.channels == 1 { ColorType::Grayscale } else { ColorType::Rgb })
    }

    /// A change as a data URI; the strongest colours stand for changes by `most`.
    pub fn change(self, values: &[f64], most: f64) -> Option<String> {
        let planes = self.planes(values)?;
        let strongest = |pixel: usize| {
            planes.iter().map(|plane| plane[pixel]).fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a })
        };
        let share = |pixel: usize| if most > 0.0 { (strongest(pixel) / most).clamp(-1.0, 1.0) } else { 0.0 };
        self.encode((0..self.pixels()).flat_map(|pixel| colour(share(pixel))).collect(), ColorType::Rgb)
    }

    fn planes(self, values: &[f64]) -> Option<Vec<&[f64]>> {
        (values.len() == self.size()).then(|| values.chunks_exact(self.pixels()).collect())
    }

    fn encode(self, bytes: Vec<u8>, colours: ColorType) -> Option<String> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, u32::try_from(self.width).ok()?, u32::try_from(self.height).ok()?);
        encoder.set_color(colours);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&bytes).ok()?;
        writer.finish().ok()?;
        Some(format!("data:image/png;base64,{}", base64(&file)))
    }
}

/// The colour of a change from -1 to 1.
fn colour(share: f64) -> [u8; 3] {
    let [fall, none, rise] = COLOURS;
    let end = if share < 0.0 { fall } else { rise };
    std::array::from_fn(|i| (none[i] + (end[i] - none[i]) * share.abs()).round() as u8)
}

/// Bytes in the alphabet of RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let sextets = (0..4).map(|i| char::from(ALPHABET[(bits >> (18 - 6 * i) & 63) as usize]));
        text.extend(sextets.take(chunk.len() + 1));
        text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_pictures() {
        let layout = |channels, height, width| Some(Layout { channels, height, width });
        assert_eq!(Layout::of(&[1, 28, 28]), layout(1, 28, 28));
        assert_eq!((Layout::of(&[8, 9]), Layout::of(&[3, 32, 32])), (layout(1, 8, 9), layout(3, 32, 32)));
        for other in [&[784][..], &[2, 28, 28], &[1, 3, 28], &[1, 512, 28], &[1, 1, 28, 28], &[]] {
            assert_eq!(Layout::of(other), None, "{other:?}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base64_as_published() {
        let pairs =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        pairs.iter().for_each(|(plain, coded)| assert_eq!(base64(plain.as_bytes()), *coded));
    }

    /// The pixels that a decoder finds.
    fn pixels(uri: &str) -> Vec<u8> {
        let coded = uri.strip_prefix("data:image/png;base64,").unwrap();
        let value = |c: char| match c {
            'A'..='Z' => c as u32 - 65,
            'a'..='z' => c as u32 - 71,
            '0'..='9' => c as u32 + 4,
            '+' => 62,
            _ => 63,
        };
        let sextets: Vec<u32> = coded.trim_end_matches('=').chars().map(value).collect();
        let bits = |chunk: &[u32]| chunk.iter().fold(0, |bits, sextet| bits << 6 | sextet) << (6 * (4 - chunk.len()));
        let bytes = |chunk: &[u32]| bits(chunk).to_be_bytes()[1..chunk.len()].to_vec();
        let file: Vec<u8> = sextets.chunks(4).flat_map(bytes).collect();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    }

    #[test]
    fn values_and_changes_become_pixels() {
        let grey = Layout { channels: 1, height: 1, width: 3 };
        assert_eq!(pixels(&grey.picture(&[0.0, 0.5, 7.0], (0.0, 1.0)).unwrap()), [0, 128, 255]);
        assert_eq!(pixels(&grey.change(&[-0.1, 0.0, 0.1], 0.1).unwrap()), [33, 102, 172, 247, 247, 247, 230, 97, 1]);
        let colour = Layout { channels: 3, height: 1, width: 2 };
        let planes = [1.0, 0.0, 0.0, 1.0, 0.0, 0.5];
        assert_eq!(pixels(&colour.picture(&planes, (0.0, 1.0)).unwrap()), [255, 0, 0, 0, 255, 128]);
        // The channel that changes most decides, and nothing changes where no change is known.
        assert_eq!(pixels(&colour.change(&[0.5, 0.0, -1.0, 0.0, 0.2, 0.0], 1.0).unwrap())[..3], [33, 102, 172]);
        assert_eq!(pixels(&colour.change(&[0.0; 6], 0.0).unwrap()), [247; 6]);
        assert_eq!((colour.picture(&[0.0; 5], (0.0, 1.0)), grey.change(&[], 1.0)), (None, None));
    }
}
