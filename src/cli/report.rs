//! `bartizan report`: what a stored run says, in any form, while it goes on or later.

use std::path::PathBuf;

use super::outputs::{self, OutputArgs};
use super::{CliError, Exit, output};
use crate::batch::audit;
use crate::batch::dataset::Dataset;
use crate::batch::perturbation::question_of;
use crate::batch::store::StoredRun;
use crate::report::inputs::Inputs;
use crate::report::{self, Report};

/// Arguments of `bartizan report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// The store of a run
    #[arg(required_unless_present = "schema")]
    store: Option<PathBuf>,
    #[command(flatten)]
    outputs: OutputArgs,
    /// The points that the run read, where their file has another place now
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// The labels, likewise
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// Fail (exit code 1) unless the share of correct and robust inputs is at least this: 0.9, or 'certified>=0.9'
    #[arg(long, value_name = "SHARE")]
    require: Option<String>,
    /// Confidence of all figures [default: that of the run, else 0.95]
    #[arg(long, value_name = "SHARE")]
    confidence: Option<f64>,
    /// Print the JSON Schema of what --json writes
    #[arg(long, exclusive = true)]
    schema: bool,
}

/// Of a run that has not ended and said nothing of it.
const CONFIDENCE: f64 = 0.95;

/// Runs the command.
pub fn run(args: &ReportArgs) -> Result<Exit, CliError> {
    let Some(path) = &args.store else {
        output::print(|out| out.write_all(report::json::SCHEMA.as_bytes()))?;
        return Ok(Exit::Yes);
    };
    args.outputs.spare("RUN.db", path)?;
    let run = StoredRun::open(path)?;
    let stored = run.manifest()?.map(|manifest| manifest.coverage.confidence);
    let confidence = args.confidence.or(stored).unwrap_or(CONFIDENCE);
    let require = outputs::gate(args.require.as_deref(), confidence)?;
    let outputs = args.outputs.prepare()?;
    let mut report = Report::of(&run, confidence, require)?;
    let is_wanted = args.outputs.shows_points() || report.summary.counts.unanswered > 0;
    let dataset = if is_wanted { args.dataset(&run)? } else { None };
    report.inputs = match question_of(&run) {
        Ok(question) => Inputs::of(dataset.as_ref(), &question),
        Err(_) => Inputs::default(),
    };
    outputs.deliver(&report)?;
    Ok(if report.gate() == Some(false) { Exit::No } else { Exit::Yes })
}

impl ReportArgs {
    /// The points that the run read. Where they are not named, a report does without them.
    fn dataset(&self, run: &StoredRun) -> Result<Option<Dataset>, CliError> {
        match audit::same_points(run, (self.data.as_deref(), self.labels.as_deref())) {
            Ok(dataset) => Ok(Some(dataset)),
            Err(error) if self.data.is_some() || self.labels.is_some() => Err(error.into()),
            Err(error) => {
                eprintln!("note: the report does without the data set (--data FILE names it): {error}");
                Ok(None)
            }
        }
    }
}
