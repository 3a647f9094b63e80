//! From the tree of a target to the witness that the checker accepts.

use bartizan_proof::certificate::{SignNode, Signs, Slopes, Witness};

use super::tree::{Base, Step, Tree};
use crate::bound::Model;
use crate::bound::compact::Compact;
use crate::bound::elementwise::GRID;
use crate::bound::frame::{Frame, Lines};

/// The witness of a tree's bound, for the network that was compacted.
pub fn of_tree(model: &Model<f32>, (compact, frame): (&Compact, &Frame), tree: &Tree) -> Witness {
    let writer = Writer { model, compact, frame, end: tree.target.node };
    let Some(base) = tree.base() else { return Witness::Default };
    let nodes: Vec<SignNode> = tree.steps().into_iter().map(|step| writer.node(step)).collect();
    let base = Witness::Own(writer.base(base));
    match nodes.as_slice() {
        [SignNode::Own(slopes)] => Witness::Own(slopes.clone()),
        [_] => base,
        _ => Witness::Signs(Box::new(Signs { base, nodes })),
    }
}

/// What the witness of one target is written with.
struct Writer<'w> {
    model: &'w Model<f32>,
    compact: &'w Compact,
    frame: &'w Frame<'w>,
    /// The nodes of the target come before this one.
    end: usize,
}

impl Writer<'_> {
    fn node(&self, step: Step) -> SignNode {
        match step {
            Step::Split(sign) => {
                let relu = self.frame.fed_by(sign.node).next().expect("signs are assumed of inputs of ReLUs");
                SignNode::Split(self.model.place(relu), self.compact.kept[sign.node][sign.element])
            }
            Step::Base(base) => SignNode::Base(self.base(base)),
            Step::Leaf(betas) => SignNode::Leaf(betas.to_vec()),
            Step::Fresh { betas, base, above } => {
                let mut slopes = self.slopes(base, |_, slot| f32::from(above.slopes[slot]) / GRID);
                slopes.beta.resize(self.frame.cuts().len(), 0.0);
                slopes.beta.extend(betas);
                SignNode::Own(slopes)
            }
            Step::Own(slopes) => SignNode::Own(slopes.clone()),
        }
    }

    /// Bounds of the outputs are judged with the intervals at hand, so what the default rule says of them need not be written down. Those
    /// of hidden neurons may be judged when others are tighter.
    fn base(&self, base: &Base) -> Slopes {
        let is_output = self.end > self.model.output();
        let default = |lines: &Lines, slot: usize| lines.below[lines.undecided[slot - lines.first]];
        self.slopes(base, |lines, slot| if is_output { default(lines, slot) } else { f32::NAN })
    }

    /// Slopes where they are not what would count without them, and the multipliers of cuts.
    fn slopes(&self, base: &Base, otherwise: impl Fn(&Lines, usize) -> f32) -> Slopes {
        let mut slopes =
            Slopes { beta: base.cuts.iter().flat_map(|cuts| cuts.iter().copied()).collect(), ..Slopes::default() };
        // Where a cut counts, so do the ReLUs before it.
        let cuts = slopes.beta.iter().zip(self.frame.cuts()).filter(|(beta, _)| **beta > 0.0);
        let end = cuts.map(|(_, cut)| cut.target.node).fold(self.end, usize::max);
        for (relu, _) in self.model.relus().filter(|(relu, _)| *relu < end) {
            let lines = self.frame.lines(relu);
            let mut alpha = vec![f32::NAN; self.model.nodes()[relu].size];
            for (slot, element) in (lines.first..).zip(&lines.undecided) {
                let slope = f32::from(base.slopes[slot]) / GRID;
                if slope != otherwise(lines, slot) {
                    alpha[self.compact.kept[relu][*element]] = slope;
                }
            }
            if alpha.iter().any(|slope| !slope.is_nan()) {
                slopes.alpha.insert(self.model.place(relu), alpha);
            }
        }
        slopes
    }
}
