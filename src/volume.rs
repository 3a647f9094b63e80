//! Volume: which share of each region of a property is certified, and which is violated.
//!
//! The search splits each region along its inputs; the checker measures what it accepts, and only its shares are reported.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use bartizan_proof::certificate::{self, Header, Item, Proof};
use bartizan_proof::check::{Ground, Limits};
use bartizan_proof::property::Region;
use bartizan_proof::{Interval, Network, Property, PropertyError, ProvedVolume, Refusal, Rejected, check};

use crate::bound::Model;
use crate::branch::tree::Part;
use crate::branch::volume::{Parts, Question, Stop, VolumeSearch};
use crate::deadline::Deadline;
use crate::query::Query;

/// The most inputs that may vary in a region: as many as the checker's forward forms take, and far more than can be halved.
const MOST_INPUTS: usize = 64;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// The share of a region that may stay undecided.
    pub undecided: f64,
    /// Time limit of all regions together, the last check included.
    pub timeout: Duration,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The shares that the checker computed.
    pub proved: ProvedVolume,
    /// The certificate that it accepted.
    pub certificate: Vec<u8>,
    /// How many parts each region fell into, and why it was not split any further.
    pub regions: Vec<(Parts, Stop)>,
    /// The parts themselves, of regions in which exactly two inputs vary; the checker accepted what is said of each.
    pub maps: Vec<Option<Map>>,
    /// How long it took.
    pub time: Duration,
}

/// The parts of a region in which two inputs vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The inputs that vary.
    pub inputs: [usize; 2],
    /// The parts.
    pub parts: Vec<Part>,
}

/// Why nothing was measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VolumeError {
    /// The property does not fit the network.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// A region is not a box, or the checker did not accept what it had accepted in parts.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Too many inputs vary.
    #[error("region {region}: volume is measured where at most {MOST_INPUTS} inputs vary, found {found}")]
    TooManyInputs {
        /// The region.
        region: usize,
        /// How many vary.
        found: usize,
    },
}

/// Measures all regions of a property.
///
/// # Errors
///
/// The property does not fit the network, or a region is no box of few inputs.
pub fn measure(
    (network, model): (&Network, &Model<f32>),
    property: &Property,
    goal: Goal,
) -> Result<Measured, VolumeError> {
    property.fits(network)?;
    property.regions().iter().enumerate().try_for_each(|(index, region)| check_region(index, region))?;
    let start = Instant::now();
    let queries = Query::all_of(property);
    let (count, mut proofs) = (queries.len(), Vec::new());
    let (mut regions, mut maps) = (Vec::new(), Vec::new());
    for (index, query) in queries.into_iter().enumerate() {
        let time = goal.timeout.mul_f64((index + 1) as f64 / count as f64);
        let (items, map, end) = search(
            (network, model),
            property,
            query,
            (goal.undecided, Deadline::after(time.saturating_sub(start.elapsed()))),
        )?;
        proofs.push(Proof { region: index, items });
        regions.push(end);
        maps.push(map);
    }
    let header = Header::of(network, property);
    let certificate = certificate::encode(&header, &proofs);
    let threads = NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN);
    // Late or not: what has been decided is worth an answer, and the search has left time for this.
    let proved = check::volume(network, property, &certificate, Limits::from(threads))?;
    Ok(Measured { proved, certificate, regions, maps, time: start.elapsed() })
}

fn check_region(index: usize, region: &Region) -> Result<(), VolumeError> {
    if !region.is_box() {
        return Err(Rejected::from(Refusal::NotABox(index)).into());
    }
    match region.bounds.iter().map(|b| b.outer()).filter(|outer| outer.lo < outer.hi).count() {
        found if found > MOST_INPUTS => Err(VolumeError::TooManyInputs { region: index, found }),
        _ => Ok(()),
    }
}

/// What was found out about a region: the tree as the proof says it, its parts as they are drawn, and their numbers.
type Found = (Vec<Item>, Option<Map>, (Parts, Stop));

/// Searches one region.
fn search(
    (network, model): (&Network, &Model<f32>),
    property: &Property,
    query: Query<f32>,
    (undecided, deadline): (f64, Deadline),
) -> Result<Found, VolumeError> {
    let region = query.region;
    let ground = Ground::new(network, &property.regions()[region]).map_err(Rejected::from)?;
    let ends: Vec<Interval> = property.regions()[region].bounds.iter().map(|bound| bound.outer()).collect();
    let varying: Vec<usize> = (0..ends.len()).filter(|input| ends[*input].lo < ends[*input].hi).collect();
    let question = Question::of(query);
    let mut search = VolumeSearch::new(model, &question, ends);
    let accept = |steps: &[(Item, bool)]| check::part(&ground, property, region, steps).is_ok();
    let stop = search.run(undecided, deadline, &accept);
    let inputs = <[usize; 2]>::try_from(varying).ok();
    let map = inputs.map(|inputs| Map { inputs, parts: search.tree().parts() });
    Ok((search.tree().items(), map, (search.parts(), stop)))
}

/// A share, which is a multiple of `2^-52`, in percent with four decimals, rounded up or down.
pub fn percent(share: f64, is_up: bool) -> String {
    let exact = (share * (1_u64 << 52) as f64) as u128 * 1_000_000;
    let rounded = (exact + if is_up { (1 << 52) - 1 } else { 0 }) >> 52;
    format!("{}.{:04}", rounded / 10_000, rounded % 10_000)
}

#[cfg(test)]
mod tests;
