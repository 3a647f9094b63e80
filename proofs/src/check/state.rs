//! What is proved at a node of the tree: an enclosure of every value of the network, established from the input forward
//! under everything that is assumed on the path.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::arith::{Enclosure, Form, Interval, LinearAtom, enclose};
use crate::certificate::{Item, Literal, Place, Side, Slopes, Targets, Witness};
use crate::error::Refusal;
use crate::network::{Network, Node, NodeId, Op};
use crate::pool::{Limits, Pool};
use crate::property::{Atom, Region, Variable, check_atom, check_region};

use super::relax::check_slopes;
use super::signs::{Task, least_bounds};

/// The most literals that are assumed at a node, those of trees of signs counted. What an item costs grows with it.
pub(crate) const MOST_ASSUMED: usize = 512;

/// The most inputs that may vary where forward forms are used: they cost memory and time for each.
const MOST_FORM_INPUTS: usize = 64;

/// The most cuts, kept slopes or lemmas on a path, so that the states on it stay small.
const LONGEST_PATH: usize = 1 << 12;

/// The slopes of the default witness.
static DEFAULT: Slopes = Slopes { alpha: BTreeMap::new(), beta: Vec::new(), constraints: Vec::new() };

/// A list whose clones share it until one of them grows.
pub(crate) type Shared<T> = Arc<Vec<Arc<T>>>;

/// Appends to a shared list.
pub(crate) fn push<T>(list: &mut Shared<T>, element: T) -> Result<(), Refusal> {
    if list.len() >= LONGEST_PATH {
        return Err(Refusal::TooLong(list.len() + 1, LONGEST_PATH));
    }
    Arc::make_mut(list).push(Arc::new(element));
    Ok(())
}

/// What all states of one proof share.
#[derive(Debug)]
pub struct Ground<'p> {
    pub(crate) network: &'p Network,
    pub(crate) region: &'p Region,
    /// For each ReLU node the place that feeds it.
    pub(crate) place_of_relu: BTreeMap<NodeId, Place>,
    pub(crate) constraints: Vec<LinearAtom>,
    pub(crate) places: Vec<NodeId>,
    pub(crate) pool: Pool,
}

impl<'p> Ground<'p> {
    /// A network and a region of its inputs.
    ///
    /// # Errors
    ///
    /// The region is for another number of inputs, or a number in it is not as a property's must be.
    pub fn new(network: &'p Network, region: &'p Region) -> Result<Self, Refusal> {
        if region.bounds.len() != network.input_size() {
            return Err(Refusal::PointSize(network.input_size(), region.bounds.len()));
        }
        // A region need not come from a property, which would have been checked.
        check_region(region, network.input_size())?;
        let sizes = (network.input_size(), network.output_size());
        region.constraints.iter().try_for_each(|constraint| check_atom(constraint, sizes.0, sizes.1))?;
        let constraints = region.constraints.iter().map(|constraint| linear(network, constraint)).collect();
        let place_of_relu = network.relus().map(|(relu, _)| relu).zip(1..).collect();
        let (places, pool) = (network.places(), Pool::default());
        Ok(Ground { network, region, place_of_relu, constraints, places, pool })
    }

    /// The same, with limits on what its proof may take.
    #[must_use]
    pub fn within(self, limits: impl Into<Limits>) -> Self {
        Ground { pool: Pool::new(limits.into()), ..self }
    }

    /// Number of elements of a place.
    pub(crate) fn size(&self, place: Place) -> Option<usize> {
        Some(self.network.nodes().get(*self.places.get(place)?)?.size)
    }

    /// The node behind a place that has the element.
    fn node(&self, place: Place, element: usize) -> Result<NodeId, Refusal> {
        let exists = self.size(place).is_some_and(|size| element < size);
        let found = self.places.get(place).copied().filter(|_| exists);
        found.ok_or(Refusal::UnknownElement(place, element))
    }

    /// Whether a place is that of a node.
    pub(crate) fn is_at(&self, place: Place, node: NodeId) -> bool {
        self.places.get(place) == Some(&node)
    }

    /// Checks that there is such an element, and that it feeds a ReLU.
    pub(crate) fn check_relu_input(&self, place: Place, element: usize) -> Result<(), Refusal> {
        let feeds_relu = (1..=self.place_of_relu.len()).contains(&place);
        self.node(place, element).ok().filter(|_| feeds_relu).map(|_| ()).ok_or(Refusal::UnknownElement(place, element))
    }

