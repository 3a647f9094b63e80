//! What is proved at a node of the tree: an enclosure of every value of the network, established from the input forward
//! under everything that is assumed on the path.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::arith::{Enclosure, Interval};
use crate::certificate::{Literal, Place, Side, Slopes, Target, Targets, Witness};
use crate::error::Refusal;
use crate::network::{Network, Node, NodeId, Op};
use crate::property::{Atom, Region, Variable};

use super::affine::{Combination, LinearAtom, lower_bounds};
use super::relax::check_slopes;

/// Coefficients that one batch of rows may hold at a node, so that memory stays bounded (32 MiB a node).
const BATCH: usize = 1 << 22;

/// What all states of one proof share.
#[derive(Debug)]
pub struct Ground<'p> {
    network: &'p Network,
    region: &'p Region,
    constraints: Vec<LinearAtom>,
    places: Vec<NodeId>,
    place_of_relu: BTreeMap<NodeId, Place>,
}

impl<'p> Ground<'p> {
    /// A network and a region of its inputs.
    ///
    /// # Errors
    ///
    /// The region is for another number of inputs.
    pub fn new(network: &'p Network, region: &'p Region) -> Result<Self, Refusal> {
        if region.bounds.len() != network.input_size() {
            return Err(Refusal::PointSize(network.input_size(), region.bounds.len()));
        }
        let constraints = region.constraints.iter().map(|constraint| linear(network, constraint)).collect();
        let place_of_relu = network.relus().map(|(relu, _)| relu).zip(1..).collect();
        Ok(Ground { network, region, constraints, places: network.places(), place_of_relu })
    }

    pub(crate) fn network(&self) -> &'p Network {
        self.network
    }

    pub(crate) fn region(&self) -> &'p Region {
        self.region
    }

    pub(crate) fn place_of(&self, relu: NodeId) -> Option<Place> {
        self.place_of_relu.get(&relu).copied()
    }

    /// Number of elements of a place.
    pub(crate) fn size(&self, place: Place) -> Option<usize> {
        Some(self.network.nodes().get(*self.places.get(place)?)?.size)
    }

    /// The node behind a place that has the element.
    fn node(&self, place: Place, element: usize) -> Result<NodeId, Refusal> {
        let unknown = Refusal::UnknownElement(place, element);
        if self.size(place).is_none_or(|size| element >= size) {
            return Err(unknown);
        }
        self.places.get(place).copied().ok_or(unknown)
    }

    /// The inequality that a literal states.
    pub(crate) fn atom(&self, literal: &Literal) -> Result<LinearAtom, Refusal> {
        let variable = (self.node(literal.place, literal.element)?, literal.element);
        let signed = |x| if literal.side == Side::Upper { Interval::point(x) } else { -Interval::point(x) };
        Ok(LinearAtom { terms: vec![(variable, signed(1.0))], at_most: signed(literal.at) })
    }
}

/// An atom of a property over the nodes of a network.
pub(crate) fn linear(network: &Network, atom: &Atom) -> LinearAtom {
    let node = |variable: &Variable| match variable {
        Variable::Input(i) => (0, *i),
        Variable::Output(i) => (network.output(), *i),
    };
    LinearAtom { terms: atom.terms.iter().map(|(v, c)| (node(v), *c)).collect(), at_most: atom.at_most }
}

/// The state of a tree node. What it says is true wherever everything that it was told to assume holds.
#[derive(Clone, Debug)]
pub struct State<'g> {
    ground: &'g Ground<'g>,
    /// Enclosures of the first nodes.
    bounds: Vec<Arc<Enclosure>>,
    /// The first node whose enclosure does not yet follow from those before it.
    stale: NodeId,
    cuts: Vec<LinearAtom>,
    kept: Vec<Arc<Slopes>>,
}

impl<'g> State<'g> {
    /// The root: all of the region.
    pub fn new(ground: &'g Ground<'g>) -> Self {
        let input = Enclosure::of_intervals(ground.region.bounds.iter().map(|b| b.outer()));
        State { ground, bounds: vec![Arc::new(input)], stale: 1, cuts: Vec::new(), kept: Vec::new() }
    }

    pub(crate) fn ground(&self) -> &'g Ground<'g> {
        self.ground
    }

    /// What the assumed literals that do not speak of the input state.
    pub(crate) fn cuts(&self) -> &[LinearAtom] {
        &self.cuts
    }

    /// The interval of an input element.
    pub(crate) fn input(&self, element: usize) -> Option<Interval> {
        self.bounds.first().filter(|b| element < b.lower.len()).map(|b| b.interval(element))
    }

