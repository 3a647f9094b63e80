//! From the tree of a target to the witness that the checker accepts.

use std::collections::BTreeMap;

use bartizan_proof::certificate::{Place, SignNode, Signs, Slopes, Witness};

use super::tree::{Step, Tree};
use crate::bound::Model;
use crate::bound::compact::Compact;
use crate::bound::dual::GRID;
use crate::bound::frame::Frame;

/// The witness of a tree's bound, for the network that was compacted.
pub fn of_tree(model: &Model<f32>, (compact, frame): (&Compact, &Frame), tree: &Tree) -> Witness {
    let base = Witness::Own(Slopes { alpha: alpha(model, (compact, frame), tree), ..Slopes::default() });
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

/// The slopes of the tree's target, by place: those of undecided ReLUs.
fn alpha(model: &Model<f32>, (compact, frame): (&Compact, &Frame), tree: &Tree) -> BTreeMap<Place, Vec<f32>> {
    let Some(slopes) = tree.slopes() else { return BTreeMap::new() };
    let of = |(relu, _): (usize, usize)| {
        let lines = frame.lines(relu);
        let mut alpha = vec![f32::NAN; model.nodes()[relu].size];
        let given = &slopes[lines.first..lines.first + lines.undecided.len()];
        for (element, slope) in lines.undecided.iter().zip(given) {
            alpha[compact.kept[relu][*element]] = f32::from(*slope) / GRID;
        }
        (model.place(relu), alpha)
    };
    let relus = model.relus().filter(|(relu, _)| *relu < tree.target.node);
    relus.filter(|(relu, _)| !frame.lines(*relu).undecided.is_empty()).map(of).collect()
}
