//! What became of a point.
//!
//! A point is *certified* when every input within the radius, cut to the valid range, is proved to keep the point's label;
//! *falsified* when one that does not was found and replayed; *misclassified* when the point itself is one. Everything
//! else is unknown. Where the radius itself is looked for, a point has both: a share of the radius within which it is certified, and
//! a larger one within which it is falsified; the verdict speaks of the whole radius.

use std::time::Duration;

use bartizan_proof::{Digest, Verified, Violated};

use crate::outcome::Reason;

/// What became of a point.
#[derive(Clone, Debug)]
pub struct PointAnswer {
    /// The point's place in the data set.
    pub index: usize,
    /// Its label.
    pub label: usize,
    /// What the network says of the point itself.
    pub prediction: Prediction,
    /// Digest of the property that says that it is robust within the whole radius.
    pub property: Digest,
    /// Within which share of the radius it was certified.
    pub certified: Option<Certified>,
    /// Within which share of the radius it was falsified.
    pub falsified: Option<Falsified>,
    /// Why no more was shown.
    pub reason: Option<Reason>,
    /// How long it took.
    pub time: Duration,
}

/// What a network says of a point: the search's own arithmetic, in binary64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The class with the largest output; the first of several.
    pub class: usize,
    /// That class's share of the outputs' softmax.
    pub confidence: f64,
}

/// A proof that no input within a share of the radius has another class.
#[derive(Clone, Debug)]
pub struct Certified {
    /// The share, greater than 0; 1 is the whole radius.
    pub share: f64,
    /// The fact.
    pub verified: Verified,
    /// The certificate that the checker accepted.
    pub certificate: Vec<u8>,
}

/// An input within a share of the radius that has another class.
#[derive(Clone, Debug)]
pub struct Falsified {
    /// The share; 0 is the point itself.
    pub share: f64,
    /// The fact.
    pub violated: Violated,
}

/// The share of the radius that is all of it.
pub const WHOLE: f64 = 1.0;

impl PointAnswer {
    /// The word that is printed: `certified`, `falsified`, `misclassified`, `unknown` or `timeout`.
    pub fn word(&self) -> &'static str {
        match (&self.falsified, &self.certified, &self.reason) {
            (Some(falsified), ..) if falsified.share == 0.0 => "misclassified",
            (Some(_), ..) => "falsified",
            (_, Some(certified), _) if certified.share == WHOLE => "certified",
            (.., Some(Reason::Timeout(_))) => "timeout",
            _ => "unknown",
        }
    }
}

impl Prediction {
    /// The prediction of outputs.
    pub fn of(outputs: &[f64]) -> Prediction {
        let first_largest = |best: (usize, f64), (class, output): (usize, &f64)| {
            if *output > best.1 { (class, *output) } else { best }
        };
        let (class, largest) = outputs.iter().enumerate().fold((0, f64::NEG_INFINITY), first_largest);
        let sum: f64 = outputs.iter().map(|output| (output - largest).exp()).sum();
        Prediction { class, confidence: 1.0 / sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_softmax_shares() {
        let prediction = Prediction::of(&[1.0, 3.0, 3.0, -1000.0]);
        assert_eq!(prediction.class, 1);
        assert!((prediction.confidence - 1.0 / (2.0 + (-2.0f64).exp())).abs() < 1e-15);
        assert_eq!(Prediction::of(&[1e4]), Prediction { class: 0, confidence: 1.0 });
    }
}
