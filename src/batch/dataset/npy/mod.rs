//! NumPy's `.npy` files: a magic string, a version, a header that names type, order and shape, and the bare elements.
//!
//! Read are floats of 4 and 8 bytes and integers of 1 to 8 bytes, signed or not, in either byte order, in C or Fortran
//! order. Every element must be a binary64 number, so that nothing is rounded. Elements are passed on as they come; those in Fortran
//! order are turned round by way of a spool, not in memory.

use std::io::{self, Read};

use bartizan_read::ReadError;

use super::defect::Defect;
use super::rows::{Columns, Rows};
use super::spool::Spool;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Integers up to this size are binary64 numbers.
pub const LARGEST_EXACT_INTEGER: u64 = 1 << f64::MANTISSA_DIGITS;

/// A header is not longer; NumPy itself warns beyond 10,000.
const LARGEST_HEADER: u64 = 1 << 20;

/// Elements that are decoded at once.
const ELEMENTS_AT_ONCE: usize = 1 << 15;

/// What the header says.
#[derive(Debug)]
pub struct Header {
    kind: Kind,
    /// Bytes of an element.
    size: usize,
    is_big_endian: bool,
    is_fortran: bool,
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    dtype: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

impl Header {
    /// Reads the header, up to the first element.
    ///
    /// # Errors
    ///
    /// Names the first defect.
    pub fn read(input: &mut dyn Read) -> Result<Header, Defect> {
        let magic = up_to(input, MAGIC.len() as u64)?;
        if magic != MAGIC {
            let found = format!("{:?}", String::from_utf8_lossy(&magic));
            return Err(ReadError::byte(0, r#"the magic string "\x93NUMPY" of .npy files"#, found).into());
        }
        let [major, _] = exactly(input)?;
        let length = match major {
            1 => u64::from(u16::from_le_bytes(exactly(input)?)),
            2 | 3 => u64::from(u32::from_le_bytes(exactly(input)?)),
            other => {
                return Err(ReadError::byte(MAGIC.len(), "version 1, 2 or 3", format!("version {other}")).into());
            }
        };
        let text = up_to(input, length.min(LARGEST_HEADER))?;
        if text.len() as u64 != length {
            return Err(truncated().into());
        }
        let text = std::str::from_utf8(&text).map_err(|e| ReadError::part("header", "text", e.to_string()))?;
        Ok(read_header(text)?)
    }

    /// Passes all elements on in the order of the file.
    ///
    /// # Errors
    ///
    /// The file holds more or fewer elements than the header says, or one that is no binary64 number; or whatever `take` finds wrong.
    pub fn elements(
        &self,
        input: &mut dyn Read,
        mut take: impl FnMut(&[f64]) -> Result<(), Defect>,
    ) -> Result<(), Defect> {
        let count = self.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let length = count.and_then(|n| n.checked_mul(self.size));
        let (Some(count), Some(length)) = (count, length) else {
            return Err(ReadError::part("header", "a shape that fits into memory", format!("{:?}", self.shape)).into());
        };
        let mut bytes = Vec::new();
        let mut numbers = Vec::new();
        for first in (0..count).step_by(ELEMENTS_AT_ONCE) {
            let size = ELEMENTS_AT_ONCE.min(count - first) * self.size;
            bytes.clear();
            if input.take(size as u64).read_to_end(&mut bytes)? < size {
                return Err(self.other_length((count, length), first * self.size + bytes.len()));
            }
            numbers.clear();
            self.decode(first, &bytes, &mut numbers)?;
            take(&numbers)?;
        }
        match io::copy(input, &mut io::sink())? {
            0 => Ok(()),
            more => Err(self.other_length((count, length), length + more as usize)),
        }
    }

    fn other_length(&self, (count, length): (usize, usize), found: usize) -> Defect {
        let expected = format!("{length} bytes ({count} elements of {})", self.dtype);
        ReadError::part("data", expected, format!("{found} bytes")).into()
    }

    /// Appends the numbers that some bytes stand for.
    fn decode(&self, first: usize, bytes: &[u8], numbers: &mut Vec<f64>) -> Result<(), ReadError> {
        match (self.kind, self.size) {
            (Kind::Unsigned, 1) => numbers.extend(bytes.iter().map(|byte| f64::from(*byte))),
            (Kind::Float, 4) => self.floats(bytes, numbers, |bytes| f64::from(f32::from_le_bytes(bytes))),
            (Kind::Float, _) => self.floats(bytes, numbers, f64::from_le_bytes),
            _ => {
                for (i, bytes) in bytes.chunks_exact(self.size).enumerate() {
                    numbers.push(self.integer(first + i, bytes)?);
                }
            }
        }
        Ok(())
    }

    fn floats<const N: usize>(&self, bytes: &[u8], numbers: &mut Vec<f64>, number: impl Fn([u8; N]) -> f64) {
        let little_endian = |mut bytes: [u8; N]| {
            if self.is_big_endian {
                bytes.reverse();
            }
            bytes
        };
        numbers.extend(bytes.as_chunks().0.iter().map(|bytes| number(little_endian(*bytes))));
    }

    fn integer(&self, index: usize, bytes: &[u8]) -> Result<f64, ReadError> {
        let place = |i: usize| if self.is_big_endian { self.size - 1 - i } else { i };
        let word = bytes.iter().enumerate().fold(0u64, |word, (i, b)| word | (u64::from(*b) << (8 * place(i))));
        let unused = u64::BITS - 8 * self.size as u32;
        let too_large = |value: String| {
            let expected = format!("an integer of at most {LARGEST_EXACT_INTEGER}");
            Err(ReadError::part(format!("element {index}"), expected, value))
        };
        let signed = ((word << unused) as i64) >> unused;
        match self.kind {
            Kind::Signed if signed.unsigned_abs() > LARGEST_EXACT_INTEGER => too_large(signed.to_string()),
            Kind::Signed => Ok(signed as f64),
            _ if word > LARGEST_EXACT_INTEGER => too_large(word.to_string()),
            _ => Ok(word as f64),
        }
    }
}

/// Reads the points of an array, and the shape of one. `place` names the array in messages.
///
/// # Errors
///
/// Names the first defect.
pub fn read_points(input: &mut dyn Read, place: &str) -> Result<(Vec<usize>, Rows), Defect> {
    let header = Header::read(input)?;
    let [count, shape @ ..] = header.shape.as_slice() else {
        return Err(ReadError::part(place, "an array of points", "a single number").into());
    };
    let width = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    let mut rows = Rows::new(width.unwrap_or(0));
    if !header.is_fortran {
        header.elements(input, |elements| rows.push(elements))?;
        return Ok((shape.to_vec(), rows));
    }
    let mut columns = Spool::default();
    header.elements(input, |elements| Ok(columns.push(elements)?))?;
    let columns = Columns { values: columns.finish()?, rows: *count };
    rows.push_columns(&columns, |element| column_major(shape, element))?;
    Ok((shape.to_vec(), rows))
}

/// The place in column-major order of an element whose place in row-major order is given.
fn column_major(shape: &[usize], element: usize) -> usize {
    let strides = shape.iter().scan(1, |stride, side| Some(std::mem::replace(stride, *stride * side)));
    let sides_and_strides: Vec<(usize, usize)> = shape.iter().copied().zip(strides).collect();
    let mut rest = element;
    let mut place = 0;
    for (side, stride) in sides_and_strides.into_iter().rev() {
        place += rest % side * stride;
        rest /= side;
    }
    place
}

fn exactly<const N: usize>(input: &mut dyn Read) -> Result<[u8; N], Defect> {
    up_to(input, N as u64)?.try_into().map_err(|_| truncated().into())
}

/// As many bytes, or all that there are.
fn up_to(input: &mut dyn Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn truncated() -> ReadError {
    ReadError::part("header", "a complete .npy header", "the end of the file")
}

fn read_header(text: &str) -> Result<Header, ReadError> {
    let dtype = value_of(text, "descr")?;
    let dtype = quoted(dtype).ok_or_else(|| unsupported(dtype))?;
    let (kind, size, is_big_endian) = element_type(dtype).ok_or_else(|| unsupported(dtype))?;
    let order = value_of(text, "fortran_order")?;
    let is_fortran = match (order.starts_with("True"), order.starts_with("False")) {
        (false, false) => return Err(ReadError::part("header, `fortran_order`", "True or False", excerpt(order))),
        (is_fortran, _) => is_fortran,
    };
    let tuple = value_of(text, "shape")?;
    let shape = shape(tuple)
        .ok_or_else(|| ReadError::part("header, `shape`", "a tuple of sizes such as (10, 784)", excerpt(tuple)))?;
    Ok(Header { kind, size, is_big_endian, is_fortran, shape, dtype: dtype.to_owned() })
}

/// The header's text from the value of a key on.
fn value_of<'t>(text: &'t str, key: &str) -> Result<&'t str, ReadError> {
    ['\'', '"']
        .iter()
        .find_map(|quote| text.split_once(&format!("{quote}{key}{quote}")))
        .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
        .map(str::trim_start)
        .ok_or_else(|| ReadError::part("header", format!("the key `{key}`"), excerpt(text)))
}

fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote).map(|(inside, _)| inside)
}

fn shape(text: &str) -> Option<Vec<usize>> {
    let (sizes, _) = text.strip_prefix('(')?.split_once(')')?;
    sizes.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| s.parse().ok()).collect()
}

/// Kind, bytes and byte order of a type such as `<f4`.
fn element_type(dtype: &str) -> Option<(Kind, usize, bool)> {
    let mut characters = dtype.chars();
    let (order, kind, size) = (characters.next()?, characters.next()?, characters.as_str());
    let kind = match kind {
        'f' if matches!(size, "4" | "8") => Kind::Float,
        'i' if matches!(size, "1" | "2" | "4" | "8") => Kind::Signed,
        'u' if matches!(size, "1" | "2" | "4" | "8") => Kind::Unsigned,
        _ => return None,
    };
    matches!(order, '<' | '>' | '=' | '|').then_some((kind, size.parse().ok()?, order == '>'))
}

fn unsupported(dtype: &str) -> ReadError {
    let expected = "floats f4 or f8, or integers i1 to i8 or u1 to u8";
    ReadError::part("header, `descr`", expected, excerpt(dtype))
}

fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    format!("`{}`", text.trim().chars().take(LONGEST).collect::<String>())
}

#[cfg(test)]
pub(crate) mod tests;
