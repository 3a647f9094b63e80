//! The tree of a target: assumed signs of ReLU inputs, and bounds under them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use bartizan_proof::certificate::Slopes;

use super::influence::Gains;
use crate::bound::dual::{Choice, Reached, Row, Sign};
use crate::bound::frame::Target;

/// How far a child may lag behind its parent, as a share of what is missing to the goal.
const LAG: f32 = 1e-3;

/// The deepest leaf: certificates have room for a few more levels.
const DEEPEST: i32 = 120;

/// Nodes of one tree that fit a witness, with room for a round.
pub const LARGEST: usize = (1 << 17) - 1024;

/// Slopes that all nodes of a tree may have of their own: a checker needs a few hundred megabytes for them.
const MOST_SLOPES: usize = 1 << 26;

/// Branch and bound of one target.
#[derive(Debug)]
pub struct Tree {
    /// What is bounded from below.
    pub target: Target,
    /// A bound that is good enough.
    pub goal: f32,
    /// Whether leaves are left alone where no split helps at once; otherwise further splits may make up for it.
    pub gives_up: bool,
    /// The width of the target's values.
    width: f32,
    /// What the root's bound would gain from tighter intervals.
    gains: Option<Gains>,
    /// The root's bound.
    first: f32,
    /// What the root could be split on.
    choices: Vec<Choice>,
    nodes: Vec<Node>,
    open: BinaryHeap<Leaf>,
    /// The least bound of leaves that reached the goal or cannot be split.
    settled: f32,
    /// Leaves below the goal for which no choice is left.
    stuck: BinaryHeap<Leaf>,
    /// Subproblems that were bounded.
    spent: usize,
    /// Nodes that have a base of their own, and those of them that are split.
    fresh: usize,
    bases: usize,
    /// What all nodes take, in bytes.
    bytes: usize,
    /// The share of the tree that has reached the goal, where each child has half of its parent's.
    closed: f64,
}

#[derive(Debug)]
struct Node {
    /// The number of nodes above.
    depth: i32,
    /// The node above, and what is assumed in addition to it.
    from: Option<(usize, Sign)>,
    /// What the bounds of the node and of those below it use, unless they have some of their own.
    base: Option<Base>,
    /// The first of two children; the second follows it.
    children: Option<usize>,
    /// Multipliers of all assumptions from the root down, while the node is a leaf.
    betas: Box<[f32]>,
    /// What it could be split on, while it is an open leaf.
    choices: Vec<Choice>,
    /// Whether it is split on its choice whatever its children reach.
    is_forced: bool,
    /// Slopes of its own with all multipliers, where a linear program has closed it.
    own: Option<Box<Slopes>>,
}

/// What bounds share.
#[derive(Clone, Debug)]
pub struct Base {
    /// The slopes, by slots.
    pub slopes: Arc<[u8]>,
    /// The multipliers of the frame's cuts; none where all are 0.
    pub cuts: Option<Arc<[f32]>>,
}

/// An open leaf; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Leaf {
    bound: f32,
    node: usize,
}

impl Eq for Leaf {}

impl Ord for Leaf {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A leaf that is being split.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    node: usize,
    bound: f32,
}

