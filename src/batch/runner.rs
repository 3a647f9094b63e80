//! A run over the points of a data set: easy ones first, and what time is left where it may still change a verdict.
//!
//! 1. Batches of points share one pass of linear bounds ([`Verifier::prove_linearly`]), which decides most points of a robust network at a
//!    small radius. Which points share a batch depends on the run alone, so that a run that is continued gives the same certificates.
//! 2. The rest climb the whole ladder, in the order of how near the first pass came. Where the run has a budget they do so in rounds
//!    with growing time limits.
//!
//! A run in a drawn order has no first pass and no rounds: its points are answered in a random order, and it may end at any moment. What
//! it says by then counts the points up to the first one without an answer.

use std::time::{Duration, Instant};

use bartizan_proof::{Violated, check};
use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::answer::{Certified, Falsified, PointAnswer, Prediction, WHOLE};
use super::bracket::Bracketing;
use super::dataset::Dataset;
use super::points::{Posed, Question, refused};
use super::{BatchError, workers};
use crate::deadline::{Deadline, Flag};
use crate::outcome::{Reason, Verdict};
use crate::verify::{Easy, Options, Verifier};

/// A question about some points of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// The network.
    pub verifier: &'r Verifier,
    /// The data set.
    pub dataset: &'r Dataset,
    /// The points that are meant, in ascending order.
    pub selection: &'r [usize],
    /// The question.
    pub question: &'r Question,
    /// Settings of the search; the time limit is that of one point.
    pub options: &'r Options,
    /// How the run goes about it.
    pub plan: Plan<'r>,
}

/// How a run goes about its points. None of it changes an answer.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'r> {
    /// Points that have been answered before, in ascending order.
    pub answered: &'r [usize],
    /// What is looked for.
    pub aim: Aim,
    /// In which order.
    pub order: Order,
    /// Time limit of the whole run.
    pub budget: Option<Duration>,
    /// Number of threads.
    pub jobs: usize,
}

/// What a run looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// Whether each point is robust within the radius.
    Verdict,
    /// Within which share of the radius each point is robust, up to this difference.
    Bracket(f64),
}

/// In which order points are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Easy ones first.
    EasyFirst,
    /// At random, by a seed.
    Drawn(u64),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// All points have an answer.
    Completion,
    /// The budget was used up.
    Budget,
    /// Somebody interrupted it.
    Interruption,
    /// What was asked of all points together was decided.
    Gate,
}

/// What a receiver of answers says of going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    More,
    /// Enough is known.
    Enough,
}

/// A point without an answer so far.
#[derive(Clone, Copy, Debug)]
struct Open {
    index: usize,
    prediction: Option<Prediction>,
    /// How far linear bounds are from a proof; the less, the sooner something stronger may find one.
    gap: f64,
}

/// What came of an attempt at a point.
enum Attempt {
    Answer(Box<PointAnswer>),
    /// Nothing within the limit of a round that is not the last.
    Again,
    /// The run was over before the point's own time.
    Dropped,
}

/// Time limit of the first round of a run with a budget, in seconds, and by how much limits grow.
const ROUNDS: (f64, f64) = (1.0, 4.0);

/// Outputs that are nearer to each other than this share of the largest are compared in exact arithmetic.
const NARROW: f64 = 1e-9;

impl Plan<'_> {
    /// All points, in verdicts, easy ones first.
    pub fn simple(jobs: usize) -> Plan<'static> {
        Plan { answered: &[], aim: Aim::Verdict, order: Order::EasyFirst, budget: None, jobs }
    }
}

impl End {
    /// The end of a name.
    pub fn parse(name: &str) -> Option<End> {
        [End::Completion, End::Budget, End::Interruption, End::Gate].into_iter().find(|end| end.name() == name)
    }

    /// The word that a store keeps.
    pub fn name(self) -> &'static str {
        match self {
            End::Completion => "completion",
            End::Budget => "budget",
            End::Interruption => "interruption",
            End::Gate => "gate",
        }
    }
}

/// The places `0..count` in the order that a seed draws.
pub fn drawn(count: usize, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    places
}

