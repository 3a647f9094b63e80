//! `bartizan bounds`: proved output intervals around one point, to compare methods.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use bartizan_proof::{Interval, PropertyError};
use clap::ValueEnum;
use serde_json::json;

use super::data::{DataArgs, tell_of_integers};
use super::search::SearchArgs;
use super::{CliError, Exit, output};
use crate::batch::{BatchError, workers};
use crate::output_bounds::{self, BoundsError, Request};
use crate::verify::{Method, Verifier};

/// Arguments of `bartizan bounds`.
#[derive(Debug, clap::Args)]
pub struct BoundsArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The point
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    index: usize,
    /// Also solve linear programs for every ReLU input whose sign is open (with --method lp)
    #[arg(long)]
    hidden_programs: bool,
    #[command(flatten)]
    search: SearchArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &BoundsArgs) -> Result<Exit, CliError> {
    let options = args.search.options()?;
    let verifier = Verifier::new(args.data.network()?);
    let dataset = args.data.dataset()?;
    dataset.fits(verifier.network())?;
    let perturbation = args.data.perturbation();
    let (fixed, integers) = perturbation.fixed(&dataset)?;
    tell_of_integers(&integers);
    let question = perturbation.question(verifier.network().input_shape(), fixed.as_deref())?;
    if args.index >= dataset.len() {
        let expected = format!("a point from 0 to {}", dataset.len() - 1);
        return Err(CliError::option("--index", expected, args.index.to_string()));
    }
    let point = dataset.point(args.index)?;
    let query = question.query((&point, dataset.label(args.index)), verifier.network().output_size());
    let path = PathBuf::from(&args.data.data);
    let refused = |error: PropertyError| BatchError::Property { path: path.clone(), error };
    let property = query.property().map_err(refused)?;
    let start = Instant::now();
    let request =
        Request { method: options.method, hidden_programs: args.hidden_programs, deadline: options.deadline() };
    let region = &property.regions()[0];
    let proved = match workers::run_one(args.search.jobs()?, || output_bounds::prove(&verifier, region, &request))? {
        Ok(proved) => proved,
        Err(BoundsError::Unsolved(reason)) => {
            eprintln!("no bounds: {reason}");
            return Ok(Exit::Unknown);
        }
        Err(error) => return Err(error.into()),
    };
    let seconds = start.elapsed().as_secs_f64();
    let center = verifier.network().evaluate(&query.network_input().map_err(refused)?);
    output::print(|out| {
        if args.json {
            return writeln!(out, "{}", to_json(options.method, proved.outputs(), &center, seconds));
        }
        write_table((args, options.method), (proved.outputs(), &center), out)?;
        writeln!(out, "proved in {seconds:.3} s")
    })?;
    Ok(Exit::Yes)
}

fn name(method: Method) -> String {
    method.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}

fn to_json(method: Method, outputs: &[Interval], center: &[f64], seconds: f64) -> serde_json::Value {
    let rows = outputs.iter().zip(center).map(|(o, c)| json!({ "lower": o.lo, "upper": o.hi, "at_the_point": c }));
    json!({ "method": name(method), "time_s": seconds, "outputs": rows.collect::<Vec<_>>() })
}

fn write_table(
    (args, method): (&BoundsArgs, Method),
    (outputs, center): (&[Interval], &[f64]),
    out: &mut dyn Write,
) -> io::Result<()> {
    let norm = args.data.norm.name();
    writeln!(out, "point {} within {} ({norm}), method {}", args.index, args.data.radius, name(method))?;
    writeln!(out, "{:>6}  {:>14}  {:>14}  {:>14}  {:>12}", "output", "lower", "at the point", "upper", "width")?;
    outputs.iter().zip(center).enumerate().try_for_each(|(i, (o, c))| {
        writeln!(out, "{i:>6}  {:>14.6}  {c:>14.6}  {:>14.6}  {:>12.6}", o.lo, o.hi, o.hi - o.lo)
    })
}
