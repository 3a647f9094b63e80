//! How hard each domain of a batch is bounded, and which points of it are worth a look.

use ndarray::{ArrayView1, Axis};

use super::domain::Domain;
use super::judge::{Candidate, Effort, Judge, Judgement};
use crate::deadline::Deadline;

/// A domain's judgement, and what its children should know.
#[derive(Debug)]
pub struct Examined {
    /// The judgement.
    pub judgement: Judgement,
    /// By how much backward bounds improved on forward ones, here or at the nearest ancestor where both were tried.
    pub worth: Option<f32>,
    /// The most promising of a few points, where the domain is not refuted.
    pub candidate: Option<Candidate>,
}

/// Judges some domains and looks at points of those that are not refuted. `None` when the deadline passes first.
pub fn examine(judge: &Judge, domains: &[Domain], deadline: Deadline) -> Option<Vec<Examined>> {
    let mut all = bound(judge, domains, deadline)?;
    let open: Vec<usize> = (0..all.len()).filter(|i| !all[*i].judgement.is_refuted()).collect();
    if !open.is_empty() {
        let (lower, upper) = Domain::boxes(domains);
        let slopes: Vec<ArrayView1<f32>> = open.iter().map(|i| ArrayView1::from(&all[*i].judgement.slopes)).collect();
        let slopes = ndarray::stack(Axis(0), &slopes).expect("slopes of one width");
        let ends = (&lower.select(Axis(0), &open), &upper.select(Axis(0), &open));
        for (place, candidate) in open.into_iter().zip(judge.candidates(ends, slopes.view())) {
            all[place].candidate = candidate;
        }
    }
    Some(all)
}

/// Judges some domains: all by forward bounds, and by backward ones those that these should refute. `None` when the
/// deadline passes first.
pub fn bound(judge: &Judge, domains: &[Domain], deadline: Deadline) -> Option<Vec<Examined>> {
    let (lower, upper) = Domain::boxes(domains);
    let forward = judge.judge(&lower, &upper, (Effort::Forward, deadline))?;
    let mut all: Vec<Examined> = forward
        .into_iter()
        .zip(domains)
        .map(|(judgement, domain)| Examined { judgement, worth: domain.worth, candidate: None })
        .collect();
    let promising: Vec<usize> = (0..all.len()).filter(|i| is_promising(&all[*i])).collect();
    if !promising.is_empty() {
        let (lower, upper) = (lower.select(Axis(0), &promising), upper.select(Axis(0), &promising));
        let backward = judge.judge(&lower, &upper, (Effort::Backward, deadline))?;
        for (place, judgement) in promising.into_iter().zip(backward) {
            let examined = &mut all[place];
            examined.worth = Some((judgement.bound - examined.judgement.bound).max(0.0));
            examined.judgement = judgement;
        }
    }
    Some(all)
}

/// Whether backward bounds should refute the domain, going by what they were worth above it.
fn is_promising(examined: &Examined) -> bool {
    let forward = &examined.judgement;
    let suffices = examined.worth.is_none_or(|worth| forward.bound + worth > 0.0);
    !forward.is_refuted() && forward.undecided > 0 && suffices
}
