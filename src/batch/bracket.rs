//! Within which share of the radius a point is robust: the largest share that is certified and the smallest that is falsified.
//!
//! Robustness is monotone in the radius, so that a search between the two ends moves one of them with every answer. Shares are multiples
//! of a power of two, and thus exact. What one answer cost helps the next:
//!
//! * A counterexample is drawn towards the point as far as it remains one, and stands for the smallest share that holds it.
//! * A certificate is tried on a larger share as it is: its slopes, multipliers and splits may do there too, and only the checker is
//!   needed to find out.
//! * Linear bounds of many shares are computed in one batch.

use std::time::Duration;

use bartizan_proof::{Violated, check};

use super::BatchError;
use super::answer::{Certified, Falsified};
use super::points::Posed;
use super::runner::PointResult;
use crate::certify;
use crate::deadline::Deadline;
use crate::outcome::{Reason, Verdict};
use crate::verify::{Easy, Options, Verifier};

/// A search for the share of one point.
pub(super) struct Bracketing<'b> {
    pub verifier: &'b Verifier,
    pub options: &'b Options,
    /// What the point poses within a share of the radius.
    pub pose: &'b dyn Fn(f64) -> Result<Posed, BatchError>,
    pub deadline: Deadline,
    /// The difference between the two shares that is small enough.
    pub precision: f64,
}

/// What is known so far; shares are counted in steps.
struct Known {
    /// All of the radius.
    steps: usize,
    /// The largest certified share.
    certified: Option<(usize, Certified)>,
    /// The smallest falsified share.
    falsified: Option<(usize, Falsified)>,
    /// The smallest and the largest share about which nothing was shown, and why.
    open: Option<(usize, usize, Reason)>,
}

/// The finest grid: steps that are a power of two of at most this exponent.
const FINEST: u32 = 20;

/// Shares that are bounded in one batch.
const TOGETHER: usize = 8;

/// Of the time that is left, the part that one share may take: some have no answer.
const PART: u32 = 4;

impl Bracketing<'_> {
    /// Searches until the shares are near enough, nothing more can be shown or time is over.
    pub fn run(&self) -> Result<PointResult, BatchError> {
        let exponent = (0..FINEST).find(|exponent| 0.5f64.powi(*exponent as i32) <= self.precision).unwrap_or(FINEST);
        let mut known = Known { steps: 1 << exponent, certified: None, falsified: None, open: None };
        self.attempt(&mut known, 1 << exponent)?;
        // Twice, since the first batch leaves a gap that the second may narrow.
        for _ in 0..2 {
            self.bound_together(&mut known)?;
        }
        while let Some(step) = known.next() {
            if self.deadline.has_passed() {
                known.open.get_or_insert((step, step, Reason::Timeout(None))).2 = Reason::Timeout(None);
                break;
            }
            self.attempt(&mut known, step)?;
        }
        let reason = known.is_wide().then(|| known.open.take()).flatten().map(|(_, _, reason)| reason);
        let (certified, falsified) = (known.certified.map(|c| c.1), known.falsified.map(|f| f.1));
        Ok(PointResult { certified, falsified, reason })
    }

    /// Tries linear bounds on shares between what is certified and the next that has an answer.
    fn bound_together(&self, known: &mut Known) -> Result<(), BatchError> {
        let (from, to) = (known.lowest(), known.end_of_certain());
        let mut steps: Vec<usize> = (1..=TOGETHER).map(|i| from + (to - from) * i / (TOGETHER + 1)).collect();
        steps.retain(|step| *step > from && *step < to);
        steps.dedup();
        let posed = steps.iter().map(|step| (self.pose)(known.share(*step))).collect::<Result<Vec<Posed>, _>>()?;
        let properties: Vec<_> = posed.iter().map(|posed| &posed.property).collect();
        let answers = self.verifier.prove_linearly(&properties, self.deadline);
        for (step, easy) in steps.into_iter().zip(answers) {
            if let Easy::Verified(verified, certificate) = easy {
                let share = known.share(step);
                known.certify(step, Certified { share, verified, certificate });
            }
        }
        Ok(())
    }

    /// Finds out what can be said of a share.
    fn attempt(&self, known: &mut Known, step: usize) -> Result<(), BatchError> {
        let share = known.share(step);
        let posed = (self.pose)(share)?;
        if let Some(certified) = self.transfer(known, &posed, share)? {
            known.certify(step, certified);
            return Ok(());
        }
        let timeout = (self.deadline.remaining() / PART).max(Duration::from_millis(1));
        let options = Options { timeout, ..self.options.clone() };
        // The question was posed before; it fits.
        let Ok(outcome) = self.verifier.verify(&posed.property, &options) else { return Ok(()) };
        match outcome.verdict {
            Verdict::Verified(verified, certificate) => known.certify(step, Certified { share, verified, certificate }),
            Verdict::Violated(violated) => self.draw_near(known, (step, violated), &posed.centre)?,
            Verdict::Unknown(reason) => known.leave(step, reason),
        }
        Ok(())
    }

    /// The proof of the largest certified share, where the checker accepts it for another one.
    fn transfer(&self, known: &Known, posed: &Posed, share: f64) -> Result<Option<Certified>, BatchError> {
        let Some((_, from)) = &known.certified else { return Ok(None) };
        let old = (self.pose)(from.share)?;
        let Some(certificate) = certify::transferred(&from.certificate, &old.property, &posed.property) else {
            return Ok(None);
        };
        let network = self.verifier.network();
        let checked = check::verify(network, &posed.property, &certificate, certify::limits(self.deadline));
        Ok(checked.ok().map(|verified| Certified { share, verified, certificate }))
    }

    /// Finds the smallest share that a counterexample, drawn towards the centre, lies in.
    fn draw_near(
        &self,
        known: &mut Known,
        (step, violated): (usize, Violated),
        centre: &[f64],
    ) -> Result<(), BatchError> {
        let found = violated.point().to_vec();
        let share = known.share(step);
        known.falsify(step, Falsified { share, violated });
        // Below `low` nothing was accepted; `high` was.
        let (mut low, mut high) = (known.lowest(), step);
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            let share = known.share(middle);
            match self.replay_at(share, (&found, share / known.share(step)), centre)? {
                Some(violated) => {
                    known.falsify(middle, Falsified { share, violated });
                    high = middle;
                }
                None => low = middle,
            }
        }
        Ok(())
    }

    /// Replays a counterexample within a share: as it is, and drawn towards the centre by a factor.
    fn replay_at(
        &self,
        share: f64,
        (found, factor): (&[f64], f64),
        centre: &[f64],
    ) -> Result<Option<Violated>, BatchError> {
        let property = (self.pose)(share)?.property;
        let bounds = &property.regions()[0].bounds;
        let near = found.iter().zip(centre).zip(bounds).map(|((x, c), bound)| {
            let permitted = bound.inner().unwrap_or(bound.outer());
            (c + (x - c) * factor).clamp(permitted.lo, permitted.hi)
        });
        let clamped = found.iter().zip(bounds).map(|(x, bound)| {
            let permitted = bound.inner().unwrap_or(bound.outer());
            x.clamp(permitted.lo, permitted.hi)
        });
        let candidates = [clamped.collect::<Vec<f64>>(), near.collect()];
        Ok(candidates.iter().find_map(|point| check::replay(self.verifier.network(), &property, point).ok()))
    }
}

