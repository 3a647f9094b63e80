//! Local robustness as a property: everything within a radius of a point keeps the point's label.
//!
//! With a factor `t`, a point `p` and a radius `r_i` for each element, the inputs meant are the raw `x` in the valid range
//! with `|x_i - p_i| <= t r_i` for all `i`; in the L2 and L1 norm, where the sum is over the elements with `r_i > 0`, also
//! `sum (|x_i - p_i| / r_i)^q <= t^q` with `q` 2 or 1. An element with `r_i = 0` is held fixed.

use super::{Atom, Ball, Bound, Case, Norm, Property, Region, Variable};
use crate::arith::Interval;
use crate::error::PropertyError;

/// The share of the radius that the width of the enclosure of an element that is held fixed counts in its ball, `2^-30`:
/// thousands of such elements together stay far below the radius.
const FIXED_SHARE: f64 = 9.313_225_746_154_785e-10;

/// The least width that such an enclosure is taken to have, `2^-60`: most points are floats, whose enclosure has none.
const LEAST_WIDTH: f64 = 8.673_617_379_884_035e-19;

/// What a network's input is made of: `(raw - mean) / deviation` for each element.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// Mean of each input element, in raw units.
    pub mean: Vec<Interval>,
    /// Standard deviation of each input element, in raw units; positive.
    pub deviation: Vec<Interval>,
}

/// The question whether a point's label is stable.
#[derive(Clone, Debug, PartialEq)]
pub struct RobustnessQuery<'q> {
    /// The point, in raw units.
    pub point: &'q [f64],
    /// Its label: an index of an output.
    pub label: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// The norm; none stands for L-infinity, whose ball is the box of the radii.
    pub norm: Option<Norm>,
    /// The radius of each element, in raw units; elements of radius 0 are held fixed.
    pub radii: &'q [Interval],
    /// A positive factor of all radii, 1 for the radii themselves.
    pub factor: Interval,
    /// The range of valid raw values, if there is one; the region is cut to it.
    pub clip: Option<(Interval, Interval)>,
    /// How raw values become network inputs, if not unchanged.
    pub normalisation: Option<&'q Normalisation>,
}

