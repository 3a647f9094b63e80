//! What the points of a run add up to, bound to each of them: counts, the interval, and the root of a Merkle tree over all answers.
//!
//! The tree is that of RFC 6962: a leaf is the SHA-256 of a zero byte and the entry, an inner node that of a one byte and its two
//! children, and a tree of `n > 1` entries is split at the largest power of two below `n`. Entries stand in the order of the points.
//! An entry is, all integers and floats in 8 bytes with the least significant first:
//!
//! | what | bytes |
//! |---|---|
//! | `bartizan point 2` and a line break | 17 |
//! | the point's index, its label | 8, 8 |
//! | the digest of its property | 32 |
//! | the verdict's word and a line break | |
//! | 1 with the certified share and the certificate's SHA-256, or 0 | 1 or 41 |
//! | 1 with the falsified share and the SHA-256 of the counterexample's floats, or 0 | 1 or 41 |
//!
//! Times, reasons and predictions are left out: two runs that establish the same have the same root.

use bartizan_proof::Digest;

use super::BatchError;
use super::runner::{End, drawn};
use super::store::{PointFacts, RunFacts, StoredPoint, StoredRun};
use super::summary::Counts;
use crate::coverage::Coverage;

/// What the points of a run add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Manifest {
    /// How the run ended.
    pub end: End,
    /// The root of the tree.
    pub root: Digest,
    /// How many points came to what.
    pub counts: Counts,
    /// How the interval was computed.
    pub interval: Interval,
    /// The interval for the share of inputs at which the network is correct and robust.
    pub coverage: Coverage,
}

/// What a manifest depends on of a point's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The point's place in the data set.
    pub index: usize,
    /// The verdict's word.
    pub verdict: String,
    /// The leaf of its entry.
    pub leaf: Digest,
}

impl Answered {
    /// That of a stored point.
    ///
    /// # Errors
    ///
    /// The digest of the property is none.
    pub fn of(run: &StoredRun, point: &StoredPoint) -> Result<Answered, BatchError> {
        let PointFacts { index, verdict, property_sha256, .. } = &point.facts;
        let entry = point.entry().ok_or_else(|| run.odd(*index, "a SHA-256 digest", property_sha256))?;
        Ok(Answered { index: *index, verdict: verdict.clone(), leaf: entry.leaf() })
    }
}

/// How an interval for a share was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Clopper and Pearson's, over all points that were asked for.
    Fixed,
    /// One that holds at every moment of a run in a drawn order, over the points up to the first without an answer.
    AnyTime,
}

impl Interval {
    /// What a run of some kind gets.
    pub fn of(facts: &RunFacts) -> Interval {
        if facts.is_drawn { Interval::AnyTime } else { Interval::Fixed }
    }

    /// The word that a store keeps.
    pub fn name(self) -> &'static str {
        match self {
            Interval::Fixed => "clopper-pearson",
            Interval::AnyTime => "any-time",
        }
    }

    /// The interval of a name.
    pub fn parse(name: &str) -> Option<Interval> {
        [Interval::Fixed, Interval::AnyTime].into_iter().find(|interval| interval.name() == name)
    }
}

impl Manifest {
    /// What the points of a store add up to.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or a digest in it is none.
    pub fn of(run: &StoredRun, end: End, confidence: f64) -> Result<Manifest, BatchError> {
        let answered = |index: usize| Answered::of(run, &run.point(index)?);
        let points = run.indices()?.into_iter().map(answered).collect::<Result<Vec<Answered>, _>>()?;
        Manifest::over(run.facts(), &points, end, confidence)
    }

    /// What given points of a run add up to, in ascending order.
    ///
    /// # Errors
    ///
    /// The selection of the run is none.
    pub fn over(facts: &RunFacts, points: &[Answered], end: End, confidence: f64) -> Result<Manifest, BatchError> {
        let leaves: Vec<Digest> = points.iter().map(|point| point.leaf).collect();
        let words: Vec<(usize, &str)> = points.iter().map(|point| (point.index, point.verdict.as_str())).collect();
        let counts = Counts::of(words.iter().map(|(_, word)| *word), facts.asked_count());
        let coverage = coverage_of(facts, &words, confidence)?;
        Ok(Manifest { end, root: root(&leaves), counts, interval: Interval::of(facts), coverage })
    }
}

/// A figure of a manifest that is not what the points of its run add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongFigure {
    /// The column of the table `manifest`.
    pub column: &'static str,
    /// What the points add up to.
    pub expected: String,
    /// What the manifest says.
    pub found: String,
}

/// Ends of intervals may differ by so much where another system's library computed logarithms.
const TOLERANCE: f64 = 1e-12;

impl Manifest {
    /// The first figure of a stored manifest that differs from this one, which was computed from the points.
    pub fn wrong_figure(&self, stored: &Manifest) -> Option<WrongFigure> {
        let ends = |manifest: &Manifest| match manifest.end {
            End::Completion if self.counts.unanswered > 0 => "another end".to_owned(),
            end => end.name().to_owned(),
        };
        let near = |own: f64, other: f64| if (own - other).abs() <= TOLERANCE { own } else { other };
        let columns = |m: &Manifest| {
            [
                ("root", m.root.to_string()),
                ("points", m.counts.points.to_string()),
                ("certified", m.counts.certified.to_string()),
                ("falsified", m.counts.falsified.to_string()),
                ("misclassified", m.counts.misclassified.to_string()),
                ("unknown", m.counts.unknown.to_string()),
                ("unanswered", m.counts.unanswered.to_string()),
                ("interval", m.interval.name().to_owned()),
                ("lower", near(self.coverage.lower, m.coverage.lower).to_string()),
                ("upper", near(self.coverage.upper, m.coverage.upper).to_string()),
            ]
        };
        let end = ("ended_by", ends(self), stored.end.name().to_owned());
        let pairs =
            columns(self).into_iter().zip(columns(stored)).map(|((column, own), (_, found))| (column, own, found));
        let wrong = std::iter::once(end).chain(pairs).find(|(_, expected, found)| expected != found);
        wrong.map(|(column, expected, found)| WrongFigure { column, expected, found })
    }
}

