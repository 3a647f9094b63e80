//! The messages of `onnx.proto` (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>) that describe a model.
//!
//! Fields of documentation and provenance are passed over; a field that could change what the model computes is
//! decoded or refused.

use super::tensor::Tensor;
use crate::error::ReadError;
use crate::read::protobuf::{Field, Message};

/// The operator sets whose definitions the reader follows.
const OPSETS: std::ops::RangeInclusive<i64> = 6..=21;

/// `ModelProto`.
pub(crate) struct Model<'a> {
    /// Version of the default operator set.
    pub opset: i64,
    /// The only graph.
    pub graph: Graph<'a>,
}

/// `GraphProto`.
#[derive(Default)]
pub(crate) struct Graph<'a> {
    /// Operators, in an order in which they can be computed.
    pub nodes: Vec<Node<'a>>,
    /// Named constants.
    pub initializers: Vec<(&'a str, Tensor<'a>)>,
    /// Inputs; some may be initializers too.
    pub inputs: Vec<ValueInfo<'a>>,
    /// Outputs.
    pub outputs: Vec<ValueInfo<'a>>,
}

/// `NodeProto`: one operator.
#[derive(Default)]
pub(crate) struct Node<'a> {
    /// Names of the operands; empty for one that is left out.
    pub inputs: Vec<&'a str>,
    /// Names of the results.
    pub outputs: Vec<&'a str>,
    /// Name of the node, often empty.
    pub name: &'a str,
    /// Operator.
    pub operator: &'a str,
    /// Domain of the operator.
    pub domain: &'a str,
    /// Attributes by name.
    pub attributes: Vec<(&'a str, Attribute<'a>)>,
}

/// The value of an attribute.
#[derive(Clone, Debug)]
pub(crate) enum Attribute<'a> {
    /// A `float`.
    Float(f32),
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// A tensor.
    Tensor(Tensor<'a>),
    /// Several `float`.
    Floats(Vec<f32>),
    /// Several integers.
    Integers(Vec<i64>),
    /// A graph, a type, a sparse tensor or several texts, tensors or graphs.
    Other,
}

/// `ValueInfoProto` of a tensor.
#[derive(Default)]
pub(crate) struct ValueInfo<'a> {
    /// Name of the value.
    pub name: &'a str,
    /// Number of its element type.
    pub element: i64,
    /// Its dimensions, if stated; `None` for one that is not a positive number.
    pub shape: Option<Vec<Option<usize>>>,
}

impl<'a> Model<'a> {
    /// Decodes a file.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let (mut graph, mut opset) = (None, None);
        Message::new(bytes).fields(|field| match field.number {
            1..=6 | 14 | 26 => Ok(()),
            7 => once(&mut graph, Graph::decode(field.message()?)?, &field),
            8 => {
                let (domain, version) = operator_set(field.message()?)?;
                if is_default(domain) && opset.replace(version).is_some_and(|before| before != version) {
                    return Err(ReadError::part("model", "one version of the operator set", "several"));
                }
                Ok(())
            }
            20 => Err(ReadError::part("model", "an inference model", "training information")),
            25 => Err(ReadError::part("model", "operators of the default domain", "local functions")),
            _ => Err(field.unknown("ModelProto")),
        })?;
        let missing = |what: &str| ReadError::part("model", what, "none");
        let (graph, opset) = (graph.ok_or_else(|| missing("a graph"))?, opset.ok_or_else(|| missing("an opset"))?);
        if !OPSETS.contains(&opset) {
            let expected = format!("an opset from {} to {}", OPSETS.start(), OPSETS.end());
            return Err(ReadError::part("model", expected, format!("opset {opset}")));
        }
        Ok(Model { opset, graph })
    }
}

