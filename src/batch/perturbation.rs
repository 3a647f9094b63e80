//! What may change about a point, as somebody states it: in decimal texts, which are exact where binary floats are not.

use std::fmt;

use bartizan_proof::Interval;
use bartizan_proof::property::{self, Normalisation};
use clap::ValueEnum;

use super::dataset::Dataset;
use super::points::Question;
use super::store::{RunFacts, StoredRun};
use super::{BatchError, decimals, features, selection};

/// What a radius measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Norm {
    /// The largest change of any element, in radii
    #[default]
    Linf,
    /// The Euclidean norm of the changes, in radii
    L2,
    /// The sum of the changes' sizes, in radii
    L1,
}

/// Numbers as decimal texts or fractions, such as `0.02`, `8/255` or `0.1,0.2,0.3`. A float stands for its shortest decimal text: `0.1`
/// means one tenth, not the nearest binary number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers(String);

/// What may change about a point: everything within a radius, cut to the range of valid values. Sizes are in the units of the data,
/// before mean and standard deviation normalise them.
///
/// ```
/// use bartizan::Perturbation;
///
/// let pixels = Perturbation::linf("8/255").clip(0.0, 1.0);
/// let table = Perturbation::l2([0.5, 1.5, 0.25]).fix("3,7..9");
/// # assert_ne!(pixels, table);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Perturbation {
    pub(crate) norm: Norm,
    pub(crate) radius: String,
    pub(crate) clip: Option<String>,
    pub(crate) mean: Option<String>,
    pub(crate) std: Option<String>,
    pub(crate) fix: Option<String>,
    pub(crate) vary: Option<String>,
}

impl Norm {
    /// The norm's name: `linf`, `l2` or `l1`.
    pub fn name(self) -> &'static str {
        match self {
            Norm::Linf => "linf",
            Norm::L2 => "l2",
            Norm::L1 => "l1",
        }
    }

    /// The norm of a name.
    pub fn parse(name: &str) -> Option<Norm> {
        [Norm::Linf, Norm::L2, Norm::L1].into_iter().find(|norm| norm.name() == name)
    }

    /// The norm of the ball; none where the box is the ball.
    fn of_ball(self) -> Option<property::Norm> {
        match self {
            Norm::Linf => None,
            Norm::L2 => Some(property::Norm::L2),
            Norm::L1 => Some(property::Norm::L1),
        }
    }
}

impl From<f64> for Numbers {
    fn from(number: f64) -> Numbers {
        Numbers(number.to_string())
    }
}

impl From<f32> for Numbers {
    fn from(number: f32) -> Numbers {
        Numbers(number.to_string())
    }
}

impl From<i32> for Numbers {
    fn from(number: i32) -> Numbers {
        Numbers(number.to_string())
    }
}

impl From<&str> for Numbers {
    fn from(text: &str) -> Numbers {
        Numbers(text.to_owned())
    }
}

impl From<String> for Numbers {
    fn from(text: String) -> Numbers {
        Numbers(text)
    }
}

impl From<&[f64]> for Numbers {
    fn from(numbers: &[f64]) -> Numbers {
        Numbers(numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }
}

impl<const N: usize> From<[f64; N]> for Numbers {
    fn from(numbers: [f64; N]) -> Numbers {
        Numbers::from(numbers.as_slice())
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(numbers: Vec<f64>) -> Numbers {
        Numbers::from(numbers.as_slice())
    }
}

impl From<f64> for Perturbation {
    /// Every element changes by at most so much.
    fn from(radius: f64) -> Perturbation {
        Perturbation::linf(radius)
    }
}

impl From<&str> for Perturbation {
    /// Every element changes by at most so much.
    fn from(radius: &str) -> Perturbation {
        Perturbation::linf(radius)
    }
}

impl From<&Perturbation> for Perturbation {
    fn from(perturbation: &Perturbation) -> Perturbation {
        perturbation.clone()
    }
}

impl fmt::Display for Perturbation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Perturbation { norm, radius, clip, mean, std, fix, vary } = self;
        write!(f, "within {radius} in {}", norm.name())?;
        let named =
            [("clipped to", clip), ("mean", mean), ("standard deviation", std), ("fixed", fix), ("varying", vary)];
        named
            .iter()
            .filter_map(|(name, text)| Some((name, text.as_ref()?)))
            .try_for_each(|(name, text)| write!(f, ", {name} {text}"))
    }
}

