//! The checker's arithmetic against the exact rule, for the same intervals, slopes and multipliers.
//!
//! The checker says what it has computed when it refuses to close a case. So that it always does, every goal gets one more
//! atom, `0 <= b`, where `b` is the exact bound of the others, rounded up. Assumptions come in as those of a lemma.

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{
    Close, Header, Item, Literal, Multipliers, Proof, Side, SignNode, Signs, Slopes, Target, Targets, Witness, encode,
};
use bartizan_proof::check::{Ground, State, verify};
use bartizan_proof::property::{Atom, Bound, Case, Region, Variable};
use bartizan_proof::{Interval, Network, Property, Refusal};

use crate::exact::{ExactBound, Inequality, Setting};
use crate::networks;
use crate::oracle::dyadic::{Dyadic, Ratio};
use crate::oracle::network::ExactNetwork;
use crate::oracle::random::Random;
use crate::oracle::tiny;
use crate::witness::{grow, is_base, relu_inputs, splits};

const NETWORKS: u64 = 3000;

/// Networks made of extreme numbers, of which only soundness is asked.
const EXTREME: u64 = 5000;

/// Bounds computed for each network.
const GOALS: usize = 3;

/// How much the fast arithmetic may lose, relative to the sum of the absolute values of all terms.
const MOST_LOST: f64 = 1e-9;

/// Terms below this count as this: what may underflow costs an absolute amount.
pub const UNDERFLOW: f64 = 1e-290;

#[test]
fn the_checker_is_never_above_the_exact_rule_and_hardly_below() {
    let (mut worst, mut compared, mut with_bases) = (0.0, 0, 0);
    for seed in 0..NETWORKS {
        let mut random = Random::new(seed);
        let network = networks::network(&mut random);
        let exact = ExactNetwork::stored(&network);
        for _ in 0..GOALS {
            let region = region(network.input_size(), &mut random);
            let comparison = Comparison::random((&network, region), &mut random);
            let Some((bound, fast)) = comparison.bounds(&exact) else { continue };
            assert!(Dyadic::of(fast) <= bound.value, "seed {seed}: {fast:e} is above the exact bound");
            let lost = (&bound.value - &Dyadic::of(fast)).about() / bound.size.about().max(UNDERFLOW);
            assert!(lost <= MOST_LOST, "seed {seed}: loses {lost:e} of its terms");
            worst = f64::max(worst, lost);
            compared += 1;
            with_bases += usize::from(comparison.has_bases());
        }
    }
    println!(
        "{compared} bounds of {NETWORKS} networks, {with_bases} with several bases; largest relative loss {worst:.2e}"
    );
    assert!(compared > 8500 && with_bases > 1000);
}

#[test]
fn extreme_numbers_do_not_lift_the_checker_above_the_exact_rule() {
    let (mut compared, mut finite) = (0, 0);
    for seed in 0..EXTREME {
        let mut random = Random::new(seed);
        let network = tiny::network(&mut random);
        let exact = ExactNetwork::stored(&network);
        let region = Region { ball: None, ..tiny::region(&mut random, network.input_size()) };
        let Some((bound, fast)) = Comparison::random((&network, region), &mut random).bounds(&exact) else { continue };
        compared += 1;
        if fast.is_finite() {
            assert!(Dyadic::of(fast) <= bound.value, "seed {seed}: {fast:e} is above the exact bound");
            finite += 1;
        }
        assert!(fast != f64::INFINITY, "seed {seed}: infinitely good");
    }
    println!("{compared} bounds of {EXTREME} networks of extreme numbers, {finite} of them finite");
    assert!(compared > EXTREME / 2 && finite > EXTREME / 2);
}

/// A bound to be computed twice.
struct Comparison<'n> {
    network: &'n Network,
    region: Region,
    /// What tightens the state first.
    steps: Vec<Item>,
    assumptions: Vec<Literal>,
    atoms: Vec<Atom>,
    multipliers: Vec<f32>,
    slopes: Slopes,
    /// A tree of signs whose base the slopes are.
    signs: Option<Vec<SignNode>>,
}

