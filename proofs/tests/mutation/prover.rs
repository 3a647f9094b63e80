//! A small branch and bound that writes certificates and likes to use every construct.

use std::rc::Rc;

use bartizan_proof::certificate::{Close, Item, Literal, Multipliers, Proof, Side, Slopes, Split, Targets, Witness};

use crate::facts::{Facts, Ground, Linear};
use crate::question::{Danger, Question};
use crate::random::Random;
use crate::signs;
use crate::tighten::tighten;
use crate::witness::{Goal, close, improve};

/// The most nodes of one region's tree, and its deepest.
const NODES: usize = 60;
const DEEPEST: usize = 10;

/// One in so many nodes uses forms from there on.
const FORMS: usize = 8;

/// A node on its way.
#[derive(Clone)]
struct Path<'g> {
    facts: Facts<'g>,
    kept: Vec<Slopes>,
    lemmas: Vec<(Literal, Vec<usize>)>,
    /// Whether the goal is that of a proved bound, to which no lemma applies.
    is_aside: bool,
    depth: usize,
}

impl<'g> Path<'g> {
    fn below(&self, literal: &Literal) -> Path<'g> {
        Path { facts: self.facts.assume(literal), depth: self.depth + 1, ..self.clone() }
    }

    fn applies(&self, (literal, cases): &(Literal, Vec<usize>), open: &[Rc<Goal>]) -> bool {
        !self.is_aside && self.facts.implies(literal) && open.iter().all(|goal| cases.contains(&goal.case))
    }
}

pub struct Prover<'r> {
    random: &'r mut Random,
    nodes: usize,
    gives_up: bool,
}

/// Proofs of all cases, if they are found in time.
pub fn prove(question: &Question, cases: &[Danger], random: &mut Random) -> Option<Vec<Proof>> {
    search(question, cases, random, true)
}

/// Proofs that claim to close what could not be closed in time, with the best slopes that were found.
pub fn pretend(question: &Question, cases: &[Danger], random: &mut Random) -> Option<Vec<Proof>> {
    search(question, cases, random, false)
}

fn search(question: &Question, cases: &[Danger], random: &mut Random, gives_up: bool) -> Option<Vec<Proof>> {
    let proof = |(region, domain): (usize, &crate::question::Domain)| {
        let own = cases.iter().enumerate().filter(|(_, danger)| danger.region == region);
        let open: Vec<Rc<Goal>> =
            own.map(|(case, danger)| Rc::new(Goal { case, atoms: danger.atoms.clone() })).collect();
        let (constraints, ball) = (domain.constraints.clone(), domain.ball.clone());
        let ground = Ground { net: &question.net, constraints, ball };
        let facts = Facts::new(&ground, domain.bounds.clone());
        let root = Path { facts, kept: Vec::new(), lemmas: Vec::new(), is_aside: false, depth: 0 };
        let mut prover = Prover { random, nodes: NODES, gives_up };
        Some(Proof { region, items: prover.node(root, open)? })
    };
    question.regions.iter().enumerate().map(proof).collect()
}