impl Perturbation {
    /// Everything within a radius: one number, one a channel, or one an element.
    pub fn within(norm: Norm, radius: impl Into<Numbers>) -> Perturbation {
        let (Numbers(radius), nothing) = (radius.into(), || None);
        let (clip, mean, std, fix, vary) = (nothing(), nothing(), nothing(), nothing(), nothing());
        Perturbation { norm, radius, clip, mean, std, fix, vary }
    }

    /// Every element changes by at most the radius.
    pub fn linf(radius: impl Into<Numbers>) -> Perturbation {
        Perturbation::within(Norm::Linf, radius)
    }

    /// The Euclidean norm of the changes is at most the radius.
    pub fn l2(radius: impl Into<Numbers>) -> Perturbation {
        Perturbation::within(Norm::L2, radius)
    }

    /// The changes' sizes add up to at most the radius.
    pub fn l1(radius: impl Into<Numbers>) -> Perturbation {
        Perturbation::within(Norm::L1, radius)
    }

    /// Only values of a range are valid.
    #[must_use]
    pub fn clip(self, lowest: impl Into<Numbers>, highest: impl Into<Numbers>) -> Perturbation {
        let (Numbers(lowest), Numbers(highest)) = (lowest.into(), highest.into());
        Perturbation { clip: Some(format!("{lowest},{highest}")), ..self }
    }

    /// The mean that is subtracted before the network: one number, one a channel, or one an element.
    #[must_use]
    pub fn mean(self, mean: impl Into<Numbers>) -> Perturbation {
        Perturbation { mean: Some(mean.into().0), ..self }
    }

    /// The standard deviation by which is divided before the network; as the mean.
    #[must_use]
    pub fn std(self, deviation: impl Into<Numbers>) -> Perturbation {
        Perturbation { std: Some(deviation.into().0), ..self }
    }

    /// Features that are held fixed, such as `3,7..9`, or columns of a table by name.
    #[must_use]
    pub fn fix(self, features: impl Into<String>) -> Perturbation {
        Perturbation { fix: Some(features.into()), ..self }
    }

    /// Features of a table that vary although they hold integers only, or `all`.
    #[must_use]
    pub fn vary(self, features: impl Into<String>) -> Perturbation {
        Perturbation { vary: Some(features.into()), ..self }
    }

    /// The norm.
    pub fn norm(&self) -> Norm {
        self.norm
    }

    /// The radius, as it was stated.
    pub fn radius(&self) -> &str {
        &self.radius
    }

    /// That of a run, which states everything itself: texts that are no numbers name no files.
    fn of_run(facts: &RunFacts) -> Result<Perturbation, BatchError> {
        let RunFacts { norm, radius, clip, mean, std, .. } = facts;
        let norm = Norm::parse(norm).ok_or_else(|| BatchError::setting("norm", "linf, l2 or l1", norm.as_str()))?;
        for (name, text) in [("radius", Some(radius)), ("mean", mean.as_ref()), ("std", std.as_ref())] {
            if let Some(text) = text.filter(|text| !decimals::is_inline(text)) {
                return Err(BatchError::setting(name, "numbers", format!("`{text}`")));
            }
        }
        let (clip, mean, std) = (clip.clone(), mean.clone(), std.clone());
        Ok(Perturbation { clip, mean, std, ..Perturbation::within(norm, radius.as_str()) })
    }

    /// The same with the numbers themselves where files of them were named: each file is read once.
    ///
    /// # Errors
    ///
    /// Something else than numbers or a file of them.
    pub(crate) fn inlined(&self) -> Result<Perturbation, BatchError> {
        let numbers =
            |name: &str, text: &Option<String>| text.as_ref().map(|text| decimals::inlined(name, text)).transpose();
        Ok(Perturbation {
            radius: decimals::inlined("radius", &self.radius)?,
            mean: numbers("mean", &self.mean)?,
            std: numbers("std", &self.std)?,
            ..self.clone()
        })
    }

