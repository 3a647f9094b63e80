//! What float32 semantics cost a run: points that are certified under real semantics only.

use bartizan_proof::Semantics;

use super::{CliError, progress};
use crate::batch::BatchError;
use crate::batch::runner::End;
use crate::batch::session::{Session, Settings};
use crate::batch::store::StoredRun;
use crate::report::Cost;
use crate::verify::Verifier;

/// Whether there is anything to count.
pub fn check(is_priced: bool, semantics: Semantics) -> Result<(), CliError> {
    if is_priced && semantics == Semantics::Real {
        let expected = "--semantics float32, whose cost against real semantics is counted";
        return Err(CliError::option("--cost", expected, format!("{semantics} semantics")));
    }
    Ok(())
}

/// Asks again under real semantics, with the same settings, about every point of a run that has an answer and stayed unknown; none where that
/// was interrupted. Points that are certified or falsified under float32 semantics are so under real ones: real arithmetic is one of the executions.
pub fn of(session: &Session, run: &StoredRun) -> Result<Option<Cost>, BatchError> {
    let points = run.facts_of_points()?;
    let count = |verdict: &str| points.iter().filter(|point| point.verdict == verdict).count();
    let open: Vec<usize> =
        points.iter().filter(|p| matches!(p.verdict.as_str(), "unknown" | "timeout")).map(|p| p.index).collect();
    let mut cost = Cost { certified: count("certified"), asked_again: open.len(), only_real: 0 };
    if open.is_empty() {
        return Ok(Some(cost));
    }
    let settings = session.settings();
    let settings =
        Settings { chosen: Some(open), shard: None, is_drawn: false, budget: None, require: None, ..settings.clone() };
    let (verifier, bar) = (Verifier::new(session.real_network()?), progress::bar(cost.asked_again));
    let again = session.again(&verifier, &settings)?;
    let folder = tempfile::tempdir().map_err(|error| BatchError::Temporary {
        folder: std::env::temp_dir(),
        action: "create",
        error,
    })?;
    let mut begun = again.begin(&folder.path().join("real.db"), false)?;
    let ended = begun.answer(|progress| {
        cost.only_real += usize::from(progress.answer.word() == "certified");
        bar.inc(1);
    });
    bar.finish_and_clear();
    begun.close();
    Ok((ended? == End::Completion).then_some(cost))
}