impl<'n> Comparison<'n> {
    fn random((network, region): (&'n Network, Region), random: &mut Random) -> Self {
        let sizes: Vec<usize> = network.places().iter().map(|node| network.nodes()[*node].size).collect();
        let mut comparison = Comparison {
            network,
            region,
            steps: Vec::new(),
            assumptions: Vec::new(),
            atoms: (0..random.between(1, 3)).map(|_| atom(network, random)).collect(),
            multipliers: Vec::new(),
            slopes: Slopes::default(),
            signs: None,
        };
        comparison.multipliers = comparison.atoms.iter().map(|_| multiplier(random)).collect();
        let constraints = comparison.region.constraints.len();
        if random.chance(0.3) {
            comparison.steps.push(Item::Forms);
        }
        if random.chance(0.6) {
            comparison.steps.push(Item::TightenAll);
        }
        if random.chance(0.3) {
            let place = random.between(1, sizes.len() - 1);
            let witness = Witness::Own(slopes(&sizes, [0, constraints], random));
            let target =
                |element| Target { element, side: random.pick(&[Side::Lower, Side::Upper]), witness: witness.clone() };
            let targets = (0..sizes[place]).map(target).collect();
            comparison.steps.push(Item::Tighten(place, Targets::Listed(targets)));
        }
        comparison.assumptions = comparison.literals(&sizes, random);
        let cuts = comparison.assumptions.iter().filter(|literal| literal.place > 0).count();
        comparison.slopes = slopes(&sizes, [cuts, constraints], random);
        if random.chance(0.5) {
            comparison.signs = Some(signs(&sizes, [cuts, constraints], random));
        }
        comparison
    }

    fn witness(&self) -> Witness {
        let base = Witness::Own(self.slopes.clone());
        let tree = |nodes: &Vec<SignNode>| Box::new(Signs { base: base.clone(), nodes: nodes.clone() });
        self.signs.as_ref().map_or(base.clone(), |nodes| Witness::Signs(tree(nodes)))
    }

    /// Whether slopes stand for the base in some part of a tree of signs.
    fn has_bases(&self) -> bool {
        self.signs.iter().flatten().any(|node| matches!(node, SignNode::Base(_)))
    }

    /// Assumptions that leave something of each interval.
    fn literals(&self, sizes: &[usize], random: &mut Random) -> Vec<Literal> {
        let ground = Ground::new(self.network, &self.region).unwrap();
        let mut state = self.state(&ground);
        let mut literals = Vec::new();
        for _ in 0..random.pick(&[0, 0, 1, 2, 4]) {
            let place = random.below(sizes.len());
            let element = random.below(sizes[place]);
            let interval = state.intervals(place)[element];
            let is_undecided = interval.lo < 0.0 && interval.hi > 0.0;
            let between = interval.lo + random.unit() * (interval.hi - interval.lo);
            let at = if is_undecided && random.chance(0.7) || !between.is_finite() { 0.0 } else { between };
            let literal = Literal { place, element, side: random.pick(&[Side::Lower, Side::Upper]), at };
            state.assume(&literal).unwrap();
            literals.push(literal);
        }
        literals
    }

    /// The state of the lemma's subtree.
    fn state<'g>(&self, ground: &'g Ground<'g>) -> State<'g> {
        let mut state = State::new(ground);
        for step in &self.steps {
            match step {
                Item::Forms => state.use_forms().unwrap(),
                Item::Tighten(place, targets) => state.tighten(*place, targets).unwrap(),
                _ => state.tighten_all().unwrap(),
            }
        }
        self.assumptions.iter().for_each(|literal| state.assume(literal).unwrap());
        state
    }

    /// The exact bound and the checker's; nothing where some interval is infinite, or has no points: what rounding costs is
    /// bounded where there are points.
    fn bounds(&self, exact: &ExactNetwork) -> Option<(ExactBound, f64)> {
        let ground = Ground::new(self.network, &self.region).unwrap();
        let mut state = self.state(&ground);
        let places = self.network.places();
        let intervals: Vec<Vec<Interval>> = (0..places.len()).map(|place| state.intervals(place)).collect();
        if !intervals.iter().flatten().all(|interval| interval.is_finite()) || state.is_empty() {
            return None;
        }
        let inequality = |atom: &Atom| inequality(self.network, atom);
        let cuts = self.assumptions.iter().filter(|literal| literal.place > 0).copied().collect();
        let constraints = self.region.constraints.iter().map(inequality).collect();
        let setting = Setting { network: exact, intervals, places, cuts, constraints };
        let multipliers = self.multipliers.iter().map(|m| Dyadic::of(f64::from(*m)));
        let mut goal: Vec<_> = multipliers.zip(self.atoms.iter().map(inequality)).collect();
        let lower_bound = |goal: &[_]| match self.witness() {
            Witness::Signs(tree) => setting.least_bound(goal, &tree),
            _ => setting.lower_bound(goal, &self.slopes),
        };
        let alone = lower_bound(&goal);
        let floor = Ratio { over: alone.value.clone(), under: Dyadic::of(1.0) }.floor();
        let at_most = if floor.is_finite() && Dyadic::of(floor) == alone.value { floor } else { floor.next_up() };
        if !at_most.is_finite() {
            return None;
        }
        let last = Atom { terms: Vec::new(), at_most: Interval::point(at_most), strict: false };
        goal.push((Dyadic::of(1.0), inequality(&last)));
        Some((lower_bound(&goal), self.refused_bound(last)))
    }

    /// The bound that the checker reports when it refuses the goal.
    fn refused_bound(&self, last: Atom) -> f64 {
        let atoms = [self.atoms.clone(), vec![last]].concat();
        let sizes = (self.network.input_size(), self.network.output_size());
        let property = Property::new(sizes, vec![self.region.clone()], vec![Case { region: 0, atoms }]).unwrap();
        let multipliers = Multipliers::Each([self.multipliers.clone(), vec![1.0]].concat());
        let close = Close { case: 0, multipliers, witness: self.witness() };
        let lemma = [Item::Lemma(self.assumptions.clone(), vec![0]), Item::Close(vec![close]), Item::End];
        let items = [self.steps.clone(), lemma.to_vec()].concat();
        let header = Header::of(self.network, &property);
        let bytes = encode(&header, &[Proof { region: 0, items }]);
        match verify(self.network, &property, &bytes, NonZeroUsize::MIN).unwrap_err().refusal {
            Refusal::NotRefuted(0, bound) => bound,
            other => panic!("{other}"),
        }
    }
}

fn inequality(network: &Network, atom: &Atom) -> Inequality {
    let place = |variable: &Variable| match variable {
        Variable::Input(i) => (0, *i),
        Variable::Output(i) => (network.output(), *i),
    };
    let terms = atom.terms.iter().map(|(v, c)| (place(v).0, place(v).1, Dyadic::of(c.lo)));
    Inequality { terms: terms.collect(), at_most: Dyadic::of(atom.at_most.lo) }
}

pub fn region(inputs: usize, random: &mut Random) -> Region {
    let radius = random.pick(&[0.0, 1e-6, 0.01, 0.1, 0.5, 2.0]);
    let mut bound = || {
        let center = random.range(-1.0, 1.0);
        Bound { lower: Interval::point(center - radius), upper: Interval::point(center + radius) }
    };
    let mut region = Region::of_box((0..inputs).map(|_| bound()).collect());
    if random.chance(0.25) {
        let term = |i| (Variable::Input(i), Interval::point(random.range(-1.0, 1.0)));
        let terms = (0..inputs).map(term).collect();
        region.constraints = vec![Atom { terms, at_most: Interval::point(random.range(-0.5, 0.5)), strict: false }];
    }
    region
}

/// Over some inputs and outputs; an output may occur twice.
fn atom(network: &Network, random: &mut Random) -> Atom {
    let mut terms = Vec::new();
    for _ in 0..random.between(1, 3) {
        let variable = match random.chance(0.2) {
            true => Variable::Input(random.below(network.input_size())),
            false => Variable::Output(random.below(network.output_size())),
        };
        terms.push((variable, Interval::point(coefficient(random))));
    }
    Atom { terms, at_most: Interval::point(random.range(-1.0, 1.0)), strict: false }
}

fn coefficient(random: &mut Random) -> f64 {
    if random.chance(0.5) { random.pick(&[1.0, -1.0, 0.1]) } else { random.range(-2.0, 2.0) }
}

fn multiplier(random: &mut Random) -> f32 {
    if random.chance(0.5) { random.pick(&[1.0, 0.0, 0.5]) } else { random.unit() as f32 }
}

/// A random tree of signs.
fn signs(sizes: &[usize], [cuts, constraints]: [usize; 2], random: &mut Random) -> Vec<SignNode> {
    let inputs = relu_inputs(sizes);
    grow(random, 0, &mut |random, depth| {
        if is_base(random) {
            return SignNode::Base(slopes(sizes, [cuts, constraints], random));
        }
        if !inputs.is_empty() && splits(random, depth) {
            let (place, element) = random.pick(&inputs);
            return SignNode::Split(place, element);
        }
        match random.chance(0.3) {
            true => SignNode::Own(slopes(sizes, [cuts + depth, constraints], random)),
            false => SignNode::Leaf((0..random.between(0, depth)).map(|_| multiplier(random)).collect()),
        }
    })
}

/// Random slopes for all places, and multipliers for some of the cuts and constraints.
fn slopes(sizes: &[usize], [cuts, constraints]: [usize; 2], random: &mut Random) -> Slopes {
    let mut slopes = Slopes::default();
    for (place, size) in sizes.iter().enumerate().skip(1).take(sizes.len() - 2) {
        let alpha = |random: &mut Random| match random.below(4) {
            0 => f32::NAN,
            1 => random.pick(&[0.0, 1.0]),
            _ => random.unit() as f32,
        };
        if random.chance(0.7) {
            slopes.alpha.insert(place, (0..*size).map(|_| alpha(random)).collect());
        }
    }
    let mut some = |n: usize| (0..random.between(0, n)).map(|_| random.unit() as f32).collect();
    slopes.beta = some(cuts);
    slopes.constraints = some(constraints);
    slopes
}
