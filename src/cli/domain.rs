//! `bartizan coverage MODEL --domain`: which class a network gives how large a share of a box of inputs.

use std::io::{self, Write};
use std::path::Path;

use bartizan_proof::property::{Atom, Bound, Case, Region, Variable};
use bartizan_proof::{Interval, Network, Property, Semantics, Shares};
use serde_json::json;

use super::{CliError, Exit, output, volume};
use crate::batch::{BatchError, decimals, files, workers};
use crate::branch::volume::Stop;
use crate::verify::Verifier;
use crate::volume::{Goal, Measured, measure};

/// What is asked of a domain.
#[derive(Clone, Copy, Debug)]
pub struct Domain<'d> {
    /// The network.
    pub model: &'d Path,
    /// What is meant by its outputs.
    pub semantics: Semantics,
    /// Ends `LO,HI`, one pair for all inputs or one an input, separated by semicolons.
    pub ends: &'d str,
    /// When to stop.
    pub goal: Goal,
    /// Number of threads.
    pub jobs: usize,
    /// Whether to print one JSON object.
    pub is_json: bool,
}

/// What the shares say, and what they do not.
const MEANING: &str = "certified: the network gives this class at every point of these parts; violated: it gives another one, or several are largest, \
                       at every point; shares of the volume of the box, in which all points count alike, whatever the distribution of data";

/// What the shares say, and under which semantics they were proved.
fn meaning(measured: &Measured) -> String {
    format!("{MEANING}; proved {}.", measured.proved.semantics().meaning())
}

/// Measures the share of each class.
pub fn run(domain: Domain) -> Result<Exit, CliError> {
    let verifier = Verifier::new(files::read_model(domain.model, domain.semantics)?);
    let network = verifier.network();
    let property = property(network, bounds(domain.ends, network.input_size())?);
    let refused = |error| BatchError::Property { path: domain.model.to_owned(), error };
    let property = property.map_err(refused)?;
    let measured = workers::run_one(domain.jobs, || measure((network, verifier.model()), &property, domain.goal))?
        .map_err(|error| CliError::Volume { path: domain.model.to_owned(), error: Box::new(error) })?;
    output::print(|out| match domain.is_json {
        true => writeln!(out, "{}", to_json(&domain, &measured)),
        false => write_text(&measured, out),
    })?;
    let is_late = measured.regions.iter().any(|(_, stop)| *stop == Stop::Late);
    Ok(if is_late { Exit::Unknown } else { Exit::Yes })
}

/// The bounds of all inputs.
fn bounds(text: &str, inputs: usize) -> Result<Vec<Bound>, CliError> {
    let pair = |text: &str| decimals::range("domain", text).map(|(lower, upper)| Bound { lower, upper });
    let pairs = text.split(';').map(pair).collect::<Result<Vec<Bound>, BatchError>>()?;
    match pairs.as_slice() {
        [all] => Ok(vec![*all; inputs]),
        _ if pairs.len() == inputs => Ok(pairs),
        _ => {
            let expected = format!("1 or {inputs} pairs LO,HI for the network's inputs, separated by `;`");
            Err(CliError::option("--domain", expected, pairs.len().to_string()))
        }
    }
}

/// One region for each class, all of them the domain; no other class may reach the region's own.
fn property(network: &Network, bounds: Vec<Bound>) -> Result<Property, bartizan_proof::PropertyError> {
    let classes = network.output_size();
    let rivals = |class: usize| (0..classes).filter(move |rival| *rival != class).map(move |rival| (class, rival));
    let case = |(class, rival): (usize, usize)| {
        let terms =
            vec![(Variable::Output(class), Interval::point(1.0)), (Variable::Output(rival), Interval::point(-1.0))];
        Case { region: class, atoms: vec![Atom { terms, at_most: Interval::point(0.0), strict: false }] }
    };
    let regions = vec![Region::of_box(bounds.clone()); classes];
    Property::new((bounds.len(), classes), regions, (0..classes).flat_map(rivals).map(case).collect())
}

fn write_text(measured: &Measured, out: &mut dyn Write) -> io::Result<()> {
    for (class, shares) in measured.proved.regions().iter().enumerate() {
        writeln!(out, "class {class}")?;
        volume::write_shares(shares, out)?;
    }
    writeln!(out, "{}", meaning(measured))?;
    writeln!(out, "time {:.3} s", measured.time.as_secs_f64())
}

fn to_json(domain: &Domain, measured: &Measured) -> serde_json::Value {
    let class = |(class, shares): (usize, &Shares)| {
        json!({
            "class": class,
            "certified": shares.certified(),
            "violated": shares.violated(),
            "undecided": shares.undecided(),
        })
    };
    json!({
        "model": { "path": domain.model.display().to_string(), "sha256": measured.proved.network() },
        "domain": domain.ends,
        "classes": measured.proved.regions().iter().enumerate().map(class).collect::<Vec<_>>(),
        "semantics": measured.proved.semantics(),
        "meaning": meaning(measured),
        "time_s": measured.time.as_secs_f64(),
    })
}
