//! The walk through a graph: a table of named values, filled node by node.

use std::collections::HashMap;

use super::call::Call;
use super::model::{Model, Node, ValueInfo, is_default};
use super::operators;
use super::shape::count;
use super::tensor::type_name;
use super::values::{ALLOWANCE, Lowering, Value};
use crate::digest::Digest;
use crate::error::ReadError;
use crate::network::{self, Network, Op, Parts};

/// Activations that keep the order of the outputs, and so may be dropped at the end of a graph.
const ORDER_PRESERVING: [&str; 3] = ["Softmax", "LogSoftmax", "Sigmoid"];

/// Lowers a model, decoded from `bytes`, to a network.
pub(crate) fn network(model: &Model<'_>, bytes: &[u8]) -> Result<Network, ReadError> {
    let graph = &model.graph;
    let mut values = HashMap::new();
    for (name, tensor) in &graph.initializers {
        define(&mut values, name, Value::Constant(tensor.clone()), "initializer")?;
    }
    let input = only("input", graph.inputs.iter().filter(|info| !values.contains_key(info.name)))?;
    let output = only("output", graph.outputs.iter())?;
    let (shape, input_shape) = input_shape(input)?;
    let size =
        count(&shape).ok_or_else(|| refuse("input", input.name, "a shape within limits", format!("{shape:?}")))?;
    define(&mut values, input.name, Value::Computed { node: 0, shape }, "input")?;

    let nodes = vec![network::Node { name: input.name.to_owned(), size, op: Op::Input }];
    let mut lowering = Lowering { nodes, left: bytes.len() + ALLOWANCE };
    let mut dropped = None;
    for (index, node) in graph.nodes.iter().enumerate() {
        let place = place(node, index);
        match order_preserving(node, output.name, model.opset, &values)? {
            Some(logits) => {
                dropped = Some(if node.name.is_empty() { node.operator.to_owned() } else { place });
                define(&mut values, output.name, logits, "output")?;
            }
            None => lower(model, (node, place), &mut values, &mut lowering)?,
        }
    }
    let Some(Value::Computed { node, shape }) = values.get(output.name) else {
        return Err(refuse("output", output.name, "a value that depends on the input", "none or a constant"));
    };
    let output_shape = output_shape(output, shape)?;
    let digest = Digest::of(bytes);
    Ok(Network::new(Parts { nodes: lowering.nodes, output: *node, input_shape, output_shape, dropped, digest })?)
}

fn refuse(what: &str, name: &str, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
    ReadError::part(format!("{what} {name}"), expected, found)
}

fn place(node: &Node<'_>, index: usize) -> String {
    if node.name.is_empty() {
        format!("node #{index} ({})", node.operator)
    } else {
        format!("node {} ({})", node.name, node.operator)
    }
}

fn only<'g, 'a>(
    what: &str,
    mut infos: impl Iterator<Item = &'g ValueInfo<'a>>,
) -> Result<&'g ValueInfo<'a>, ReadError> {
    let first = infos.next().ok_or_else(|| ReadError::part("graph", format!("one {what}"), "none"))?;
    match infos.next() {
        None => Ok(first),
        Some(second) => {
            let found = format!("several ({}, {})", first.name, second.name);
            Err(ReadError::part("graph", format!("one {what} that is not a constant"), found))
        }
    }
}

fn define<'a>(
    values: &mut HashMap<&'a str, Value<'a>>,
    name: &'a str,
    value: Value<'a>,
    what: &str,
) -> Result<(), ReadError> {
    if name.is_empty() || values.insert(name, value).is_some() {
        return Err(ReadError::part("graph", "distinct names of all values", format!("{what} `{name}`")));
    }
    Ok(())
}

