//! A prover that guesses: proof trees of every construct of the format, often right, sometimes deliberately wrong.
//!
//! It follows the states of its tree as the checker will see them, so that it splits what is undecided and proves
//! what is nearly true; slopes and multipliers are random.

use bartizan_proof::certificate::{Close, Item, Literal, Multipliers, Side, Split, Target, Targets};
use bartizan_proof::check::State;

use crate::oracle::random::Random;

/// What a proof may speak of.
pub struct Subject {
    /// Number of elements of each place.
    pub sizes: Vec<usize>,
    /// For each input, values where the network has kinks.
    pub kinks: Vec<Vec<f64>>,
    /// Number of the region's constraints.
    pub constraints: usize,
}

/// How a proof is made.
#[derive(Clone, Copy)]
pub struct Style {
    /// How many splits follow each other at most.
    pub depth: usize,
    /// The share of splits on inputs among all.
    pub inputs: f64,
    /// How often bounds are proved, lemmas made, and slopes kept, at each node.
    pub asides: f64,
}

/// The one thing that a proof now and then does wrong.
#[derive(Clone, Copy, PartialEq)]
pub enum Mistake {
    /// Nothing.
    No,
    /// Slopes outside `[0, 1]`.
    Alpha,
    /// Negative or infinite multipliers.
    Multiplier,
    /// One slope or multiplier too many.
    Count,
    /// The number of a lemma or of slopes that do not exist.
    Number,
    /// Splits that leave something out, or assumptions at what is no number.
    Gap,
    /// Nodes that end with something open, or are said to be empty.
    End,
}

/// All kinds of proofs; half of them are without mistakes.
pub const MISTAKES: [Mistake; 12] = {
    use Mistake::*;
    [No, No, No, No, No, No, Alpha, Multiplier, Count, Number, Gap, End]
};

/// How often the mistake is made where it can be.
const MISTAKEN: f64 = 0.4;

/// How often a node uses forms from there on.
const FORMS: f64 = 0.15;

/// A node under construction.
pub struct Scope<'g> {
    pub state: State<'g>,
    /// The open goals: case and number of atoms.
    pub goals: Vec<(usize, usize)>,
    /// How many assumptions on the path do not speak of the input, and how many slopes and lemmas there are.
    pub cuts: usize,
    pub kept: usize,
    pub lemmas: usize,
}

impl<'g> Scope<'g> {
    pub fn root(state: State<'g>, goals: Vec<(usize, usize)>) -> Self {
        Scope { state, goals, cuts: 0, kept: 0, lemmas: 0 }
    }

    fn child(&self, assumptions: &[Literal]) -> Self {
        let mut state = self.state.clone();
        // What may not be assumed is for the checker to refuse.
        assumptions.iter().for_each(|literal| drop(state.assume(literal)));
        let cuts = self.cuts + assumptions.iter().filter(|literal| literal.place > 0).count();
        Scope { state, goals: self.goals.clone(), cuts, ..*self }
    }
}

pub struct Prover<'r> {
    pub random: &'r mut Random,
    pub subject: &'r Subject,
    pub style: Style,
    pub mistake: Mistake,
}