impl Prover<'_> {
    /// The items of a node and of everything below it.
    fn node(&mut self, mut path: Path, mut open: Vec<Rc<Goal>>) -> Option<Vec<Item>> {
        let is_late = self.nodes == 0 || path.depth > DEEPEST;
        if is_late && self.gives_up {
            return None;
        }
        self.nodes = self.nodes.saturating_sub(1);
        if path.facts.is_empty() {
            return Some(vec![Item::Empty]);
        }
        if let Some(lemma) = path.lemmas.iter().position(|lemma| path.applies(lemma, &open)) {
            return Some(vec![Item::Apply(lemma), Item::End]);
        }
        let mut items = Vec::new();
        if self.random.below(FORMS) == 0 {
            path.facts.use_forms();
            items.push(Item::Forms);
        }
        items.extend(enclose(&path.facts));
        if path.depth == 0 {
            items.extend(tighten(&mut path.facts, self.random));
            items.extend(self.proved_bound(&mut path));
        }
        items.extend(self.keep(&mut path, &open));
        items.extend(self.closes(&path, &mut open));
        if is_late && !open.is_empty() {
            return Some([items, vec![Item::Close(best_effort(&path.facts, &open, self.random)), Item::End]].concat());
        }
        items.extend(enclose(&path.facts));
        let rest = if open.is_empty() { vec![Item::End] } else { self.branch(path, open)? };
        Some([items, rest].concat())
    }

    /// Closes what can be closed, in one item or in several.
    fn closes(&mut self, path: &Path, open: &mut Vec<Rc<Goal>>) -> Vec<Item> {
        let mut found: Vec<Close> = Vec::new();
        open.retain(|goal| match close(&path.facts, goal, &path.kept, self.random) {
            Some(close) => {
                found.push(close);
                false
            }
            None => true,
        });
        if self.random.below(2) == 0 {
            return found.into_iter().map(|close| Item::Close(vec![close])).collect();
        }
        if found.is_empty() { Vec::new() } else { vec![Item::Close(found)] }
    }

    /// Sometimes keeps slopes that are good for the first goal.
    fn keep(&mut self, path: &mut Path, open: &[Rc<Goal>]) -> Option<Item> {
        let atom = open.first().filter(|_| self.random.below(4) == 0)?.atoms.first()?.clone();
        let slopes = improve(&path.facts, &[(1.0, &atom)]).rounded();
        path.kept.push(slopes.clone());
        Some(Item::Keep(slopes))
    }

    /// Sometimes proves a bound of an undecided ReLU's input by a tree, one that a single node gives if no better.
    fn proved_bound(&mut self, path: &mut Path) -> Vec<Item> {
        let Some((place, element)) = self.undecided(path).filter(|_| self.random.below(2) == 0) else {
            return Vec::new();
        };
        let bound = path.facts.lower(&[(1.0, &linear(place, element))], &Slopes::default());
        let (l, u) = path.facts.bounds[place][element];
        for share in [0.05, -0.01] {
            let literal = Literal { place, element, side: Side::Lower, at: bound.max(l) + share * (u - l) };
            let negation = Literal { side: Side::Upper, ..literal };
            let goal = Rc::new(Goal { case: 0, atoms: vec![Linear::of(&negation)] });
            let aside = Path { is_aside: true, ..path.below(&negation) };
            let gives_up = std::mem::replace(&mut self.gives_up, true);
            let found = self.node(aside, vec![goal]);
            self.gives_up = gives_up;
            if let Some(items) = found {
                path.facts.adopt(&literal);
                return [vec![Item::Prove(literal)], items].concat();
            }
            self.nodes = NODES;
        }
        Vec::new()
    }

    /// The ReLU with the widest undecided input; one that a lemma speaks of comes first.
    fn undecided(&self, path: &Path) -> Option<(usize, usize)> {
        let facts = &path.facts;
        let known = path.lemmas.iter().map(|(literal, _)| (literal.place, literal.element));
        let last = facts.bounds.len() - 1;
        let every = (1..last).flat_map(|place| (0..facts.bounds[place].len()).map(move |element| (place, element)));
        let slack = |(place, element): &(usize, usize)| {
            let (l, u) = facts.bounds[*place][*element];
            u.min(-l)
        };
        let widest = every.max_by(|a, b| slack(a).total_cmp(&slack(b)));
        known.chain(widest).find(|(place, element)| facts.is_undecided(*place, *element))
    }

    fn branch(&mut self, mut path: Path, open: Vec<Rc<Goal>>) -> Option<Vec<Item>> {
        let undecided = self.undecided(&path);
        match (self.random.below(12), undecided) {
            (0, _) => {
                let cases = open.iter().map(|goal| goal.case).collect();
                let below = Path { depth: path.depth + 1, ..path };
                let subtree = self.node(below, open)?;
                Some([vec![Item::Lemma(vec![], cases)], subtree, vec![Item::End]].concat())
            }
            (1, _) if path.depth < 3 => self.split_beyond(path, open),
            (2..=4, Some((place, element))) if path.depth < 4 && !path.is_aside => {
                let side = if self.random.below(2) == 0 { Side::Lower } else { Side::Upper };
                let literal = Literal { place, element, side, at: 0.0 };
                let cases: Vec<usize> = open.iter().map(|goal| goal.case).collect();
                let subtree = self.node(path.below(&literal), open.clone())?;
                path.lemmas.push((literal, cases.clone()));
                let rest = self.split(path, open)?;
                Some([vec![Item::Lemma(vec![literal], cases)], subtree, rest].concat())
            }
            _ => self.split(path, open),
        }
    }

    fn split(&mut self, path: Path, open: Vec<Rc<Goal>>) -> Option<Vec<Item>> {
        let undecided = self.undecided(&path);
        let has_lemma = !path.lemmas.is_empty();
        let split = match (self.random.below(8), undecided) {
            (0 | 1, Some((place, element))) => Split::At { place, element, below: 0.0, above: 0.0 },
            (2, Some((place, element))) if !has_lemma => self.value(&path, place, element),
            (_, Some((place, element))) if has_lemma => Split::At { place, element, below: 0.0, above: 0.0 },
            (3, _) => self.value(&path, path.facts.bounds.len() - 1, 0),
            (4, _) => self.value(&path, 0, widest(&path.facts)),
            _ => Split::Middle(widest(&path.facts)),
        };
        let [low, high] = assumptions(&path.facts, &split);
        let children = [self.node(path.below(&low), open.clone())?, self.node(path.below(&high), open)?];
        Some([vec![Item::Split(split)], children.concat()].concat())
    }

    /// A split near the middle, whose subtrees sometimes overlap.
    fn value(&mut self, path: &Path, place: usize, element: usize) -> Split {
        let (l, u) = path.facts.bounds[place][element];
        let below = self.random.range(0.7 * l + 0.3 * u, 0.3 * l + 0.7 * u);
        let above = if self.random.below(2) == 0 { below - 0.05 * (u - l) } else { below };
        Split::At { place, element, below, above }
    }

    /// A split beyond the bounds of a value, one of whose subtrees is empty.
    fn split_beyond(&mut self, path: Path, open: Vec<Rc<Goal>>) -> Option<Vec<Item>> {
        let place = self.random.below(path.facts.bounds.len());
        let element = self.random.below(path.facts.bounds[place].len());
        let (_, u) = path.facts.bounds[place][element];
        let split = Split::At { place, element, below: u + 1.0, above: u + 0.5 };
        let [low, _] = assumptions(&path.facts, &split);
        let subtree = self.node(path.below(&low), open)?;
        Some([vec![Item::Split(split)], subtree, vec![Item::Empty]].concat())
    }
}

