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

type Result<T> = std::result::Result<T, ReadError>;
type Values<'a> = HashMap<&'a str, Value<'a>>;

/// Lowers a model, decoded from `bytes`, to a network.
pub(crate) fn network(model: Model<'_>, bytes: &[u8]) -> Result<Network> {
    let mut values = HashMap::new();
    for (name, tensor) in model.initializers {
        define(&mut values, name, Value::Constant(tensor))?;
    }
    let input = only("input", model.inputs.iter().filter(|info| !values.contains_key(info.name)))?;
    let output = only("output", model.outputs.iter())?;
    let shape = input_shape(input)?;
    let size = count(&shape).ok_or_else(|| refuse("input", input, "a shape within limits", format!("{shape:?}")))?;
    let input_shape = without_batch(&shape);
    define(&mut values, input.name, Value::Computed { node: 0, shape })?;

    let nodes = vec![network::Node { name: input.name.to_owned(), size, op: Op::Input }];
    let mut lowering = Lowering { nodes, left: bytes.len().saturating_add(ALLOWANCE).saturating_sub(size) };
    let mut dropped = None;
    for (index, node) in model.nodes.into_iter().enumerate() {
        let name = if node.name.is_empty() { format!("#{index}") } else { node.name.to_owned() };
        let place = format!("node {name} ({})", node.operator);
        let results = node.outputs.clone();
        let inputs = operands(&node, &place, &values)?;
        let mut call = Call { place, opset: model.opset, node, inputs, lowering: &mut lowering };
        let found = match order_preserving(&mut call, output.name)? {
            Some(logits) => {
                dropped = Some(format!("{} ({name})", call.node.operator));
                vec![logits]
            }
            None => lower(&mut call)?,
        };
        for (name, value) in results.iter().zip(found) {
            define(&mut values, name, value)?;
        }
    }
    let Some(Value::Computed { node, shape }) = values.get(output.name) else {
        return Err(refuse("output", output, "a value that depends on the input", "none or a constant"));
    };
    let output_shape = output_shape(output, shape)?;
    let digest = Digest::of(bytes);
    Ok(Network::new(Parts { nodes: lowering.nodes, output: *node, input_shape, output_shape, dropped, digest })?)
}

fn refuse(what: &str, info: &ValueInfo<'_>, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
    ReadError::part(format!("{what} {}", info.name), expected, found)
}

fn only<'g, 'a>(what: &str, infos: impl Iterator<Item = &'g ValueInfo<'a>>) -> Result<&'g ValueInfo<'a>> {
    let infos: Vec<_> = infos.collect();
    let names: Vec<&str> = infos.iter().map(|info| info.name).collect();
    match infos.as_slice() {
        [info] => Ok(info),
        _ => Err(ReadError::part("graph", format!("one {what} that is not an initializer"), format!("{names:?}"))),
    }
}

fn define<'a>(values: &mut Values<'a>, name: &'a str, value: Value<'a>) -> Result<()> {
    match values.insert(name, value) {
        None if !name.is_empty() => Ok(()),
        _ => Err(ReadError::part("graph", "values with names of their own", format!("`{name}` without or again"))),
    }
}

/// The input's shape for a batch of one: the first of several dimensions is the batch.
fn input_shape(input: &ValueInfo<'_>) -> Result<Vec<usize>> {
    let refuse = |expected: &str, found: String| Err(refuse("input", input, expected, found));
    let Some(declared) = &input.shape else { return refuse("a shape", "none".to_owned()) };
    let has_batch = declared.len() >= 2;
    let dimension = |(axis, n): (usize, &Option<usize>)| n.or((axis == 0 && has_batch).then_some(1));
    let shape: Option<Vec<usize>> = declared.iter().enumerate().map(dimension).collect();
    match shape {
        _ if !matches!(input.element, 1 | 11) => refuse("FLOAT or DOUBLE elements", type_name(input.element)),
        None => refuse("known dimensions after the batch", "a symbolic one".to_owned()),
        Some(shape) if has_batch && shape.first() != Some(&1) => {
            refuse("a batch dimension that is symbolic or 1", format!("{shape:?}"))
        }
        Some(shape) => Ok(shape),
    }
}

/// The output's shape without its batch dimension. The number of elements must be the declared one, if that is stated:
/// a difference would mean that the model was misread.
fn output_shape(output: &ValueInfo<'_>, shape: &[usize]) -> Result<Vec<usize>> {
    let declared: Option<Vec<usize>> = output.shape.as_ref().and_then(|shape| shape.iter().copied().collect());
    match declared.filter(|declared| count(declared) != count(shape)) {
        Some(declared) => Err(refuse("output", output, format!("shape {declared:?}"), format!("{shape:?}"))),
        None => Ok(without_batch(shape)),
    }
}

/// A shape without its first dimension, if that is 1 and not the only one.
fn without_batch(shape: &[usize]) -> Vec<usize> {
    match shape {
        [1, rest @ ..] if !rest.is_empty() => rest.to_vec(),
        _ => shape.to_vec(),
    }
}

fn operands<'v, 'a>(node: &Node<'a>, place: &str, values: &'v Values<'a>) -> Result<Vec<Option<&'v Value<'a>>>> {
    let operand = |name: &&'a str| match values.get(name) {
        None if !name.is_empty() => Err(ReadError::part(place, "operands defined before", format!("`{name}`"))),
        value => Ok(value),
    };
    node.inputs.iter().map(operand).collect()
}

/// The operand of an activation that ends the graph and keeps the order of the outputs: a Sigmoid, or a Softmax over
/// the last axis of `[1, classes]`.
fn order_preserving<'a>(call: &mut Call<'_, 'a>, output: &str) -> Result<Option<Value<'a>>> {
    let is_last = call.node.outputs == [output] && call.inputs.len() == 1 && is_default(call.node.domain);
    let is_softmax = matches!(call.node.operator, "Softmax" | "LogSoftmax");
    if !is_last || !(is_softmax || call.node.operator == "Sigmoid") {
        return Ok(None);
    }
    let (_, shape) = call.computed(0)?;
    if is_softmax {
        let axis = call.integer("axis")?.unwrap_or(1);
        let is_row = matches!(shape, [1, _]) && call.axis(axis, 2)? == 1;
        call.require(is_row, "the classes of one row as its axis", format!("axis {axis} of {shape:?}"))?;
    }
    call.finish()?;
    call.input(0).cloned().map(Some)
}

/// Lowers one operator, names its nodes after its first result and returns its results.
fn lower<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>> {
    let before = call.lowering.nodes.len();
    call.require(is_default(call.node.domain), "an operator of the default domain", call.node.domain)?;
    let results = operators::lower(call)?;
    let names = call.node.outputs.clone();
    for (name, value) in names.iter().zip(&results) {
        if let Value::Computed { node, .. } = value
            && let Some(made) = call.lowering.nodes.get_mut(*node).filter(|made| made.name.is_empty())
        {
            made.name = (*name).to_owned();
        }
    }
    let first = names.first().copied().unwrap_or_default();
    for (step, made) in call.lowering.nodes.iter_mut().skip(before).filter(|made| made.name.is_empty()).enumerate() {
        made.name = format!("{first}.{step}");
    }
    Ok(results)
}