impl Known {
    fn share(&self, step: usize) -> f64 {
        step as f64 / self.steps as f64
    }

    /// The largest certified step.
    fn lowest(&self) -> usize {
        self.certified.as_ref().map_or(0, |(step, _)| *step)
    }

    /// The smallest falsified step, or one more than all.
    fn highest(&self) -> usize {
        self.falsified.as_ref().map_or(self.steps + 1, |(step, _)| *step)
    }

    /// The first step above the certified ones of which something else is known.
    fn end_of_certain(&self) -> usize {
        self.open.as_ref().map_or(self.highest(), |(first, ..)| *first)
    }

    /// Whether steps lie between the two ends.
    fn is_wide(&self) -> bool {
        self.highest() - self.lowest() > 1
    }

    /// The middle of the wider gap that has not been tried.
    fn next(&self) -> Option<usize> {
        let below = (self.lowest(), self.end_of_certain());
        let above = (self.open.as_ref().map_or(below.1, |(_, last, _)| *last), self.highest());
        let (from, to) = if above.1 - above.0 > below.1 - below.0 { above } else { below };
        (to - from > 1).then(|| usize::midpoint(from, to))
    }

    fn certify(&mut self, step: usize, certified: Certified) {
        if step > self.lowest() {
            self.certified = Some((step, certified));
            self.narrow();
        }
    }

    fn falsify(&mut self, step: usize, falsified: Falsified) {
        if step < self.highest() {
            self.falsified = Some((step, falsified));
            self.narrow();
        }
    }

    fn leave(&mut self, step: usize, reason: Reason) {
        self.open = match self.open.take() {
            None => Some((step, step, reason)),
            Some((first, last, _)) => Some((first.min(step), last.max(step), reason)),
        };
    }

    /// Forgets open steps that have an answer by now.
    fn narrow(&mut self) {
        let (low, high) = (self.lowest(), self.highest());
        self.open = self.open.take().and_then(|(first, last, reason)| {
            let (first, last) = (first.max(low + 1), last.min(high - 1));
            (first <= last).then_some((first, last, reason))
        });
    }
}
