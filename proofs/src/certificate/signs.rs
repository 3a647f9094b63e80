//! Trees of assumptions on the signs of ReLU inputs, whose leaves are bounded one by one.

use super::{Place, Side, Slopes, Witness, short_multiplier};
use crate::error::Refusal;

/// The deepest leaf of a tree of signs.
pub(crate) const MOST_SIGNS: usize = 128;

/// The most nodes of a tree of signs.
pub(crate) const MOST_NODES: usize = 1 << 17;

/// A tree of assumptions on the signs of ReLU inputs, in preorder.
#[derive(Clone, Debug, PartialEq)]
pub struct Signs {
    /// The slopes that leaves use: any witness but another tree.
    pub base: Witness,
    /// The nodes in preorder.
    pub nodes: Vec<SignNode>,
}

/// A node of a tree of signs.
#[derive(Clone, Debug, PartialEq)]
pub enum SignNode {
    /// The element of the place is at most 0 in the first subtree, which follows, and at least 0 in the second, which follows
    /// that. The place feeds a ReLU.
    Split(Place, usize),
    /// In the subtree that follows these slopes stand for the tree's base.
    Base(Slopes),
    /// Bounded with the base's slopes, and these multipliers of the signs on the way from the tree's root, in their order;
    /// those that are missing at the end are 0.
    Leaf(Vec<f32>),
    /// Bounded with slopes of its own: alphas that are not given are the base's; `beta` holds the multipliers of all literals
    /// on the path, and then of the signs on the way.
    Own(Slopes),
}

impl Signs {
    /// The same with slopes and multipliers rounded.
    #[must_use]
    pub fn rounded(&self) -> Signs {
        let node = |node: &SignNode| match node {
            SignNode::Split(..) => node.clone(),
            SignNode::Base(slopes) => SignNode::Base(slopes.clone().rounded()),
            SignNode::Leaf(betas) => SignNode::Leaf(betas.iter().copied().map(short_multiplier).collect()),
            SignNode::Own(slopes) => SignNode::Own(slopes.clone().rounded()),
        };
        Signs { base: self.base.rounded(), nodes: self.nodes.iter().map(node).collect() }
    }
}

impl Witness {
    /// The places whose elements' signs are assumed.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        let nodes = if let Witness::Signs(tree) = self { tree.nodes.as_slice() } else { &[] };
        nodes.iter().filter_map(|node| if let SignNode::Split(place, _) = node { Some(*place) } else { None })
    }
}

/// An assumption on the way from the root of a tree of signs to a leaf: at most ([`Side::Upper`]) or at least 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sign {
    pub place: Place,
    pub element: usize,
    pub side: Side,
}

/// What is not a tree of signs is one of a single leaf.
static ALONE: [SignNode; 1] = [SignNode::Leaf(Vec::new())];

/// A witness as a tree of signs.
#[derive(Debug)]
pub(crate) struct SignTree<'w> {
    base: &'w Slopes,
    nodes: &'w [SignNode],
    shape: Shape,
}

/// A leaf of a tree of signs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignLeaf<'t> {
    tree: &'t SignTree<'t>,
    node: usize,
}

impl<'w> SignTree<'w> {
    /// A witness; `slopes` are those that one means which is no tree.
    pub fn new<F>(witness: &'w Witness, slopes: F) -> Result<Self, Refusal>
    where
        F: FnOnce(&'w Witness) -> Result<&'w Slopes, Refusal>,
    {
        let (base, nodes) = match witness {
            Witness::Signs(tree) => (&tree.base, tree.nodes.as_slice()),
            other => (other, ALONE.as_slice()),
        };
        Ok(SignTree { base: slopes(base)?, nodes, shape: Shape::of(nodes)? })
    }

    /// The nodes, and how many signs are assumed at each.
    pub fn nodes(&self) -> impl Iterator<Item = (&'w SignNode, usize)> {
        self.nodes.iter().zip(&self.shape.above).map(|(node, above)| (node, above.depth))
    }

    /// The leaves in their order.
    pub fn leaves(&self) -> impl Iterator<Item = SignLeaf<'_>> {
        let is_leaf = |node: &SignNode| matches!(node, SignNode::Leaf(_) | SignNode::Own(_));
        let leaves = self.nodes.iter().enumerate().filter(move |(_, node)| is_leaf(node));
        leaves.map(|(node, _)| SignLeaf { tree: self, node })
    }
}

impl<'t> SignLeaf<'t> {
    /// The slopes that stand for the tree's base.
    fn base(self) -> &'t Slopes {
        let SignLeaf { tree, node } = self;
        match tree.shape.above.get(node).and_then(|above| tree.nodes.get(above.base?)) {
            Some(SignNode::Base(slopes)) => slopes,
            _ => tree.base,
        }
    }

