//! The slopes, multipliers and trees of signs that the prover guesses.

use bartizan_proof::certificate::{SignNode, Signs, Slopes, Witness};

use crate::oracle::random::Random;
use crate::prover::{Mistake, Prover, Scope};

/// The deepest leaf of a tree of signs.
const DEEPEST: usize = 4;

/// A number that no place and no element has.
const UNKNOWN: usize = 1000;

/// Grows a tree of signs in preorder.
pub fn grow<G>(guess: &mut G, depth: usize, node: &mut impl FnMut(&mut G, usize) -> SignNode) -> Vec<SignNode> {
    let mut nodes = vec![node(guess, depth)];
    match nodes[0] {
        SignNode::Split(..) => (0..2).for_each(|_| nodes.extend(grow(guess, depth + 1, node))),
        SignNode::Base(_) => nodes.extend(grow(guess, depth, node)),
        SignNode::Leaf(_) | SignNode::Own(_) => {}
    }
    nodes
}

/// Elements that feed ReLUs; `sizes` are those of all places.
pub fn relu_inputs(sizes: &[usize]) -> Vec<(usize, usize)> {
    let places = sizes.iter().enumerate().take(sizes.len() - 1).skip(1);
    places.flat_map(|(place, size)| (0..*size).map(move |element| (place, element))).collect()
}

/// Whether a node at a depth is to be a split.
pub fn splits(random: &mut Random, depth: usize) -> bool {
    depth < DEEPEST && random.chance(0.7)
}

/// Whether a node is to be slopes that stand for the base.
pub fn is_base(random: &mut Random) -> bool {
    random.chance(0.15)
}

impl Prover<'_> {
    pub fn witness(&mut self, scope: &mut Scope) -> Witness {
        match self.random.below(12) {
            0..=4 => Witness::Default,
            5 if scope.kept > 0 => Witness::Kept(self.number_below(scope.kept)),
            6 | 7 => self.signs(scope),
            _ => Witness::Own(self.slopes(scope, 0)),
        }
    }

    /// A tree of signs of elements that are mostly undecided.
    fn signs(&mut self, scope: &mut Scope) -> Witness {
        let inputs = relu_inputs(&self.subject.sizes);
        let is_undecided = |(place, element): &&(usize, usize)| {
            let z = scope.state.intervals(*place)[*element];
            z.lo < 0.0 && z.hi > 0.0
        };
        let undecided: Vec<(usize, usize)> = inputs.iter().filter(is_undecided).copied().collect();
        let base = match self.random.below(4) {
            0 => Witness::Default,
            1 if scope.kept > 0 => Witness::Kept(self.number_below(scope.kept)),
            _ => Witness::Own(self.slopes(scope, 0)),
        };
        let scope = &*scope;
        let mut nodes = grow(self, 0, &mut |prover, depth| {
            if is_base(prover.random) {
                return SignNode::Base(prover.slopes(scope, 0));
            }
            if inputs.is_empty() || !splits(prover.random, depth) {
                return prover.leaf(scope, depth);
            }
            let anywhere = undecided.is_empty() || prover.random.chance(0.1);
            let (place, element) = prover.random.pick(if anywhere { &inputs } else { &undecided });
            match prover.errs(Mistake::Number) {
                true => prover.random.pick(&[SignNode::Split(UNKNOWN, 0), SignNode::Split(0, 0)]),
                false => SignNode::Split(place, element),
            }
        });
        if self.errs(Mistake::Gap) {
            nodes.pop();
        }
        Witness::Signs(Box::new(Signs { base, nodes }))
    }

    fn leaf(&mut self, scope: &Scope, depth: usize) -> SignNode {
        if self.random.chance(0.3) {
            return SignNode::Own(self.slopes(scope, depth));
        }
        let most = depth + usize::from(self.errs(Mistake::Count));
        SignNode::Leaf((0..self.random.between(0, most)).map(|_| self.multiplier()).collect())
    }

    /// Slopes where so many signs are assumed besides what the scope knows.
    pub fn slopes(&mut self, scope: &Scope, signs: usize) -> Slopes {
        let mut slopes = Slopes::default();
        let hidden = 1..self.subject.sizes.len() - 1;
        for place in hidden {
            if self.random.chance(0.7) {
                let size = self.subject.sizes[place] + usize::from(self.errs(Mistake::Count));
                slopes.alpha.insert(place, (0..size).map(|_| self.alpha()).collect());
            }
        }
        let extra = usize::from(self.errs(Mistake::Count));
        slopes.beta = (0..self.random.between(0, scope.cuts + signs + extra)).map(|_| self.multiplier()).collect();
        let constraints = self.random.between(0, self.subject.constraints + extra);
        slopes.constraints = (0..constraints).map(|_| self.multiplier()).collect();
        slopes
    }

    fn alpha(&mut self) -> f32 {
        if self.errs(Mistake::Alpha) {
            return self.random.pick(&[2.0, -0.5, 1.000_000_1, f32::INFINITY, -1e-45]);
        }
        match self.random.below(4) {
            0 => self.random.pick(&[0.0, 1.0]),
            1 => f32::NAN,
            2 => self.random.below(129) as f32 / 128.0,
            _ => self.random.unit() as f32,
        }
    }

    pub fn multiplier(&mut self) -> f32 {
        if self.errs(Mistake::Multiplier) {
            return self.random.pick(&[-1.0, -1.0, -0.5, f32::NAN, f32::INFINITY, -1e-45]);
        }
        match self.random.below(3) {
            0 => self.random.unit() as f32,
            _ => self.random.pick(&[0.0, 1.0, 1.0, 0.5, 2.0, 1e-45, 3e38]),
        }
    }
}
