//! Points as their data set has them: in raw units, with names.

use bartizan_proof::property::Normalisation;

use crate::batch::dataset::Dataset;
use crate::batch::points::Question;

/// What reports know of points beyond their answers. By default nothing.
#[derive(Clone, Debug, Default)]
pub struct Inputs<'d> {
    /// The data set that the run read, where it is at hand.
    pub dataset: Option<&'d Dataset>,
    /// How raw values became network inputs, if not unchanged.
    pub normalisation: Option<Normalisation>,
    /// The range of valid raw values.
    pub clip: Option<(f64, f64)>,
    /// Names of classes, where the data set has them.
    pub class_names: Option<Vec<String>>,
    /// Names of features, where the data set has them.
    pub features: Option<Vec<String>>,
}

impl<'d> Inputs<'d> {
    /// The points of a data set, with the question that was asked of them.
    pub fn of(dataset: Option<&'d Dataset>, question: &Question) -> Inputs<'d> {
        let clip = question.clip.map(|(low, high)| (low.middle(), high.middle()));
        let class_names = dataset.and_then(Dataset::class_names).map(<[String]>::to_vec);
        let features = dataset.and_then(Dataset::columns).map(<[String]>::to_vec);
        Inputs { dataset, normalisation: question.normalisation.clone(), clip, class_names, features }
    }

    /// The label of a point.
    pub fn label(&self, index: usize) -> Option<usize> {
        self.dataset.filter(|set| index < set.len()).map(|set| set.label(index))
    }

    /// A point in raw units.
    pub fn original(&self, index: usize) -> Option<Vec<f64>> {
        self.dataset.filter(|set| index < set.len()).and_then(|set| set.point(index).ok())
    }

    /// A network input in raw units, near enough to be shown.
    pub fn raw(&self, input: &[f64]) -> Vec<f64> {
        match &self.normalisation {
            Some(Normalisation { mean, deviation }) if mean.len() == input.len() && deviation.len() == input.len() => {
                let scaled = input.iter().zip(mean.iter().zip(deviation));
                scaled.map(|(x, (mean, deviation))| x * deviation.middle() + mean.middle()).collect()
            }
            _ => input.to_vec(),
        }
    }

    /// A class as it is shown.
    pub fn class(&self, class: usize) -> String {
        let name = self.class_names.as_ref().and_then(|names| names.get(class));
        name.map_or(class.to_string(), |name| format!("{class} ({name})"))
    }

    /// A feature as it is shown.
    pub fn feature(&self, feature: usize) -> String {
        let name = self.features.as_ref().and_then(|names| names.get(feature));
        name.cloned().unwrap_or(format!("feature {feature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_proof::Interval;

    #[test]
    fn network_inputs_become_raw_values_again() {
        let around = |values: &[f64]| values.iter().map(|value| Interval::point(*value)).collect();
        let normalisation = Some(Normalisation { mean: around(&[1.0, 2.0]), deviation: around(&[2.0, 4.0]) });
        let inputs = Inputs { normalisation, ..Inputs::default() };
        assert_eq!(inputs.raw(&[0.5, -0.25]), [2.0, 1.0]);
        assert_eq!(inputs.raw(&[0.5]), [0.5]);
        assert_eq!(Inputs::default().raw(&[0.5, 3.0]), [0.5, 3.0]);
    }

    #[test]
    fn names_are_shown_where_there_are_any() {
        let names = Some(vec!["cat".to_owned()]);
        let inputs = Inputs { class_names: names.clone(), features: names, ..Inputs::default() };
        assert_eq!((inputs.class(0), inputs.class(1)), ("0 (cat)".to_owned(), "1".to_owned()));
        assert_eq!((inputs.feature(0), inputs.feature(1)), ("cat".to_owned(), "feature 1".to_owned()));
        assert_eq!((inputs.label(0), inputs.original(0)), (None, None));
    }
}
