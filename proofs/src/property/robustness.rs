//! Local robustness as a property: everything within a radius of a point keeps the point's label.

use super::{Atom, Bound, Case, Property, Region, Variable};
use crate::arith::Interval;
use crate::error::PropertyError;

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
    /// The L-infinity radius, in raw units.
    pub radius: Interval,
    /// The range of valid raw values, if there is one; the region is cut to it.
    pub clip: Option<(Interval, Interval)>,
    /// How raw values become network inputs, if not unchanged.
    pub normalisation: Option<&'q Normalisation>,
}

impl RobustnessQuery<'_> {
    /// The property: one case for each rival class, which says that the rival's output is at least the label's.
    ///
    /// The region is the image under the normalisation of the box of the given radius around the point, cut to the
    /// valid range, with every bound enclosed.
    ///
    /// # Errors
    ///
    /// The label does not exist, the point is outside the valid range or not finite, the radius is negative or a
    /// deviation not positive.
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
        Property::new((self.point.len(), self.outputs), vec![Region::of_box(bounds)], cases.collect())
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
        let radius = self.radius;
        if !(radius.lo >= 0.0 && radius.is_finite()) {
            return Err(option("radius", "a non-negative number", format!("{}", radius.middle())));
        }
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

    fn bound(&self, element: usize, x: f64) -> Result<Bound, PropertyError> {
        let x = Interval::point(x);
        let (mut lower, mut upper) = (x - self.radius, x + self.radius);
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
mod tests {
    use super::*;

    /// The floats around a number that is none.
    fn around(x: f64) -> Interval {
        Interval { lo: x.next_down(), hi: x.next_up() }
    }

    fn query(point: &[f64]) -> RobustnessQuery<'_> {
        let clip = Some((Interval::point(0.0), Interval::point(1.0)));
        let radius = around(0.1);
        RobustnessQuery { point, label: 1, outputs: 3, radius, clip, normalisation: None }
    }

    #[test]
    fn region_is_cut_to_the_valid_range_and_rounded_outward() {
        let property = query(&[0.0, 0.5, 1.0]).property().unwrap();
        let bounds = &property.regions()[0].bounds;
        assert_eq!(bounds[0].lower, Interval::point(0.0));
        assert!(bounds[0].outer().hi > 0.1 && bounds[0].inner().unwrap().hi < 0.1);
        assert!(bounds[1].outer().lo < 0.4 && bounds[1].outer().hi > 0.6);
        assert_eq!(bounds[2].upper, Interval::point(1.0));
        assert_eq!(property.cases().len(), 2);
    }

    #[test]
    fn normalisation_encloses() {
        let n = Normalisation { mean: vec![around(0.1307)], deviation: vec![around(0.3081)] };
        let q = RobustnessQuery { normalisation: Some(&n), ..query(&[0.5]) };
        let outer = q.property().unwrap().regions()[0].bounds[0].outer();
        let (low, high) = ((0.4 - 0.1307) / 0.3081, (0.6 - 0.1307) / 0.3081);
        assert!(outer.lo < low && outer.hi > high && outer.hi - outer.lo < high - low + 1e-14);
        assert!((q.network_input().unwrap()[0] - 1.198_636_8).abs() < 1e-6);
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let message = |q: &RobustnessQuery| q.property().unwrap_err().to_string();
        assert_eq!(
            message(&RobustnessQuery { label: 3, ..query(&[0.5]) }),
            "label 3 is outside the network's 3 classes"
        );
        assert_eq!(message(&query(&[0.5, 1.5])), "element 1 of the point: expected a value in [0, 1], found 1.5");
        assert_eq!(message(&query(&[f64::NAN])), "element 0 of the point is NaN; expected a finite number");
        let n = Normalisation { mean: vec![Interval::point(0.0)], deviation: vec![Interval::point(0.0)] };
        assert_eq!(
            message(&RobustnessQuery { normalisation: Some(&n), ..query(&[0.5]) }),
            "deviation of element 0: expected a positive number, found Some(0.0)"
        );
    }
}
