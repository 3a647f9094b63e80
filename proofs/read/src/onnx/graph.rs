//! The messages of `onnx.proto` (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>) that describe a model, and
//! the walk through its graph: a table of named values, filled node by node.
//!
//! Fields of documentation and provenance are passed over; a field that could change what the model computes is
//! decoded or refused.

use std::cell::Cell;
use std::collections::HashMap;

use super::{
    ALLOWANCE, Builder, Call, Digest, Elements, Field, Network, Node, Op, Parts, ReadError, Result, Rounding, Value,
    count, operators, type_name,
};

/// The operator sets whose definitions the reader follows.
pub(super) const OPSETS: std::ops::RangeInclusive<i64> = 6..=28;

/// The names of the default domain.
const DEFAULT_DOMAIN: [&str; 2] = ["", "ai.onnx"];

/// The message of a model, and what it must not have.
const MODEL: &str = "ModelProto, which excludes training information (20) and local functions (25)";

/// The message of a graph, and what it must not have.
const GRAPH: &str = "GraphProto, which excludes quantization annotations (14) and sparse initializers (15)";

/// Lowers the model in a file to a network.
pub(crate) fn network(bytes: &[u8]) -> Result<Network> {
    let model = Field::file(bytes).check(MODEL, &[1, 2, 3, 4, 5, 6, 7, 8, 14, 26])?;
    let opset = opset(model)?;
    let proto = model.one(7)?.ok_or_else(|| ReadError::part("model", "a graph", "none"))?;
    let proto = proto.check(GRAPH, &[1, 2, 5, 10, 11, 12, 13, 16])?;

    let left = bytes.len().saturating_add(ALLOWANCE);
    let network = Builder { nodes: Vec::new(), left, dropped: None, real_only: None };
    let mut graph = Graph { opset, output: "", values: HashMap::new(), network };
    for tensor in proto.all(5)? {
        let (name, value) = Value::decode(tensor)?;
        graph.define(name, value)?;
    }
    let input = graph.only("input", proto.all(11)?)?;
    let output = graph.only("output", proto.all(12)?)?;
    graph.output = output.name;
    let input_shape = graph.begin(input)?;
    for (index, node) in proto.all(1)?.into_iter().enumerate() {
        graph.lower(index, node)?;
    }
    let (output, output_shape) = graph.end(output)?;
    let Builder { nodes, dropped, real_only, .. } = graph.network;
    Ok(Network::new(Parts { nodes, output, input_shape, output_shape, dropped, real_only, digest: Digest::of(bytes) })?)
}

/// The version of the default operator set, which may be stated more than once.
fn opset(model: Field<'_>) -> Result<i64> {
    let mut versions = Vec::new();
    for set in model.all(8)? {
        if DEFAULT_DOMAIN.contains(&set.check("OperatorSetIdProto", &[1, 2])?.text(1)?) {
            versions.push(set.integer(2)?);
        }
    }
    versions.dedup();
    let expected = || format!("one opset from {} to {} of the default domain", OPSETS.start(), OPSETS.end());
    match versions.as_slice() {
        [version] if OPSETS.contains(version) => Ok(*version),
        _ => Err(ReadError::part("model", expected(), format!("opsets {versions:?}"))),
    }
}

/// A shape without its first dimension, if that is 1 and not the only one.
fn without_batch(shape: &[usize]) -> Vec<usize> {
    shape.strip_prefix(&[1]).filter(|rest| !rest.is_empty()).unwrap_or(shape).to_vec()
}

/// `ValueInfoProto` of an input or output.
struct ValueInfo<'a> {
    name: &'a str,
    /// Where errors are: `input x`.
    place: String,
    /// Number of its element type, 0 if it is no tensor.
    element: i64,
    /// Its dimensions, if stated; 0 for one that is not a positive number.
    shape: Option<Vec<usize>>,
}

impl<'a> ValueInfo<'a> {
    fn decode(info: Field<'a>, what: &str) -> Result<Self> {
        let name = info.check("ValueInfoProto", &[1, 2, 3, 4])?.text(1)?;
        let place = format!("{what} {name}");
        let tensor = info.one(2)?.map_or(Ok(None), |kind| kind.one(1))?;
        let Some(tensor) = tensor else { return Ok(ValueInfo { name, place, element: 0, shape: None }) };
        let dimension = |size: Field<'_>| Ok(usize::try_from(size.integer(1)?).unwrap_or(0));
        let dimensions = |shape: Field<'_>| shape.all(1)?.into_iter().map(dimension).collect::<Result<_>>();
        Ok(ValueInfo { name, place, element: tensor.integer(1)?, shape: tensor.one(2)?.map(dimensions).transpose()? })
    }
}

/// The graph, as far as it has been walked.
struct Graph<'a> {
    opset: i64,
    /// Name of the output.
    output: &'a str,
    values: HashMap<&'a str, Value<'a>>,
    network: Builder,
}

