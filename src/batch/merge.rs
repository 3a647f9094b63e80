//! One store from several: those of the shards of a run, or of runs over different points that were put aside.

use std::path::{Path, PathBuf};

use bartizan_read::ReadError;

use super::BatchError;
use super::manifest::Manifest;
use super::runner::End;
use super::store::{RunFacts, Store, StoredRun};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Points in the new store.
    pub points: usize,
    /// Points that the whole run asks for.
    pub asked: usize,
}

/// Confidence of the interval in the new store's manifest, where the first store has none of its own.
const CONFIDENCE: f64 = 0.95;

/// Writes a store with the points of all others, which must ask the same apart from their shards.
///
/// # Errors
///
/// A store cannot be read, asks something else than the first or has a point that another has too; the new one exists or cannot be
/// written. Then there is no new one.
pub fn merge(stores: &[PathBuf], to: &Path) -> Result<Merged, BatchError> {
    let runs = stores.iter().map(|path| StoredRun::open(path)).collect::<Result<Vec<StoredRun>, _>>()?;
    let whole = |run: &StoredRun| RunFacts { shard: None, ..run.facts().clone() };
    let Some(first) = runs.first() else {
        return Err(BatchError::within(to)(ReadError::part("stores", "at least one", "none")));
    };
    let facts = whole(first);
    for run in &runs[1..] {
        if let Some(difference) = facts.difference(&whole(run)) {
            let place = format!("table `run`, column `{}`", difference.column);
            let expected = format!("{}, as in {}", difference.expected, first.path().display());
            return Err(BatchError::within(run.path())(ReadError::part(place, expected, difference.found)));
        }
    }
    let mut owners: Vec<(usize, usize)> = Vec::new();
    for (owner, run) in runs.iter().enumerate() {
        owners.extend(run.indices()?.into_iter().map(|index| (index, owner)));
    }
    owners.sort_unstable();
    if let Some(pair) = owners.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let (index, other) = (pair[1].0, runs[pair[0].1].path().display());
        return Err(runs[pair[1].1].odd(index, "every point once", &format!("that of {other} too")));
    }
    let mut store = Store::create(to, &facts)?;
    let written = fill(&mut store, &runs, &owners).and_then(|()| conclude(&mut store, first, to));
    match written {
        Ok(()) => store.close(),
        Err(_) => store.discard(),
    }
    written.map(|()| Merged { points: owners.len(), asked: facts.asked_count() })
}

fn fill(store: &mut Store, runs: &[StoredRun], owners: &[(usize, usize)]) -> Result<(), BatchError> {
    owners.iter().try_for_each(|(index, owner)| store.insert_point(&runs[*owner].point(*index)?))
}

/// The manifest of the new store, where all points have an answer.
fn conclude(store: &mut Store, first: &StoredRun, to: &Path) -> Result<(), BatchError> {
    let run = StoredRun::open(to)?;
    if run.indices()?.len() < run.facts().asked_count() {
        return Ok(());
    }
    let confidence = first.manifest()?.map_or(CONFIDENCE, |manifest| manifest.coverage.confidence);
    store.conclude(&Manifest::of(&run, End::Completion, confidence)?)
}

#[cfg(test)]
mod tests;
