//! NumPy's `.npy` files: a magic string, a version, a header that names type, order and shape, and the bare elements.
//!
//! Read are floats of 4 and 8 bytes and integers of 1 to 8 bytes, signed or not, in either byte order, in C or Fortran
//! order. Every element must be a binary64 number, so that nothing is rounded. Memory is bounded by the file: eight bytes
//! an element, after the file's length has been compared with the shape.

use bartizan_read::ReadError;
use ndarray::{ArrayView, IxDyn, ShapeBuilder};

/// Numbers with a shape, in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The elements.
    pub values: Vec<f64>,
}

const MAGIC: &[u8] = b"\x93NUMPY";

/// Integers up to this size are binary64 numbers.
const LARGEST_EXACT_INTEGER: u64 = 1 << f64::MANTISSA_DIGITS;

/// What the header says.
#[derive(Debug)]
struct Header {
    kind: Kind,
    /// Bytes of an element.
    size: usize,
    is_big_endian: bool,
    is_fortran: bool,
    shape: Vec<usize>,
    dtype: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

/// Reads the bytes of an `.npy` file.
///
/// # Errors
///
/// Names the first defect.
pub fn parse(bytes: &[u8]) -> Result<Array, ReadError> {
    let (header, data) = split(bytes)?;
    let header = read_header(header)?;
    let count = header.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    let length = count.and_then(|n| n.checked_mul(header.size));
    let (Some(count), Some(length)) = (count, length) else {
        return Err(ReadError::part("header", "a shape that fits into memory", format!("{:?}", header.shape)));
    };
    if data.len() != length {
        let expected = format!("{length} bytes ({count} elements of {})", header.dtype);
        return Err(ReadError::part("data", expected, format!("{} bytes", data.len())));
    }
    let elements = data.chunks_exact(header.size).enumerate();
    let values = elements.map(|(i, bytes)| element(&header, i, bytes)).collect::<Result<Vec<f64>, _>>()?;
    let values = if header.is_fortran { row_major(&header.shape, &values) } else { values };
    Ok(Array { shape: header.shape, values })
}

/// The header's text, and the elements behind it.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), ReadError> {
    let truncated = || ReadError::part("header", "a complete .npy header", "the end of the file");
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        let found = format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(MAGIC.len())]));
        return Err(ReadError::byte(0, r#"the magic string "\x93NUMPY" of .npy files"#, found));
    };
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(truncated)?;
    let (length, rest) = match version[0] {
        1 => rest.split_first_chunk::<2>().map(|(l, rest)| (usize::from(u16::from_le_bytes(*l)), rest)),
        2 | 3 => rest.split_first_chunk::<4>().map(|(l, rest)| (u32::from_le_bytes(*l) as usize, rest)),
        other => return Err(ReadError::byte(MAGIC.len(), "version 1, 2 or 3", format!("version {other}"))),
    }
    .ok_or_else(truncated)?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(truncated)?;
    let header = std::str::from_utf8(header).map_err(|e| ReadError::part("header", "text", e.to_string()))?;
    Ok((header, data))
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

fn element(header: &Header, index: usize, bytes: &[u8]) -> Result<f64, ReadError> {
    let place = |i: usize| if header.is_big_endian { header.size - 1 - i } else { i };
    let word = bytes.iter().enumerate().fold(0u64, |word, (i, b)| word | (u64::from(*b) << (8 * place(i))));
    let unused = 64 - 8 * header.size as u32;
    let too_large = |value: String| {
        let expected = format!("an integer of at most {LARGEST_EXACT_INTEGER}");
        ReadError::part(format!("element {index}"), expected, value)
    };
    match (header.kind, header.size) {
        (Kind::Float, 4) => Ok(f64::from(f32::from_bits(word as u32))),
        (Kind::Float, _) => Ok(f64::from_bits(word)),
        (Kind::Unsigned, _) if word > LARGEST_EXACT_INTEGER => Err(too_large(word.to_string())),
        (Kind::Unsigned, _) => Ok(word as f64),
        (Kind::Signed, _) => {
            let value = ((word << unused) as i64) >> unused;
            if value.unsigned_abs() > LARGEST_EXACT_INTEGER {
                Err(too_large(value.to_string()))
            } else {
                Ok(value as f64)
            }
        }
    }
}

/// Reorders elements from Fortran order.
fn row_major(shape: &[usize], values: &[f64]) -> Vec<f64> {
    ArrayView::from_shape(IxDyn(shape).f(), values).map_or_else(|_| Vec::new(), |array| array.iter().copied().collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of an `.npy` file.
    pub(crate) fn file(dtype: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
    }

    fn values(dtype: &str, data: &[u8]) -> Vec<f64> {
        let size: usize = dtype[2..].parse().unwrap();
        parse(&file(dtype, "False", &format!("({},)", data.len() / size), data)).unwrap().values
    }

    #[test]
    fn every_type_in_both_byte_orders() {
        assert_eq!(values("<f4", &1.5f32.to_le_bytes()), [1.5]);
        assert_eq!(values(">f4", &0.1f32.to_be_bytes()), [f64::from(0.1f32)]);
        assert_eq!(values("<f8", &0.1f64.to_le_bytes()), [0.1]);
        assert_eq!(values(">f8", &(-0.1f64).to_be_bytes()), [-0.1]);
        assert_eq!(values("|u1", &[0, 255]), [0.0, 255.0]);
        assert_eq!(values("|i1", &[0x80, 127]), [-128.0, 127.0]);
        assert_eq!(values("<i2", &(-2i16).to_le_bytes()), [-2.0]);
        assert_eq!(values(">u2", &65_535u16.to_be_bytes()), [65_535.0]);
        assert_eq!(values(">i4", &(-7i32).to_be_bytes()), [-7.0]);
        assert_eq!(values("<u4", &u32::MAX.to_le_bytes()), [4_294_967_295.0]);
        assert_eq!(values("<i8", &(-(1i64 << 53)).to_le_bytes()), [-9_007_199_254_740_992.0]);
        assert_eq!(values(">u8", &3u64.to_be_bytes()), [3.0]);
    }

    #[test]
    fn fortran_order_is_turned_into_row_major() {
        let data: Vec<u8> = [1.0f32, 4.0, 2.0, 5.0, 3.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let array = parse(&file("<f4", "True", "(2, 3)", &data)).unwrap();
        assert_eq!((array.shape, array.values), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    }

    #[test]
    fn versions_two_and_three_have_long_headers() {
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}\n";
        let length = u32::try_from(header.len()).unwrap().to_le_bytes();
        for version in [2, 3] {
            let bytes = [MAGIC, &[version, 0], &length, header.as_bytes(), &[3, 4]].concat();
            assert_eq!(parse(&bytes).unwrap(), Array { shape: vec![2, 1], values: vec![3.0, 4.0] });
        }
    }

    #[test]
    fn defects_are_refused_with_their_reason() {
        let message = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
        let types = "expected floats f4 or f8, or integers i1 to i8 or u1 to u8, found";
        let cases: [(&[u8], String); 9] = [
            (b"hello", r#"byte 0: expected the magic string "\x93NUMPY" of .npy files, found "hello""#.into()),
            (b"\x93NUMPY\x01", "header: expected a complete .npy header, found the end of the file".into()),
            (b"\x93NUMPY\x09\x00\x00\x00", "byte 6: expected version 1, 2 or 3, found version 9".into()),
            (
                b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
                "header: expected a complete .npy header, found the end of the file".into(),
            ),
            (b"\x93NUMPY\x01\x00\x02\x00{}", "header: expected the key `descr`, found `{}`".into()),
            (&file("<f2", "False", "(1,)", &[0; 2]), format!("header, `descr`: {types} `<f2`")),
            (&file("<c8", "False", "(1,)", &[0; 8]), format!("header, `descr`: {types} `<c8`")),
            (
                &file("<f4", "False", "(2, 3)", &[0; 20]),
                "data: expected 24 bytes (6 elements of <f4), found 20 bytes".into(),
            ),
            (
                &file("<u8", "False", "(1,)", &u64::MAX.to_le_bytes()),
                "element 0: expected an integer of at most 9007199254740992, found 18446744073709551615".into(),
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(message(bytes), expected);
        }
        let huge = message(&file("<f8", "False", "(9999999999, 9999999999)", &[]));
        assert_eq!(huge, "header: expected a shape that fits into memory, found [9999999999, 9999999999]");
        let odd = message(&file("<f8", "False", "7", &[]));
        assert_eq!(odd, "header, `shape`: expected a tuple of sizes such as (10, 784), found `7, }`");
        let order = message(&file("<f8", "0", "(1,)", &[]));
        assert_eq!(order, "header, `fortran_order`: expected True or False, found `0, 'shape': (1,), }`");
    }

    #[test]
    fn truncated_and_damaged_files_never_panic() {
        let whole = file("<f4", "False", "(1, 2)", &[1; 8]);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length} bytes");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x55;
            let _ = parse(&damaged);
        }
    }
}
