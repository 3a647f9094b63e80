//! Values of the graph: constants, which `TensorProto` and the operators make, and nodes of the network.

use std::borrow::Cow;

use super::{Field, Interval, NodeId, ReadError, Result, Table, count, lowering};

/// The names of the element types that `TensorProto` knows, in the order of their numbers.
const TYPES: &str = "UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64 \
                     COMPLEX64 COMPLEX128 BFLOAT16 FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ UINT4 INT4 \
                     FLOAT4E2M1";

pub(crate) const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };
pub(crate) const ONE: Interval = Interval { lo: 1.0, hi: 1.0 };

/// A value.
#[derive(Clone, Debug)]
pub(crate) struct Value<'a> {
    /// Dimensions, the batch dimension included.
    pub shape: Vec<usize>,
    /// Elements in row-major order.
    pub elements: Elements<'a>,
}

/// The elements of a value.
#[derive(Clone, Debug)]
pub(crate) enum Elements<'a> {
    /// What a node computes.
    Node(NodeId),
    /// Binary32 numbers as the file holds them.
    Single(Cow<'a, [[u8; 4]]>),
    /// Real numbers.
    Real(Vec<Interval>),
    /// Integers of any size, or truth values.
    Integer(Vec<i64>),
}

impl<'a> Value<'a> {
    /// A constant of real numbers.
    pub fn real(shape: Vec<usize>, numbers: Vec<Interval>) -> Self {
        Value { shape, elements: Elements::Real(numbers) }
    }

    /// One real number without dimensions.
    pub fn scalar(number: Interval) -> Self {
        Value::real(Vec::new(), vec![number])
    }

    /// A list of integers, such as a shape.
    pub fn list(integers: Vec<i64>) -> Self {
        Value { shape: vec![integers.len()], elements: Elements::Integer(integers) }
    }

    /// The same elements in another shape of as many elements.
    pub fn reshaped(&self, shape: Vec<usize>) -> Self {
        Value { shape, elements: self.elements.clone() }
    }

    /// Name and contents of a `TensorProto`.
    pub fn decode(proto: Field<'a>) -> Result<(&'a str, Self)> {
        let name = proto.text(8)?;
        let refuse = |expected: &str, found: String| Err(ReadError::part(format!("tensor {name}"), expected, found));
        let (raw, kind, dimensions) = (proto.one(9)?, proto.integer(2)?, proto.integers(1)?);
        if proto.integer(14)? != 0 || !proto.all(13)?.is_empty() {
            return refuse("numbers inside the model file", "external data".to_owned());
        }
        let shape: Option<Vec<usize>> = dimensions.iter().map(|n| usize::try_from(*n).ok()).collect();
        let Some((shape, size)) = shape.and_then(|shape| count(&shape).map(|size| (shape, size))) else {
            return refuse("a shape within limits", format!("{dimensions:?}"));
        };
        let (typed, range) = match kind {
            1 => (4, 0..=0),
            6 => (5, i64::from(i32::MIN)..=i32::MAX.into()),
            7 => (7, i64::MIN..=i64::MAX),
            9 => (5, 0..=1),
            11 => (10, 0..=0),
            other => return refuse("FLOAT, DOUBLE, INT32, INT64 or BOOL elements", type_name(other)),
        };
        proto.check("TensorProto", &[1, 2, 8, 12, 13, 14, 16, if raw.is_some() { 9 } else { typed }])?;
        let double = |bytes: &[u8; 8]| Interval::point(f64::from_le_bytes(*bytes));
        let elements = match (kind, raw) {
            (1, None) => Elements::Single(Cow::Owned(proto.fixed(typed)?)),
            (1, Some(raw)) => Elements::Single(Cow::Borrowed(raw.chunks()?)),
            (11, None) => Elements::Real(proto.fixed(typed)?.iter().map(double).collect()),
            (11, Some(raw)) => Elements::Real(raw.chunks()?.iter().map(double).collect()),
            (_, None) => Elements::Integer(proto.integers(typed)?),
            (6, Some(raw)) => Elements::Integer(raw.chunks()?.iter().map(|b| i32::from_le_bytes(*b).into()).collect()),
            (7, Some(raw)) => Elements::Integer(raw.chunks()?.iter().map(|b| i64::from_le_bytes(*b)).collect()),
            (_, Some(raw)) => Elements::Integer(raw.chunks()?.iter().map(|[b]| i64::from(*b)).collect()),
        };
        let (found, fits) = match &elements {
            Elements::Node(_) => (0, false),
            Elements::Single(numbers) => (numbers.len(), true),
            Elements::Real(numbers) => (numbers.len(), true),
            Elements::Integer(integers) => (integers.len(), integers.iter().all(|i| range.contains(i))),
        };
        if found != size || !fits {
            return refuse(&format!("{size} elements of its type"), found.to_string());
        }
        Ok((name, Value { shape, elements }))
    }

    /// What kind of value it is.
    pub fn kind(&self) -> &'static str {
        match self.elements {
            Elements::Node(_) => "a computed value",
            Elements::Single(_) | Elements::Real(_) => "floats",
            Elements::Integer(_) => "integers",
        }
    }

    /// The node, if the value is computed.
    pub fn node(&self) -> Option<NodeId> {
        if let Elements::Node(node) = self.elements { Some(node) } else { None }
    }

    /// The elements, if they are constant integers.
    pub fn integers(&self) -> Option<&[i64]> {
        if let Elements::Integer(integers) = &self.elements { Some(integers) } else { None }
    }

    /// The element at a place, if it is a constant float.
    pub fn number(&self, place: usize) -> Option<Interval> {
        match &self.elements {
            Elements::Single(numbers) => Some(Interval::point(f32::from_le_bytes(*numbers.get(place)?).into())),
            Elements::Real(numbers) => numbers.get(place).copied(),
            Elements::Node(_) | Elements::Integer(_) => None,
        }
    }

    /// The elements, if they are constant floats.
    pub fn reals(&self) -> Option<Vec<Interval>> {
        (0..self.shape.iter().product()).map(|place| self.number(place)).collect()
    }

    /// The elements as weights of a map, and how many roundings separate them from the elements; `None` for enclosures
    /// that are too wide relative to their size, and for what is not a constant of floats.
    pub fn weights(&self) -> Option<(Vec<f64>, usize)> {
        match &self.elements {
            Elements::Single(numbers) => Some((numbers.iter().map(|b| f32::from_le_bytes(*b).into()).collect(), 0)),
            Elements::Real(numbers) => lowering::weights(numbers),
            Elements::Node(_) | Elements::Integer(_) => None,
        }
    }

    /// The elements of a constant at the given places, zero where there are none.
    pub fn pick(&self, shape: Vec<usize>, places: &Table) -> Option<Self> {
        fn pick<T: Copy>(from: &[T], places: &Table, zero: T) -> Option<Vec<T>> {
            places.iter().map(|place| place.map_or(Some(zero), |place| from.get(place).copied())).collect()
        }
        let elements = match &self.elements {
            Elements::Node(_) => return None,
            Elements::Single(numbers) => Elements::Single(Cow::Owned(pick(numbers, places, [0; 4])?)),
            Elements::Real(numbers) => Elements::Real(pick(numbers, places, ZERO)?),
            Elements::Integer(integers) => Elements::Integer(pick(integers, places, 0)?),
        };
        Some(Value { shape, elements })
    }
}

/// The name of an element type.
pub(crate) fn type_name(kind: i64) -> String {
    let name = usize::try_from(kind).ok().and_then(|kind| TYPES.split(' ').nth(kind));
    name.map_or_else(|| format!("type {kind}"), str::to_owned)
}
