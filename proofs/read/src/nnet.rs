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
use crate::network::{Affine, Dense, Execution, Map, Network, Node, Op, Parts, Term};

/// Reads a network from the bytes of a .nnet file.
///
/// # Errors
///
/// Names the line and column of what is malformed.
pub fn read_nnet(bytes: &[u8]) -> Result<Network, ReadError> {
    let text =
        std::str::from_utf8(bytes).map_err(|e| ReadError::byte(e.valid_up_to(), "text in UTF-8", "other bytes"))?;
    let mut reader = Reader { lines: text.lines().enumerate(), line: 0, nodes: Vec::new() };
    let header = reader.counts("layers, inputs, outputs and widest layer", Some(4))?;
    let &[layers, inputs, outputs, _] = header.as_slice() else { return Err(reader.refuse("4 numbers", "others")) };
    let sizes = reader.counts("the sizes of all layers", layers.checked_add(1))?;
    if sizes.first() != Some(&inputs) || sizes.last() != Some(&outputs) {
        return Err(reader.refuse(format!("sizes from {inputs} to {outputs}"), format!("{sizes:?}")));
    }
    reader.numbers("a flag", None)?;
    for what in ["minima", "maxima"] {
        reader.numbers(what, Some(inputs))?;
    }
    let mut means = reader.numbers("means", Some(inputs + 1))?;
    let mut ranges = reader.numbers("ranges", Some(inputs + 1))?;
    let (mean, range) = (means.split_off(inputs), ranges.split_off(inputs));

    reader.nodes.push(Node { name: "input".to_owned(), size: inputs, op: Op::Input });
    let inverse = ranges.iter().map(|range| lowering::divide(Interval::point(1.0), *range)).collect();
    let factors: Vec<Interval> = Option::ok_or_else(inverse, || reader.refuse("ranges that are not 0", "0"))?;
    let bias = means.iter().zip(&factors).map(|(mean, factor)| -lowering::multiply(*mean, *factor)).collect();
    reader.scale("normalised input", &factors, bias)?;
    for (index, size) in sizes.iter().enumerate().skip(1) {
        reader.layer(index, *size)?;
        if index < layers {
            let source = reader.nodes.len() - 1;
            reader.nodes.push(Node { name: format!("relu{index}"), size: *size, op: Op::Relu(source) });
        }
    }
    if let Some(line) = reader.next() {
        return Err(reader.refuse("the end of the file", format!("`{line}`")));
    }
    reader.scale("output", &range.repeat(outputs), mean.repeat(outputs))?;
    let (output, nodes, digest) = (reader.nodes.len() - 1, reader.nodes, Digest::of(bytes));
    let (input_shape, output_shape) = (vec![inputs], vec![outputs]);
    let real_only = Some("a .nnet file holds decimals, and says nothing of how they are rounded".to_owned());
    Ok(Network::new(Parts { nodes, output, input_shape, output_shape, dropped: None, real_only, digest })?)
}

/// The lines that are still to be read, and the nodes of those that have been.
struct Reader<'a> {
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    line: usize,
    nodes: Vec<Node>,
}

impl<'a> Reader<'a> {
    fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
        ReadError::text((self.line, 1), expected, found)
    }

    /// The next line that is no comment.
    fn next(&mut self) -> Option<&'a str> {
        let is_comment = |line: &str| line.trim().is_empty() || line.starts_with("//");
        let (index, line) = self.lines.find(|(_, line)| !is_comment(line))?;
        self.line = index + 1;
        Some(line)
    }

    fn row(&mut self, what: &str) -> Result<&'a str, ReadError> {
        self.next().ok_or_else(|| self.refuse(what, "the end of the file"))
    }

    fn numbers(&mut self, what: &str, count: Option<usize>) -> Result<Vec<Interval>, ReadError> {
        let (mut numbers, mut column) = (Vec::new(), 1);
        for text in texts(self.row(what)?) {
            let refuse = || ReadError::text((self.line, column), "a decimal number", format!("`{text}`"));
            numbers.push(enclose_decimal(text.trim()).ok_or_else(refuse)?);
            column += text.chars().count() + 1;
        }
        match count.filter(|count| *count != numbers.len()) {
            Some(count) => Err(self.refuse(format!("{what}, {count} numbers"), numbers.len().to_string())),
            None => Ok(numbers),
        }
    }

    fn counts(&mut self, what: &str, count: Option<usize>) -> Result<Vec<usize>, ReadError> {
        let line = self.row(what)?;
        let counts: Option<Vec<usize>> = texts(line).map(|text| text.trim().parse().ok().filter(|n| *n > 0)).collect();
        let counts = counts.filter(|counts| Some(counts.len()) == count);
        counts.ok_or_else(|| self.refuse(format!("{what}, as positive integers"), format!("`{line}`")))
    }

    /// Adds one layer: a line of weights for each neuron, then a line with the bias of each.
    fn layer(&mut self, index: usize, size: usize) -> Result<(), ReadError> {
        let inputs = self.nodes.last().map_or(0, |node| node.size);
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for (numbers, what, count) in [(&mut weights, "weights", inputs), (&mut bias, "the bias", 1)] {
            for neuron in 0..size {
                numbers.extend(self.numbers(&format!("{what} of neuron {neuron} of layer {index}"), Some(count))?);
            }
        }
        self.affine(format!("layer{index}"), &weights, bias, |weights| Map::Dense(Dense { inputs, weights }))
    }

    /// Adds a product with each element and a sum, unless nothing changes by that.
    fn scale(&mut self, name: &str, factors: &[Interval], bias: Vec<Interval>) -> Result<(), ReadError> {
        let (one, zero) = (Interval::point(1.0), Interval::point(0.0));
        let is_identity = factors.iter().all(|f| *f == one) && bias.iter().all(|b| *b == zero);
        if is_identity { Ok(()) } else { self.affine(name.to_owned(), factors, bias, Map::Scale) }
    }

    fn affine(
        &mut self,
        name: String,
        numbers: &[Interval],
        bias: Vec<Interval>,
        map: impl FnOnce(Vec<f64>) -> Map,
    ) -> Result<(), ReadError> {
        let refuse = || self.refuse("weights that binary64 holds closely", "others");
        let (weights, roundings) = lowering::weights(numbers).ok_or_else(refuse)?;
        let terms = vec![Term { source: self.nodes.len() - 1, map: map(weights), roundings }];
        self.nodes.push(Node {
            name,
            size: bias.len(),
            op: Op::Affine(Affine { terms, bias, execution: Execution::PLAIN }),
        });
        Ok(())
    }
}

/// The texts between commas; one comma or more after the last permitted.
fn texts(line: &str) -> impl Iterator<Item = &str> {
    line.trim_end().trim_end_matches(',').split(',')
}

#[cfg(test)]
mod tests;
