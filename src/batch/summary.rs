//! Counts and times over the answers of a run.

use std::time::Duration;

use crate::coverage::Sample;

/// How many points came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Points that were asked for.
    pub points: usize,
    /// Points proved correct and robust.
    pub certified: usize,
    /// Points with a counterexample within the radius.
    pub falsified: usize,
    /// Points that are their own counterexample.
    pub misclassified: usize,
    /// Points about which nothing was shown, timeouts and points without an answer included.
    pub unknown: usize,
    /// Points that a run which ended early did not answer.
    pub unanswered: usize,
}

/// What became of all points of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many points came to what.
    pub counts: Counts,
    /// Points whose time limit was reached first.
    pub timeouts: usize,
    /// Median time of a point that was answered.
    pub median: Duration,
    /// The longest time of a point.
    pub longest: Duration,
}

impl Counts {
    /// Counts verdict words ([`super::answer::PointAnswer::word`]) of a run over so many points; those without a word were not
    /// answered. Which ones these are may depend on how hard they are, so that leaving them out would favour the easy ones.
    pub fn of<'w>(words: impl IntoIterator<Item = &'w str>, asked: usize) -> Counts {
        let mut counts = Counts { points: asked, unanswered: asked, ..Counts::default() };
        for word in words {
            counts.unanswered = counts.unanswered.saturating_sub(1);
            match word {
                "certified" => counts.certified += 1,
                "falsified" => counts.falsified += 1,
                "misclassified" => counts.misclassified += 1,
                _ => counts.unknown += 1,
            }
        }
        counts.unknown += counts.unanswered;
        counts
    }

    /// Points that were answered, and are not shown to be misclassified; robust or not.
    pub fn correct(&self) -> usize {
        self.points - self.unanswered - self.misclassified
    }

    /// Points shown not to be correct and robust.
    pub fn refuted(&self) -> usize {
        self.falsified + self.misclassified
    }

    /// The sample that they are.
    pub fn sample(&self) -> Sample {
        Sample { points: self.points, certain: self.certified, refuted: self.refuted() }
    }
}

impl Summary {
    /// Sums up verdict words with times of a run over so many points.
    pub fn of<'w>(answers: impl IntoIterator<Item = (&'w str, Duration)>, asked: usize) -> Summary {
        let (words, mut times): (Vec<&str>, Vec<Duration>) = answers.into_iter().unzip();
        times.sort_unstable();
        let timeouts = words.iter().filter(|word| **word == "timeout").count();
        let longest = times.last().copied().unwrap_or_default();
        Summary { counts: Counts::of(words, asked), timeouts, median: median(&times), longest }
    }
}

fn median(sorted: &[Duration]) -> Duration {
    match (sorted.len(), sorted.get(sorted.len() / 2)) {
        (_, None) => Duration::ZERO,
        (count, Some(upper)) if count % 2 == 1 => *upper,
        (count, Some(upper)) => (sorted[count / 2 - 1] + *upper) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_counted_once_and_timeouts_are_unknown() {
        let words = ["certified", "timeout", "falsified", "certified", "misclassified", "unknown"];
        let seconds = || words.iter().enumerate().map(|(i, word)| (*word, Duration::from_secs(i as u64)));
        let s = Summary::of(seconds(), 6);
        let expected =
            Counts { points: 6, certified: 2, falsified: 1, misclassified: 1, unknown: 2, ..Counts::default() };
        assert_eq!((s.counts, s.timeouts), (expected, 1));
        assert_eq!((expected.correct(), expected.refuted()), (5, 2));
        assert_eq!((s.median, s.longest), (Duration::from_millis(2500), Duration::from_secs(5)));
        assert_eq!(Summary::of([], 0), Summary::default());
        let early = Summary::of(seconds(), 10);
        assert_eq!((early.counts.points, early.counts.unknown, early.counts.unanswered), (10, 6, 4));
        assert_eq!((early.timeouts, early.median, early.counts.correct()), (1, s.median, 5));
    }
}
