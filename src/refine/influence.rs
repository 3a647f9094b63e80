//! By how much the bounds of a query gain where intervals of hidden neurons shrink.
//!
//! A linear bound depends on the interval of a ReLU's input by its upper line: with coefficient `a < 0` and value `z` at the minimiser it
//! holds `a u (z - l) / (u - l)`, which grows with `l` and falls with `u`. Where the coefficient is positive, the line is as good as
//! its slope until the sign is decided; what the line costs at the minimiser is then gained at once. The intervals that are bounded this way
//! matter as much as what depends on them: influence passes from the query back through all bounds.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::tree::Tree;
use crate::bound::Model;
use crate::bound::compact::Compact;
use crate::bound::frame::Frame;

/// By how much one bound gains for each unit by which the lower and the upper end of each slot's interval is tightened.
pub type Gains = Box<[[f32; 2]]>;

/// Gains of some bounds, by slots of one frame.
#[derive(Clone, Debug)]
struct Gained {
    /// The node and the element of the original network behind each slot.
    slots: Vec<(usize, usize)>,
    /// What is bounded, an end of an element or the query itself, with its gains.
    rows: Vec<(Option<(usize, bool)>, Gains)>,
}

/// The gains of all bounds that a query rests on.
#[derive(Clone, Debug, Default)]
pub struct Influence {
    /// By the node that is bounded.
    by_node: BTreeMap<usize, Gained>,
}

/// For each node the weights of the lower (row 0) and the upper ends of its elements.
pub type Weights = Vec<Array2<f32>>;

impl Influence {
    /// Notes the gains of trees' roots: of ends of a node, or of the query.
    pub fn note<'t>(
        &mut self,
        (compact, frame): (&Compact, &Frame),
        node: usize,
        trees: impl Iterator<Item = (Option<(usize, bool)>, &'t Tree)>,
    ) {
        let model = frame.model();
        let of = |(relu, source): (usize, usize)| {
            frame.lines(relu).undecided.iter().map(move |element| (source, compact.kept[source][*element]))
        };
        let slots = model.relus().filter(|(relu, _)| *relu < node || node == model.output()).flat_map(of).collect();
        let rows = trees.filter_map(|(what, tree)| Some((what, tree.gains()?.clone()))).collect();
        self.by_node.insert(node, Gained { slots, rows });
    }

    /// How much each end weighs for the query; all the same where nothing is known of it.
    pub fn weights(&self, model: &Model<f32>) -> Weights {
        let is_known = self.by_node.values().any(|gained| gained.rows.iter().any(|(what, _)| what.is_none()));
        let first = if is_known { 0.0 } else { 1.0 };
        let mut weights: Weights = model.nodes().iter().map(|node| Array2::from_elem((2, node.size), first)).collect();
        for (node, gained) in self.by_node.iter().rev() {
            for (what, gains) in &gained.rows {
                let weight = what.map_or(1.0, |(element, is_upper)| weights[*node][[usize::from(is_upper), element]]);
                if weight <= 0.0 {
                    continue;
                }
                for ((source, element), gain) in gained.slots.iter().zip(gains) {
                    weights[*source][[0, *element]] += weight * gain[0];
                    weights[*source][[1, *element]] += weight * gain[1];
                }
            }
        }
        weights
    }
}
