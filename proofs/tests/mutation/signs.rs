//! The search for trees of signs.

use bartizan_proof::certificate::{Side, SignNode, Signs, Slopes, Witness};

use crate::facts::{Facts, Linear, SLACK};
use crate::random::Random;
use crate::witness::improve;

/// The deepest leaf, and the most leaves.
const DEEPEST: usize = 4;
const LEAVES: usize = 8;

/// One in so many subtrees gets slopes that stand for its base.
const BASES: usize = 4;

/// A goal, and what bounds it at a place of a tree: its base there, and how many leaves it may still get.
struct Search<'s> {
    goal: &'s [(f64, &'s Linear)],
    base: Slopes,
    leaves: usize,
    random: &'s mut Random,
}

/// A tree of signs that bounds a goal above 0, if a small one is found.
pub fn refute(facts: &Facts, goal: &[(f64, &Linear)], kept: &[Slopes], random: &mut Random) -> Option<Witness> {
    let (base, slopes) = base(facts, goal, kept, random);
    let mut search = Search { goal, base: slopes, leaves: LEAVES, random };
    let nodes = search.grow(facts, DEEPEST, SLACK)?;
    Some(Witness::Signs(Box::new(Signs { base, nodes })))
}

/// A tree of signs of a given depth and its bound of a goal.
pub fn bound(facts: &Facts, goal: &[(f64, &Linear)], depth: usize, random: &mut Random) -> (f64, Witness) {
    let (base, slopes) = base(facts, goal, &[], random);
    let mut search = Search { goal, base: slopes, leaves: LEAVES, random };
    let nodes = search.split(facts, depth);
    (search.least(facts, &search.base, &mut nodes.iter()), Witness::Signs(Box::new(Signs { base, nodes })))
}

/// A base, and the slopes that it means.
fn base(facts: &Facts, goal: &[(f64, &Linear)], kept: &[Slopes], random: &mut Random) -> (Witness, Slopes) {
    match random.below(4) {
        0 => (Witness::Default, Slopes::default()),
        1 if !kept.is_empty() => (Witness::Kept(0), kept[0].clone()),
        2 => {
            let slopes = improve(facts, goal);
            (Witness::Own(slopes.clone()), slopes)
        }
        _ => {
            let slopes = improve(facts, goal).rounded();
            (Witness::Own(slopes.clone()), slopes)
        }
    }
}

impl Search<'_> {
    /// Sometimes puts slopes that are good here in the place of the base. Returns the outer base.
    fn begin(&mut self, facts: &Facts, nodes: &mut Vec<SignNode>) -> Slopes {
        let outer = self.base.clone();
        if self.random.below(BASES) == 0 {
            let mut slopes = improve(facts, self.goal);
            slopes.beta.truncate(facts.cuts.len() - facts.signs);
            self.base = if self.random.below(2) == 0 { slopes.rounded() } else { slopes };
            nodes.push(SignNode::Base(self.base.clone()));
        }
        outer
    }

    /// The nodes of a tree whose leaves are all bounded above something.
    fn grow(&mut self, facts: &Facts, depth: usize, above: f64) -> Option<Vec<SignNode>> {
        let mut nodes = Vec::new();
        let outer = self.begin(facts, &mut nodes);
        let below = self.grow_below(facts, depth, above);
        self.base = outer;
        nodes.extend(below?);
        Some(nodes)
    }

    fn grow_below(&mut self, facts: &Facts, depth: usize, above: f64) -> Option<Vec<SignNode>> {
        let (leaf, bound) = self.leaf(facts);
        if bound > above {
            return Some(vec![leaf]);
        }
        self.leaves = self.leaves.checked_sub(1)?;
        let (place, element) = widest(facts).filter(|_| depth > 0)?;
        let mut nodes = vec![SignNode::Split(place, element)];
        for side in [Side::Upper, Side::Lower] {
            nodes.extend(self.grow(&facts.with_sign(place, element, side), depth - 1, above)?);
        }
        Some(nodes)
    }

    /// The nodes of a tree of a depth.
    fn split(&mut self, facts: &Facts, depth: usize) -> Vec<SignNode> {
        let mut nodes = Vec::new();
        let outer = self.begin(facts, &mut nodes);
        match widest(facts).filter(|_| depth > 0) {
            Some((place, element)) => {
                nodes.push(SignNode::Split(place, element));
                let halves = [Side::Upper, Side::Lower].map(|side| facts.with_sign(place, element, side));
                halves.iter().for_each(|half| nodes.extend(self.split(half, depth - 1)));
            }
            None => nodes.push(self.leaf(facts).0),
        }
        self.base = outer;
        nodes
    }

    /// The best leaf, without slopes of its own where these give it little, and its bound.
    fn leaf(&self, facts: &Facts) -> (SignNode, f64) {
        let own = improve(facts, self.goal);
        let first = facts.cuts.len() - facts.signs;
        let node = SignNode::Leaf(own.beta.get(first..).unwrap_or_default().to_vec());
        let (with_base, with_own) = (self.value(facts, &self.base, &node), facts.lower(self.goal, &own));
        if with_base > SLACK || with_base >= with_own - SLACK {
            return (node, with_base);
        }
        (SignNode::Own(own), with_own)
    }

    /// The bound of a leaf.
    fn value(&self, facts: &Facts, base: &Slopes, node: &SignNode) -> f64 {
        let slopes = match node {
            SignNode::Own(own) => own.clone(),
            SignNode::Leaf(betas) => {
                let mut slopes = base.clone();
                slopes.beta.resize(facts.cuts.len() - facts.signs, 0.0);
                slopes.beta.extend(betas);
                slopes
            }
            SignNode::Split(..) | SignNode::Base(_) => panic!("no leaf"),
        };
        facts.lower(self.goal, &slopes)
    }

    /// The least bound of the leaves of the tree that begins with the next node.
    fn least<'n>(&self, facts: &Facts, base: &Slopes, nodes: &mut impl Iterator<Item = &'n SignNode>) -> f64 {
        match nodes.next().unwrap() {
            SignNode::Split(place, element) => {
                let halves = [Side::Upper, Side::Lower].map(|side| facts.with_sign(*place, *element, side));
                halves.iter().map(|half| self.least(half, base, nodes)).fold(f64::INFINITY, f64::min)
            }
            SignNode::Base(slopes) => self.least(facts, slopes, nodes),
            leaf => self.value(facts, base, leaf),
        }
    }
}

/// The ReLU input with the widest undecided interval whose sign is not assumed.
fn widest(facts: &Facts) -> Option<(usize, usize)> {
    let last = facts.bounds.len() - 1;
    let every = (1..last).flat_map(|place| (0..facts.bounds[place].len()).map(move |element| (place, element)));
    let open =
        every.filter(|(place, element)| facts.is_undecided(*place, *element) && facts.sign(*place, *element).is_none());
    let slack = |(place, element): &(usize, usize)| {
        let (l, u) = facts.bounds[*place][*element];
        u.min(-l)
    };
    open.max_by(|a, b| slack(a).total_cmp(&slack(b)))
}
