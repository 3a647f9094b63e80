//! The search tree, which becomes the proof.

use bartizan_proof::Interval;
use bartizan_proof::certificate::{Close, Item, Split};

use super::domain::keep;
use super::judge::Effort;

/// A node of the tree.
pub type NodeId = usize;

/// How a node ends.
#[derive(Clone, Debug)]
enum End {
    Open,
    Closed(Effort, Vec<Close>),
    /// The case that happens everywhere, and how the negations of its atoms are refuted.
    Violated(usize, Effort, Vec<Close>),
    /// The second child follows the first.
    Split(Split, NodeId),
}

/// How a part of the region ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// Everything is refuted.
    Certified,
    /// A case happens everywhere.
    Violated,
    /// Nothing is known.
    Undecided,
}

/// A part of the region that is not split any further.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// How it ends.
    pub kind: PartKind,
    /// Its box.
    pub ends: Vec<Interval>,
}

/// The most nodes of a tree. With 20 inputs it takes 8 GiB then, with what is known of its open nodes.
const MOST_NODES: usize = 1 << 24;

/// What has been split and refuted so far. Children have larger numbers than their parents.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The region.
    ends: Vec<Interval>,
    nodes: Vec<End>,
    /// The parent of each node but the root, in pairs.
    parents: Vec<NodeId>,
    /// How many nodes it may have.
    pub(super) room: usize,
}

impl Tree {
    /// An open root.
    pub fn new(ends: Vec<Interval>) -> Self {
        Tree { ends, nodes: vec![End::Open], parents: Vec::new(), room: MOST_NODES }
    }

    /// The root.
    pub fn root(&self) -> NodeId {
        0
    }

    /// Number of nodes.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no room for more nodes.
    pub fn is_full(&self) -> bool {
        self.size() >= self.room
    }

    /// Splits an open node.
    pub fn split(&mut self, node: NodeId, split: Split) -> [NodeId; 2] {
        let first = self.nodes.len();
        self.nodes[node] = End::Split(split, first);
        self.nodes.extend([End::Open, End::Open]);
        self.parents.push(node);
        [first, first + 1]
    }

    /// Refutes everything at an open node.
    pub fn close(&mut self, node: NodeId, (effort, closes): (Effort, Vec<Close>)) {
        self.nodes[node] = End::Closed(effort, closes);
    }

    /// Notes at an open node that a case happens everywhere: the negations of its atoms are refuted.
    pub fn violate(&mut self, node: NodeId, case: usize, (effort, closes): (Effort, Vec<Close>)) {
        self.nodes[node] = End::Violated(case, effort, closes);
    }

    /// Opens a closed node again; returns its box.
    pub fn reopen(&mut self, node: NodeId) -> Vec<Interval> {
        self.nodes[node] = End::Open;
        let mut ends = self.ends.clone();
        self.path(node).iter().for_each(|(split, is_second)| keep(&mut ends, split, *is_second));
        ends
    }

    /// The closed nodes.
    pub fn leaves(&self) -> Vec<NodeId> {
        (0..self.nodes.len()).filter(|node| matches!(self.nodes[*node], End::Closed(..))).collect()
    }

    /// All parts that are not split any further, in preorder.
    pub fn parts(&self) -> Vec<Part> {
        let (mut parts, mut pending) = (Vec::new(), vec![(self.root(), self.ends.clone())]);
        while let Some((node, ends)) = pending.pop() {
            let kind = match &self.nodes[node] {
                End::Open => PartKind::Undecided,
                End::Closed(..) => PartKind::Certified,
                End::Violated(..) => PartKind::Violated,
                End::Split(split, first) => {
                    let child = |is_second: bool| {
                        let mut ends = ends.clone();
                        keep(&mut ends, split, is_second);
                        (first + usize::from(is_second), ends)
                    };
                    pending.extend([child(true), child(false)]);
                    continue;
                }
            };
            parts.push(Part { kind, ends });
        }
        parts
    }

    /// The splits from the root to a node, and whether it is in the second subtree of each.
    pub fn path(&self, mut node: NodeId) -> Vec<(Split, bool)> {
        let mut path = Vec::new();
        while node != self.root() {
            // Siblings are created together: node 1 and 2 first, then 3 and 4.
            let parent = self.parents[(node - 1) / 2];
            let End::Split(split, first) = &self.nodes[parent] else { unreachable!("a parent is split") };
            path.push((*split, node != *first));
            node = parent;
        }
        path.reverse();
        path
    }