impl Prover<'_> {
    /// A tree for a node.
    pub fn tree(&mut self, mut scope: Scope, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        if self.random.chance(FORMS) {
            drop(scope.state.use_forms());
            items.push(Item::Forms);
        }
        if scope.state.is_empty() && !self.errs(Mistake::End) {
            items.push(Item::Empty);
            return items;
        }
        if self.random.chance(0.6) {
            items.push(self.tighten(&mut scope));
        }
        if self.random.chance(self.style.asides) {
            self.aside(&mut scope, &mut items, depth);
        }
        let split = if depth > 0 { self.split(&mut scope) } else { None };
        match split {
            Some((split, [first, second])) => {
                items.push(Item::Split(split));
                items.extend(self.tree(scope.child(&[first]), depth - 1));
                items.extend(self.tree(scope.child(&[second]), depth - 1));
            }
            None => items.extend(self.close(&mut scope)),
        }
        items
    }

    pub fn errs(&mut self, mistake: Mistake) -> bool {
        self.mistake == mistake && self.random.chance(MISTAKEN)
    }

    /// The number of something of which there are `n`; now and then one too high.
    pub fn number_below(&mut self, n: usize) -> usize {
        let extra = usize::from(self.errs(Mistake::Number));
        self.random.below(n + extra)
    }

    fn tighten(&mut self, scope: &mut Scope) -> Item {
        if self.random.chance(0.5) {
            drop(scope.state.tighten_all());
            return Item::TightenAll;
        }
        let place = self.random.below(self.subject.sizes.len());
        let size = self.subject.sizes[place];
        let targets = match self.random.below(3) {
            0 => Targets::Undecided,
            1 => {
                let mut marks = || (0..size).map(|_| self.random.chance(0.7)).collect();
                Targets::Marked(marks(), marks())
            }
            _ => {
                let ends = (0..size).flat_map(|element| [(element, Side::Lower), (element, Side::Upper)]);
                let target = |(element, side)| Target { element, side, witness: self.witness(scope) };
                Targets::Listed(ends.map(target).collect())
            }
        };
        drop(scope.state.tighten(place, &targets));
        Item::Tighten(place, targets)
    }

    /// A bound or a lemma with its own tree, or slopes to be kept.
    fn aside(&mut self, scope: &mut Scope, items: &mut Vec<Item>, depth: usize) {
        let depth = depth.min(1);
        match self.random.below(3) {
            0 => {
                let bound = self.literal(scope);
                items.extend(self.bound(scope, bound, depth));
            }
            1 => {
                let literals: Vec<Literal> = (0..self.random.below(3)).map(|_| self.literal(scope)).collect();
                let cases = scope.goals.iter().map(|(case, _)| *case).collect();
                items.push(Item::Lemma(literals.clone(), cases));
                items.extend(self.tree(scope.child(&literals), depth));
                match literals.is_empty() {
                    true => scope.goals.clear(),
                    false => scope.lemmas += 1,
                }
            }
            _ => {
                let slopes = self.slopes(scope, 0);
                drop(scope.state.keep(&slopes));
                items.push(Item::Keep(slopes));
                scope.kept += 1;
            }
        }
    }

    /// A bound with its proof.
    pub fn bound(&mut self, scope: &Scope, bound: Literal, depth: usize) -> Vec<Item> {
        let negation = Literal { side: bound.side.other(), ..bound };
        let child = Scope { goals: vec![(0, 1)], ..scope.child(&[negation]) };
        let mut items = vec![Item::Prove(bound)];
        items.extend(self.tree(child, depth));
        items
    }

    /// A literal near the ends of an element's interval.
    fn literal(&mut self, scope: &mut Scope) -> Literal {
        let place = self.random.below(self.subject.sizes.len());
        let element = self.random.below(self.subject.sizes[place]);
        let interval = scope.state.intervals(place)[element];
        let side = self.random.pick(&[Side::Lower, Side::Upper]);
        let end = if side == Side::Lower { interval.lo } else { interval.hi };
        let inside = interval.lo + self.random.unit() * (interval.hi - interval.lo);
        let at = self.random.pick(&[end, end.next_down(), end.next_up(), inside, 0.0]);
        Literal { place, element, side, at: if at.is_finite() || self.errs(Mistake::Gap) { at } else { 0.0 } }
    }

    /// A split, and what its subtrees assume; none where nothing is worth splitting.
    fn split(&mut self, scope: &mut Scope) -> Option<(Split, [Literal; 2])> {
        let (place, element, mut below) = match self.random.chance(self.style.inputs) {
            true => self.input_value(scope)?,
            false => self.undecided(scope)?,
        };
        let interval = scope.state.intervals(place)[element];
        let is_middle = place == 0 && self.random.chance(0.3);
        if is_middle {
            below = interval.lo / 2.0 + interval.hi / 2.0;
        }
        let above = if is_middle {
            below
        } else if self.errs(Mistake::Gap) {
            self.random.pick(&[below.next_up(), below + 0.25, f64::NAN])
        } else {
            self.random.pick(&[below, below, below, below.next_down(), below - 0.125])
        };
        let split = if is_middle { Split::Middle(element) } else { Split::At { place, element, below, above } };
        let literal = |side, at| Literal { place, element, side, at };
        Some((split, [literal(Side::Upper, below), literal(Side::Lower, above)]))
    }

    /// An input and a value within its interval, a kink where there is one.
    fn input_value(&mut self, scope: &mut Scope) -> Option<(usize, usize, f64)> {
        let element = self.random.below(self.subject.sizes[0]);
        let interval = scope.state.intervals(0)[element];
        let kinks = self.subject.kinks[element].iter().copied();
        let inside: Vec<f64> = kinks.filter(|x| interval.lo < *x && *x < interval.hi).collect();
        if inside.is_empty() && (interval.lo >= interval.hi || self.random.chance(0.5)) {
            return None;
        }
        let middle = interval.lo / 2.0 + interval.hi / 2.0;
        Some((0, element, if inside.is_empty() { middle } else { self.random.pick(&inside) }))
    }

    /// An undecided input of a ReLU, to be split on its sign or on a value near it.
    fn undecided(&mut self, scope: &mut Scope) -> Option<(usize, usize, f64)> {
        let mut found = Vec::new();
        for place in 1..self.subject.sizes.len() {
            let undecided = scope.state.intervals(place).into_iter().enumerate();
            let undecided = undecided.filter(|(_, z)| z.lo < 0.0 && z.hi > 0.0);
            found.extend(undecided.map(|(element, z)| (place, element, z)));
        }
        if found.is_empty() {
            return None;
        }
        let (place, element, z) = self.random.pick(&found);
        let other = if z.hi.is_finite() { z.hi / 2.0 } else { 1.0 };
        Some((place, element, self.random.pick(&[0.0, 0.0, 0.0, 0.0, other])))
    }

    /// Ends a node by refuting its goals.
    fn close(&mut self, scope: &mut Scope) -> Vec<Item> {
        if scope.lemmas > 0 && self.random.chance(0.3) {
            return vec![Item::Apply(self.number_below(scope.lemmas)), Item::End];
        }
        if self.errs(Mistake::End) {
            return vec![self.random.pick(&[Item::End, Item::Empty])];
        }
        let mut close = Vec::new();
        for (case, atoms) in &scope.goals.clone() {
            let multipliers = match self.random.chance(0.6) && *atoms > 0 {
                true => Multipliers::Atom(self.random.below(*atoms)),
                false => Multipliers::Each((0..*atoms).map(|_| self.multiplier()).collect()),
            };
            close.push(Close { case: *case, multipliers, witness: self.witness(scope) });
        }
        match close.is_empty() {
            true => vec![Item::End],
            false => vec![Item::Close(close), Item::End],
        }
    }
}
