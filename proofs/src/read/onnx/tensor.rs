//! Constants: `TensorProto` and what is computed from constants alone.

use std::borrow::Cow;

use super::shape::count;
use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::read::protobuf::Message;

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

    /// How many roundings separate the weights from the true ones.
    pub fn roundings(&self) -> usize {
        match self {
            Weights::Single(_) => 0,
            Weights::Double(_, roundings) => *roundings,
        }
    }
}

fn widen(bytes: &[u8; 4]) -> f64 {
    f64::from(f32::from_le_bytes(*bytes))
}

impl<'a> Tensor<'a> {
    /// A tensor of no dimensions.
    pub fn scalar(number: Interval) -> Self {
        Tensor { shape: Vec::new(), elements: Elements::Real(vec![number]) }
    }

    /// A list of integers, such as a shape.
    pub fn list(integers: Vec<i64>) -> Self {
        Tensor { shape: vec![integers.len()], elements: Elements::Integer(integers) }
    }

    /// Name and contents of a `TensorProto`.
    pub fn decode(message: Message<'a>) -> Result<(&'a str, Self), ReadError> {
        let mut proto = TensorProto::default();
        message.fields(|field| {
            match field.number {
                1 => field.integers(&mut proto.shape)?,
                2 => proto.kind = field.integer()?,
                4 => field.fixed(&mut proto.singles)?,
                5 => field.integers(&mut proto.int32s)?,
                7 => field.integers(&mut proto.int64s)?,
                8 => proto.name = field.text()?,
                9 => proto.raw = Some(field.bytes()?),
                10 => field.fixed(&mut proto.doubles)?,
                3 | 6 | 11 => proto.refused = Some("a segment, strings or unsigned integers"),
                12 | 16 => {}
                13 => proto.refused = Some("external data"),
                14 if field.integer()? != 0 => proto.refused = Some("external data"),
                14 => {}
                _ => return Err(field.unknown("TensorProto")),
            }
            Ok(())
        })?;
        Ok((proto.name, proto.tensor()?))
    }

    /// The elements as enclosures; `None` for integers.
    pub fn reals(&self) -> Option<Cow<'_, [Interval]>> {
        match &self.elements {
            Elements::Single(numbers) => Some(numbers.iter().map(|n| Interval::point(widen(n))).collect()),
            Elements::Real(numbers) => Some(Cow::Borrowed(numbers)),
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
        match &self.elements {
            Elements::Integer(integers) => Some(integers),
            Elements::Single(_) | Elements::Real(_) => None,
        }
    }

    /// The first element that is not a finite number, and its place.
    pub fn not_finite(&self) -> Option<(usize, f64)> {
        match &self.elements {
            Elements::Single(numbers) => numbers.iter().map(widen).enumerate().find(|(_, n)| !n.is_finite()),
            Elements::Real(numbers) => {
                numbers.iter().enumerate().find(|(_, n)| !n.is_finite()).map(|(place, n)| (place, n.lo))
            }
            Elements::Integer(_) => None,
        }
    }
}

/// `TensorProto`.
#[derive(Default)]
struct TensorProto<'a> {
    name: &'a str,
    shape: Vec<i64>,
    kind: i64,
    raw: Option<&'a [u8]>,
    singles: Cow<'a, [[u8; 4]]>,
    doubles: Cow<'a, [[u8; 8]]>,
    int32s: Vec<i64>,
    int64s: Vec<i64>,
    refused: Option<&'static str>,
}

impl<'a> TensorProto<'a> {
    fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
        ReadError::part(format!("tensor {}", self.name), expected, found)
    }

    fn tensor(self) -> Result<Tensor<'a>, ReadError> {
        if let Some(found) = self.refused {
            return Err(self.refuse("numbers inside the model file", found));
        }
        let shape: Option<Vec<usize>> = self.shape.iter().map(|n| usize::try_from(*n).ok()).collect();
        let Some((shape, size)) = shape.and_then(|shape| count(&shape).map(|size| (shape, size))) else {
            return Err(self.refuse("a shape within the limits", format!("{:?}", self.shape)));
        };
        let wrong_size = || self.refuse(format!("{size} elements"), "another number of them");
        let elements = match self.kind {
            1 => Elements::Single(raw_or(self.raw, &self.singles, size).ok_or_else(wrong_size)?),
            6 => Elements::Integer(self.integers(&self.int32s, size, |b: &[u8; 4]| i32::from_le_bytes(*b).into())?),
            7 => Elements::Integer(self.integers(&self.int64s, size, |b: &[u8; 8]| i64::from_le_bytes(*b))?),
            9 => Elements::Integer(self.integers(&self.int32s, size, |[b]: &[u8; 1]| i64::from(*b))?),
            11 => {
                let numbers = raw_or(self.raw, &self.doubles, size).ok_or_else(wrong_size)?;
                Elements::Real(numbers.iter().map(|b| Interval::point(f64::from_le_bytes(*b))).collect())
            }
            other => return Err(self.refuse("FLOAT, DOUBLE, INT32, INT64 or BOOL elements", type_name(other))),
        };
        Ok(Tensor { shape, elements })
    }

    fn integers<const N: usize>(
        &self,
        typed: &[i64],
        size: usize,
        decode: impl Fn(&[u8; N]) -> i64,
    ) -> Result<Vec<i64>, ReadError> {
        let integers: Vec<i64> = match self.raw {
            Some(raw) if raw.len().is_multiple_of(N) => raw.as_chunks().0.iter().map(decode).collect(),
            Some(_) => Vec::new(),
            None => typed.to_vec(),
        };
        let range = match self.kind {
            6 => i64::from(i32::MIN)..=i64::from(i32::MAX),
            9 => 0..=1,
            _ => i64::MIN..=i64::MAX,
        };
        let is_whole = integers.len() == size && (self.raw.is_none() || typed.is_empty());
        if !is_whole || !integers.iter().all(|i| range.contains(i)) {
            return Err(self.refuse(format!("{size} elements of its type"), "others"));
        }
        Ok(integers)
    }
}

/// The elements of a tensor of floats, from one of the two fields that may hold them; `None` when there are not `size`.
fn raw_or<'a, const N: usize>(
    raw: Option<&'a [u8]>,
    typed: &Cow<'a, [[u8; N]]>,
    size: usize,
) -> Option<Cow<'a, [[u8; N]]>> {
    let elements = match raw {
        None => typed.clone(),
        Some(raw) => {
            let (elements, rest) = raw.as_chunks();
            (rest.is_empty() && typed.is_empty()).then_some(Cow::Borrowed(elements))?
        }
    };
    (elements.len() == size).then_some(elements)
}

/// The name of an element type.
pub(crate) fn type_name(kind: i64) -> String {
    const NAMES: [&str; 24] = [
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
    let name = usize::try_from(kind).ok().and_then(|kind| NAMES.get(kind));
    name.map_or_else(|| format!("type {kind}"), |name| (*name).to_owned())
}
