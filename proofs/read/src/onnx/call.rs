//! One operator of the graph: its operands and attributes, taken one by one so that what nobody took is refused.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Display;

use super::{Builder, Field, Interval, NodeId, ReadError, Result, Rounding, Value};

/// The largest kernel, stride, dilation or padding, far above what any model has, so that products of two stay small.
const LARGEST_WINDOW: i64 = 1 << 24;

/// Reads the field of that number of an attribute.
type Read<'a, T> = fn(Field<'a>, u64) -> Result<T>;

/// An operator that is being lowered.
pub(crate) struct Call<'c, 'a> {
    /// Name of the node, or its place in the graph.
    pub name: String,
    /// Version of the operator set.
    pub opset: i64,
    /// Operator.
    pub operator: &'a str,
    /// Name of each operand and the operand, `None` for those that are left out.
    pub inputs: Vec<(&'a str, Option<&'c Value<'a>>)>,
    /// How many operands were asked for.
    pub asked: Cell<usize>,
    /// Names of the results.
    pub outputs: Vec<&'a str>,
    /// Name and `AttributeProto` of each attribute that was not yet taken.
    pub attributes: Vec<(&'a str, Field<'a>)>,
    /// Whether its result is that of the graph.
    pub is_last: bool,
    /// What executions of it round.
    pub rounding: Rounding,
    /// How many nodes the network had before.
    pub before: usize,
    /// The network that is being built.
    pub network: &'c mut Builder,
}

impl<'c, 'a> Call<'c, 'a> {
    /// An error at this operator.
    pub fn refuse(&self, expected: impl Display, found: impl Display) -> ReadError {
        ReadError::part(format!("node {} ({})", self.name, self.operator), expected.to_string(), found.to_string())
    }

    /// Refuses unless there is something.
    pub fn demand<T>(&self, option: Option<T>, expected: impl Display, found: impl Display) -> Result<T> {
        option.ok_or_else(|| self.refuse(expected, found))
    }

    /// Refuses unless a condition holds.
    pub fn require(&self, holds: bool, expected: impl Display, found: impl Display) -> Result<()> {
        self.demand(holds.then_some(()), expected, found)
    }

    /// An optional operand, whose numbers need not be finite.
    pub fn unchecked(&self, index: usize) -> Option<&'c Value<'a>> {
        self.asked.set(self.asked.get().max(index + 1));
        self.inputs.get(index)?.1
    }

    /// An optional operand.
    pub fn optional(&self, index: usize) -> Result<Option<&'c Value<'a>>> {
        let Some(value) = self.unchecked(index) else { return Ok(None) };
        let mut numbers = (0..).map_while(|place| value.number(place)).enumerate();
        let Some((place, number)) = numbers.find(|(_, number)| !number.is_finite()) else { return Ok(Some(value)) };
        let name = self.inputs.get(index).map_or("", |(name, _)| name);
        let end = if number.lo.is_finite() { number.hi } else { number.lo };
        Err(ReadError::part(format!("tensor {name}"), "finite numbers", format!("{end} at element {place}")))
    }

    /// An operand.
    pub fn input(&self, index: usize) -> Result<&'c Value<'a>> {
        self.demand(self.optional(index)?, format!("input {index}"), "none")
    }

    /// The node that computes a value.
    pub fn node(&self, value: &Value<'a>) -> Result<NodeId> {
        self.demand(value.node(), "a value that depends on the model's input", value.kind())
    }

    /// An optional operand that is a list of constant integers.
    pub fn list(&self, index: usize) -> Result<Option<&'c [i64]>> {
        let Some(value) = self.unchecked(index) else { return Ok(None) };
        self.demand(value.integers(), format!("integers as input {index}"), value.kind()).map(Some)
    }

    /// An operand that is a constant shape.
    pub fn shape(&self, index: usize) -> Result<Vec<usize>> {
        let list = self.demand(self.list(index)?, format!("input {index}"), "none")?;
        let shape = list.iter().map(|n| usize::try_from(*n).ok()).collect();
        self.demand(shape, format!("a shape as input {index}"), format!("{list:?}"))
    }

    /// A list of integers that older operator sets have as an attribute and newer ones as an operand.
    pub fn list_or(&mut self, name: &str, index: usize) -> Result<Option<Vec<i64>>> {
        let (attribute, input) = (self.integers(name)?, self.list(index)?.map(<[i64]>::to_vec));
        let is_one = attribute.is_none() || input.is_none();
        self.require(is_one, format!("one of attribute {name} and input {index}"), "both")?;
        Ok(attribute.or(input))
    }