    /// Places whose undecided elements are worth bounding, one for each node in topological order. A node that is
    /// affine in the input is left out where the region is a box: interval arithmetic is exact there.
    fn tightened_places(&self) -> Vec<Place> {
        let is_exact = |node: &Node| match &node.op {
            Op::Affine(affine) => self.region.is_box() && affine.terms.iter().all(|term| term.source == 0),
            _ => false,
        };
        let mut places: Vec<(NodeId, Place)> = self.places.iter().copied().zip(0..).skip(1).collect();
        // The output feeds no ReLU.
        places.pop();
        places.sort_unstable();
        places.dedup_by_key(|(node, _)| *node);
        places.retain(|(node, _)| !self.network.nodes().get(*node).is_some_and(is_exact));
        places.into_iter().map(|(_, place)| place).collect()
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
    pub(crate) bounds: Vec<Arc<Enclosure>>,
    /// Forms of the nodes before the first stale one, where they are used; none where that of the input is to come.
    forms: Option<Vec<Arc<Form>>>,
    /// The first node whose enclosure does not yet follow from those before it.
    stale: NodeId,
    /// Assumed literals that do not speak of the input.
    pub(crate) cuts: Shared<LinearAtom>,
    kept: Shared<Slopes>,
    /// How many literals are assumed.
    assumed: usize,
}

impl<'g> State<'g> {
    /// The root: all of the region.
    pub fn new(ground: &'g Ground<'g>) -> Self {
        let input = Enclosure::of_intervals(ground.region.bounds.iter().map(|b| b.outer()));
        let (cuts, kept) = (Shared::default(), Shared::default());
        State { ground, bounds: vec![Arc::new(input)], forms: None, stale: 1, cuts, kept, assumed: 0 }
    }

    pub(crate) fn ground(&self) -> &'g Ground<'g> {
        self.ground
    }

    /// How many literals are assumed.
    pub(crate) fn assumed(&self) -> usize {
        self.assumed
    }

    /// The most elements that an enclosed node has.
    pub(crate) fn widest(&self) -> usize {
        self.bounds.iter().map(|bounds| bounds.lower.len()).max().unwrap_or(1)
    }

    /// The interval of an input element.
    pub(crate) fn input(&self, element: usize) -> Option<Interval> {
        self.bounds.first().filter(|b| element < b.lower.len()).map(|b| b.interval(element))
    }

