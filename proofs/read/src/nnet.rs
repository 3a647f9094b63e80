//! Networks in the text format .nnet of the Stanford repository (<https://github.com/sisl/NNet>), which ACAS Xu made
//! known.
//!
//! After comment lines (`//`) come lines of comma-separated numbers: the counts of layers, inputs, outputs and the
//! widest layer; the sizes of all layers; a flag without meaning; minima, maxima, means and ranges of the inputs, the
//! latter two with one more entry for all outputs; then for each layer a line of weights and a line with the bias for
//! each of its neurons, weights of the whole layer first. ReLU stands between layers.
//!
//! The network that is meant maps *raw* inputs to *raw* outputs: each input becomes `(x - mean) / range`, each output
//! `y range + mean` with the last entries. Inputs are not clipped to `[minimum, maximum]`, as evaluators of the format
//! do: a property states its own region, and inside the limits clipping changes nothing.
//!
//! Decimals stand for exactly what is written: those that are no binary64 numbers become the nearest one with its
//! roundings as weights, and enclosures as constants.

use crate::arith::{Interval, enclose_decimal, lowering};
use crate::digest::Digest;
use crate::error::ReadError;
use crate::network::{Affine, Dense, Map, Network, Node, Op, Parts, Term};

/// Reads a network from the bytes of a .nnet file.
///
/// # Errors
///
/// Names the line and column of what is malformed.
pub fn read_nnet(bytes: &[u8]) -> Result<Network, ReadError> {
    let text =
        std::str::from_utf8(bytes).map_err(|e| ReadError::byte(e.valid_up_to(), "text in UTF-8", "other bytes"))?;
    let mut rows = Rows { lines: text.lines().enumerate(), line: 0 };
    let header = rows.counts("layers, inputs, outputs and widest layer", Some(4))?;
    let [layers, inputs, outputs, _] = header.as_slice() else { return Err(rows.refuse("4 numbers", "others")) };
    let sizes = rows.counts("the sizes of all layers", layers.checked_add(1))?;
    if sizes.first() != Some(inputs) || sizes.last() != Some(outputs) {
        return Err(rows.refuse(format!("sizes from {inputs} to {outputs}"), format!("{sizes:?}")));
    }
    rows.numbers("a flag", None)?;
    for what in ["minima", "maxima"] {
        rows.numbers(what, Some(*inputs))?;
    }
    let means = rows.numbers("means", Some(inputs + 1))?;
    let ranges = rows.numbers("ranges", Some(inputs + 1))?;

    let mut nodes = vec![Node { name: "input".to_owned(), size: *inputs, op: Op::Input }];
    normalise(&mut nodes, &rows, &means, &ranges)?;
    for (index, size) in sizes.iter().enumerate().skip(1) {
        layer(&mut nodes, &mut rows, index, *size)?;
        if index < *layers {
            let source = nodes.len() - 1;
            nodes.push(Node { name: format!("relu{index}"), size: *size, op: Op::Relu(source) });
        }
    }
    rows.finish()?;
    denormalise(&mut nodes, &rows, &means, &ranges)?;
    let (output, digest) = (nodes.len() - 1, Digest::of(bytes));
    let (input_shape, output_shape) = (vec![*inputs], vec![*outputs]);
    Ok(Network::new(Parts { nodes, output, input_shape, output_shape, dropped: None, digest })?)
}

/// The lines that are not comments.
struct Rows<'a> {
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    line: usize,
}

