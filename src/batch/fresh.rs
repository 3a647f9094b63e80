//! Fresh inputs inside certified regions: where a proof about a point says something about inputs that nobody had seen.
//!
//! An input inside the certified region of a point, in raw units, is certain to get that point's label. How many inputs of a disjoint
//! sample lie in some certified region estimates the share of all inputs of which this is known.

use bartizan_proof::Interval;
use bartizan_proof::property::Norm;
use rayon::prelude::*;

use super::dataset::Dataset;
use super::points::Question;
use super::store::PointFacts;
use super::{BatchError, workers};

/// Certified points that are held in memory at a time.
const TOGETHER: usize = 256;

/// Which of some fresh points lie in the certified region of some point of a run. An input that lies on a border up to rounding counts
/// as outside.
///
/// # Errors
///
/// The points cannot be read, or the threads cannot be started.
pub fn inside(
    question: &Question,
    (dataset, points): (&Dataset, &[PointFacts]),
    (fresh, chosen): (&Dataset, &[usize]),
    jobs: usize,
) -> Result<Vec<bool>, BatchError> {
    let certified: Vec<(usize, f64)> =
        points.iter().filter_map(|point| Some((point.index, point.certified_share?))).collect();
    let mut found = vec![false; chosen.len()];
    for block in certified.chunks(TOGETHER) {
        let centres = block
            .iter()
            .map(|(index, share)| Ok(Centre { point: dataset.point(*index)?, share: *share }))
            .collect::<Result<Vec<Centre>, BatchError>>()?;
        let look = |(found, index): (&mut bool, &usize)| {
            if !*found {
                let input = fresh.point(*index)?;
                *found = centres.iter().any(|centre| centre.holds(question, &input));
            }
            Ok::<(), BatchError>(())
        };
        workers::run_one(jobs, || found.par_iter_mut().zip(chosen).try_for_each(look))??;
    }
    Ok(found)
}

/// A certified point.
struct Centre {
    point: Vec<f64>,
    /// The certified share of the radius.
    share: f64,
}

impl Centre {
    /// Whether an input is certain to lie in the region.
    fn holds(&self, question: &Question, input: &[f64]) -> bool {
        let is_valid = |x: &f64| question.clip.is_none_or(|(lowest, highest)| lowest.hi <= *x && *x <= highest.lo);
        if input.len() != self.point.len() || !input.iter().all(is_valid) {
            return false;
        }
        let share = Interval::point(self.share);
        let mut sum = Interval::point(0.0);
        for ((x, centre), radius) in input.iter().zip(&self.point).zip(&question.radii) {
            let difference = Interval::point(*x) - Interval::point(*centre);
            let radius = *radius * share;
            if difference.magnitude() > radius.lo {
                return false;
            }
            if question.norm.is_none() || difference.magnitude() == 0.0 {
                continue;
            }
            let Some(part) = difference.divided_by(radius).map(|part| Interval::point(part.magnitude())) else {
                return false;
            };
            sum = sum + if question.norm == Some(Norm::L2) { part * part } else { part };
        }
        sum.hi <= 1.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::batch::tests::{dataset, question};

    fn facts(index: usize, certified_share: Option<f64>) -> PointFacts {
        PointFacts {
            index,
            label: 0,
            predicted: 0,
            confidence: 1.0,
            verdict: String::new(),
            time: Duration::ZERO,
            reason: None,
            property_sha256: String::new(),
            certified_share,
            leaves: None,
            certificate_bytes: None,
            falsified_share: None,
        }
    }

    fn found(question: &Question) -> Vec<bool> {
        let run = dataset("0,0,0\n2,2,0\n5,5,0\n");
        let fresh = dataset("0.24,0.24,0\n0.49,0.49,0\n0.49,0,0\n0.4,0.2,0\n2.2,2.2,0\n2.3,2,0\n5,5,0\n0.6,0,0\n");
        let points = [facts(0, Some(1.0)), facts(1, Some(0.5)), facts(2, None)];
        let chosen: Vec<usize> = (0..fresh.len()).collect();
        inside(question, (&run, &points), (&fresh, &chosen), 2).unwrap()
    }

    #[test]
    fn inputs_count_where_a_proof_reaches() {
        let square = question("0.5");
        assert_eq!(found(&square), [true, true, true, true, true, false, false, false]);
        // 0.4 and 0.2 add up to more than 0.5, and their squares do not.
        let round = Question { norm: Some(Norm::L2), ..question("0.5") };
        assert_eq!(found(&round), [true, false, true, true, false, false, false, false]);
        let diamond = Question { norm: Some(Norm::L1), ..question("0.5") };
        assert_eq!(found(&diamond), [true, false, true, false, false, false, false, false]);
        let fixed = Question { radii: vec![Interval::point(0.5), Interval::point(0.0)], ..square };
        assert_eq!(found(&fixed), [false, false, true, false, false, false, false, false]);
        let clip = Some((Interval::point(0.24), Interval::point(9.0)));
        let cut = Question { clip, ..question("0.5") };
        assert_eq!(found(&cut), [true, true, false, false, true, false, false, false]);
    }
}