/// Whether a name of a domain means the default one.
pub(crate) fn is_default(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

fn operator_set(message: Message<'_>) -> Result<(&str, i64), ReadError> {
    let (mut domain, mut version) = ("", 0);
    message.fields(|field| {
        match field.number {
            1 => domain = field.text()?,
            2 => version = field.integer()?,
            _ => return Err(field.unknown("OperatorSetIdProto")),
        }
        Ok(())
    })?;
    Ok((domain, version))
}

impl<'a> Graph<'a> {
    fn decode(message: Message<'a>) -> Result<Self, ReadError> {
        let mut graph = Graph::default();
        message.fields(|field| {
            match field.number {
                1 => graph.nodes.push(Node::decode(field.message()?)?),
                2 | 10 | 13 | 16 => {}
                5 => graph.initializers.push(Tensor::decode(field.message()?)?),
                11 => graph.inputs.push(ValueInfo::decode(field.message()?)?),
                12 => graph.outputs.push(ValueInfo::decode(field.message()?)?),
                14 => return Err(ReadError::part("graph", "no quantised tensors", "a quantization annotation")),
                15 => return Err(ReadError::part("graph", "dense initializers", "a sparse initializer")),
                _ => return Err(field.unknown("GraphProto")),
            }
            Ok(())
        })?;
        Ok(graph)
    }
}

impl<'a> Node<'a> {
    fn decode(message: Message<'a>) -> Result<Self, ReadError> {
        let mut node = Node::default();
        message.fields(|field| {
            match field.number {
                1 => node.inputs.push(field.text()?),
                2 => node.outputs.push(field.text()?),
                3 => node.name = field.text()?,
                4 => node.operator = field.text()?,
                5 => node.attributes.push(Attribute::decode(field.message()?)?),
                6 | 9 | 10 => {}
                7 => node.domain = field.text()?,
                _ => return Err(field.unknown("NodeProto")),
            }
            Ok(())
        })?;
        Ok(node)
    }
}

impl<'a> Attribute<'a> {
    /// Name and value of an `AttributeProto`. Its fields must agree with its type; one that is left out is zero or
    /// empty, as writers of proto3 leave it.
    fn decode(message: Message<'a>) -> Result<(&'a str, Self), ReadError> {
        let (mut name, mut kind, mut value) = ("", 0, None);
        let (mut floats, mut integers) = (std::borrow::Cow::default(), Vec::new());
        message.fields(|field| match field.number {
            1 => field.text().map(|text| name = text),
            2 => once(&mut value, Attribute::Float(field.single()?), &field),
            3 => once(&mut value, Attribute::Integer(field.integer()?), &field),
            4 => once(&mut value, Attribute::Text(field.text()?), &field),
            5 => once(&mut value, Attribute::Tensor(Tensor::decode(field.message()?)?.1), &field),
            7 => field.fixed(&mut floats),
            8 => field.integers(&mut integers),
            13 => Ok(()),
            20 => field.integer().map(|integer| kind = integer),
            6 | 9..=11 | 14 | 15 | 21..=23 => {
                value = Some(Attribute::Other);
                Ok(())
            }
            _ => Err(field.unknown("AttributeProto")),
        })?;
        let floats: Vec<f32> = floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let decoded = match (kind, value, floats.is_empty(), integers.is_empty()) {
            (1, None, true, true) => Attribute::Float(0.0),
            (2, None, true, true) => Attribute::Integer(0),
            (3, None, true, true) => Attribute::Text(""),
            (6, None, _, true) => Attribute::Floats(floats),
            (7, None, true, _) => Attribute::Integers(integers),
            (1, Some(value @ Attribute::Float(_)), true, true)
            | (2, Some(value @ Attribute::Integer(_)), true, true)
            | (3, Some(value @ Attribute::Text(_)), true, true)
            | (4, Some(value @ Attribute::Tensor(_)), true, true)
            | (5 | 8..=14, Some(value @ Attribute::Other), true, true) => value,
            _ => return Err(ReadError::part(format!("attribute {name}"), "a value of its type", "another")),
        };
        Ok((name, decoded))
    }

    /// What the value is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Attribute::Float(_) => "a float",
            Attribute::Integer(_) => "an integer",
            Attribute::Text(_) => "a text",
            Attribute::Tensor(_) => "a tensor",
            Attribute::Floats(_) => "several floats",
            Attribute::Integers(_) => "several integers",
            Attribute::Other => "a graph or something else",
        }
    }
}

impl<'a> ValueInfo<'a> {
    fn decode(message: Message<'a>) -> Result<Self, ReadError> {
        let mut info = ValueInfo::default();
        message.fields(|field| match field.number {
            1 => field.text().map(|text| info.name = text),
            2 => info.set_type(field.message()?),
            3 | 4 => Ok(()),
            _ => Err(field.unknown("ValueInfoProto")),
        })?;
        Ok(info)
    }

    fn set_type(&mut self, message: Message<'a>) -> Result<(), ReadError> {
        message.fields(|field| match field.number {
            1 => field.message()?.fields(|field| match field.number {
                1 => field.integer().map(|element| self.element = element),
                2 => once(&mut self.shape, dimensions(field.message()?)?, &field),
                _ => Err(field.unknown("TypeProto.Tensor")),
            }),
            4..=9 => Ok(()),
            _ => Err(field.unknown("TypeProto")),
        })
    }
}

fn dimensions(message: Message<'_>) -> Result<Vec<Option<usize>>, ReadError> {
    let mut shape = Vec::new();
    message.fields(|field| {
        let mut dimension = None;
        field.message()?.fields(|field| match field.number {
            1 => field.integer().map(|n| dimension = usize::try_from(n).ok().filter(|n| *n > 0)),
            2 | 3 => Ok(()),
            _ => Err(field.unknown("TensorShapeProto.Dimension")),
        })?;
        shape.push(dimension);
        Ok(())
    })?;
    Ok(shape)
}

/// Fills a place that may be filled once.
fn once<T>(place: &mut Option<T>, value: T, field: &Field<'_>) -> Result<(), ReadError> {
    if place.replace(value).is_some() { Err(field.repeated()) } else { Ok(()) }
}
