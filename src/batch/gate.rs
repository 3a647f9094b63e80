//! The gate of a run in a drawn order, while the run goes on: what the report would say of it, without reading all points again after
//! every answer.
//!
//! The interval counts the points up to the first one without an answer, in the order drawn. An answer beyond that one changes nothing,
//! and is kept until the points before it have theirs.

use super::BatchError;
use super::runner::drawn;
use super::store::RunFacts;
use super::summary::Counts;
use crate::coverage::{Coverage, Sample};

/// A share that is required, and what is known of the points.
#[derive(Clone, Debug)]
pub struct Gate {
    share: f64,
    confidence: f64,
    /// The points of the run, in ascending order.
    asked: Vec<usize>,
    /// The place of each of them in the order drawn.
    places: Vec<usize>,
    /// What became of the point at each place.
    outcomes: Vec<Option<Sample>>,
    /// What the points up to the first one without an answer add up to.
    prefix: Sample,
    /// Whether that decides, once somebody has asked.
    is_decided: Option<bool>,
}

impl Gate {
    /// The gate of a run of which no answer is known.
    ///
    /// # Errors
    ///
    /// The selection of the run is none.
    pub fn of(facts: &RunFacts, share: f64, confidence: f64) -> Result<Gate, BatchError> {
        let asked = facts.asked()?;
        let mut places = vec![0; asked.len()];
        drawn(asked.len(), facts.seed).into_iter().enumerate().for_each(|(place, position)| places[position] = place);
        let (outcomes, prefix) = (vec![None; asked.len()], Sample { points: 0, certain: 0, refuted: 0 });
        Ok(Gate { share, confidence, asked, places, outcomes, prefix, is_decided: None })
    }

    /// Adds the verdict's word of a point. One that was not asked for does not count.
    pub fn add(&mut self, index: usize, word: &str) {
        let Ok(position) = self.asked.binary_search(&index) else { return };
        self.outcomes[self.places[position]] = Some(Counts::of([word], 1).sample());
        while let Some(Some(next)) = self.outcomes.get(self.prefix.points) {
            self.prefix.points += next.points;
            self.prefix.certain += next.certain;
            self.prefix.refuted += next.refuted;
            self.is_decided = None;
        }
    }

    /// Whether the share is certainly reached, or certainly not.
    pub fn is_decided(&mut self) -> bool {
        let (share, confidence, prefix) = (self.share, self.confidence, self.prefix);
        *self.is_decided.get_or_insert_with(|| {
            let coverage = Coverage::at_any_time(prefix, confidence);
            coverage.lower >= share || coverage.upper < share
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::batch::manifest;
    use crate::batch::selection::Shard;
    use crate::batch::store::PointFacts;
    use crate::batch::tests::{self, dataset, two_inputs};

    fn point(index: usize, word: &str) -> PointFacts {
        PointFacts {
            index,
            label: 0,
            predicted: 0,
            confidence: 1.0,
            verdict: word.to_owned(),
            time: Duration::ZERO,
            reason: None,
            property_sha256: String::new(),
            certified_share: None,
            leaves: None,
            certificate_bytes: None,
            falsified_share: None,
        }
    }

    /// Answers come out of order, one never, and some to points that were not asked about.
    #[test]
    fn a_gate_says_what_the_report_says_after_every_answer() {
        let words =
            ["certified", "certified", "certified", "falsified", "timeout", "certified", "misclassified", "unknown"];
        let (selection, shard) = (Some("3..403".to_owned()), Shard::parse("2/2"));
        let base = tests::facts(&two_inputs(), &dataset("1,0,0\n"), "0.1");
        let facts = RunFacts { available: 500, selection, selected: 400, shard, is_drawn: true, ..base };
        let (asked, mut decided, mut open) = (facts.asked().unwrap(), 0, 0);
        for (seed, share) in [(1, 0.4), (2, 0.5), (3, 0.7), (4, 0.9), (5, 0.1)] {
            let facts = RunFacts { seed, ..facts.clone() };
            let mut order: Vec<usize> = drawn(asked.len(), seed).into_iter().map(|place| asked[place]).collect();
            order.remove(150);
            order.chunks_mut(7).for_each(<[usize]>::reverse);
            let mut gate = Gate::of(&facts, share, 0.9).unwrap();
            let mut points: Vec<PointFacts> = Vec::new();
            for index in [0, 3, 499].into_iter().chain(order) {
                let word = words[index * index % 31 % words.len()];
                points.insert(points.partition_point(|point| point.index < index), point(index, word));
                gate.add(index, word);
                let coverage = manifest::coverage(&facts, &points, 0.9).unwrap();
                assert_eq!(Coverage::at_any_time(gate.prefix, 0.9), coverage, "after {} answers", points.len());
                let expected = coverage.lower >= share || coverage.upper < share;
                assert_eq!(gate.is_decided(), expected, "{coverage:?}");
                *(if expected { &mut decided } else { &mut open }) += 1;
            }
        }
        assert!(decided > 50 && open > 50, "{decided} decided, {open} open");
    }
}
