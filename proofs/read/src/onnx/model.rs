//! The messages of `onnx.proto` (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>) that describe a model.
//!
//! Fields of documentation and provenance are passed over; a field that could change what the model computes is
//! decoded or refused.

use super::tensor::Tensor;
use crate::error::ReadError;
use crate::protobuf::Message;

type Result<T> = std::result::Result<T, ReadError>;

/// The operator sets whose definitions the reader follows.
const OPSETS: std::ops::RangeInclusive<i64> = 6..=21;

/// `ModelProto`.
pub(crate) struct Model<'a> {
    /// Version of the default operator set.
    pub opset: i64,
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
#[derive(Clone)]
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
    /// Name and `AttributeProto` of each attribute.
    pub attributes: Vec<(&'a str, Message<'a>)>,
}

/// `ValueInfoProto` of a tensor.
pub(crate) struct ValueInfo<'a> {
    /// Name of the value.
    pub name: &'a str,
    /// Number of its element type, 0 if it is no tensor.
    pub element: i64,
    /// Its dimensions, if stated; `None` for one that is not a positive number.
    pub shape: Option<Vec<Option<usize>>>,
}

impl<'a> Model<'a> {
    /// Decodes a file.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let model = Message::new(bytes).check("ModelProto", &[1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26])?;
        refuse(model, "model", &[(20, "training information"), (25, "local functions")])?;
        let opset = opset(model)?;
        let graph = model.message(7)?.ok_or_else(|| ReadError::part("model", "a graph", "none"))?;
        let graph = graph.check("GraphProto", &[1, 2, 5, 10, 11, 12, 13, 14, 15, 16])?;
        refuse(graph, "graph", &[(14, "a quantization annotation"), (15, "a sparse initializer")])?;
        Ok(Model {
            opset,
            nodes: graph.all(1, |field| Node::decode(field.message()?))?,
            initializers: graph.all(5, |field| Tensor::decode(field.message()?))?,
            inputs: graph.all(11, |field| ValueInfo::decode(field.message()?))?,
            outputs: graph.all(12, |field| ValueInfo::decode(field.message()?))?,
        })
    }
}

/// Refuses a message that has one of the listed fields.
fn refuse(message: Message<'_>, place: &str, fields: &[(u64, &str)]) -> Result<()> {
    for (number, found) in fields {
        if !message.all(*number, |_| Ok(()))?.is_empty() {
            return Err(ReadError::part(place, "only what describes a plain inference model", *found));
        }
    }
    Ok(())
}

/// The version of the default operator set, which may be stated more than once.
fn opset(model: Message<'_>) -> Result<i64> {
    let sets = model.all(8, |field| {
        let set = field.message()?.check("OperatorSetIdProto", &[1, 2])?;
        Ok((set.text(1)?, set.integer(2)?))
    })?;
    let mut versions = sets.iter().filter(|(domain, _)| is_default(domain)).map(|(_, version)| *version);
    let expected = format!("one opset from {} to {} of the default domain", OPSETS.start(), OPSETS.end());
    let found = format!("{:?}", versions.clone().collect::<Vec<_>>());
    let version = versions.next().filter(|version| OPSETS.contains(version) && versions.all(|other| other == *version));
    version.ok_or_else(|| ReadError::part("model", expected, format!("opsets {found}")))
}

/// Whether the name of a domain means the default one.
pub(crate) fn is_default(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

impl<'a> Node<'a> {
    fn decode(node: Message<'a>) -> Result<Self> {
        node.check("NodeProto", &[1, 2, 3, 4, 5, 6, 7, 9, 10])?;
        Ok(Node {
            inputs: node.all(1, |field| field.text())?,
            outputs: node.all(2, |field| field.text())?,
            name: node.text(3)?,
            operator: node.text(4)?,
            domain: node.text(7)?,
            attributes: node.all(5, |field| Ok((field.message()?.text(1)?, field.message()?)))?,
        })
    }
}

impl<'a> ValueInfo<'a> {
    fn decode(info: Message<'a>) -> Result<Self> {
        let name = info.check("ValueInfoProto", &[1, 2, 3, 4])?.text(1)?;
        let tensor = info.message(2)?.map_or(Ok(None), |kind| kind.message(1))?;
        let Some(tensor) = tensor else { return Ok(ValueInfo { name, element: 0, shape: None }) };
        let dimension = |size: Message<'_>| Ok(usize::try_from(size.integer(1)?).ok().filter(|n| *n > 0));
        let dimensions = |shape: Message<'_>| shape.all(1, |field| dimension(field.message()?));
        Ok(ValueInfo { name, element: tensor.integer(1)?, shape: tensor.message(2)?.map(dimensions).transpose()? })
    }
}
