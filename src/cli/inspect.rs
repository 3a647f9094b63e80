//! `bartizan inspect`: what a network consists of.

use std::io::{self, Write};
use std::path::PathBuf;

use bartizan_proof::network::{Affine, Map, Node, Op};
use bartizan_proof::{Network, Semantics};
use serde_json::json;

use super::{CliError, Exit, output};
use crate::batch::files;

/// Arguments of `bartizan inspect`.
#[derive(Debug, clap::Args)]
pub struct InspectArgs {
    /// Network: ONNX or NNet, gzipped or not
    model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &InspectArgs) -> Result<Exit, CliError> {
    let network = files::read_model(&args.model, Semantics::Real)?;
    output::print(|out| if args.json { writeln!(out, "{}", to_json(&network)) } else { write_text(&network, out) })?;
    Ok(Exit::Yes)
}

fn write_text(network: &Network, out: &mut dyn Write) -> io::Result<()> {
    let relus: usize = network.relus().map(|(id, _)| network.nodes()[id].size).sum();
    writeln!(out, "sha256      {}", network.digest())?;
    writeln!(out, "input       {:?} = {} elements", network.input_shape(), network.input_size())?;
    writeln!(out, "output      {:?} = {} elements", network.output_shape(), network.output_size())?;
    writeln!(out, "ReLUs       {relus} in {} layers", network.relus().count())?;
    writeln!(out, "parameters  {}", network.nodes().iter().map(parameters).sum::<usize>())?;
    if let Some(activation) = network.dropped_activation() {
        writeln!(out, "dropped     {activation} at the end: only properties that compare outputs can be decided")?;
    }
    if let Some(why) = refused(network) {
        writeln!(out, "float32     refused: {why}")?;
    }
    writeln!(out, "\n{:>4}  {:>8}  {:<28}  {:<16}  value", "node", "elements", "operation", "reads")?;
    network.nodes().iter().enumerate().try_for_each(|(id, node)| {
        let sources: Vec<String> = sources(node).iter().map(usize::to_string).collect();
        let (operation, sources) = (operation(node), sources.join(" "));
        writeln!(out, "{id:>4}  {:>8}  {operation:<28}  {sources:<16}  {}", node.size, node.name)
    })
}

/// Why the network cannot be judged under float32 semantics, if so.
fn refused(network: &Network) -> Option<String> {
    network.clone().under(Semantics::Float32).err().map(|error| error.why)
}

fn to_json(network: &Network) -> serde_json::Value {
    let node = |node: &Node| {
        json!({
            "name": node.name, "elements": node.size, "operation": operation(node),
            "reads": sources(node), "parameters": parameters(node),
        })
    };
    json!({
        "sha256": network.digest(),
        "input_shape": network.input_shape(),
        "output_shape": network.output_shape(),
        "dropped_activation": network.dropped_activation(),
        "float32_refused": refused(network),
        "nodes": network.nodes().iter().map(node).collect::<Vec<_>>(),
    })
}

fn sources(node: &Node) -> Vec<usize> {
    match &node.op {
        Op::Input => Vec::new(),
        Op::Relu(source) => vec![*source],
        Op::Affine(affine) => affine.terms.iter().map(|t| t.source).collect(),
    }
}

fn operation(node: &Node) -> String {
    match &node.op {
        Op::Input => "input".to_owned(),
        Op::Relu(_) => "relu".to_owned(),
        Op::Affine(affine) => affine_operation(affine),
    }
}

fn affine_operation(affine: &Affine) -> String {
    let mut parts: Vec<String> = affine.terms.iter().map(|t| map_name(&t.map)).collect();
    if !affine.bias.is_empty() {
        parts.push("constant".to_owned());
    }
    parts.join(" + ")
}

fn map_name(map: &Map) -> String {
    match map {
        Map::Identity => "identity".to_owned(),
        Map::Dense(m) => format!("dense {}x{}", m.weights.len() / m.inputs, m.inputs),
        Map::Sparse(m) => format!("sparse, {} weights", m.entries.len()),
        Map::Conv(m) => format!("conv {}x{}, {} channels", m.kernel[0], m.kernel[1], m.output[0]),
        Map::Scale(_) => "scale".to_owned(),
        Map::Select(_) => "select".to_owned(),
    }
}

fn parameters(node: &Node) -> usize {
    let Op::Affine(affine) = &node.op else { return 0 };
    let of_map = |map: &Map| match map {
        Map::Identity | Map::Select(_) => 0,
        Map::Dense(m) => m.weights.len(),
        Map::Sparse(m) => m.entries.len(),
        Map::Conv(m) => m.weights.len(),
        Map::Scale(weights) => weights.len(),
    };
    affine.bias.len() + affine.terms.iter().map(|t| of_map(&t.map)).sum::<usize>()
}
