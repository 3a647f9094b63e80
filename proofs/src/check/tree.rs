//! The proof tree: items are read one after the other, and only the states on the path to the current node are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::arith::{Measure, Part};
use crate::certificate::{Decoder, Item, Literal, Side, Source, Split};
use crate::error::{Refusal, Rejected, TreePlace};
use crate::pool::joined;

use super::cover::assumptions;
use super::leaf::{Goal, close};
use super::state::{MOST_ASSUMED, Shared, State, push};
use super::volume::negations;

/// The deepest node of a tree.
const DEEPEST: usize = MOST_ASSUMED;

/// What all nodes of a certificate's trees share.
pub(crate) struct Prover<'p> {
    source: &'p dyn Source,
    /// Where volume is measured, that of each region.
    measures: &'p [Measure],
    leaves: AtomicUsize,
}

/// A node of a tree.
pub(crate) struct Node<'p> {
    pub region: usize,
    pub state: State<'p>,
    pub open: Vec<Arc<Goal>>,
    lemmas: Shared<Lemma>,
    path: String,
    /// As what a node counts that ends with nothing open, where volume is measured.
    aim: Option<Part>,
}

/// No point of the state in which it was proved satisfies all assumptions and a goal.
struct Lemma {
    assumptions: Vec<Literal>,
    goals: Vec<Arc<Goal>>,
}