    /// The features of a data set that are held fixed, as indices and ranges; and the names of those that are only because they hold
    /// integers, of which the user should know.
    ///
    /// # Errors
    ///
    /// A feature that does not exist, or nothing is left that varies.
    pub(crate) fn fixed(&self, dataset: &Dataset) -> Result<(Option<String>, Vec<String>), BatchError> {
        let columns = dataset.columns();
        // Pixels are integers too, and vary.
        let integer =
            if dataset.is_table() { dataset.integer_features().to_vec() } else { vec![false; dataset.width()] };
        let fixed = features::held_fixed(columns, &integer, self.fix.as_deref(), self.vary.as_deref())?;
        let integers = features::integers_among(columns, &integer, &fixed);
        Ok(((!fixed.is_empty()).then(|| selection::format(&fixed)), integers))
    }

    /// The question to a network with inputs of some shape, where the given features are held fixed.
    ///
    /// # Errors
    ///
    /// Something that is no number, or as many numbers as the shape has no use for.
    pub(crate) fn question(&self, shape: &[usize], fixed: Option<&str>) -> Result<Question, BatchError> {
        let clip = self.clip.as_ref().map(|text| decimals::range("clip", text)).transpose()?;
        let mut radii = decimals::non_negative("radius", &self.radius, shape)?;
        for feature in fixed.map_or(Ok(Vec::new()), |text| features::indices(text, radii.len()))? {
            radii[feature] = Interval::point(0.0);
        }
        Ok(Question { norm: self.norm.of_ball(), radii, clip, normalisation: self.normalisation(shape)? })
    }

    fn normalisation(&self, shape: &[usize]) -> Result<Option<Normalisation>, BatchError> {
        if self.mean.is_none() && self.std.is_none() {
            return Ok(None);
        }
        let numbers = |name: &str, text: &Option<String>, default: f64| match text {
            Some(text) => decimals::per_element(name, text, shape),
            None => Ok(vec![Interval::point(default); shape.iter().product()]),
        };
        let mean = numbers("mean", &self.mean, 0.0)?;
        let deviation = numbers("std", &self.std, 1.0)?;
        if let Some(wrong) = deviation.iter().find(|deviation| deviation.lo <= 0.0) {
            return Err(BatchError::setting("std", "positive numbers", wrong.middle().to_string()));
        }
        Ok(Some(Normalisation { mean, deviation }))
    }
}

/// The question that a stored run was asked.
///
/// # Errors
///
/// A column of the store that says something else than it should.
pub fn question_of(run: &StoredRun) -> Result<Question, BatchError> {
    let facts = run.facts();
    let asked = Perturbation::of_run(facts);
    let question = asked.and_then(|asked| asked.question(&facts.input_shape, facts.fixed.as_deref()));
    question.map_err(|error| match error {
        BatchError::Setting { name, expected, found } => {
            BatchError::content(run.path(), &format!("table `run`, column `{name}`"), expected, found)
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_stand_for_their_decimals() {
        let question = Perturbation::linf(0.1).clip(-0.5, "2/3").question(&[2], None).unwrap();
        let tenth = decimals::number("radius", "0.1").unwrap();
        assert_eq!(question.radii, [tenth; 2]);
        assert_eq!(Perturbation::linf(0.1f32), Perturbation::linf("0.1"));
        let (lowest, highest) = question.clip.unwrap();
        assert_eq!(lowest, Interval::point(-0.5));
        assert!(highest.lo < 2.0 / 3.0 || highest.hi > 2.0 / 3.0);
        let each = Perturbation::l2(vec![0.25, 0.5]).question(&[2], Some("1")).unwrap();
        assert_eq!(each.radii, [Interval::point(0.25), Interval::point(0.0)]);
        assert_eq!(each.norm, Some(property::Norm::L2));
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let message = |p: Perturbation| p.question(&[2], None).unwrap_err().to_string();
        assert_eq!(
            message(Perturbation::linf(f64::NAN)),
            "radius: expected numbers such as 0.02 or 0.1,0.2,0.3, or a text file of numbers, found `NaN`"
        );
        assert_eq!(
            message(Perturbation::linf(-1.0)),
            "radius: expected only numbers that are not negative, found `-1`"
        );
        assert_eq!(message(Perturbation::l1(1.0).std(0.0)), "std: expected positive numbers, found 0");
        assert_eq!(
            message(Perturbation::l1(1.0).clip(1.0, 0.0)),
            "clip: expected a lower end below the upper end, found `1,0`"
        );
    }
}
