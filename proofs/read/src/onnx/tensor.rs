//! Constants: `TensorProto` and what is computed from constants alone.

use std::borrow::Cow;

use super::shape::count;
use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::protobuf::Message;

type Result<T> = std::result::Result<T, ReadError>;

/// The element types that `TensorProto` knows, by number.
const TYPES: [&str; 24] = [
    "UNDEFINED",
    "FLOAT",
    "UINT8",
    "INT8",
    "UINT16",
    "INT16",
    "INT32",
    "INT64",
    "STRING",
    "BOOL",
    "FLOAT16",
    "DOUBLE",
    "UINT32",
    "UINT64",
    "COMPLEX64",
    "COMPLEX128",
    "BFLOAT16",
    "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ",
    "FLOAT8E5M2",
    "FLOAT8E5M2FNUZ",
    "UINT4",
    "INT4",
    "FLOAT4E2M1",
];

/// A constant.
#[derive(Clone, Debug)]
pub(crate) struct Tensor<'a> {
    /// Dimensions, the batch dimension included.
    pub shape: Vec<usize>,
    /// Elements in row-major order.
    pub elements: Elements<'a>,
}

/// The elements of a constant.
#[derive(Clone, Debug)]
pub(crate) enum Elements<'a> {
    /// Binary32 numbers as the file holds them.
    Single(Cow<'a, [[u8; 4]]>),
    /// Real numbers.
    Real(Vec<Interval>),
    /// Integers of any size, or truth values.
    Integer(Vec<i64>),
}

/// Numbers that become weights of a map.
pub(crate) enum Weights<'t> {
    /// Binary32 numbers as the file holds them.
    Single(&'t [[u8; 4]]),
    /// Others, and how many roundings they carry.
    Double(Vec<f64>, usize),
}

impl Weights<'_> {
    /// The weight at a place; NaN, which no network accepts, outside.
    pub fn get(&self, place: usize) -> f64 {
        match self {
            Weights::Single(numbers) => numbers.get(place).map_or(f64::NAN, widen),
            Weights::Double(numbers, _) => numbers.get(place).copied().unwrap_or(f64::NAN),
        }
    }

    /// How many weights there are.
    pub fn len(&self) -> usize {
        match self {
            Weights::Single(numbers) => numbers.len(),
            Weights::Double(numbers, _) => numbers.len(),
        }
    }

    /// How many of them are not zero.
    pub fn nonzeros(&self) -> usize {
        match self {
            Weights::Single(numbers) => numbers.iter().filter(|n| widen(n) != 0.0).count(),
            Weights::Double(numbers, _) => numbers.iter().filter(|n| **n != 0.0).count(),
        }
    }

    /// How many roundings separate the weights from the true ones.
    pub fn roundings(&self) -> usize {
        if let Weights::Double(_, roundings) = self { *roundings } else { 0 }
    }
}

fn widen(bytes: &[u8; 4]) -> f64 {
    f64::from(f32::from_le_bytes(*bytes))
}

impl<'a> Tensor<'a> {
    /// A tensor of real numbers.
    pub fn real(shape: Vec<usize>, numbers: Vec<Interval>) -> Self {
        Tensor { shape, elements: Elements::Real(numbers) }
    }

    /// One real number without dimensions.
    pub fn scalar(number: Interval) -> Self {
        Tensor::real(Vec::new(), vec![number])
    }

    /// A list of integers, such as a shape.
    pub fn list(integers: Vec<i64>) -> Self {
        Tensor { shape: vec![integers.len()], elements: Elements::Integer(integers) }
    }