impl<'a> Graph<'a> {
    fn define(&mut self, name: &'a str, value: Value<'a>) -> Result<()> {
        match self.values.insert(name, value) {
            None if !name.is_empty() => Ok(()),
            _ => Err(ReadError::part("graph", "values with names of their own", format!("`{name}` without or again"))),
        }
    }

    /// The one input or output that is not an initializer.
    fn only(&self, what: &str, infos: Vec<Field<'a>>) -> Result<ValueInfo<'a>> {
        let mut infos = infos.into_iter().map(|info| ValueInfo::decode(info, what)).collect::<Result<Vec<_>>>()?;
        infos.retain(|info| !self.values.contains_key(info.name));
        let names: Vec<&str> = infos.iter().map(|info| info.name).collect();
        let refusal = ReadError::part("graph", format!("one {what} that is not an initializer"), format!("{names:?}"));
        infos.pop().filter(|_| infos.is_empty()).ok_or(refusal)
    }

    /// Defines the input, for a batch of one: the first of several dimensions is the batch. Returns its shape without.
    fn begin(&mut self, input: ValueInfo<'a>) -> Result<Vec<usize>> {
        let refuse = |expected: &str, found: String| ReadError::part(&input.place, expected, found);
        let require = |holds: bool, expected, found| if holds { Ok(()) } else { Err(refuse(expected, found)) };
        let mut shape = input.shape.ok_or_else(|| refuse("a shape", "none".to_owned()))?;
        if let [batch, _, ..] = shape.as_mut_slice() {
            *batch = (*batch).max(1);
        }
        let is_one = shape.len() < 2 || shape.starts_with(&[1]);
        require(matches!(input.element, 1 | 11), "FLOAT or DOUBLE elements", type_name(input.element))?;
        require(!shape.contains(&0), "known dimensions after the batch", "a symbolic one".to_owned())?;
        require(is_one, "a batch dimension that is symbolic or 1", format!("{shape:?}"))?;
        let size = count(&shape).ok_or_else(|| refuse("a shape within limits", format!("{shape:?}")))?;
        self.network.nodes.push(Node { name: input.name.to_owned(), size, op: Op::Input });
        self.network.left = self.network.left.saturating_sub(size);
        let without_batch = without_batch(&shape);
        self.define(input.name, Value { shape, elements: Elements::Node(0) })?;
        Ok(without_batch)
    }

    /// The node and shape of the output, the latter without its batch dimension. The number of elements must be the
    /// declared one, if that is stated: a difference would mean that the model was misread.
    fn end(&self, output: ValueInfo<'a>) -> Result<(usize, Vec<usize>)> {
        let value = self.values.get(output.name).and_then(|value| Some((value.node()?, &value.shape)));
        let refuse = |expected: &str, found: &str| ReadError::part(&output.place, expected, found);
        let (node, shape) = value.ok_or_else(|| refuse("a value that depends on the input", "none or a constant"))?;
        match output.shape.filter(|declared| !declared.contains(&0) && count(declared) != count(shape)) {
            Some(declared) => Err(refuse(&format!("shape {declared:?}"), &format!("{shape:?}"))),
            None => Ok((node, without_batch(shape))),
        }
    }

    /// Lowers a `NodeProto`, names its nodes after its first result and defines its results.
    fn lower(&mut self, index: usize, node: Field<'a>) -> Result<()> {
        let texts = |number| node.all(number)?.into_iter().map(Field::to_text).collect::<Result<Vec<_>>>();
        let name = node.check("NodeProto", &[1, 2, 3, 4, 5, 6, 7, 9, 10])?.text(3)?;
        let (before, outputs, domain) = (self.network.nodes.len(), texts(2)?, node.text(7)?);
        let operand = |name| (name, self.values.get(name));
        let mut call = Call {
            name: if name.is_empty() { format!("#{index}") } else { name.to_owned() },
            opset: self.opset,
            operator: node.text(4)?,
            inputs: texts(1)?.into_iter().map(operand).collect(),
            asked: Cell::new(0),
            is_last: outputs == [self.output],
            outputs: outputs.clone(),
            attributes: node.all(5)?.into_iter().map(|a| Ok((a.text(1)?, a))).collect::<Result<_>>()?,
            rounding: Rounding::Sums(0),
            before,
            network: &mut self.network,
        };
        if let Some((name, _)) = call.inputs.iter().find(|(name, value)| !name.is_empty() && value.is_none()) {
            return Err(call.refuse("operands defined before", format!("`{name}`")));
        }
        call.require(DEFAULT_DOMAIN.contains(&domain), "an operator of the default domain", domain)?;
        for (name, value) in outputs.into_iter().zip(operators::lower(&mut call)?) {
            let made = value.node().filter(|node| *node >= before);
            if let Some(made) = made.and_then(|node| self.network.nodes.get_mut(node)) {
                made.name = name.to_owned();
            }
            self.define(name, value)?;
        }
        Ok(())
    }
}