    /// A number that older operator sets have as an attribute and newer ones as a constant operand; it may be infinite.
    pub fn number_or(&mut self, name: &str, index: usize) -> Result<Option<Interval>> {
        let attribute = self.any_float(name)?.map(Value::scalar);
        let (value, is_one) = match (&attribute, self.unchecked(index)) {
            (None, None) => return Ok(None),
            (Some(value), other) => (value, other.is_none()),
            (None, Some(value)) => (value, value.shape.iter().all(|n| *n == 1)),
        };
        let number = value.number(0).filter(|number| is_one && number.lo <= number.hi);
        self.demand(number, format!("one constant number as {name}"), "something else").map(Some)
    }

    /// Takes an attribute of the type of that number, whose value is in the field of the next number.
    pub fn attribute<T>(&mut self, name: &str, kind: (i64, &str), read: Read<'a, T>) -> Result<Option<T>> {
        let (kind, expected) = kind;
        let Some(place) = self.attributes.iter().position(|(other, _)| *other == name) else { return Ok(None) };
        let (_, attribute) = self.attributes.swap_remove(place);
        let found = attribute.integer(20)?;
        self.require(found == kind, format!("{expected} as attribute {name}"), format!("attribute type {found}"))?;
        let field = kind.unsigned_abs() + 1;
        read(attribute.check("AttributeProto", &[1, field, 13, 20])?, field).map(Some)
    }

    /// Takes an attribute that is an integer.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>> {
        self.attribute(name, (2, "an integer"), Field::integer)
    }

    /// Takes an attribute that is 0 or 1.
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool> {
        let flag = self.integer(name)?.unwrap_or(default.into());
        self.require(matches!(flag, 0 | 1), format!("0 or 1 as attribute {name}"), flag)?;
        Ok(flag == 1)
    }

    /// Takes an attribute that is a float, which stands for exactly its binary32 value.
    pub fn any_float(&mut self, name: &str) -> Result<Option<Interval>> {
        let bytes = self.attribute(name, (1, "a float"), Field::fixed)?;
        Ok(bytes.map(|all| Interval::point(f32::from_le_bytes(all.last().copied().unwrap_or_default()).into())))
    }

    /// Takes an attribute that is a finite float.
    pub fn float(&mut self, name: &str, default: f32) -> Result<Interval> {
        let float = self.any_float(name)?.unwrap_or(Interval::point(default.into()));
        self.require(float.is_finite(), format!("a finite number as attribute {name}"), float.lo)?;
        Ok(float)
    }

    /// Takes an attribute that is a list of integers.
    pub fn integers(&mut self, name: &str) -> Result<Option<Vec<i64>>> {
        self.attribute(name, (7, "integers"), Field::integers)
    }

    /// Takes an attribute that is a text.
    pub fn text(&mut self, name: &str, default: &'a str) -> Result<&'a str> {
        Ok(self.attribute(name, (3, "a text"), Field::text)?.unwrap_or(default))
    }

    /// Takes an attribute that is a tensor.
    pub fn tensor(&mut self, name: &str) -> Result<Option<Value<'a>>> {
        let decode = |attribute: Field<'a>, field| attribute.one(field)?.map(Value::decode).transpose();
        Ok(self.attribute(name, (4, "a tensor"), decode)?.flatten().map(|(_, tensor)| tensor))
    }

    /// Takes an attribute that is as many numbers as its default, from `least` up to a limit, such as strides.
    pub fn sizes(&mut self, name: &str, default: Vec<usize>, least: i64) -> Result<Vec<usize>> {
        let Some(numbers) = self.integers(name)? else { return Ok(default) };
        let in_range = |n: &i64| usize::try_from(*n).ok().filter(|_| (least..=LARGEST_WINDOW).contains(n));
        let sizes = numbers.iter().map(in_range).collect::<Option<Vec<_>>>().filter(|s| s.len() == default.len());
        let expected = format!("{} numbers from {least} to {LARGEST_WINDOW} as attribute {name}", default.len());
        self.demand(sizes, expected, format!("{numbers:?}"))
    }

    /// An axis of a value of that rank, counted from the end when negative.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize> {
        let back = usize::try_from(axis.unsigned_abs()).ok();
        let found = if axis < 0 { back.and_then(|back| rank.checked_sub(back)) } else { back };
        self.demand(found.filter(|axis| *axis < rank), format!("an axis or index below {rank}"), axis)
    }

    /// Distinct axes of a value of that rank.
    pub fn axes(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>> {
        let found = axes.iter().map(|axis| self.axis(*axis, rank)).collect::<Result<Vec<_>>>()?;
        let is_distinct = found.iter().collect::<BTreeSet<_>>().len() == found.len();
        self.require(is_distinct, "distinct axes", format!("{axes:?}"))?;
        Ok(found)
    }

    /// Refuses attributes that nobody has taken, and operands that nobody asked for.
    pub fn finish(&self) -> Result<()> {
        let left = self.attributes.first().map_or("", |(name, _)| name);
        self.require(self.attributes.is_empty(), "attributes that are supported", format!("attribute {left}"))?;
        let (most, found) = (self.asked.get(), self.inputs.len());
        self.require(found <= most, format!("at most {most} inputs"), found)
    }
}