    /// Proved intervals of all elements of a place; none for a place that does not exist.
    pub fn intervals(&mut self, place: Place) -> Vec<Interval> {
        let Ok(node) = self.ground.node(place, 0) else { return Vec::new() };
        self.refresh(node);
        self.bounds.get(node).map_or(Vec::new(), |bounds| bounds.intervals())
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

    /// Encloses the nodes up to the given one by interval arithmetic and forward forms, and keeps what was known before.
    fn refresh(&mut self, last: NodeId) {
        if let (Some(forms), Some(input)) = (&mut self.forms, self.bounds.first())
            && forms.is_empty()
        {
            forms.push(Arc::new(Form::of_input(input)));
        }
        for (id, node) in self.ground.network.nodes().iter().enumerate().take(last + 1).skip(self.stale) {
            let forms = self.forms.as_deref().unwrap_or_default();
            let (mut enclosure, form) = enclose((id, node), self.ground.network.single(), &self.bounds, forms);
            match (&mut self.forms, form) {
                (Some(forms), Some(form)) => {
                    form.narrow(&mut enclosure);
                    forms.push(Arc::new(form));
                }
                _ => self.forms = None,
            }
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

    /// Uses forward forms from here on.
    ///
    /// # Errors
    ///
    /// Too many inputs vary.
    pub fn use_forms(&mut self) -> Result<(), Refusal> {
        let varying = self.bounds.first().map_or(0, |input| input.intervals().iter().filter(|i| i.lo < i.hi).count());
        if varying > MOST_FORM_INPUTS {
            return Err(Refusal::TooManyInputs(MOST_FORM_INPUTS, varying));
        }
        self.forms = Some(Vec::new());
        self.stale = 1;
        Ok(())
    }

    /// Takes a step that tightens bounds.
    ///
    /// # Errors
    ///
    /// The step does not fit the network, or is another.
    pub fn follow(&mut self, step: &Item) -> Result<(), Refusal> {
        match step {
            Item::Forms => self.use_forms(),
            Item::TightenAll => self.tighten_all(),
            Item::Tighten(place, targets) => self.tighten(*place, targets),
            Item::Keep(slopes) => self.keep(slopes),
            Item::Leave => Err(Refusal::LeftOpen),
            _ => Err(Refusal::NotTightening),
        }
    }

    /// Replaces the interval of an element by its part within `by`.
    fn narrow(&mut self, (node, element): (NodeId, usize), by: Interval) {
        if let Some(bounds) = self.bounds.get_mut(node) {
            Arc::make_mut(bounds).tighten(element, by);
            self.stale = self.stale.min(node + 1);
            // Every form speaks of the input's interval; those up to this node do not speak of the node's own.
            self.forms.iter_mut().for_each(|forms| forms.truncate(if node == 0 { 0 } else { node + 1 }));
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
        self.assumed += 1;
        if literal.place > 0 {
            push(&mut self.cuts, self.ground.atom(literal)?)?;
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
        check_slopes(self, slopes, self.cuts.len())?;
        push(&mut self.kept, slopes.clone())
    }

    /// Bounds the undecided inputs of all ReLUs with default slopes.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn tighten_all(&mut self) -> Result<(), Refusal> {
        let places = self.ground.tightened_places();
        places.into_iter().try_for_each(|place| self.tighten(place, &Targets::Undecided))
    }

    /// Bounds elements of a place by the linear bound rule.
    ///
    /// # Errors
    ///
    /// Targets or slopes do not fit the network.
    pub fn tighten<'t>(&mut self, place: Place, targets: &'t Targets) -> Result<(), Refusal> {
        let node = self.ground.node(place, 0)?;
        let ends = self.ends(place, targets)?;
        let signs = ends.iter().flat_map(|(_, _, witness)| witness.places());
        let last = signs.filter_map(|place| self.ground.places.get(place)).max();
        self.refresh(node.max(last.copied().unwrap_or(node)));
        let task = |(element, side, witness): &(usize, Side, &'t Witness)| {
            let literal = Literal { place, element: *element, side: side.other(), at: 0.0 };
            Task::new(self, vec![(1.0, self.ground.atom(&literal)?)], witness)
        };
        let tasks = ends.iter().map(task).collect::<Result<Vec<_>, _>>()?;
        for ((element, side, _), bound) in ends.iter().zip(least_bounds(self, &tasks)?) {
            let above = Interval { lo: bound, hi: f64::INFINITY };
            self.narrow((node, *element), if *side == Side::Lower { above } else { -above });
        }
        Ok(())
    }

    /// The ends that targets mean, with their witnesses.
    fn ends<'t>(&mut self, place: Place, targets: &'t Targets) -> Result<Vec<(usize, Side, &'t Witness)>, Refusal> {
        let intervals = self.intervals(place);
        let all = vec![true; intervals.len()];
        let marks = match targets {
            Targets::Listed(list) => return Ok(list.iter().map(|t| (t.element, t.side, &t.witness)).collect()),
            Targets::Undecided => [&all, &all],
            Targets::Marked(lower, upper) => [lower, upper],
        };
        if let Some(wrong) = marks.iter().find(|marks| marks.len() != intervals.len()) {
            return Err(Refusal::SlopeCount(place, intervals.len(), wrong.len()));
        }
        let marked = |(marks, side): (&Vec<bool>, Side)| {
            let elements = marks.iter().zip(&intervals).enumerate();
            let undecided = elements.filter(|(_, (mark, i))| **mark && i.lo < 0.0 && i.hi > 0.0);
            undecided.map(|(element, _)| (element, side, &Witness::Default)).collect::<Vec<_>>()
        };
        Ok(marks.into_iter().zip([Side::Lower, Side::Upper]).flat_map(marked).collect())
    }

    /// The slopes that a witness means, which is no tree of signs.
    pub(crate) fn slopes<'w>(&'w self, witness: &'w Witness) -> Result<&'w Slopes, Refusal> {
        match witness {
            Witness::Default => Ok(&DEFAULT),
            Witness::Own(slopes) => check_slopes(self, slopes, self.cuts.len()).map(|()| slopes),
            Witness::Kept(number) => {
                let kept = self.kept.get(*number).map(Arc::as_ref);
                kept.ok_or(Refusal::UnknownSlopes(self.kept.len(), *number))
            }
            Witness::Signs(_) => Err(Refusal::Malformed("a witness that is no tree of signs")),
        }
    }
}
