//! The worst points of a run with their counterexamples.
//!
//! First those that are falsified nearest to the point, of equal ones those of which the network is surest; then the misclassified
//! ones of which it is surest.

use super::Report;
use super::image::Layout;
use crate::batch::BatchError;
use crate::batch::store::PointFacts;

/// The most points of a gallery.
const MOST: usize = 24;

/// How many of these are kept for misclassified points, where there are as many.
const MISCLASSIFIED: usize = 6;

/// The most values of all pictures together, which bounds the size of a report.
const MOST_VALUES: usize = 2_000_000;

/// The most features of a table of changes.
const MOST_FEATURES: usize = 8;

/// A point and its counterexample.
#[derive(Clone, Debug, PartialEq)]
pub struct Exhibit<'r> {
    /// The point.
    pub point: &'r PointFacts,
    /// The class whose output is the largest, or as large as the label's, at the counterexample.
    pub rival: Option<usize>,
    /// What is shown of it.
    pub view: View,
}

/// What is shown of a counterexample.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// Pictures, as data URIs.
    Pictures(Pictures),
    /// The features that change most.
    Features(Vec<Change>),
}

/// A point as pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures {
    /// The point, where the data set is at hand.
    pub original: Option<String>,
    /// The change, and the change that the strongest colours stand for; none where nothing changes.
    pub change: Option<(String, f64)>,
    /// How many times the change is larger in the picture than in the point.
    pub factor: f64,
    /// The counterexample.
    pub result: String,
    /// Rows and columns.
    pub sides: (usize, usize),
}

/// What becomes of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The feature.
    pub feature: usize,
    /// Its value at the point, where the data set is at hand.
    pub original: Option<f64>,
    /// Its value at the counterexample.
    pub result: f64,
}

/// The worst points.
///
/// # Errors
///
/// The store cannot be read.
pub fn gallery<'r>(report: &'r Report) -> Result<Vec<Exhibit<'r>>, BatchError> {
    let layout = Layout::of(&report.facts().input_shape);
    let room = layout.map_or(MOST, |layout| (MOST_VALUES / (3 * layout.size())).clamp(1, MOST));
    let mut exhibits = Vec::new();
    for point in chosen(&report.points, room) {
        exhibits.extend(exhibit(report, point, layout)?);
    }
    Ok(exhibits)
}

/// The worst of some points, in the order in which they are shown.
fn chosen(points: &[PointFacts], room: usize) -> Vec<&PointFacts> {
    let of = |word: &str| points.iter().filter(|point| point.verdict == word).collect::<Vec<&PointFacts>>();
    let (mut falsified, mut misclassified) = (of("falsified"), of("misclassified"));
    let share = |point: &PointFacts| point.falsified_share.unwrap_or(f64::INFINITY);
    let surest = |a: &&PointFacts, b: &&PointFacts| b.confidence.total_cmp(&a.confidence).then(a.index.cmp(&b.index));
    falsified.sort_by(|a, b| share(a).total_cmp(&share(b)).then_with(|| surest(a, b)));
    misclassified.sort_by(surest);
    falsified.truncate(room - misclassified.len().min(MISCLASSIFIED).min(room / 2));
    misclassified.truncate(room - falsified.len());
    falsified.into_iter().chain(misclassified).collect()
}

fn exhibit<'r>(
    report: &Report,
    point: &'r PointFacts,
    layout: Option<Layout>,
) -> Result<Option<Exhibit<'r>>, BatchError> {
    let stored = report.run.point(point.index)?;
    let Some(input) = stored.counterexample else { return Ok(None) };
    let result = report.inputs.raw(&input);
    let original = report.inputs.original(point.index).filter(|original| original.len() == result.len());
    let rival = stored.counterexample_output.as_deref().and_then(|outputs| rival(outputs, point.label));
    let pictures = layout.and_then(|layout| pictures(report, layout, (original.as_deref(), &result)));
    let view = pictures.map_or_else(|| View::Features(changes(original.as_deref(), &result)), View::Pictures);
    Ok(Some(Exhibit { point, rival, view }))
}

/// The class other than the label with the largest output.
fn rival(outputs: &[f64], label: usize) -> Option<usize> {
    let others = outputs.iter().enumerate().filter(|(class, _)| *class != label);
    others.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0))).map(|(class, _)| class)
}

fn pictures(report: &Report, layout: Layout, (original, result): (Option<&[f64]>, &[f64])) -> Option<Pictures> {
    let values = || original.into_iter().flatten().chain(result).copied();
    let ends = || (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let range = report.inputs.clip.unwrap_or_else(ends);
    let change: Option<Vec<f64>> = original.map(|original| result.iter().zip(original).map(|(b, a)| b - a).collect());
    let most = change.iter().flatten().fold(0.0, |most: f64, change| most.max(change.abs()));
    let change = change.filter(|_| most > 0.0).and_then(|change| Some((layout.change(&change, most)?, most)));
    Some(Pictures {
        original: original.and_then(|original| layout.picture(original, range)),
        change,
        factor: if most > 0.0 { (range.1 - range.0) / most } else { 1.0 },
        result: layout.picture(result, range)?,
        sides: (layout.height, layout.width),
    })
}

/// The features that change most, those that change at all; the first ones where the point is not known.
fn changes(original: Option<&[f64]>, result: &[f64]) -> Vec<Change> {
    let change = |(feature, value): (usize, &f64)| Change {
        feature,
        original: original.map(|original| original[feature]),
        result: *value,
    };
    let size = |change: &Change| change.original.map_or(0.0, |original| (change.result - original).abs());
    let mut changes: Vec<Change> = result.iter().enumerate().map(change).collect();
    changes.retain(|change| change.original != Some(change.result));
    changes.sort_by(|a, b| size(b).total_cmp(&size(a)));
    changes.truncate(MOST_FEATURES);
    changes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn point(index: usize, verdict: &str, (confidence, share): (f64, f64)) -> PointFacts {
        PointFacts {
            index,
            label: 0,
            predicted: 0,
            confidence,
            verdict: verdict.to_owned(),
            time: Duration::ZERO,
            reason: None,
            property_sha256: String::new(),
            certified_share: None,
            leaves: None,
            certificate_bytes: None,
            falsified_share: Some(share),
        }
    }

    #[test]
    fn the_nearest_come_first_then_the_surest_mistakes() {
        let points = [
            point(0, "misclassified", (0.6, 0.0)),
            point(1, "falsified", (0.9, 0.5)),
            point(2, "falsified", (0.5, 0.25)),
            point(3, "misclassified", (0.8, 0.0)),
            point(4, "falsified", (0.95, 0.5)),
            PointFacts { falsified_share: None, ..point(5, "unknown", (0.9, 0.0)) },
        ];
        let order = |room| chosen(&points, room).iter().map(|point| point.index).collect::<Vec<usize>>();
        assert_eq!(order(24), [2, 4, 1, 3, 0]);
        assert_eq!((order(4), order(1)), (vec![2, 4, 3, 0], vec![2]));
        assert!(chosen(&points[5..], 24).is_empty());
    }

    #[test]
    fn rivals_are_other_classes_and_changes_are_the_largest() {
        assert_eq!(
            (rival(&[3.0, 1.0, 2.0], 0), rival(&[1.0, 1.0, 1.0], 0), rival(&[1.0], 0)),
            (Some(2), Some(1), None)
        );
        let found = changes(Some(&[1.0, 2.0, 3.0]), &[1.5, 2.0, 2.0]);
        assert_eq!(found.iter().map(|change| change.feature).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(changes(None, &[0.0; 20]).len(), MOST_FEATURES);
    }
}