/// The interval of a run.
///
/// # Errors
///
/// The selection of the run is none.
pub fn coverage(facts: &RunFacts, points: &[PointFacts], confidence: f64) -> Result<Coverage, BatchError> {
    let words: Vec<(usize, &str)> = points.iter().map(|point| (point.index, point.verdict.as_str())).collect();
    coverage_of(facts, &words, confidence)
}

/// The same from the words of the points, in ascending order.
fn coverage_of(facts: &RunFacts, words: &[(usize, &str)], confidence: f64) -> Result<Coverage, BatchError> {
    match Interval::of(facts) {
        Interval::Fixed => {
            let counts = Counts::of(words.iter().map(|(_, word)| *word), facts.asked_count());
            Ok(Coverage::of(counts.sample(), confidence))
        }
        Interval::AnyTime => {
            let asked = facts.asked()?;
            let order = drawn(asked.len(), facts.seed).into_iter().map(|place| asked[place]);
            let word = |index: usize| {
                let place = words.binary_search_by_key(&index, |(point, _)| *point).ok()?;
                Some(words[place].1)
            };
            let words: Vec<&str> = order.map_while(word).collect();
            let counts = Counts::of(words.iter().copied(), words.len());
            Ok(Coverage::at_any_time(counts.sample(), confidence))
        }
    }
}

/// Puts leaves apart from inner nodes.
const LEAF: u8 = 0;

/// Puts inner nodes apart from leaves.
const NODE: u8 = 1;

/// What an entry starts with.
const ENTRY: &[u8] = b"bartizan point 2\n";

/// What the tree knows of a point.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    /// The point's place in the data set.
    pub index: usize,
    /// Its label.
    pub label: usize,
    /// Digest of its property, within the whole radius.
    pub property: Digest,
    /// The verdict's word.
    pub verdict: &'e str,
    /// The certified share, and the certificate.
    pub certified: Option<(f64, &'e [u8])>,
    /// The falsified share, and the counterexample.
    pub falsified: Option<(f64, &'e [f64])>,
}

impl Entry<'_> {
    /// The leaf of the entry.
    pub fn leaf(&self) -> Digest {
        let mut bytes = vec![LEAF];
        bytes.extend(ENTRY);
        bytes.extend((self.index as u64).to_le_bytes());
        bytes.extend((self.label as u64).to_le_bytes());
        bytes.extend(self.property.bytes());
        bytes.extend(self.verdict.as_bytes());
        bytes.push(b'\n');
        let floats = |point: &[f64]| -> Vec<u8> { point.iter().flat_map(|x| x.to_le_bytes()).collect() };
        for evidence in [
            self.certified.map(|(share, bytes)| (share, Digest::of(bytes))),
            self.falsified.map(|(share, point)| (share, Digest::of(&floats(point)))),
        ] {
            bytes.push(u8::from(evidence.is_some()));
            if let Some((share, digest)) = evidence {
                bytes.extend(share.to_le_bytes());
                bytes.extend(digest.bytes());
            }
        }
        Digest::of(&bytes)
    }
}

/// The root over leaves; that of no leaves is the digest of nothing.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            let mut bytes = vec![NODE];
            [left, right].iter().for_each(|side| bytes.extend(root(side).bytes()));
            Digest::of(&bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `hashlib` over the table above and RFC 6962's recursion, written down independently.
    const ROOTS: [(usize, &str); 4] = [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "95aef1424c877b37b5901ddf02e159a5891ffd3972b24d75716155426c05d5bf"),
        (2, "7f6cd936fa1ebeb079958479ac789ee8fcb908293c5811360eab67c756ef7384"),
        (5, "bb0c9d1710ee818ef65c3e78b40e6080452d8ffb3856b77dc6420a590a734d48"),
    ];

    fn entry(index: usize) -> Entry<'static> {
        let (certified, falsified) = match index % 3 {
            0 => (Some((1.0, &b"proof"[..])), None),
            1 => (None, Some((0.5, &[1.0, -2.5][..]))),
            _ => (None, None),
        };
        let verdict = ["certified", "falsified", "unknown"][index % 3];
        Entry { index, label: 7, property: Digest::of(b"property"), verdict, certified, falsified }
    }

    #[test]
    fn roots_agree_with_an_independent_computation() {
        for (count, expected) in ROOTS {
            let leaves: Vec<Digest> = (0..count).map(|index| entry(index).leaf()).collect();
            assert_eq!(root(&leaves).to_string(), expected, "{count} entries");
        }
    }

    #[test]
    fn every_part_of_an_entry_counts() {
        let base = entry(0);
        let others = [
            Entry { index: 1, ..base },
            Entry { label: 6, ..base },
            Entry { property: Digest::of(b"other"), ..base },
            Entry { verdict: "unknown", ..base },
            Entry { certified: Some((1.0, b"other")), ..base },
            Entry { certified: Some((0.5, b"proof")), ..base },
            Entry { certified: None, falsified: Some((1.0, &[0.0])), ..base },
            Entry { certified: None, falsified: Some((1.0, &[-0.0])), ..base },
        ];
        let mut leaves: Vec<Digest> = others.iter().map(Entry::leaf).chain([base.leaf()]).collect();
        leaves.sort_unstable_by_key(|leaf| *leaf.bytes());
        leaves.dedup();
        assert_eq!(leaves.len(), others.len() + 1);
    }
}
