//! Counts and times over the answers of a run.

use std::time::Duration;

/// What became of all points of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Points.
    pub points: usize,
    /// Points proved correct and robust.
    pub certified: usize,
    /// Points with a counterexample within the radius.
    pub falsified: usize,
    /// Points that are their own counterexample.
    pub misclassified: usize,
    /// Points about which nothing was shown, timeouts included.
    pub unknown: usize,
    /// Points whose time limit was reached first.
    pub timeouts: usize,
    /// Points that a run which ended early did not answer; they count as unknown, but not in the times.
    pub unanswered: usize,
    /// Median time of a point.
    pub median: Duration,
    /// The longest time of a point.
    pub longest: Duration,
}

impl Summary {
    /// Sums up verdict words ([`super::points::PointVerdict::word`]) with times.
    pub fn of<'w>(answers: impl IntoIterator<Item = (&'w str, Duration)>) -> Summary {
        let mut summary = Summary::default();
        let mut times = Vec::new();
        for (word, time) in answers {
            summary.points += 1;
            match word {
                "certified" => summary.certified += 1,
                "falsified" => summary.falsified += 1,
                "misclassified" => summary.misclassified += 1,
                _ => summary.unknown += 1,
            }
            summary.timeouts += usize::from(word == "timeout");
            times.push(time);
        }
        times.sort_unstable();
        summary.median = median(&times);
        summary.longest = times.last().copied().unwrap_or_default();
        summary
    }

    /// The same with points that were not answered. Which ones these are may depend on how hard they are, so that leaving them out
    /// would favour the easy ones.
    pub fn with_unanswered(self, count: usize) -> Summary {
        let (points, unknown) = (self.points + count, self.unknown + count);
        Summary { points, unknown, unanswered: self.unanswered + count, ..self }
    }

    /// Points that are not shown to be misclassified.
    pub fn correct(&self) -> usize {
        self.points - self.misclassified
    }

    /// Points shown not to be correct and robust.
    pub fn refuted(&self) -> usize {
        self.falsified + self.misclassified
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
        let seconds = words.iter().enumerate().map(|(i, word)| (*word, Duration::from_secs(i as u64)));
        let s = Summary::of(seconds);
        assert_eq!((s.points, s.certified, s.falsified, s.misclassified, s.unknown, s.timeouts), (6, 2, 1, 1, 2, 1));
        assert_eq!((s.correct(), s.refuted()), (5, 2));
        assert_eq!((s.median, s.longest), (Duration::from_millis(2500), Duration::from_secs(5)));
        assert_eq!(Summary::of([]), Summary::default());
        let early = s.with_unanswered(4);
        assert_eq!((early.points, early.unknown, early.unanswered, early.timeouts), (10, 6, 4, 1));
        assert_eq!((early.median, early.correct(), early.refuted()), (s.median, 9, 2));
    }
}
