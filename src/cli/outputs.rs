//! Where the report of a run goes: any number of forms at once.

use std::fs;
use std::path::{Path, PathBuf};

use super::CliError;
use super::output;
use crate::batch::output_file::OutputFile;
use crate::report::{Form, Report};

/// Arguments that name the forms of a report.
#[derive(Debug, clap::Args)]
pub struct OutputArgs {
    /// Write the report as one self-contained HTML file
    #[arg(short = 'o', long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write one JSON object to a file, or to standard output (-) instead of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a JUnit file: a test case a point, and one for the gate
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a SARIF file: a result for each point with a counterexample
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write a short summary in Markdown to a file, or to standard output (-) instead of the table
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the points as comma-separated text
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the points as a Parquet file
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
}

/// Forms with their places, which have been found to be writable.
pub struct Outputs {
    printed: Option<Form>,
    files: Vec<(Form, OutputFile)>,
}

impl OutputArgs {
    /// The forms with their options and paths.
    fn all(&self) -> Vec<(&'static str, &Path, Form)> {
        let forms: [(&'static str, &Option<PathBuf>, Form); 7] = [
            ("--report", &self.report, Form::Html),
            ("--json", &self.json, Form::Json),
            ("--junit", &self.junit, Form::Junit),
            ("--sarif", &self.sarif, Form::Sarif),
            ("--markdown", &self.markdown, Form::Markdown),
            ("--csv", &self.csv, Form::Csv),
            ("--parquet", &self.parquet, Form::Parquet),
        ];
        forms.into_iter().filter_map(|(option, path, form)| Some((option, path.as_deref()?, form))).collect()
    }

    /// Whether a form shows the points themselves.
    pub fn shows_points(&self) -> bool {
        self.report.is_some()
    }

    /// Checks that everything can be written, without changing anything. Called before the work that fills it begins.
    pub fn prepare(&self) -> Result<Outputs, CliError> {
        let mut outputs = Outputs { printed: None, files: Vec::new() };
        let all = self.all();
        for (place, (option, path, form)) in all.iter().enumerate() {
            if let Some((other, ..)) = all[..place].iter().find(|(_, other, _)| is_same(other, path)) {
                let expected = format!("another file than that of {other}");
                return Err(CliError::option(option, expected, format!("`{}`", path.display())));
            }
            match is_standard_output(path) {
                true => outputs.printed = Some(*form),
                false => outputs.files.push((*form, OutputFile::prepare(path)?)),
            }
        }
        Ok(outputs)
    }

    /// Checks that no form is written to a file of another purpose.
    pub fn spare(&self, option: &str, file: &Path) -> Result<(), CliError> {
        let Some((other, ..)) = self.all().into_iter().find(|(_, path, _)| is_same(path, file)) else { return Ok(()) };
        let expected = format!("another file than that of {other}");
        Err(CliError::option(option, expected, format!("`{}`", file.display())))
    }
}

impl Outputs {
    /// Writes all forms; the table first, so that a disk that is full takes nothing away from it, and each of them whatever becomes of
    /// the others.
    pub fn deliver(&self, report: &Report) -> Result<(), CliError> {
        let printed = output::print(|out| self.printed.unwrap_or(Form::Text).write(report, out));
        let written = self.files.iter().map(|(form, file)| Ok(file.write(|out| form.write(report, out))?));
        let mut failures =
            std::iter::once(printed).chain(written).filter_map(Result::err).collect::<Vec<_>>().into_iter();
        let Some(first) = failures.next() else { return Ok(()) };
        failures.for_each(|failure| eprintln!("error: {failure}"));
        Err(first)
    }
}

/// The share that `--require` asks for, at a confidence that makes sense.
pub fn gate(require: Option<&str>, confidence: f64) -> Result<Option<f64>, CliError> {
    if !(confidence > 0.0 && confidence < 1.0) {
        let expected = "a number between 0 and 1, such as 0.95";
        return Err(CliError::option("--confidence", expected, confidence.to_string()));
    }
    let Some(text) = require else { return Ok(None) };
    let number = text.trim().strip_prefix("certified").map_or(Some(text.trim()), |rest| rest.trim().strip_prefix(">="));
    let share = number.and_then(|number| number.trim().parse().ok()).filter(|share| (0.0..=1.0).contains(share));
    let expected = "a share from 0 to 1, such as 0.9 or 'certified>=0.9'";
    share.map(Some).ok_or_else(|| CliError::option("--require", expected, text))
}

fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether two paths, whose files need not exist, name one place. Devices hold any number of outputs.
fn is_same(one: &Path, other: &Path) -> bool {
    if is_standard_output(one) || is_standard_output(other) {
        return one == other;
    }
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::canonicalize(path).ok().or_else(|| Some(fs::canonicalize(folder).ok()?.join(path.file_name()?)))
    };
    let is_special = fs::metadata(one).is_ok_and(|found| !found.is_file() && !found.is_dir());
    !is_special && place(one).is_some_and(|one| place(other) == Some(one))
}