/// What follows an item.
pub(crate) enum Next<'p> {
    /// Another item of the same node.
    Item,
    /// Nothing: the node has ended, perhaps as a part of the region.
    Nothing(Option<Part>),
    /// A subtree, and then another item of the same node.
    Aside(Box<Node<'p>>),
    /// The two subtrees of a split.
    Both(Box<[Node<'p>; 2]>),
}

impl<'p> Prover<'p> {
    pub fn new(source: &'p dyn Source, measures: &'p [Measure]) -> Self {
        Prover { source, measures, leaves: AtomicUsize::new(0) }
    }

    /// How many nodes had no subtrees.
    pub fn leaves(&self) -> usize {
        self.leaves.load(Ordering::Relaxed)
    }

    /// Checks a node and everything below it; returns the decoder behind it.
    pub fn check(&self, mut node: Node<'p>, mut input: Decoder<'p>) -> Result<Decoder<'p>, Rejected> {
        if node.path.len().max(node.state.assumed()) > DEEPEST {
            return Err(node.refuse(&input, Refusal::TooDeep(DEEPEST)));
        }
        node.state.ground().pool.check_time().map_err(|refusal| node.refuse(&input, refusal))?;
        loop {
            let (item, length) = input.item().map_err(|refusal| node.refuse(&input, refusal))?;
            match node.apply(&item).map_err(|refusal| node.refuse(&input, refusal))? {
                Next::Item => {}
                Next::Nothing(part) => {
                    let measure = self.measures.get(node.region).zip(part);
                    measure.iter().for_each(|(measure, part)| measure.add(*part, |input| node.state.input(input)));
                    self.leaves.fetch_add(1, Ordering::Relaxed);
                    return Ok(input);
                }
                Next::Aside(child) => {
                    input = self.check(*child, input)?;
                    node.conclude(item).map_err(|refusal| node.refuse(&input, refusal))?;
                }
                Next::Both(children) => {
                    // What its subtrees do not need is not kept.
                    drop(node);
                    return self.check_both(*children, input, length);
                }
            }
        }
    }

    fn check_both(
        &self,
        [first, second]: [Node<'p>; 2],
        input: Decoder<'p>,
        length: Option<u64>,
    ) -> Result<Decoder<'p>, Rejected> {
        let Some(length) = length else { return self.check(second, self.check(first, input)?) };
        let middle = input.offset().saturating_add(length);
        let place = TreePlace { region: first.region, path: first.path.clone(), byte: middle };
        let at_middle = |input: &Decoder| match input.offset() {
            end if end == middle => Ok(()),
            end => Err(Rejected { at: Some(place), refusal: Refusal::SubtreeLength(middle, end) }),
        };
        let pool = &first.state.ground().pool;
        if !pool.take() {
            let input = self.check(first, input)?;
            at_middle(&input)?;
            return self.check(second, input);
        }
        thread::scope(|scope| {
            let ahead = pool.start(scope, move || {
                let input = Decoder::new(self.source, middle).map_err(Rejected::from);
                input.and_then(|input| self.check(second, input))
            });
            // Whatever is wrong in the first subtree is what the reader of the certificate meets first.
            let here = self.check(first, input).and_then(|input| at_middle(&input));
            here.and(joined(ahead))
        })
    }
}

impl<'p> Node<'p> {
    /// The root of a region's tree.
    pub fn root(region: usize, state: State<'p>, open: Vec<Arc<Goal>>, aim: Option<Part>) -> Self {
        Node { region, state, open, lemmas: Shared::default(), path: String::new(), aim }
    }

    /// Says where something is wrong.
    pub fn refuse(&self, input: &Decoder, refusal: Refusal) -> Rejected {
        let at = TreePlace { region: self.region, path: self.path.clone(), byte: input.offset() };
        Rejected { at: Some(at), refusal }
    }

    /// Does what an item says.
    pub fn apply(&mut self, item: &Item) -> Result<Next<'p>, Refusal> {
        match item {
            Item::End => match self.open.first() {
                Some(goal) => return Err(Refusal::StillOpen(goal.case)),
                None => return Ok(Next::Nothing(self.aim)),
            },
            Item::Leave => return self.aim.map(|_| Next::Nothing(Some(Part::Left))).ok_or(Refusal::LeftOpen),
            // From here on, the case is to be proved to happen.
            Item::Violate(case) if self.aim == Some(Part::Certified) => {
                self.open = self.goals(&[*case])?.iter().flat_map(|goal| negations(goal)).collect();
                self.aim = Some(Part::Violated);
            }
            Item::Violate(case) => return Err(Refusal::Violation(*case)),
            Item::Empty if self.state.is_empty() => return Ok(Next::Nothing(None)),
            Item::Empty => return Err(Refusal::NotEmpty),
            Item::Split(split) => return self.split(split),
            Item::Forms => self.state.use_forms()?,
            Item::TightenAll => self.state.tighten_all()?,
            Item::Tighten(place, targets) => self.state.tighten(*place, targets)?,
            Item::Keep(slopes) => self.state.keep(slopes)?,
            Item::Close(list) => close(&mut self.state, &mut self.open, list)?,
            Item::Apply(number) => self.apply_lemma(*number)?,
            Item::Prove(bound) => {
                let negation = Literal { side: bound.side.other(), ..*bound };
                let goal = Goal { case: 0, atoms: vec![self.state.ground().atom(&negation)?] };
                let child = self.aside('p', &[negation], vec![Arc::new(goal)])?;
                return Ok(Next::Aside(Box::new(child)));
            }
            Item::Lemma(assumptions, cases) => {
                let child = self.aside('l', assumptions, self.goals(cases)?)?;
                return Ok(Next::Aside(Box::new(child)));
            }
        }
        Ok(Next::Item)
    }

    /// What the subtree of a bound or a lemma has established.
    fn conclude(&mut self, item: Item) -> Result<(), Refusal> {
        match item {
            Item::Prove(bound) => self.state.adopt(&bound)?,
            Item::Lemma(assumptions, cases) => {
                let goals = self.goals(&cases)?;
                match assumptions.is_empty() {
                    true => self.open.retain(|goal| !goals.iter().any(|other| Arc::ptr_eq(goal, other))),
                    false => push(&mut self.lemmas, Lemma { assumptions, goals })?,
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The open goals of some cases, each of which may be named once, so that no list of goals is longer than the
    /// property's list of cases.
    fn goals(&self, cases: &[usize]) -> Result<Vec<Arc<Goal>>, Refusal> {
        let mut open = self.open.clone();
        let goal = |case: &usize| {
            let place = open.iter().position(|goal| goal.case == *case);
            place.map(|place| open.swap_remove(place)).ok_or(Refusal::NotOpen(*case))
        };
        cases.iter().map(goal).collect()
    }

    fn apply_lemma(&mut self, number: usize) -> Result<(), Refusal> {
        let lemma = self.lemmas.get(number).cloned().ok_or(Refusal::UnknownLemma(self.lemmas.len(), number))?;
        for literal in &lemma.assumptions {
            if !self.state.implies(literal)? {
                return Err(Refusal::LemmaDoesNotApply(number, literal.place, literal.element));
            }
        }
        self.open.retain(|goal| !lemma.goals.iter().any(|other| Arc::ptr_eq(goal, other)));
        Ok(())
    }

    fn split(&self, split: &Split) -> Result<Next<'p>, Refusal> {
        let [low, high] = assumptions(&self.state, split)?;
        let children = [self.child('0', &[low], self.open.clone())?, self.child('1', &[high], self.open.clone())?];
        Ok(Next::Both(Box::new(children)))
    }

    fn child(&self, step: char, assumptions: &[Literal], open: Vec<Arc<Goal>>) -> Result<Node<'p>, Refusal> {
        let mut state = self.state.clone();
        assumptions.iter().try_for_each(|literal| state.assume(literal))?;
        let path = format!("{}{step}", self.path);
        Ok(Node { region: self.region, state, open, lemmas: self.lemmas.clone(), path, aim: self.aim })
    }

    /// A child that proves something for its parent, and is no part of the region.
    fn aside(&self, step: char, assumptions: &[Literal], open: Vec<Arc<Goal>>) -> Result<Node<'p>, Refusal> {
        Ok(Node { aim: None, ..self.child(step, assumptions, open)? })
    }
}

impl Side {
    /// The other side.
    #[must_use]
    pub fn other(self) -> Side {
        if self == Side::Lower { Side::Upper } else { Side::Lower }
    }
}
