//! One operator of the graph: its operands and attributes, taken one by one so that what nobody took is refused.

use super::model::Attribute;
use super::tensor::Tensor;
use super::values::{Lowering, Value};
use crate::arith::Interval;
use crate::error::ReadError;
use crate::network::NodeId;

/// The largest kernel, stride, dilation or padding, far above what any model has, so that sums and products of two
/// cannot overflow.
const LARGEST_WINDOW: i64 = 1 << 24;

/// An operator that is being lowered.
pub(crate) struct Call<'c, 'a> {
    /// Where errors are: `node conv1 (Conv)`.
    pub place: String,
    /// Version of the operator set.
    pub opset: i64,
    /// How many results the node names.
    pub outputs: usize,
    /// Name and value of each operand.
    pub inputs: Vec<(&'a str, Option<&'c Value<'a>>)>,
    /// Attributes that have not been taken.
    pub attributes: Vec<(&'a str, Attribute<'a>)>,
    /// Where the nodes go.
    pub lowering: &'c mut Lowering,
}

impl<'c, 'a> Call<'c, 'a> {
    /// An error at this operator.
    pub fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
        ReadError::part(&self.place, expected, found)
    }

    /// Refuses unless a condition holds.
    pub fn require(
        &self,
        condition: bool,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Result<(), ReadError> {
        if condition { Ok(()) } else { Err(self.refuse(expected, found)) }
    }

    /// The operand at a place, if it is not left out. Its numbers need not be finite.
    pub fn unchecked(&self, index: usize) -> Option<&'c Value<'a>> {
        self.inputs.get(index).and_then(|(_, value)| *value)
    }

    /// The operand at a place, if it is not left out.
    pub fn optional(&self, index: usize) -> Result<Option<&'c Value<'a>>, ReadError> {
        let value = self.unchecked(index);
        if let Some(Value::Constant(tensor)) = value
            && let Some((place, number)) = tensor.not_finite()
        {
            let name = self.inputs.get(index).map_or("", |(name, _)| name);
            let found = format!("{number} at element {place}");
            return Err(ReadError::part(format!("tensor {name}"), "finite numbers", found));
        }
        Ok(value)
    }

    /// The operand at a place.
    pub fn input(&self, index: usize) -> Result<&'c Value<'a>, ReadError> {
        self.optional(index)?.ok_or_else(|| self.refuse(format!("input {index}"), "none"))
    }

    /// The operand at a place, which must depend on the network's input: its node and shape.
    pub fn computed(&self, index: usize) -> Result<(NodeId, &'c [usize]), ReadError> {
        match self.input(index)? {
            Value::Computed { node, shape } => Ok((*node, shape)),
            Value::Constant(_) => Err(self.refuse(format!("input {index} to depend on the model's"), "a constant")),
        }
    }

    /// The operand at a place, which must be a constant.
    pub fn constant(&self, index: usize) -> Result<&'c Tensor<'a>, ReadError> {
        match self.input(index)? {
            Value::Constant(tensor) => Ok(tensor),
            Value::Computed { .. } => Err(self.refuse(format!("input {index} to be a constant"), "a computed value")),
        }
    }

    /// An optional operand that is a list of integers.
    pub fn list(&self, index: usize) -> Result<Option<Vec<i64>>, ReadError> {
        if self.unchecked(index).is_none() {
            return Ok(None);
        }
        let integers = self.constant(index)?.integers();
        Ok(Some(integers.ok_or_else(|| self.refuse(format!("integers as input {index}"), "floats"))?.to_vec()))
    }

    /// A list of integers that older operator sets have as an attribute and newer ones as an operand.
    pub fn list_or(&mut self, name: &str, index: usize) -> Result<Option<Vec<i64>>, ReadError> {
        match (self.integers(name)?, self.list(index)?) {
            (Some(_), Some(_)) => Err(self.refuse(format!("one of attribute {name} and input {index}"), "both")),
            (attribute, input) => Ok(attribute.or(input)),
        }
    }

    /// Takes an attribute.
    pub fn attribute(&mut self, name: &str) -> Option<Attribute<'a>> {
        let place = self.attributes.iter().position(|(other, _)| *other == name)?;
        Some(self.attributes.swap_remove(place).1)
    }