    /// Proved intervals of all elements of a place; none for a place that does not exist.
    pub fn intervals(&mut self, place: Place) -> Vec<Interval> {
        let Some(node) = self.ground.places.get(place) else { return Vec::new() };
        self.refresh(*node);
        let found = self.bounds.get(*node).map(|bounds| (0..bounds.lower.len()).map(|i| bounds.interval(i)).collect());
        found.unwrap_or_default()
    }

    /// Encloses every node.
    pub(crate) fn refresh_all(&mut self) {
        self.refresh(self.ground.network.nodes().len().saturating_sub(1));
    }

    /// Whether some bounds contradict each other, so that no point satisfies what is assumed.
    pub fn is_empty(&mut self) -> bool {
        self.refresh_all();
        self.bounds.iter().any(|bounds| bounds.is_empty())
    }

    /// Encloses the nodes up to the given one by interval arithmetic, and keeps what was known before.
    fn refresh(&mut self, last: NodeId) {
        for (id, node) in self.ground.network.nodes().iter().enumerate().take(last + 1).skip(self.stale) {
            let mut enclosure = enclose(node, &self.bounds);
            match self.bounds.get_mut(id) {
                Some(known) => {
                    enclosure.intersect(known);
                    *known = Arc::new(enclosure);
                }
                None => self.bounds.push(Arc::new(enclosure)),
            }
        }
        self.stale = self.stale.max(last + 1);
    }

    /// Replaces the interval of an element by its part within `by`.
    fn narrow(&mut self, (node, element): (NodeId, usize), by: Interval) {
        if let Some(bounds) = self.bounds.get_mut(node) {
            Arc::make_mut(bounds).tighten(element, by);
            self.stale = self.stale.min(node + 1);
        }
    }

    /// Takes a bound for granted. Whoever calls it has proved it.
    pub(crate) fn adopt(&mut self, literal: &Literal) -> Result<(), Refusal> {
        if !literal.at.is_finite() {
            return Err(Refusal::NotFinite(literal.at));
        }
        let node = self.ground.node(literal.place, literal.element)?;
        self.refresh(node);
        let above = Interval { lo: literal.at, hi: f64::INFINITY };
        let below = Interval { lo: f64::NEG_INFINITY, hi: literal.at };
        self.narrow((node, literal.element), if literal.side == Side::Lower { above } else { below });
        Ok(())
    }

    /// Assumes a literal; what follows is true where it holds.
    ///
    /// # Errors
    ///
    /// There is no such element, or the value is not finite.
    pub fn assume(&mut self, literal: &Literal) -> Result<(), Refusal> {
        self.adopt(literal)?;
        if literal.place > 0 {
            self.cuts.push(self.ground.atom(literal)?);
        }
        Ok(())
    }

    /// Whether the proved intervals imply a literal.
    pub(crate) fn implies(&mut self, literal: &Literal) -> Result<bool, Refusal> {
        let node = self.ground.node(literal.place, literal.element)?;
        self.refresh(node);
        let interval = self.bounds.get(node).map_or(Interval::EVERYTHING, |bounds| bounds.interval(literal.element));
        Ok(if literal.side == Side::Lower { interval.lo >= literal.at } else { interval.hi <= literal.at })
    }

    /// Keeps slopes for later bounds.
    ///
    /// # Errors
    ///
    /// The slopes do not fit the network or are none.
    pub fn keep(&mut self, slopes: &Slopes) -> Result<(), Refusal> {
        check_slopes(self, slopes)?;
        self.kept.push(Arc::new(slopes.clone()));
        Ok(())
    }

