//! One operator of the graph: its operands and attributes, taken one by one so that what nobody took is refused.

use super::model::Node;
use super::tensor::Tensor;
use super::values::{Lowering, Value};
use crate::arith::Interval;
use crate::error::ReadError;
use crate::network::NodeId;
use crate::protobuf::Message;

type Result<T> = std::result::Result<T, ReadError>;

/// The largest kernel, stride, dilation or padding, far above what any model has, so that products of two stay small.
const LARGEST_WINDOW: i64 = 1 << 24;

/// An operator that is being lowered.
pub(crate) struct Call<'c, 'a> {
    /// Where errors are: `node conv1 (Conv)`.
    pub place: String,
    /// Version of the operator set.
    pub opset: i64,
    /// The node; attributes that were taken are no longer there.
    pub node: Node<'a>,
    /// The operands, `None` for those that are left out.
    pub inputs: Vec<Option<&'c Value<'a>>>,
    /// The network that is being built.
    pub lowering: &'c mut Lowering,
}

impl<'c, 'a> Call<'c, 'a> {
    /// An error at this operator.
    pub fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
        ReadError::part(&self.place, expected, found)
    }

    /// Refuses unless a condition holds.
    pub fn require(&self, holds: bool, expected: impl Into<String>, found: impl Into<String>) -> Result<()> {
        if holds { Ok(()) } else { Err(self.refuse(expected, found)) }
    }

    /// An optional operand, whose numbers need not be finite.
    pub fn unchecked(&self, index: usize) -> Option<&'c Value<'a>> {
        self.inputs.get(index).copied().flatten()
    }

    /// An optional operand.
    pub fn optional(&self, index: usize) -> Result<Option<&'c Value<'a>>> {
        let value = self.unchecked(index);
        if let Some(Value::Constant(tensor)) = value
            && let Some((place, number)) = tensor.not_finite()
        {
            let name = self.node.inputs.get(index).copied().unwrap_or_default();
            let found = format!("{number} at element {place}");
            return Err(ReadError::part(format!("tensor {name}"), "finite numbers", found));
        }
        Ok(value)
    }

    /// An operand.
    pub fn input(&self, index: usize) -> Result<&'c Value<'a>> {
        self.optional(index)?.ok_or_else(|| self.refuse(format!("input {index}"), "none"))
    }

    /// An operand that depends on the network's input: its node and shape.
    pub fn computed(&self, index: usize) -> Result<(NodeId, &'c [usize])> {
        match self.input(index)? {
            Value::Computed { node, shape } => Ok((*node, shape)),
            Value::Constant(_) => Err(self.refuse(format!("input {index} to depend on the model's"), "a constant")),
        }
    }

    /// An operand that is constant.
    pub fn constant(&self, index: usize) -> Result<&'c Tensor<'a>> {
        match self.input(index)? {
            Value::Constant(tensor) => Ok(tensor),
            Value::Computed { .. } => Err(self.refuse(format!("a constant as input {index}"), "a computed value")),
        }
    }

    /// An optional operand that is a list of constant integers.
    pub fn list(&self, index: usize) -> Result<Option<Vec<i64>>> {
        if self.unchecked(index).is_none() {
            return Ok(None);
        }
        let integers = self.constant(index)?.integers();
        Ok(Some(integers.ok_or_else(|| self.refuse(format!("integers as input {index}"), "floats"))?.to_vec()))
    }

    /// An operand that is a constant shape.
    pub fn shape(&self, index: usize) -> Result<Vec<usize>> {
        let list = self.list(index)?.ok_or_else(|| self.refuse(format!("input {index}"), "none"))?;
        let shape: Option<Vec<usize>> = list.iter().map(|n| usize::try_from(*n).ok()).collect();
        shape.ok_or_else(|| self.refuse(format!("a shape as input {index}"), format!("{list:?}")))
    }

    /// A list of integers that older operator sets have as an attribute and newer ones as an operand.
    pub fn list_or(&mut self, name: &str, index: usize) -> Result<Option<Vec<i64>>> {
        match (self.integers(name)?, self.list(index)?) {
            (Some(_), Some(_)) => Err(self.refuse(format!("one of attribute {name} and input {index}"), "both")),
            (attribute, input) => Ok(attribute.or(input)),
        }
    }

    /// Takes an attribute of the type of that number and name, whose value is the field of that number.
    fn attribute<T>(
        &mut self,
        name: &str,
        (kind, expected, field): (i64, &str, u64),
        read: impl FnOnce(Message<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(place) = self.node.attributes.iter().position(|(other, _)| *other == name) else { return Ok(None) };
        let (_, message) = self.node.attributes.swap_remove(place);
        let found = message.integer(20)?;
        self.require(found == kind, format!("{expected} as attribute {name}"), format!("attribute type {found}"))?;
        read(message.check("AttributeProto", &[1, field, 13, 20])?).map(Some)
    }

    /// Takes an attribute that is an integer.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>> {
        self.attribute(name, (2, "an integer", 3), |message| message.integer(3))
    }

    /// Takes an attribute that is 0 or 1.
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool> {
        let flag = self.integer(name)?.unwrap_or(default.into());
        self.require(matches!(flag, 0 | 1), format!("0 or 1 as attribute {name}"), flag.to_string())?;
        Ok(flag == 1)
    }

    /// Takes an attribute that is a float.
    pub fn any_float(&mut self, name: &str) -> Result<Option<f32>> {
        self.attribute(name, (1, "a float", 2), |message| message.float(2))
    }

    /// Takes an attribute that is a finite float, which stands for exactly its binary32 value.
    pub fn float(&mut self, name: &str, default: f32) -> Result<Interval> {
        let float = self.any_float(name)?.unwrap_or(default);
        self.require(float.is_finite(), format!("a finite number as attribute {name}"), float.to_string())?;
        Ok(Interval::point(f64::from(float)))
    }

    /// Takes an attribute that is a list of floats.
    pub fn floats(&mut self, name: &str) -> Result<Option<Vec<f32>>> {
        let read = |message: Message<'a>| Ok(message.fixed(7)?.iter().map(|b| f32::from_le_bytes(*b)).collect());
        self.attribute(name, (6, "floats", 7), read)
    }

    /// Takes an attribute that is a list of integers.
    pub fn integers(&mut self, name: &str) -> Result<Option<Vec<i64>>> {
        self.attribute(name, (7, "integers", 8), |message| message.integers(8))
    }

    /// Takes an attribute that is a text.
    pub fn text(&mut self, name: &str, default: &'a str) -> Result<&'a str> {
        Ok(self.attribute(name, (3, "a text", 4), |message| message.text(4))?.unwrap_or(default))
    }

    /// Takes an attribute that is a tensor.
    pub fn tensor(&mut self, name: &str) -> Result<Option<Tensor<'a>>> {
        let decode = |message: Message<'a>| message.message(5)?.map(Tensor::decode).transpose();
        Ok(self.attribute(name, (4, "a tensor", 5), decode)?.flatten().map(|(_, tensor)| tensor))
    }

    /// Takes an attribute that is `count` numbers from `least` up to a limit, such as strides.
    pub fn sizes(&mut self, name: &str, count: usize, least: i64) -> Result<Option<Vec<usize>>> {
        let Some(numbers) = self.integers(name)? else { return Ok(None) };
        let in_range = |n: &i64| usize::try_from(*n).ok().filter(|_| (least..=LARGEST_WINDOW).contains(n));
        let sizes: Option<Vec<usize>> = numbers.iter().map(in_range).collect();
        let sizes = sizes.filter(|sizes| sizes.len() == count);
        let expected = || format!("{count} numbers from {least} to {LARGEST_WINDOW} as attribute {name}");
        sizes.map(Some).ok_or_else(|| self.refuse(expected(), format!("{numbers:?}")))
    }

    /// An axis of a value of that rank, counted from the end when negative.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize> {
        let back = usize::try_from(axis.unsigned_abs()).ok();
        let found = if axis < 0 { back.and_then(|back| rank.checked_sub(back)) } else { back };
        let found = found.filter(|axis| *axis < rank);
        found.ok_or_else(|| self.refuse(format!("an axis or index below {rank}"), axis.to_string()))
    }

    /// Distinct axes of a value of that rank, in ascending order.
    pub fn axes(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>> {
        let mut found = axes.iter().map(|axis| self.axis(*axis, rank)).collect::<Result<Vec<_>>>()?;
        found.sort_unstable();
        self.require(found.is_sorted_by(|a, b| a < b), "distinct axes", format!("{axes:?}"))?;
        Ok(found)
    }

    /// Refuses attributes that nobody has taken.
    pub fn finish(&self) -> Result<()> {
        let left = self.node.attributes.first();
        let refusal = |(name, _): &(&str, _)| self.refuse("attributes that are supported", format!("attribute {name}"));
        left.map_or(Ok(()), |attribute| Err(refusal(attribute)))
    }
}