    /// The way from the root to the end of a node that ends with the given items; at each split with whether it goes on in the
    /// second subtree.
    pub fn way(&self, node: NodeId, ending: Vec<Item>) -> Vec<(Item, bool)> {
        let along = |item| (item, false);
        let path = self.path(node).into_iter().map(|(split, is_second)| (Item::Split(split), is_second));
        self.preamble().into_iter().map(along).chain(path).chain(ending.into_iter().map(along)).collect()
    }

    /// What the proof says before anything else.
    fn preamble(&self) -> Vec<Item> {
        vec![Item::Forms]
    }

    /// What the proof says at a node, its subtrees left out.
    pub fn items_at(&self, node: NodeId) -> Vec<Item> {
        match &self.nodes[node] {
            End::Open => vec![Item::Leave],
            End::Split(split, _) => vec![Item::Split(*split)],
            End::Closed(effort, closes) => ending(*effort, None, closes.clone()),
            End::Violated(case, effort, closes) => ending(*effort, Some(*case), closes.clone()),
        }
    }

    /// The whole proof in preorder.
    pub fn items(&self) -> Vec<Item> {
        let mut items = self.preamble();
        let mut pending = vec![self.root()];
        while let Some(node) = pending.pop() {
            items.extend(self.items_at(node));
            if let End::Split(_, first) = &self.nodes[node] {
                pending.extend([first + 1, *first]);
            }
        }
        items
    }
}

/// What the proof says at a node where everything is refuted: the cases, or the negations of the atoms of a case that happens everywhere.
pub fn ending(effort: Effort, violated: Option<usize>, closes: Vec<Close>) -> Vec<Item> {
    let tighten = (effort == Effort::Backward).then_some(Item::TightenAll);
    let violate = violated.map(Item::Violate);
    tighten.into_iter().chain(violate).chain([Item::Close(closes), Item::End]).collect()
}

#[cfg(test)]
mod tests {
    use bartizan_proof::certificate::{Multipliers, Witness};

    use super::*;

    fn ending(effort: Effort) -> (Effort, Vec<Close>) {
        (effort, vec![Close { case: 0, multipliers: Multipliers::Atom(0), witness: Witness::Default }])
    }

    #[test]
    fn proofs_are_in_preorder_and_boxes_follow_paths() {
        let mut tree = Tree::new(vec![Interval { lo: 0.0, hi: 4.0 }, Interval { lo: 0.0, hi: 1.0 }]);
        let [low, high] = tree.split(tree.root(), Split::Middle(0));
        let [second_low, second_high] = tree.split(high, Split::Middle(0));
        tree.close(low, ending(Effort::Forward));
        tree.close(second_low, ending(Effort::Backward));
        tree.close(second_high, ending(Effort::Forward));
        let close = tree.items_at(low)[0].clone();
        let end = Item::End;
        let split = Item::Split(Split::Middle(0));
        let expected = [&Item::Forms, &split, &close, &end, &split, &Item::TightenAll, &close, &end, &close, &end];
        assert_eq!(tree.items().iter().collect::<Vec<_>>(), expected);
        assert_eq!(tree.leaves(), [low, second_low, second_high]);
        assert_eq!(tree.path(second_low), [(Split::Middle(0), true), (Split::Middle(0), false)]);
        let way = [(Item::Forms, false), (split.clone(), true), (split.clone(), false), (Item::End, false)];
        assert_eq!(tree.way(second_low, vec![Item::End]), way);
        let ends = tree.reopen(second_low);
        assert_eq!((ends[0].lo, ends[0].hi, ends[1].hi), (2.0, 3.0, 1.0));
        assert!(tree.items().contains(&Item::Leave) && tree.leaves() == [low, second_high]);
        tree.violate(second_low, 3, ending(Effort::Backward));
        let parts: Vec<_> =
            tree.parts().into_iter().map(|part| (part.kind, part.ends[0].lo, part.ends[0].hi)).collect();
        let expected =
            [(PartKind::Certified, 0.0, 2.0), (PartKind::Violated, 2.0, 3.0), (PartKind::Certified, 3.0, 4.0)];
        assert_eq!(parts, expected);
        assert_eq!(tree.items_at(second_low), [Item::TightenAll, Item::Violate(3), close, Item::End]);
    }
}
