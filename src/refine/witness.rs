//! From the tree of a target to the witness that the checker accepts.

use std::collections::BTreeMap;

use bartizan_proof::certificate::{Place, SignNode, Signs, Slopes, Witness};

use super::tree::{Base, Step, Tree};
use crate::bound::Model;
use crate::bound::compact::Compact;
use crate::bound::dual::GRID;
use crate::bound::frame::{Cut, Frame};

/// The witness of a tree's bound, for the network that was compacted.
pub fn of_tree(model: &Model<f32>, (compact, frame): (&Compact, &Frame), tree: &Tree) -> Witness {
    let base = Witness::Own(Slopes { alpha: alpha(model, (compact, frame), tree), beta: betas(tree), ..Slopes::default() });
    let place = |node: usize| model.place(frame.fed_by(node).next().expect("signs are assumed of inputs of ReLUs"));
    let node = |step: Step| match step {
        Step::Split(sign) => SignNode::Split(place(sign.node), compact.kept[sign.node][sign.element]),
        Step::Leaf(betas) => SignNode::Leaf(betas.to_vec()),
        Step::Own(slopes) => SignNode::Own(slopes.clone()),
    };
    let nodes: Vec<SignNode> = tree.steps().into_iter().map(node).collect();
    if let [SignNode::Own(slopes)] = nodes.as_slice() {
        return Witness::Own(slopes.clone());
    }
    if nodes.len() == 1 { base } else { Witness::Signs(Box::new(Signs { base, nodes })) }
}

/// The multipliers of the signs that make the region.
fn betas(tree: &Tree) -> Vec<f32> {
    tree.base().and_then(|base| base.cuts.as_ref()).map_or_else(Vec::new, |cuts| cuts.to_vec())
}

/// The slopes of the tree's target, by place: those of undecided ReLUs.
fn alpha(model: &Model<f32>, (compact, frame): (&Compact, &Frame), tree: &Tree) -> BTreeMap<Place, Vec<f32>> {
    let Some(Base { slopes, .. }) = tree.base() else { return BTreeMap::new() };
    let of = |(relu, _): (usize, usize)| {
        let lines = frame.lines(relu);
        let mut alpha = vec![f32::NAN; model.nodes()[relu].size];
        let given = &slopes[lines.first..lines.first + lines.undecided.len()];
        for (element, slope) in lines.undecided.iter().zip(given) {
            alpha[compact.kept[relu][*element]] = f32::from(*slope) / GRID;
        }
        (model.place(relu), alpha)
    };
    // Where cuts count, so do the ReLUs before them.
    let is_cut = |(_, multiplier): &(&Cut, &f32)| **multiplier > 0.0;
    let cuts = tree.base().and_then(|base| base.cuts.as_ref());
    let cuts = cuts.into_iter().flat_map(|cuts| frame.cuts().iter().zip(cuts.iter())).filter(is_cut);
    let end = cuts.map(|(cut, _)| cut.target.node).fold(tree.target.node, usize::max);
    let relus = model.relus().filter(|(relu, _)| *relu < end);
    relus.filter(|(relu, _)| !frame.lines(*relu).undecided.is_empty()).map(of).collect()
}