    fn typed<T>(
        &mut self,
        name: &str,
        expected: &str,
        pick: impl FnOnce(&Attribute<'a>) -> Option<T>,
    ) -> Result<Option<T>, ReadError> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        match pick(&attribute) {
            Some(value) => Ok(Some(value)),
            None => Err(self.refuse(format!("{expected} as attribute {name}"), attribute.kind())),
        }
    }

    /// Takes an attribute that is an integer.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, ReadError> {
        self.typed(name, "an integer", |a| if let Attribute::Integer(i) = a { Some(*i) } else { None })
    }

    /// Takes an attribute that is 0 or 1.
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool, ReadError> {
        match self.integer(name)? {
            None => Ok(default),
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(other) => Err(self.refuse(format!("0 or 1 as attribute {name}"), other.to_string())),
        }
    }

    /// Takes an attribute that is a finite float, which stands for exactly its binary32 value.
    pub fn float(&mut self, name: &str, default: f32) -> Result<Interval, ReadError> {
        let float = self.typed(name, "a float", |a| if let Attribute::Float(f) = a { Some(*f) } else { None })?;
        let float = float.unwrap_or(default);
        self.require(float.is_finite(), format!("a finite number as attribute {name}"), float.to_string())?;
        Ok(Interval::point(f64::from(float)))
    }

    /// Takes an attribute that is a list of integers.
    pub fn integers(&mut self, name: &str) -> Result<Option<Vec<i64>>, ReadError> {
        self.typed(name, "integers", |a| if let Attribute::Integers(i) = a { Some(i.clone()) } else { None })
    }

    /// Takes an attribute that is a text.
    pub fn text(&mut self, name: &str, default: &'a str) -> Result<&'a str, ReadError> {
        let text = self.typed(name, "a text", |a| if let Attribute::Text(t) = a { Some(*t) } else { None })?;
        Ok(text.unwrap_or(default))
    }

    /// Takes an attribute that is `count` numbers from `least` up to a limit, such as strides.
    pub fn sizes(
        &mut self,
        name: &str,
        count: usize,
        (least, default): (i64, Option<usize>),
    ) -> Result<Vec<usize>, ReadError> {
        let Some(numbers) = self.integers(name)? else {
            let default = default.ok_or_else(|| self.refuse(format!("attribute {name}"), "none"))?;
            return Ok(vec![default; count]);
        };
        let in_range = |n: &i64| (least..=LARGEST_WINDOW).contains(n).then_some(*n).and_then(|n| n.try_into().ok());
        let sizes: Option<Vec<usize>> = numbers.iter().map(in_range).collect();
        let expected = format!("{count} numbers from {least} to {LARGEST_WINDOW} as attribute {name}");
        let sizes = sizes.filter(|sizes| sizes.len() == count);
        sizes.ok_or_else(|| self.refuse(expected, format!("{numbers:?}")))
    }

    /// An axis of a value of that rank, counted from the end when negative.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize, ReadError> {
        let from_end = || usize::try_from(axis.unsigned_abs()).ok().and_then(|back| rank.checked_sub(back));
        let axis_found = if axis < 0 { from_end() } else { usize::try_from(axis).ok() };
        axis_found
            .filter(|axis| *axis < rank)
            .ok_or_else(|| self.refuse(format!("an axis of {rank} dimensions"), axis.to_string()))
    }

    /// Distinct axes of a value of that rank, in ascending order.
    pub fn axes(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>, ReadError> {
        let mut found = axes.iter().map(|axis| self.axis(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
        found.sort_unstable();
        self.require(found.is_sorted_by(|a, b| a < b), "distinct axes", format!("{axes:?}"))?;
        Ok(found)
    }

    /// Refuses attributes that nobody has taken.
    pub fn finish(&self) -> Result<(), ReadError> {
        match self.attributes.first() {
            Some((name, _)) => Err(self.refuse("attributes of the operator's definition", format!("attribute {name}"))),
            None => Ok(()),
        }
    }
}