    /// Name and contents of a `TensorProto`.
    pub fn decode(proto: Message<'a>) -> Result<(&'a str, Self)> {
        let name = proto.check("TensorProto", &[1, 2, 4, 5, 7, 8, 9, 10, 12, 13, 14, 16])?.text(8)?;
        let refuse = |expected: String, found: String| ReadError::part(format!("tensor {name}"), expected, found);
        if proto.integer(14)? != 0 || !proto.all(13, |_| Ok(()))?.is_empty() {
            return Err(refuse("numbers inside the model file".to_owned(), "external data".to_owned()));
        }
        let dimensions = proto.integers(1)?;
        let shape: Option<Vec<usize>> = dimensions.iter().map(|n| usize::try_from(*n).ok()).collect();
        let shape = shape.and_then(|shape| count(&shape).map(|size| (shape, size)));
        let (shape, size) =
            shape.ok_or_else(|| refuse("a shape within limits".to_owned(), format!("{dimensions:?}")))?;
        let elements = match proto.integer(2)? {
            1 => chunks(proto, 4)?.map(Elements::Single),
            6 => {
                integers(proto, 5, |b: &[u8; 4]| i32::from_le_bytes(*b).into(), i64::from(i32::MIN)..=i32::MAX.into())?
            }
            7 => integers(proto, 7, |b: &[u8; 8]| i64::from_le_bytes(*b), i64::MIN..=i64::MAX)?,
            9 => integers(proto, 5, |[b]: &[u8; 1]| i64::from(*b), 0..=1)?,
            11 => chunks(proto, 10)?.map(|numbers| {
                Elements::Real(numbers.iter().map(|b| Interval::point(f64::from_le_bytes(*b))).collect())
            }),
            other => return Err(refuse("FLOAT, DOUBLE, INT32, INT64 or BOOL elements".to_owned(), type_name(other))),
        };
        let found = elements.as_ref().map_or(0, Elements::len);
        let elements = elements.filter(|elements| elements.len() == size);
        let elements = elements.ok_or_else(|| refuse(format!("{size} elements of its type"), found.to_string()))?;
        Ok((name, Tensor { shape, elements }))
    }

    /// The elements as enclosures; `None` for integers.
    pub fn reals(&self) -> Option<Vec<Interval>> {
        match &self.elements {
            Elements::Single(numbers) => Some(numbers.iter().map(|n| Interval::point(widen(n))).collect()),
            Elements::Real(numbers) => Some(numbers.clone()),
            Elements::Integer(_) => None,
        }
    }

    /// The elements as weights; `None` for integers and for enclosures that are too wide relative to their size.
    pub fn weights(&self) -> Option<Weights<'_>> {
        match &self.elements {
            Elements::Single(numbers) => Some(Weights::Single(numbers)),
            Elements::Real(numbers) => lowering::weights(numbers).map(|(w, roundings)| Weights::Double(w, roundings)),
            Elements::Integer(_) => None,
        }
    }

    /// The elements, if they are integers.
    pub fn integers(&self) -> Option<&[i64]> {
        if let Elements::Integer(integers) = &self.elements { Some(integers) } else { None }
    }

    /// The first element that is not a finite number, and its place.
    pub fn not_finite(&self) -> Option<(usize, f64)> {
        match &self.elements {
            Elements::Single(numbers) => numbers.iter().map(widen).enumerate().find(|(_, n)| !n.is_finite()),
            Elements::Real(numbers) => numbers
                .iter()
                .map(|n| if n.lo.is_finite() { n.hi } else { n.lo })
                .enumerate()
                .find(|(_, n)| !n.is_finite()),
            Elements::Integer(_) => None,
        }
    }
}

impl Elements<'_> {
    fn len(&self) -> usize {
        match self {
            Elements::Single(numbers) => numbers.len(),
            Elements::Real(numbers) => numbers.len(),
            Elements::Integer(integers) => integers.len(),
        }
    }
}

/// The `N`-byte elements of a tensor from `raw_data` or the field for its type; `None` when both or neither fit.
fn chunks<const N: usize>(proto: Message<'_>, typed: u64) -> Result<Option<Cow<'_, [[u8; N]]>>> {
    let typed = proto.fixed(typed)?;
    let Some(raw) = proto.bytes(9)? else { return Ok(Some(typed)) };
    let (elements, rest) = raw.as_chunks();
    Ok((rest.is_empty() && typed.is_empty()).then_some(Cow::Borrowed(elements)))
}

/// The same for integers, all of which must be in a range.
fn integers<'a, const N: usize>(
    proto: Message<'a>,
    typed: u64,
    decode: impl Fn(&[u8; N]) -> i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<Elements<'a>>> {
    let typed = proto.integers(typed)?;
    let integers = match proto.bytes(9)? {
        None => typed,
        Some(raw) if typed.is_empty() && raw.len().is_multiple_of(N) => raw.as_chunks().0.iter().map(decode).collect(),
        Some(_) => return Ok(None),
    };
    Ok(integers.iter().all(|i| range.contains(i)).then_some(Elements::Integer(integers)))
}

/// The name of an element type.
pub(crate) fn type_name(kind: i64) -> String {
    let name = usize::try_from(kind).ok().and_then(|kind| TYPES.get(kind));
    name.map_or_else(|| format!("type {kind}"), |name| (*name).to_owned())
}