impl<'a> Rows<'a> {
    fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
        ReadError::text((self.line, 1), expected, found)
    }

    fn next(&mut self) -> Option<&'a str> {
        for (index, line) in self.lines.by_ref() {
            self.line = index + 1;
            if !line.trim().is_empty() && !line.starts_with("//") {
                return Some(line);
            }
        }
        None
    }

    /// The numbers of the next line, a comma after the last permitted.
    fn numbers(&mut self, what: &str, count: Option<usize>) -> Result<Vec<Interval>, ReadError> {
        let line = self.next().ok_or_else(|| self.refuse(what, "the end of the file"))?;
        let mut numbers = Vec::new();
        let mut column = 1;
        for text in line.trim_end().trim_end_matches(',').split(',') {
            let number = enclose_decimal(text.trim());
            let place = (self.line, column);
            numbers.push(number.ok_or_else(|| ReadError::text(place, "a decimal number", format!("`{text}`")))?);
            column += text.chars().count() + 1;
        }
        match count.filter(|count| *count != numbers.len()) {
            Some(count) => Err(self.refuse(format!("{what}, {count} numbers"), numbers.len().to_string())),
            None => Ok(numbers),
        }
    }

    fn counts(&mut self, what: &str, count: Option<usize>) -> Result<Vec<usize>, ReadError> {
        let line = self.next().ok_or_else(|| self.refuse(what, "the end of the file"))?;
        let texts = line.trim_end().trim_end_matches(',').split(',');
        let counts: Option<Vec<usize>> = texts.map(|text| text.trim().parse().ok().filter(|n| *n > 0)).collect();
        let counts = counts.filter(|counts| Some(counts.len()) == count);
        counts.ok_or_else(|| self.refuse(format!("{what}, as positive integers"), format!("`{line}`")))
    }

    fn finish(&mut self) -> Result<(), ReadError> {
        match self.next() {
            None => Ok(()),
            Some(line) => Err(self.refuse("the end of the file", format!("`{line}`"))),
        }
    }
}

fn weights(rows: &Rows<'_>, numbers: &[Interval]) -> Result<(Vec<f64>, usize), ReadError> {
    lowering::weights(numbers).ok_or_else(|| rows.refuse("weights that binary64 holds closely", "others"))
}

fn push(nodes: &mut Vec<Node>, name: String, (map, roundings): (Map, usize), bias: Vec<Interval>) {
    let source = nodes.len() - 1;
    let size = bias.len();
    nodes.push(Node { name, size, op: Op::Affine(Affine { terms: vec![Term { source, map, roundings }], bias }) });
}

/// Adds one layer: a line of weights for each neuron, then a line with the bias of each.
fn layer(nodes: &mut Vec<Node>, rows: &mut Rows<'_>, index: usize, size: usize) -> Result<(), ReadError> {
    let inputs = nodes.last().map_or(0, |node| node.size);
    let mut numbers = Vec::new();
    for neuron in 0..size {
        numbers.extend(rows.numbers(&format!("weights of neuron {neuron} of layer {index}"), Some(inputs))?);
    }
    let mut bias = Vec::new();
    for neuron in 0..size {
        bias.extend(rows.numbers(&format!("the bias of neuron {neuron} of layer {index}"), Some(1))?);
    }
    let (weights, roundings) = weights(rows, &numbers)?;
    push(nodes, format!("layer{index}"), (Map::Dense(Dense { inputs, weights }), roundings), bias);
    Ok(())
}

/// Adds `(x - mean) / range`, unless that is `x`.
fn normalise(nodes: &mut Vec<Node>, rows: &Rows<'_>, means: &[Interval], ranges: &[Interval]) -> Result<(), ReadError> {
    let inputs = means.len() - 1;
    let one = Interval::point(1.0);
    let inverse: Option<Vec<Interval>> = ranges.iter().take(inputs).map(|r| lowering::divide(one, *r)).collect();
    let inverse = inverse.ok_or_else(|| rows.refuse("ranges that are not 0", "0"))?;
    let bias: Vec<Interval> = means.iter().zip(&inverse).map(|(mean, w)| -lowering::multiply(*mean, *w)).collect();
    scale(nodes, rows, ("normalised input", &inverse), bias)
}

/// Adds `y range + mean` with the last range and mean, unless that is `y`.
fn denormalise(
    nodes: &mut Vec<Node>,
    rows: &Rows<'_>,
    means: &[Interval],
    ranges: &[Interval],
) -> Result<(), ReadError> {
    let outputs = nodes.last().map_or(0, |node| node.size);
    let last = |numbers: &[Interval]| vec![numbers.last().copied().unwrap_or(Interval::EVERYTHING); outputs];
    scale(nodes, rows, ("output", &last(ranges)), last(means))
}

fn scale(
    nodes: &mut Vec<Node>,
    rows: &Rows<'_>,
    (name, factors): (&str, &[Interval]),
    bias: Vec<Interval>,
) -> Result<(), ReadError> {
    let (one, zero) = (Interval::point(1.0), Interval::point(0.0));
    if factors.iter().any(|f| *f != one) || bias.iter().any(|b| *b != zero) {
        let (weights, roundings) = weights(rows, factors)?;
        push(nodes, name.to_owned(), (Map::Scale(weights), roundings), bias);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