/// An item that bounds nothing, before which the checker encloses all values: what forms say depends on when that happens.
fn enclose(facts: &Facts) -> Option<Item> {
    facts.uses_forms.then(|| Item::Tighten(facts.bounds.len() - 1, Targets::Listed(Vec::new())))
}

/// Closes every goal by its first atom, right or wrong.
fn best_effort(facts: &Facts, open: &[Rc<Goal>], random: &mut Random) -> Vec<Close> {
    let close = |goal: &Rc<Goal>| {
        let aim = [(1.0, &goal.atoms[0])];
        let witness = match random.below(2) {
            0 => Witness::Own(improve(facts, &aim)),
            _ => signs::bound(facts, &aim, 3, random).1,
        };
        Close { case: goal.case, multipliers: Multipliers::Atom(0), witness }
    };
    open.iter().map(close).collect()
}

/// The inequality `v <= 0`.
fn linear(place: usize, element: usize) -> Linear {
    Linear { terms: vec![(place, element, 1.0)], at_most: 0.0 }
}

fn widest(facts: &Facts) -> usize {
    let width = |i: &usize| facts.bounds[0][*i].1 - facts.bounds[0][*i].0;
    (0..facts.bounds[0].len()).max_by(|a, b| width(a).total_cmp(&width(b))).unwrap()
}

fn assumptions(facts: &Facts, split: &Split) -> [Literal; 2] {
    let (place, element, below, above) = match *split {
        Split::At { place, element, below, above } => (place, element, below, above),
        Split::Middle(element) => {
            let (l, u) = facts.bounds[0][element];
            (0, element, l / 2.0 + u / 2.0, l / 2.0 + u / 2.0)
        }
    };
    let literal = |side, at| Literal { place, element, side, at };
    [literal(Side::Upper, below), literal(Side::Lower, above)]
}