impl Run<'_> {
    /// Checks that the question can be asked about every chosen point, so that a run does not fail halfway.
    ///
    /// # Errors
    ///
    /// The data set does not fit the network, or the first point that does not fit the question.
    pub fn check(&self) -> Result<(), BatchError> {
        self.dataset.fits(self.verifier.network())?;
        self.selection.iter().try_for_each(|index| self.pose(*index).map(|_| ()))
    }

    /// Answers for all chosen points without an answer. `finished` is called as each answer comes, on the calling thread, and says
    /// whether to go on; if not, points that have begun are ended and their answers dropped. Answers come in no particular order, but
    /// apart from time limits their content does not depend on the number of threads, nor on which points have been answered before.
    ///
    /// # Errors
    ///
    /// As [`Run::check`], or the threads cannot be started, or whatever `finished` returns; then points that have begun are ended and
    /// their answers dropped.
    pub fn answer<E: From<BatchError>>(&self, finished: impl FnMut(PointAnswer) -> Result<Next, E>) -> Result<End, E> {
        let stop = Flag::within(self.options.cancelled);
        let options = Options { cancelled: Some(stop), ..self.options.clone() };
        Run { options: &options, ..*self }.answer_until(stop, finished)
    }

    /// The same, where `stop` ends the search at every point.
    fn answer_until<E: From<BatchError>>(
        &self,
        stop: &Flag,
        mut finished: impl FnMut(PointAnswer) -> Result<Next, E>,
    ) -> Result<End, E> {
        let start = Instant::now();
        let mut open = Vec::new();
        let mut end = End::Completion;
        let mut deliver = |answer: PointAnswer| {
            let goes_on = finished(answer)? == Next::More;
            if !goes_on {
                end = End::Gate;
            }
            Ok::<bool, E>(goes_on)
        };
        if !self.look((start, stop), &mut open, &mut deliver)? {
            return Ok(End::Gate);
        }
        let mut dropped = false;
        for limit in self.limits() {
            let tasks = std::mem::take(&mut open);
            let round = (limit, limit >= self.options.timeout);
            let work = |task: usize| self.climb(&tasks[task], round, start);
            let receive = |task: usize, attempt: Result<Attempt, BatchError>| -> Result<bool, E> {
                match attempt? {
                    Attempt::Answer(answer) => return deliver(*answer),
                    Attempt::Again => open.push(tasks[task]),
                    Attempt::Dropped => dropped = true,
                }
                Ok(true)
            };
            if !workers::run_while((tasks.len(), self.plan.jobs), stop, work, receive)? {
                break;
            }
            sort(&mut open);
        }
        Ok(match (end, dropped) {
            (End::Completion, true) if self.is_cancelled() => End::Interruption,
            (End::Completion, true) => End::Budget,
            (end, _) => end,
        })
    }

    /// The first pass: answers for some points, and the others in the order in which to go on with them. Returns whether to go on.
    fn look<E: From<BatchError>>(
        &self,
        (start, stop): (Instant, &Flag),
        open: &mut Vec<Open>,
        deliver: &mut dyn FnMut(PointAnswer) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let unknown = |index: usize| Open { index, prediction: None, gap: f64::INFINITY };
        if let Order::Drawn(seed) = self.plan.order {
            let all = drawn(self.selection.len(), seed).into_iter().map(|place| self.selection[place]);
            open.extend(all.filter(|index| !self.is_answered(*index)).map(unknown));
            return Ok(true);
        }
        let size = self.verifier.batch_size(self.options);
        if size < 2 || self.plan.aim != Aim::Verdict {
            open.extend(self.selection.iter().copied().filter(|index| !self.is_answered(*index)).map(unknown));
            return Ok(true);
        }
        let batches: Vec<&[usize]> =
            self.selection.chunks(size).filter(|batch| batch.iter().any(|index| !self.is_answered(*index))).collect();
        let work = |task: usize| {
            let untouched = || Ok((Vec::new(), batches[task].iter().copied().map(unknown).collect()));
            match self.is_over(start) {
                true => untouched(),
                // Where one point hits a bug, the others still climb.
                false => workers::caught(|| self.look_at(batches[task], start)).unwrap_or_else(|_| untouched()),
            }
        };
        let receive = |_: usize, found: Result<(Vec<PointAnswer>, Vec<Open>), BatchError>| -> Result<bool, E> {
            let (answers, rest) = found?;
            open.extend(rest.into_iter().filter(|point| !self.is_answered(point.index)));
            for answer in answers.into_iter().filter(|answer| !self.is_answered(answer.index)) {
                if !deliver(answer)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let goes_on = workers::run_while((batches.len(), self.plan.jobs), stop, work, receive)?;
        sort(open);
        Ok(goes_on)
    }

    /// The first pass over one batch.
    fn look_at(&self, batch: &[usize], run: Instant) -> Result<(Vec<PointAnswer>, Vec<Open>), BatchError> {
        let start = Instant::now();
        #[cfg(test)]
        batch.iter().for_each(|index| tests::behave(self.options, *index));
        let posed = batch.iter().map(|index| self.pose(*index)).collect::<Result<Vec<Posed>, _>>()?;
        let predictions = self.predict(&posed);
        let (mut answers, mut rest) = (Vec::new(), Vec::new());
        for (place, (posed, prediction)) in posed.iter().zip(&predictions).enumerate() {
            match self.misclassified(batch[place], posed, prediction) {
                Some(violated) => answers.push((place, PointResult::misclassified(violated))),
                None => rest.push(place),
            }
        }
        let properties: Vec<_> = rest.iter().map(|place| &posed[*place].property).collect();
        let limit = self.deadline(self.options.timeout, run);
        let mut open = Vec::new();
        for (place, easy) in rest.iter().zip(self.verifier.prove_linearly(&properties, limit)) {
            match easy {
                Easy::Verified(verified, certificate) => {
                    let certified = Certified { share: WHOLE, verified, certificate };
                    answers.push((*place, PointResult { certified: Some(certified), ..PointResult::default() }));
                }
                Easy::Open(bound) => {
                    open.push(Open { index: batch[*place], prediction: Some(predictions[*place].0), gap: -bound });
                }
            }
        }
        // Nobody can say which point of a batch took how long.
        let time = start.elapsed() / u32::try_from(batch.len()).unwrap_or(u32::MAX).max(1);
        let answer = |(place, result): (usize, PointResult)| {
            self.assemble((batch[place], predictions[place].0), &posed[place], (result, time))
        };
        Ok((answers.into_iter().map(answer).collect(), open))
    }

    /// Predictions for points, each with whether its label may not be the largest output.
    fn predict(&self, posed: &[Posed]) -> Vec<(Prediction, Vec<f64>)> {
        let inputs = self.verifier.network().input_size();
        let centres: Vec<f64> = posed.iter().flat_map(|posed| posed.centre.iter().copied()).collect();
        let Ok(centres) = Array2::from_shape_vec((posed.len(), inputs), centres) else { return Vec::new() };
        let values = self.verifier.wide_model().evaluate(centres.view());
        let outputs = values[self.verifier.wide_model().output()].rows().into_iter().map(|row| row.to_vec());
        outputs.map(|outputs| (Prediction::of(&outputs), outputs)).collect()
    }

    /// The point as its own counterexample, where it is one.
    fn misclassified(&self, index: usize, posed: &Posed, (_, outputs): &(Prediction, Vec<f64>)) -> Option<Violated> {
        let label = self.dataset.label(index);
        let scale = outputs.iter().fold(0.0, |largest: f64, output| largest.max(output.abs()));
        let is_above = |(class, output): (usize, &f64)| class == label || outputs[label] - output > NARROW * scale;
        if outputs.iter().enumerate().all(is_above) {
            return None;
        }
        check::replay(self.verifier.network(), &posed.property, &posed.centre).ok()
    }

    /// All that can be done about one point within a time limit.
    fn climb(&self, open: &Open, (limit, is_last): (Duration, bool), run: Instant) -> Result<Attempt, BatchError> {
        if self.is_over(run) {
            return Ok(Attempt::Dropped);
        }
        let start = Instant::now();
        let posed = self.pose(open.index)?;
        let is_cut = self.left(run).is_some_and(|left| left < limit);
        let deadline = self.deadline(limit, run);
        let prediction = match open.prediction {
            Some(prediction) => prediction,
            None => self.predict(std::slice::from_ref(&posed)).swap_remove(0).0,
        };
        let result = workers::caught(|| self.result(open, &posed, deadline)).unwrap_or_else(|text| {
            Ok(PointResult { reason: Some(Reason::Panicked(text)), ..PointResult::default() })
        })?;
        let is_timeout = matches!(result.reason, Some(Reason::Timeout(_)));
        Ok(match is_timeout {
            true if is_cut || self.is_cancelled() => Attempt::Dropped,
            true if !is_last => Attempt::Again,
            _ => {
                let answer = self.assemble((open.index, prediction), &posed, (result, start.elapsed()));
                Attempt::Answer(Box::new(answer))
            }
        })
    }

    fn result(&self, open: &Open, posed: &Posed, deadline: Deadline) -> Result<PointResult, BatchError> {
        #[cfg(test)]
        tests::behave(self.options, open.index);
        let network = self.verifier.network();
        if open.prediction.is_none()
            && let Ok(violated) = check::replay(network, &posed.property, &posed.centre)
        {
            return Ok(PointResult::misclassified(violated));
        }
        if let Aim::Bracket(precision) = self.plan.aim {
            let pose = |share: f64| self.question.pose_at(network, (self.dataset, open.index), share);
            return Bracketing { verifier: self.verifier, options: self.options, pose: &pose, deadline, precision }
                .run();
        }
        let options = Options { timeout: deadline.remaining(), ..self.options.clone() };
        let outcome = self.verifier.verify(&posed.property, &options);
        let verdict = outcome.map_err(|error| refused(self.dataset, open.index, error))?.verdict;
        Ok(PointResult::of(verdict, WHOLE))
    }

    fn assemble(
        &self,
        (index, prediction): (usize, Prediction),
        posed: &Posed,
        (result, time): (PointResult, Duration),
    ) -> PointAnswer {
        let PointResult { certified, falsified, reason } = result;
        let (label, property) = (self.dataset.label(index), posed.property.digest());
        PointAnswer { index, label, prediction, property, certified, falsified, reason, time }
    }

    /// Time limits of the rounds.
    fn limits(&self) -> Vec<Duration> {
        let longest = self.options.timeout;
        let rounds = std::iter::successors(Some(ROUNDS.0), |limit| Some(limit * ROUNDS.1));
        let short = rounds.map(Duration::from_secs_f64).take_while(|limit| *limit < longest);
        let is_drawn = matches!(self.plan.order, Order::Drawn(_));
        let in_rounds = self.plan.budget.is_some() && self.plan.aim == Aim::Verdict && !is_drawn;
        short.filter(|_| in_rounds).chain([longest]).collect()
    }

    /// The end of something that may take so long, in a run that began then.
    fn deadline(&self, limit: Duration, run: Instant) -> Deadline {
        let limit = self.left(run).map_or(limit, |left| left.min(limit));
        Deadline::after(limit).unless(self.options.cancelled)
    }

    /// What is left of the budget.
    fn left(&self, run: Instant) -> Option<Duration> {
        self.plan.budget.map(|budget| budget.saturating_sub(run.elapsed()))
    }

    fn is_over(&self, run: Instant) -> bool {
        self.is_cancelled() || self.left(run) == Some(Duration::ZERO)
    }

    fn is_cancelled(&self) -> bool {
        self.options.cancelled.is_some_and(Flag::is_set)
    }

    fn is_answered(&self, index: usize) -> bool {
        self.plan.answered.binary_search(&index).is_ok()
    }

    fn pose(&self, index: usize) -> Result<Posed, BatchError> {
        self.question.pose(self.verifier.network(), self.dataset, index)
    }
}

/// What is known of a point.
#[derive(Debug, Default)]
pub(super) struct PointResult {
    pub certified: Option<Certified>,
    pub falsified: Option<Falsified>,
    pub reason: Option<Reason>,
}

impl PointResult {
    /// A point that is its own counterexample.
    fn misclassified(violated: Violated) -> PointResult {
        PointResult { falsified: Some(Falsified { share: 0.0, violated }), ..PointResult::default() }
    }

    /// A verdict about a share of the radius.
    pub fn of(verdict: Verdict, share: f64) -> PointResult {
        let nothing = PointResult::default();
        match verdict {
            Verdict::Verified(verified, certificate) => {
                PointResult { certified: Some(Certified { share, verified, certificate }), ..nothing }
            }
            Verdict::Violated(violated) => PointResult { falsified: Some(Falsified { share, violated }), ..nothing },
            Verdict::Unknown(reason) => PointResult { reason: Some(reason), ..nothing },
        }
    }
}

/// Those that are nearest to a proof first.
fn sort(open: &mut [Open]) {
    open.sort_by(|a, b| a.gap.total_cmp(&b.gap).then(a.index.cmp(&b.index)));
}

#[cfg(test)]
mod tests;
