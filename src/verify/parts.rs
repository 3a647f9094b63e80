//! Parts of a region, by signs of ReLU inputs: where one tree for the whole region would be too large, each part gets its own, with
//! slopes for itself and with hidden bounds that what is assumed has tightened.
//!
//! In a part each assumed sign is a cut: any bound, of a hidden neuron or of the query, may add a non-negative multiple of it.

use bartizan_proof::certificate::{Item, Split};

use super::refining::{Outlook, Patience, Stage};
use super::{Closed, Ladder};
use crate::bound::dual::{self, Choice, Effort, Row, Sign};
use crate::bound::forms;
use crate::bound::frame::Assumed;
use crate::certify;
use crate::query::Query;
use crate::refine::tree::Tree;
use crate::refine::{Refinement, STEPS};

/// A part's hidden bounds are computed anew where its trees seem to need more than so many subproblems for each of them.
pub(super) const WORTH: usize = 40;

/// What has to be left at most of what the worst bound is short of, for that to have paid; where it has not, it must be worth so many
/// times more in the parts of the part.
const PAID: (f32, usize) = (0.98, 4);

/// The deepest part.
const DEEPEST: usize = 64;

impl Ladder<'_> {
    /// Closes what is open of a query in the two parts that the best split makes; writes down the split and its subtrees.
    pub(super) fn divide(
        &mut self,
        query: &Query<f32>,
        (refinement, outlook): (&Refinement, Outlook),
        (slack, items): (f32, &mut Vec<Item>),
    ) -> Option<Stage> {
        // Forms would give the parts other bounds than are at hand here.
        let has_forms = forms::are_used(refinement.bounds());
        let Some((node, element)) = self.best_split(refinement, &outlook.worst)?.filter(|_| !has_forms) else {
            return Some(Stage::Open(outlook));
        };
        let open = self.open_cases(query);
        let relu = self.verifier.model.relus().find(|(_, source)| *source == node).expect("signs of inputs of ReLUs").0;
        let place = self.verifier.model.place(relu);
        items.push(Item::Split(Split::At { place, element, below: 0.0, above: 0.0 }));
        let mut stage = Stage::Closed;
        for is_positive in [false, true] {
            open.iter().for_each(|target| self.cases[target.case].closed = None);
            let part = refinement.part(Assumed { node, element, is_positive });
            stage = self.close_part(query, (part, outlook.worth), (slack, items))?;
            if !matches!(stage, Stage::Closed) {
                break;
            }
        }
        let closed = matches!(stage, Stage::Closed).then_some(Closed::InParts);
        open.iter().for_each(|target| self.cases[target.case].closed = closed.clone());
        Some(stage)
    }

    /// Closes what is open of a query in a part of its region, and writes down the proof.
    fn close_part(
        &mut self,
        query: &Query<f32>,
        (mut part, worth): (Refinement, usize),
        (slack, items): (f32, &mut Vec<Item>),
    ) -> Option<Stage> {
        let (open, ends) = (self.open_cases(query), part.ends());
        let (mut gap, mut below) = (None, Vec::new());
        let mut stage = loop {
            if part.is_empty() {
                below.push(Item::Empty);
                break Stage::Closed;
            }
            match self.hunt(query, &mut part, (Patience::LAST, slack))? {
                Stage::Open(outlook) if gap.is_none() && outlook.expected > (worth * ends) as f64 => {
                    part.pass(1, self.deadline)?;
                    gap = Some(outlook.gap);
                }
                Stage::Open(outlook) => {
                    let has_paid = gap.is_none_or(|gap| outlook.gap <= PAID.0 * gap);
                    let worth = if has_paid { worth } else { worth.saturating_mul(PAID.1) };
                    break Stage::Open(Outlook { worth, ..outlook });
                }
                stage => break stage,
            }
        };
        let node = (part.items(&self.tightened_places()), self.closes(open));
        if let Stage::Open(outlook) = stage {
            stage = match part.assumed().len() < DEEPEST {
                true => self.divide(query, (&part, outlook), (slack, &mut below))?,
                false => Stage::Open(outlook),
            };
        }
        items.extend(certify::items(node, below));
        Some(stage)
    }

    /// The split of the tree's target, among those that its root names, whose parts gain most, as node and element; none when there is
    /// nothing to split.
    fn best_split(&self, refinement: &Refinement, tree: &Tree) -> Option<Option<(usize, usize)>> {
        let compact = refinement.compact();
        let frame = refinement.frame(&compact);
        let (bound, choices) = tree.root();
        let row = |(choice, is_positive): (&Choice, bool)| {
            let Choice { node, element, scale, .. } = *choice;
            let signs = vec![Sign { node, element, is_positive, beta: 0.0, scale }];
            Row { signs, ..tree.root_row(tree.base().map(|base| base.slopes.clone())) }
        };
        let rows: Vec<Row> = choices.iter().flat_map(|choice| [false, true].map(|sign| row((choice, sign)))).collect();
        if rows.is_empty() {
            return Some(None);
        }
        let effort = Effort { steps: STEPS.0, moves_slopes: true, deadline: self.deadline };
        let reached = dual::ascend(&frame, &rows, &effort)?;
        let gain = |reached: &dual::Reached| (reached.bound.min(tree.goal) - bound).max(0.0);
        let worth = |pair: &[dual::Reached]| {
            let (a, b) = (gain(&pair[0]), gain(&pair[1]));
            a * b / (a + b).max(f32::MIN_POSITIVE)
        };
        let worths = reached.chunks(2).map(worth);
        // The first of equals.
        let best = worths.zip(choices).reduce(|best, next| if next.0 > best.0 { next } else { best });
        Some(best.map(|(_, choice)| (choice.node, compact.kept[choice.node][choice.element])))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::deadline::Deadline;

    use bartizan_proof::property::{Atom, Case, Property, Region, Variable};
    use bartizan_proof::{Interval, Network};
    use ndarray::Array2;

    use super::*;
    use crate::outcome::Verdict;
    use crate::random_networks::{Builder, random_point, random_region};
    use crate::verify::refining::SLACK;
    use crate::verify::{Options, Verifier};

    /// Too many for forms.
    const INPUTS: usize = forms::MOST_INPUTS + 4;

    /// "The first output is never at most `b`" over the region.
    fn never_at_most(network: &Network, region: &Region, b: f32) -> Property {
        let terms = vec![(Variable::Output(0), Interval::point(1.0))];
        let atoms = vec![Atom { terms, at_most: Interval::point(f64::from(b)), strict: false }];
        let sizes = (network.input_size(), network.output_size());
        Property::new(sizes, vec![region.clone()], vec![Case { region: 0, atoms }]).unwrap()
    }

    /// A query that linear bounds leave open, with what its root tells.
    fn hunted<'v>(ladder: &mut Ladder<'v>) -> Option<(Refinement<'v>, Outlook)> {
        ladder.bound_intervals();
        ladder.bound_linearly();
        let bounds = ladder.bounds[0].take().filter(|_| ladder.is_open())?;
        let (query, mut refinement) = (ladder.queries[0].clone(), Refinement::new(ladder.verifier.model(), bounds));
        match ladder.hunt(&query, &mut refinement, (Patience::NONE, SLACK))? {
            Stage::Open(outlook) => Some((refinement, outlook)),
            _ => None,
        }
    }

    #[test]
    fn parts_make_proofs_that_the_checker_accepts() {
        let [mut divided, mut deep] = [0; 2];
        let options = Options { attack: false, ..Options::default() };
        for seed in 0..40 {
            let mut builder = Builder::new(seed, INPUTS);
            builder.dense(10).relu().dense(8).relu().dense(2);
            let network = builder.network();
            let region = random_region(&mut builder, INPUTS, 0.4);
            let verifier = Verifier::new(network);
            let points = (0..200).flat_map(|_| random_point(&mut builder, &region)).map(|x| x as f32);
            let points = Array2::from_shape_vec((200, INPUTS), points.collect()).unwrap();
            let outputs = verifier.model().evaluate(points.view()).pop().unwrap();
            let least = outputs.column(0).iter().copied().fold(f32::INFINITY, f32::min);
            let deadline = Deadline::after(Duration::from_secs(60));
            // What roots miss of the least value tells how far to go below it.
            let property = never_at_most(verifier.network(), &region, least);
            let Some((_, outlook)) = hunted(&mut Ladder::new(&verifier, &property, &options, deadline)) else {
                continue;
            };
            let property = never_at_most(verifier.network(), &region, least - 0.35 * outlook.gap);
            let mut ladder = Ladder::new(&verifier, &property, &options, deadline);
            let Some((refinement, outlook)) = hunted(&mut ladder) else { continue };
            let (query, mut items) = (ladder.queries[0].clone(), Vec::new());
            if let Some(Stage::Closed) = ladder.divide(&query, (&refinement, outlook), (SLACK, &mut items)) {
                divided += 1;
                deep += usize::from(items.iter().filter(|item| matches!(item, Item::Split(_))).count() > 2);
                ladder.parts[0] = items;
                let verdict = ladder.conclude();
                assert!(matches!(verdict, Verdict::Verified(..)), "seed {seed}: {verdict:?}");
            }
        }
        assert!(divided > 15 && deep > 8, "{divided} {deep}");
    }
}