    /// Bounds the undecided inputs of all ReLUs. Nodes that are affine in the input are left out where the region is
    /// a box: interval arithmetic is exact there.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn tighten_all(&mut self) -> Result<(), Refusal> {
        let mut places: Vec<(NodeId, Place)> = self.ground.places.iter().copied().zip(0..).skip(1).collect();
        places.pop();
        places.sort_unstable();
        places.dedup_by_key(|(node, _)| *node);
        let is_exact = |node: NodeId| {
            let reads_input = |op: &Op| match op {
                Op::Affine(affine) => affine.terms.iter().all(|term| term.source == 0),
                _ => false,
            };
            self.ground.region.is_box() && self.ground.network.nodes().get(node).is_some_and(|n| reads_input(&n.op))
        };
        places.retain(|(node, _)| !is_exact(*node));
        places.into_iter().try_for_each(|(_, place)| self.tighten(place, &Targets::Undecided))
    }

    /// Bounds elements of a place by the linear bound rule.
    ///
    /// # Errors
    ///
    /// Targets or slopes do not fit the network.
    pub fn tighten(&mut self, place: Place, targets: &Targets) -> Result<(), Refusal> {
        let node = self.ground.node(place, 0)?;
        self.refresh(node);
        let size = self.ground.size(place).unwrap_or_default();
        let targets = self.list(place, node, size, targets)?;
        let widest = self.ground.network.nodes().iter().take(node + 1).map(|n| n.size).max().unwrap_or(1);
        for batch in targets.chunks((BATCH / widest).max(1)) {
            let mut combinations = Vec::new();
            let mut slopes = Vec::new();
            for target in batch {
                let literal = Literal { place, element: target.element, side: target.side.other(), at: 0.0 };
                let goal = [(1.0, self.ground.atom(&literal)?)];
                slopes.push(self.slopes(&target.witness)?);
                combinations.push(goal);
            }
            let proved = self.lower_bounds(&combinations, &slopes);
            for (target, bound) in batch.iter().zip(proved) {
                let above = Interval { lo: bound, hi: f64::INFINITY };
                self.narrow((node, target.element), if target.side == Side::Lower { above } else { -above });
            }
        }
        Ok(())
    }

    fn list<'t>(
        &self,
        place: Place,
        node: NodeId,
        size: usize,
        targets: &'t Targets,
    ) -> Result<Cow<'t, [Target]>, Refusal> {
        let both = |marked: &dyn Fn(usize, Side) -> bool| {
            let ends = (0..size).flat_map(|element| [(element, Side::Lower), (element, Side::Upper)]);
            let ends = ends.filter(|(element, side)| marked(*element, *side));
            Cow::Owned(ends.map(|(element, side)| Target { element, side, witness: Witness::Default }).collect())
        };
        match targets {
            Targets::Listed(list) => match list.iter().find(|target| target.element >= size) {
                Some(target) => Err(Refusal::UnknownElement(place, target.element)),
                None => Ok(Cow::Borrowed(list)),
            },
            Targets::Undecided => {
                Ok(both(&|element, _| self.bounds.get(node).is_some_and(|bounds| bounds.is_undecided(element))))
            }
            Targets::Marked(lower, upper) if lower.len() == size && upper.len() == size => {
                let marks = |side| if side == Side::Lower { lower } else { upper };
                Ok(both(&|element, side| marks(side).get(element).is_some_and(|mark| *mark)))
            }
            Targets::Marked(lower, upper) => Err(Refusal::SlopeCount(place, size, lower.len().max(upper.len()))),
        }
    }

    /// The slopes that a witness means.
    pub(crate) fn slopes(&self, witness: &Witness) -> Result<Arc<Slopes>, Refusal> {
        match witness {
            Witness::Default => Ok(Arc::default()),
            Witness::Own(slopes) => check_slopes(self, slopes).map(|()| Arc::new(slopes.clone())),
            Witness::Kept(number) => {
                let kept = self.kept.get(*number).cloned();
                kept.ok_or(Refusal::UnknownSlopes(self.kept.len(), *number))
            }
        }
    }

    /// Lower bounds of non-negative combinations of inequalities, plus what the slopes add of cuts and constraints.
    pub(crate) fn lower_bounds(&self, goals: &[impl AsRef<[(f32, LinearAtom)]>], slopes: &[Arc<Slopes>]) -> Vec<f64> {
        let combination = |(goal, slopes): (&_, &Arc<Slopes>)| {
            let mut combination = Combination::zero();
            let goal: &[(f32, LinearAtom)] = AsRef::as_ref(goal);
            goal.iter().for_each(|(multiplier, atom)| combination.add(*multiplier, atom));
            let cuts = slopes.beta.iter().zip(&self.cuts);
            let constraints = slopes.constraints.iter().zip(&self.ground.constraints);
            cuts.chain(constraints).for_each(|(multiplier, atom)| combination.add(*multiplier, atom));
            combination
        };
        let combinations: Vec<Combination> = goals.iter().zip(slopes).map(combination).collect();
        let slopes: Vec<&Slopes> = slopes.iter().map(Arc::as_ref).collect();
        lower_bounds(self.ground, &self.bounds, &combinations, &slopes)
    }
}

/// Encloses every node at once.
pub(crate) fn enclose_all(network: &Network, input: Enclosure) -> Vec<Arc<Enclosure>> {
    let mut bounds = vec![Arc::new(input)];
    for node in network.nodes().iter().skip(1) {
        bounds.push(Arc::new(enclose(node, &bounds)));
    }
    bounds
}

/// Encloses a node by interval arithmetic, given enclosures of all nodes before it.
fn enclose(node: &Node, before: &[Arc<Enclosure>]) -> Enclosure {
    let missing = Enclosure::of_intervals(std::iter::empty());
    let of = |source: NodeId| before.get(source).map_or(&missing, Arc::as_ref);
    match &node.op {
        Op::Input => missing.clone(),
        Op::Relu(source) => of(*source).relu(),
        Op::Affine(affine) => affine.enclose(node.size, of),
    }
}