impl RobustnessQuery<'_> {
    /// The property: one case for each rival class, which says that the rival's output is at least the label's.
    ///
    /// The region is the image under the normalisation of what is asked about: a box, cut to the valid range, and in the L2
    /// and L1 norm a ball, with every number enclosed. Whatever numbers in the enclosures are meant, the region that proofs
    /// speak of contains the one asked about, and that of counterexamples lies inside it.
    ///
    /// # Errors
    ///
    /// The label does not exist, the point is outside the valid range or not finite, a radius is negative, or a
    /// deviation or the factor not positive.
    pub fn property(&self) -> Result<Property, PropertyError> {
        self.check()?;
        let bounds = self.point.iter().enumerate().map(|(i, x)| self.bound(i, *x)).collect::<Result<Vec<_>, _>>()?;
        let cases = (0..self.outputs).filter(|rival| *rival != self.label).map(|rival| Case {
            region: 0,
            atoms: vec![Atom {
                terms: vec![
                    (Variable::Output(self.label), Interval::point(1.0)),
                    (Variable::Output(rival), Interval::point(-1.0)),
                ],
                at_most: Interval::point(0.0),
                strict: false,
            }],
        });
        let region = Region { ball: self.ball()?, ..Region::of_box(bounds) };
        Property::new((self.point.len(), self.outputs), vec![region], cases.collect())
    }

    /// The network input that the point itself stands for, rounded to the nearest enclosed floats' middle.
    ///
    /// # Errors
    ///
    /// As [`RobustnessQuery::property`].
    pub fn network_input(&self) -> Result<Vec<f64>, PropertyError> {
        self.check()?;
        let input = |(i, x): (usize, &f64)| self.normalised(i, Interval::point(*x)).map(Interval::middle);
        self.point.iter().enumerate().map(input).collect()
    }

    fn check(&self) -> Result<(), PropertyError> {
        if self.label >= self.outputs {
            return Err(PropertyError::Label { label: self.label, outputs: self.outputs });
        }
        self.check_radii()?;
        if let Some(n) = self.normalisation
            && (n.mean.len() != self.point.len() || n.deviation.len() != self.point.len())
        {
            let found = format!("{} and {}", n.mean.len(), n.deviation.len());
            return Err(option("mean and deviation", &format!("{} numbers each", self.point.len()), found));
        }
        for (i, x) in self.point.iter().enumerate() {
            if !x.is_finite() {
                return Err(PropertyError::NotFinite { place: format!("element {i} of the point"), value: *x });
            }
            if let Some((lowest, highest)) = self.clip
                && (*x < lowest.lo || *x > highest.hi)
            {
                let expected = format!("a value in [{}, {}]", lowest.middle(), highest.middle());
                return Err(option(&format!("element {i} of the point"), &expected, format!("{x}")));
            }
        }
        Ok(())
    }

    fn check_radii(&self) -> Result<(), PropertyError> {
        let (factor, expected) = (self.factor, self.point.len());
        if !(factor.lo > 0.0 && factor.is_finite()) {
            return Err(option("factor of the radii", "a positive number", format!("{}", factor.middle())));
        }
        if self.radii.len() != expected {
            return Err(option("radii", &format!("{expected} numbers"), self.radii.len().to_string()));
        }
        match self.radii.iter().position(|radius| !(radius.lo >= 0.0 && radius.is_finite())) {
            None => Ok(()),
            Some(element) => {
                let found = format!("{}", self.radius(element).middle());
                Err(option(&format!("radius of element {element}"), "a non-negative number", found))
            }
        }
    }

    fn radius(&self, element: usize) -> Interval {
        self.radii.get(element).copied().unwrap_or(Interval::EVERYTHING)
    }

    /// The ball, with the factor for its radius; none in the L-infinity norm and where all elements are held fixed.
    fn ball(&self) -> Result<Option<Ball>, PropertyError> {
        let Some(norm) = self.norm.filter(|_| self.radii.iter().any(|radius| radius.hi > 0.0)) else {
            return Ok(None);
        };
        let mut ball = Ball { norm, center: Vec::new(), scale: Vec::new(), radius: self.factor };
        for (i, x) in self.point.iter().enumerate() {
            let center = self.normalised(i, Interval::point(*x))?;
            ball.scale.push(self.scale(i, center)?);
            ball.center.push(center);
        }
        Ok(Some(ball))
    }

    /// The factor by which the distance of a network input from its center counts: one radius counts 1.
    ///
    /// The box pins an element that is held fixed, so any positive factor would do. A large one keeps the element's
    /// coefficient out of bounds over the ball, and one that is not too large for the width of its enclosure keeps that
    /// width, which replays have to count, far below the radius.
    fn scale(&self, element: usize, center: Interval) -> Result<Interval, PropertyError> {
        let radius = self.radius(element);
        if radius == Interval::point(0.0) {
            let width = (Interval::point(center.hi) - Interval::point(center.lo)).hi.max(LEAST_WIDTH);
            let scale = Interval::point(FIXED_SHARE).divided_by(Interval::point(width));
            return Ok(Interval::point(scale.map_or(1.0, Interval::middle)));
        }
        let deviation = self.normalisation.and_then(|n| n.deviation.get(element));
        let scale = deviation.copied().unwrap_or(Interval::point(1.0)).divided_by(radius);
        let missing = || PropertyError::NotFinite { place: format!("scale of element {element}"), value: f64::NAN };
        scale.filter(|i| i.is_finite()).ok_or_else(missing)
    }

    fn bound(&self, element: usize, x: f64) -> Result<Bound, PropertyError> {
        let (x, radius) = (Interval::point(x), self.radius(element) * self.factor);
        let (mut lower, mut upper) = (x - radius, x + radius);
        if let Some((lowest, highest)) = self.clip {
            lower = Interval { lo: lower.lo.max(lowest.lo), hi: lower.hi.max(lowest.hi) };
            upper = Interval { lo: upper.lo.min(highest.lo), hi: upper.hi.min(highest.hi) };
        }
        Ok(Bound { lower: self.normalised(element, lower)?, upper: self.normalised(element, upper)? })
    }

    fn normalised(&self, element: usize, raw: Interval) -> Result<Interval, PropertyError> {
        let Some(n) = self.normalisation else { return Ok(raw) };
        let (mean, deviation) = (n.mean.get(element), n.deviation.get(element));
        let (Some(mean), Some(deviation)) = (mean, deviation.filter(|d| d.lo > 0.0)) else {
            let found = format!("{:?}", deviation.map(|d| d.middle()));
            return Err(option(&format!("deviation of element {element}"), "a positive number", found));
        };
        let result =
            if *deviation == Interval::point(1.0) { Some(raw - *mean) } else { (raw - *mean).divided_by(*deviation) };
        let missing = || PropertyError::NotFinite { place: format!("normalised element {element}"), value: f64::NAN };
        result.filter(|i| i.is_finite()).ok_or_else(missing)
    }
}

fn option(what: &str, expected: &str, found: String) -> PropertyError {
    PropertyError::Option { what: what.to_owned(), expected: expected.to_owned(), found }
}

#[cfg(test)]
mod tests;