/// The input's shape for a batch of one, with the batch dimension and without.
fn input_shape(input: &ValueInfo<'_>) -> Result<(Vec<usize>, Vec<usize>), ReadError> {
    let error = |expected: &str, found: String| refuse("input", input.name, expected, found);
    if !matches!(input.element, 1 | 11) {
        return Err(error("FLOAT or DOUBLE elements", type_name(input.element)));
    }
    let declared = input.shape.as_ref().ok_or_else(|| error("a shape", "none".to_owned()))?;
    let has_batch = declared.len() >= 2;
    let batch = declared.iter().take(usize::from(has_batch)).map(|n| n.unwrap_or(1));
    let rest: Option<Vec<usize>> = declared.iter().skip(usize::from(has_batch)).copied().collect();
    let rest = rest.ok_or_else(|| error("known dimensions after the batch", "a symbolic one".to_owned()))?;
    if let Some(n) = batch.clone().find(|n| *n != 1) {
        return Err(error("a batch dimension that is symbolic or 1", n.to_string()));
    }
    Ok((batch.chain(rest.iter().copied()).collect(), rest))
}

/// The output's shape without its batch dimension, if it has one. The number of elements must be the declared one, if
/// that is stated: a difference would mean that the model was misread.
fn output_shape(output: &ValueInfo<'_>, shape: &[usize]) -> Result<Vec<usize>, ReadError> {
    let declared: Option<Vec<usize>> = output.shape.iter().flatten().copied().collect();
    if let Some(declared) = declared.filter(|_| output.shape.is_some())
        && count(&declared) != count(shape)
    {
        return Err(refuse("output", output.name, format!("shape {declared:?}"), format!("{shape:?}")));
    }
    match shape {
        [1, rest @ ..] if !rest.is_empty() => Ok(rest.to_vec()),
        _ => Ok(shape.to_vec()),
    }
}

/// The operand of an activation that ends the graph and keeps the order of the outputs: a Sigmoid, or a Softmax over
/// the last axis of `[1, classes]`.
fn order_preserving<'a>(
    node: &Node<'a>,
    output: &str,
    opset: i64,
    values: &HashMap<&'a str, Value<'a>>,
) -> Result<Option<Value<'a>>, ReadError> {
    let ([input], [result]) = (node.inputs.as_slice(), node.outputs.as_slice()) else { return Ok(None) };
    let is_candidate = is_default(node.domain) && ORDER_PRESERVING.contains(&node.operator) && *result == output;
    let Some(value @ Value::Computed { shape, .. }) = values.get(input).filter(|_| is_candidate) else {
        return Ok(None);
    };
    use super::model::Attribute;
    let is_whole_row = match (node.operator, node.attributes.as_slice(), shape.as_slice()) {
        ("Sigmoid", [], _) => true,
        ("Sigmoid", ..) => false,
        (_, [], [1, _]) => true,
        (_, [("axis", Attribute::Integer(axis))], [1, _]) => *axis == 1 || (*axis == -1 && opset >= 11),
        _ => false,
    };
    Ok(is_whole_row.then(|| value.clone()))
}

fn lower<'a>(
    model: &Model<'a>,
    (node, place): (&Node<'a>, String),
    values: &mut HashMap<&'a str, Value<'a>>,
    lowering: &mut Lowering,
) -> Result<(), ReadError> {
    let before = lowering.nodes.len();
    if !is_default(node.domain) {
        return Err(ReadError::part(place, "an operator of the default domain", format!("domain {}", node.domain)));
    }
    let mut inputs = Vec::new();
    for name in &node.inputs {
        let value = values.get(name);
        if value.is_none() && !name.is_empty() {
            return Err(ReadError::part(place, "operands that are defined before", format!("`{name}`")));
        }
        inputs.push((*name, value));
    }
    let call = Call {
        place,
        opset: model.opset,
        outputs: node.outputs.len(),
        inputs,
        attributes: node.attributes.clone(),
        lowering,
    };
    let results = operators::lower(node.operator, call)?;
    for (name, value) in node.outputs.iter().zip(results) {
        if let Value::Computed { node, .. } = value
            && let Some(made) = lowering.nodes.get_mut(node).filter(|_| node >= before)
        {
            made.name = (*name).to_owned();
        }
        define(values, name, value, "output")?;
    }
    let first = node.outputs.first().copied().unwrap_or("");
    for (step, made) in lowering.nodes.iter_mut().skip(before).filter(|made| made.name.is_empty()).enumerate() {
        made.name = format!("{first}.{step}");
    }
    Ok(())
}
