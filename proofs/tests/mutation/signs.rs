//! The search for trees of signs.

use bartizan_proof::certificate::{Side, SignNode, Signs, Slopes, Witness};

use crate::facts::{Facts, Linear, SLACK};
use crate::random::Random;
use crate::witness::improve;

/// The deepest leaf, and the most leaves.
const DEEPEST: usize = 4;
const LEAVES: usize = 8;

/// A goal, and the base of a tree that is to bound it.
struct Search<'s> {
    goal: &'s [(f64, &'s Linear)],
    base: &'s Slopes,
    leaves: usize,
}

/// A tree of signs that bounds a goal above 0, if a small one is found.
pub fn refute(facts: &Facts, goal: &[(f64, &Linear)], kept: &[Slopes], random: &mut Random) -> Option<Witness> {
    let (base, slopes) = base(facts, goal, kept, random);
    let mut search = Search { goal, base: &slopes, leaves: LEAVES };
    let nodes = search.grow(facts, DEEPEST, SLACK)?;
    Some(Witness::Signs(Box::new(Signs { base, nodes })))
}

/// A tree of signs of a given depth and its bound of a goal.
pub fn bound(facts: &Facts, goal: &[(f64, &Linear)], depth: usize, random: &mut Random) -> (f64, Witness) {
    let (base, slopes) = base(facts, goal, &[], random);
    let mut search = Search { goal, base: &slopes, leaves: LEAVES };
    let nodes = search.split(facts, depth);
    (search.least(facts, &mut nodes.iter()), Witness::Signs(Box::new(Signs { base, nodes })))
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
    /// The nodes of a tree whose leaves are all bounded above something.
    fn grow(&mut self, facts: &Facts, depth: usize, above: f64) -> Option<Vec<SignNode>> {
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
        let Some((place, element)) = widest(facts).filter(|_| depth > 0) else { return vec![self.leaf(facts).0] };
        let halves = [Side::Upper, Side::Lower].map(|side| facts.with_sign(place, element, side));
        let halves = halves.iter().flat_map(|half| self.split(half, depth - 1));
        [SignNode::Split(place, element)].into_iter().chain(halves).collect()
    }

    /// The best leaf, without slopes of its own where these give it little, and its bound.
    fn leaf(&self, facts: &Facts) -> (SignNode, f64) {
        let own = improve(facts, self.goal);
        let first = facts.cuts.len() - facts.signs;
        let node = SignNode::Leaf(own.beta.get(first..).unwrap_or_default().to_vec());
        let (with_base, with_own) = (self.value(facts, &node), facts.lower(self.goal, &own));
        if with_base > SLACK || with_base >= with_own - SLACK {
            return (node, with_base);
        }
        (SignNode::Own(own), with_own)
    }

    /// The bound of a leaf.
    fn value(&self, facts: &Facts, node: &SignNode) -> f64 {
        let slopes = match node {
            SignNode::Own(own) => own.clone(),
            SignNode::Leaf(betas) => {
                let mut slopes = self.base.clone();
                slopes.beta.resize(facts.cuts.len() - facts.signs, 0.0);
                slopes.beta.extend(betas);
                slopes
            }
            SignNode::Split(..) => panic!("no leaf"),
        };
        facts.lower(self.goal, &slopes)
    }

    /// The least bound of a tree's leaves.
    fn least<'n>(&self, facts: &Facts, nodes: &mut impl Iterator<Item = &'n SignNode>) -> f64 {
        match nodes.next().unwrap() {
            SignNode::Split(place, element) => {
                let halves = [Side::Upper, Side::Lower].map(|side| facts.with_sign(*place, *element, side));
                halves.iter().map(|half| self.least(half, nodes)).fold(f64::INFINITY, f64::min)
            }
            leaf => self.value(facts, leaf),
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