/// A step through a tree in preorder.
#[derive(Clone, Copy, Debug)]
pub enum Step<'t> {
    /// The subtree where the sign is negative follows, then that where it is positive.
    Split(&'t Sign),
    /// The subtree follows, with a base of its own.
    Base(&'t Base),
    /// Multipliers of the assumptions on the way.
    Leaf(&'t [f32]),
    /// The same of a leaf that has a base of its own below another.
    Fresh {
        /// The multipliers.
        betas: &'t [f32],
        /// Its base.
        base: &'t Base,
        /// The base above.
        above: &'t Base,
    },
    /// The slopes and multipliers of a leaf of its own.
    Own(&'t Slopes),
}

impl Tree {
    /// A target that is not bounded yet.
    pub fn new(target: Target, width: f32, goal: f32) -> Self {
        Tree {
            target,
            goal,
            gives_up: false,
            width,
            gains: None,
            first: f32::NEG_INFINITY,
            choices: Vec::new(),
            nodes: Vec::new(),
            open: BinaryHeap::new(),
            settled: f32::INFINITY,
            stuck: BinaryHeap::new(),
            spent: 0,
            fresh: 0,
            bases: 0,
            bytes: 0,
            closed: 0.0,
        }
    }

    /// What all leaves are at least; minus infinity before the root is bounded.
    pub fn bound(&self) -> f32 {
        let open = self.open.peek().map_or(f32::INFINITY, |leaf| leaf.bound);
        if self.nodes.is_empty() { f32::NEG_INFINITY } else { open.min(self.least_closed()) }
    }

    /// The least bound of leaves that are not open.
    fn least_closed(&self) -> f32 {
        self.stuck.peek().map_or(self.settled, |leaf| leaf.bound.min(self.settled))
    }

    /// Whether splits can raise the bound, and the goal asks for it.
    pub fn is_open(&self) -> bool {
        self.open.peek().is_some_and(|leaf| leaf.bound < self.goal && leaf.bound <= self.least_closed())
    }

    /// Whether the root has been bounded.
    pub fn is_planted(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Number of subproblems that were bounded.
    pub fn spent(&self) -> usize {
        self.spent
    }

    /// Number of nodes that a witness of the tree has.
    pub fn size(&self) -> usize {
        self.nodes.len() + self.bases
    }

    /// What it takes in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a witness has no room for another round.
    pub fn is_full(&self) -> bool {
        let slopes: usize = self.base().map_or(0, |base| base.slopes.len());
        self.size() >= LARGEST || self.fresh * slopes >= MOST_SLOPES
    }

    /// The number of subproblems that all of the tree should take, by the share that is done.
    pub fn expected(&self) -> f64 {
        self.spent as f64 / self.closed
    }

    /// The number of nodes that a witness of all of the tree should have.
    pub fn expected_size(&self) -> f64 {
        self.size() as f64 / self.closed
    }

    /// The slopes and the multipliers behind the root's bound; none before it is bounded.
    pub fn base(&self) -> Option<&Base> {
        self.nodes.first().and_then(|root| root.base.as_ref())
    }

    /// The root's bound, and what it could be split on, once it has been bounded.
    pub fn root(&self) -> (f32, &[Choice]) {
        (self.first, &self.choices)
    }

    /// Whether some leaves below the goal cannot be split.
    pub fn is_stuck(&self) -> bool {
        !self.stuck.is_empty()
    }

    /// What the root's bound would gain from tighter intervals.
    pub fn gains(&self) -> Option<&Gains> {
        self.gains.as_ref()
    }

    /// What the next subproblem should gain: bounds grow with the logarithm of the size of their tree.
    pub fn promise(&self) -> f32 {
        let spent = self.spent as f32;
        (self.bound() - self.first) / (spent * spent.max(2.0).ln())
    }

    /// The row of the root.
    pub fn root_row(&self, slopes: Option<Arc<[u8]>>) -> Row<'_> {
        Row { target: &self.target, signs: Vec::new(), slopes, cuts: None, width: self.width, goal: self.goal }
    }

    /// Bounds the root.
    pub fn plant(&mut self, mut reached: Reached) {
        self.gains = reached.gains.take();
        self.first = reached.bound;
        self.choices = reached.choices.clone();
        self.spent = 1;
        self.push(None, reached, true);
    }

    /// Takes the worst leaf to split it.
    pub fn take(&mut self) -> Option<Taken> {
        self.open.pop().map(|Leaf { bound, node }| Taken { node, bound })
    }

    /// Whether the children of a leaf get slopes of their own, if those between two such nodes are so many.
    pub fn is_fresh(&self, taken: Taken, levels: usize) -> bool {
        (self.nodes[taken.node].depth.unsigned_abs() as usize + 1).is_multiple_of(levels)
    }

    /// What the bound of a node uses.
    fn base_of(&self, mut node: usize) -> &Base {
        loop {
            let Node { base, from, .. } = &self.nodes[node];
            match (base, from) {
                (Some(base), _) => return base,
                (None, Some((above, _))) => node = *above,
                (None, None) => unreachable!("the root has a base"),
            }
        }
    }

    /// The rows of a leaf's children: the negative sign first.
    pub fn rows(&self, taken: Taken) -> [Row<'_>; 2] {
        let node = &self.nodes[taken.node];
        let Choice { node: place, element, scale, .. } = node.choices[0];
        let mut signs = self.signs(taken.node);
        signs.iter_mut().zip(&node.betas).for_each(|(sign, beta)| sign.beta = *beta);
        [false, true].map(|is_positive| {
            let mut signs = signs.clone();
            signs.push(Sign { node: place, element, is_positive, beta: 0.0, scale });
            let Base { slopes, cuts } = self.base_of(taken.node).clone();
            let slopes = Some(slopes);
            Row { target: &self.target, signs, slopes, cuts, width: self.width, goal: self.goal }
        })
    }

    /// Adds the children of a leaf, as its rows have reached them; or tries another split next where a child lags behind: what is assumed
    /// of a sign makes up for the line that it replaces only as far as multipliers say so.
    pub fn split(&mut self, taken: Taken, children: [Reached; 2], are_fresh: bool) {
        self.spent += 2;
        let tolerance = LAG * (self.goal - taken.bound);
        let lags = children.iter().any(|child| child.bound < taken.bound - tolerance);
        let node = &mut self.nodes[taken.node];
        if lags && !node.is_forced && (self.gives_up || node.choices.len() > 1) {
            node.choices.remove(0);
            let (leaf, is_stuck) = (Leaf { bound: taken.bound, node: taken.node }, node.choices.is_empty());
            if is_stuck {
                self.stuck.push(leaf)
            } else {
                self.open.push(leaf)
            }
            return;
        }
        let Choice { node: place, element, scale, .. } = self.nodes[taken.node].choices[0];
        self.nodes[taken.node].children = Some(self.nodes.len());
        // The root's is that of the whole tree.
        let node = &self.nodes[taken.node];
        self.bases += usize::from(node.base.is_some() && node.from.is_some());
        self.nodes[taken.node].betas = Box::default();
        self.nodes[taken.node].choices = Vec::new();
        for (is_positive, reached) in [false, true].into_iter().zip(children) {
            let sign = Sign { node: place, element, is_positive, beta: 0.0, scale };
            self.push(Some((taken.node, sign)), reached, are_fresh);
        }
    }

    fn push(&mut self, from: Option<(usize, Sign)>, reached: Reached, is_fresh: bool) {
        let (node, bound) = (self.nodes.len(), reached.bound);
        let depth = from.map_or(0, |(above, _)| self.nodes[above].depth + 1);
        let is_open = bound < self.goal && !reached.choices.is_empty() && depth < DEEPEST;
        let choices = if is_open { reached.choices } else { Vec::new() };
        self.closed += if bound >= self.goal { 0.5_f64.powi(depth) } else { 0.0 };
        let betas: Box<[f32]> = reached.betas.into();
        let cuts = Some(reached.cuts).filter(|cuts| cuts.iter().any(|cut| *cut > 0.0));
        self.fresh += usize::from(is_fresh);
        let base = is_fresh.then_some(Base { slopes: reached.slopes, cuts });
        let of_base = base.as_ref().map_or(0, |base| base.slopes.len());
        self.bytes += size_of::<Node>() + size_of_val(&*betas) + size_of_val(choices.as_slice()) + of_base;
        self.nodes.push(Node { depth, from, base, children: None, betas, choices, is_forced: false, own: None });
        match is_open {
            true => self.open.push(Leaf { bound, node }),
            false if bound < self.goal => self.stuck.push(Leaf { bound, node }),
            false => self.settled = self.settled.min(bound),
        }
    }

    /// Takes the worst leaf below the goal for which no choice is left.
    pub fn take_stuck(&mut self) -> Option<Taken> {
        self.stuck.pop().map(|Leaf { bound, node }| Taken { node, bound })
    }

    /// Gives up a leaf.
    pub fn leave(&mut self, taken: Taken) {
        self.settled = self.settled.min(taken.bound);
    }

    /// Settles a leaf that reaches the goal with slopes of its own.
    pub fn settle(&mut self, taken: Taken, slopes: Slopes) {
        self.nodes[taken.node].own = Some(Box::new(slopes));
        self.closed += 0.5_f64.powi(self.nodes[taken.node].depth);
        self.settled = self.settled.min(self.goal);
    }

    /// Whether a certificate has room for splits of a leaf.
    pub fn has_room(&self, taken: Taken) -> bool {
        self.nodes[taken.node].depth < DEEPEST
    }

    /// Opens a leaf again, to be split on the given choice whatever its children reach.
    pub fn reopen(&mut self, taken: Taken, choice: Choice) {
        let node = &mut self.nodes[taken.node];
        (node.choices, node.is_forced) = (vec![choice], true);
        self.open.push(Leaf { bound: taken.bound, node: taken.node });
    }

    /// What is assumed in a leaf.
    pub fn assumed(&self, taken: Taken) -> Vec<Sign> {
        self.signs(taken.node)
    }

    /// The assumptions from the root down to a node.
    fn signs(&self, mut node: usize) -> Vec<Sign> {
        let mut signs = Vec::new();
        while let Some((above, sign)) = &self.nodes[node].from {
            signs.push(*sign);
            node = *above;
        }
        signs.reverse();
        signs
    }

    /// The tree in preorder.
    pub fn steps(&self) -> Vec<Step<'_>> {
        let (mut steps, mut todo) = (Vec::new(), vec![(0, None)]);
        while let Some((node, above)) = todo.pop() {
            let Node { base, children, betas, own, .. } = &self.nodes[node];
            let nearest = base.as_ref().or(above);
            match (children, own) {
                (None, Some(slopes)) => steps.push(Step::Own(slopes)),
                (None, None) => steps.push(match (above, base) {
                    (Some(above), Some(base)) => Step::Fresh { betas, base, above },
                    _ => Step::Leaf(betas),
                }),
                (Some(first), _) => {
                    steps.extend(above.and(base.as_ref()).map(Step::Base));
                    let (_, sign) = self.nodes[*first].from.as_ref().expect("children know their sign");
                    steps.push(Step::Split(sign));
                    todo.extend([(first + 1, nearest), (*first, nearest)]);
                }
            }
        }
        steps
    }
}