    /// The slopes of its own.
    fn own(self) -> Option<&'t Slopes> {
        match self.tree.nodes.get(self.node) {
            Some(SignNode::Own(slopes)) => Some(slopes),
            _ => None,
        }
    }

    /// The alphas of a place: those of the base, and those that are given instead.
    pub fn alphas(self, place: Place) -> [&'t [f32]; 2] {
        let of = |slopes: &'t Slopes| slopes.alpha.get(&place).map_or(&[][..], Vec::as_slice);
        [of(self.base()), self.own().map_or(&[], of)]
    }

    /// Multipliers of so many literals on the path, of the signs on the way, and of the region's constraints.
    pub fn multipliers(self, literals: usize) -> [&'t [f32]; 3] {
        let Slopes { beta, constraints, .. } = self.own().unwrap_or_else(|| self.base());
        let (beta, rest) = beta.split_at_checked(literals).unwrap_or((beta, &[]));
        match self.tree.nodes.get(self.node) {
            Some(SignNode::Leaf(betas)) => [beta, betas, constraints],
            _ => [beta, rest, constraints],
        }
    }

    /// The signs on the way with their places in it, the last first.
    pub fn signs(self) -> impl Iterator<Item = (usize, Sign)> + 't {
        let SignLeaf { tree, mut node } = self;
        std::iter::from_fn(move || {
            let Above { split, side, depth, .. } = *tree.shape.above.get(node)?;
            node = split;
            match tree.nodes.get(split) {
                Some(SignNode::Split(place, element)) => {
                    Some((depth.checked_sub(1)?, Sign { place: *place, element: *element, side }))
                }
                _ => None,
            }
        })
    }
}

/// How the nodes of a tree of signs hang together, as far as they have come.
#[derive(Debug)]
pub(crate) struct Shape {
    /// What is above each node.
    above: Vec<Above>,
    /// What is above the subtrees that are to come, the next one at the end.
    missing: Vec<Above>,
}

/// What is above a node.
#[derive(Clone, Copy, Debug)]
struct Above {
    /// The nearest split, and the side of it that the node is on; any where there is no split.
    split: usize,
    side: Side,
    /// How many splits.
    depth: usize,
    /// The nearest node with slopes that stand for the base.
    base: Option<usize>,
}

impl Shape {
    /// A tree of which no node has come.
    pub fn new() -> Self {
        Shape { above: Vec::new(), missing: vec![Above { split: 0, side: Side::Lower, depth: 0, base: None }] }
    }

    /// That of a complete tree.
    pub fn of(nodes: &[SignNode]) -> Result<Self, Refusal> {
        let mut shape = Shape { above: Vec::with_capacity(nodes.len()), ..Shape::new() };
        nodes.iter().try_for_each(|node| shape.add(node))?;
        match shape.is_complete() {
            true => Ok(Shape { missing: Vec::new(), ..shape }),
            false => Err(Refusal::Malformed("a complete tree of signs")),
        }
    }

    /// Whether no node is missing.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// The next node in preorder.
    pub fn add(&mut self, node: &SignNode) -> Result<(), Refusal> {
        let above = self.missing.pop().ok_or(Refusal::Malformed("a tree of signs that ends"))?;
        let (number, depth) = (self.above.len(), above.depth);
        if number >= MOST_NODES {
            return Err(Refusal::TooLong(number + 1, MOST_NODES));
        }
        match node {
            SignNode::Split(..) if depth >= MOST_SIGNS => return Err(Refusal::TooDeep(MOST_SIGNS)),
            SignNode::Split(..) => {
                let child = |side| Above { split: number, side, depth: depth + 1, base: above.base };
                self.missing.extend([Side::Lower, Side::Upper].map(child));
            }
            SignNode::Base(_) => self.missing.push(Above { base: Some(number), ..above }),
            SignNode::Leaf(_) | SignNode::Own(_) => {}
        }
        self.above.push(above);
        Ok(())
    }
}
