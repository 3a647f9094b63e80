//! Forms: the checker's intervals against those of exact arithmetic, and against values of the network.

use std::collections::BTreeMap;

use bartizan_proof::certificate::{Literal, Side};
use bartizan_proof::check::{Ground, State};
use bartizan_proof::property::Region;
use bartizan_proof::{Interval, Network};

use crate::arithmetic::{UNDERFLOW, region};
use crate::networks;
use crate::oracle::dyadic::Dyadic;
use crate::oracle::forms::ExactEnclosure;
use crate::oracle::network::ExactNetwork;
use crate::oracle::random::Random;
use crate::oracle::tiny;

const NETWORKS: u64 = 500;

/// Networks made of extreme numbers, of which only soundness is asked.
const EXTREME: u64 = 5000;

/// Points evaluated in each state of a network of extreme numbers.
const POINTS: usize = 4;

/// The most literals that are assumed one after the other.
const LITERALS: usize = 4;

/// How much the fast arithmetic may lose of an interval's end, relative to the sum of the absolute values of all terms.
const MOST_LOST: f64 = 1e-12;

#[test]
fn intervals_by_forms_are_never_tighter_than_the_exact_ones_and_hardly_wider() {
    let (mut worst, mut ends, mut tighter) = (0.0, 0, 0);
    for seed in 0..NETWORKS {
        let mut random = Random::new(seed);
        let network = networks::network(&mut random);
        let exact = ExactNetwork::stored(&network);
        let region = region(network.input_size(), &mut random);
        let ground = Ground::new(&network, &region).unwrap();
        let mut pair = Pair::new(&network, &exact, State::new(&ground));
        pair.start(&mut random);
        let plain = pair.output_width();
        pair.use_forms();
        for _ in 0..=random.below(LITERALS) {
            if !pair.refresh() {
                break;
            }
            worst = f64::max(worst, pair.lost(seed));
            ends += 2 * pair.fast.values().map(Vec::len).sum::<usize>();
            tighter += usize::from(pair.output_width() < plain);
            pair.step(&mut random);
        }
    }
    println!("{ends} ends; largest relative loss {worst:.2e}; {tighter} times the first output is tighter");
    assert!(worst <= MOST_LOST && ends > 20_000 && tighter > 300);
}

#[test]
fn extreme_numbers_stay_within_their_intervals() {
    let (mut compared, mut evaluated, mut infinite) = (0, 0, 0);
    for seed in 0..EXTREME {
        let mut random = Random::new(seed);
        let network = tiny::network(&mut random);
        let exact = ExactNetwork::meant(&network, &mut random);
        let region = Region { ball: None, ..tiny::region(&mut random, network.input_size()) };
        let ground = Ground::new(&network, &region).unwrap();
        let mut pair = Pair::new(&network, &exact, State::new(&ground));
        pair.start(&mut random);
        pair.use_forms();
        for _ in 0..=random.below(LITERALS) {
            let is_finite = pair.refresh();
            if pair.state.is_empty() {
                break;
            }
            evaluated += (0..POINTS).filter(|_| pair.evaluate(seed, &mut random)).count();
            if is_finite {
                pair.lost(seed);
                compared += 1;
            } else {
                infinite += 1;
            }
            pair.step(&mut random);
        }
    }
    println!("{compared} states compared, {infinite} others with infinite ends, {evaluated} points evaluated");
    assert!(compared > 5000 && infinite > 100 && evaluated > 15_000);
}

/// The checker's state and the exact one side by side.
struct Pair<'g> {
    network: &'g Network,
    exact: &'g ExactNetwork,
    state: State<'g>,
    enclosure: ExactEnclosure<'g>,
    /// The checker's intervals of the nodes that are places.
    fast: BTreeMap<usize, Vec<Interval>>,
    literals: Vec<Literal>,
}

impl<'g> Pair<'g> {
    fn new(network: &'g Network, exact: &'g ExactNetwork, mut state: State<'g>) -> Self {
        let enclosure = ExactEnclosure::new(exact, &state.intervals(0));
        Pair { network, exact, state, enclosure, fast: BTreeMap::new(), literals: Vec::new() }
    }

    /// Sometimes there are tighter bounds before forms are used.
    fn start(&mut self, random: &mut Random) {
        if random.chance(0.3) {
            self.tighten();
        }
    }

    fn use_forms(&mut self) {
        self.state.use_forms().unwrap();
        self.enclosure.uses_forms = true;
    }

    /// Bounds by the linear bound rule are taken over as they are.
    fn tighten(&mut self) {
        self.state.tighten_all().unwrap();
        self.read();
        for (node, intervals) in &self.fast {
            intervals.iter().enumerate().for_each(|(element, z)| self.enclosure.cut(*node, element, *z));
        }
    }

    fn read(&mut self) {
        for (place, node) in self.network.places().into_iter().enumerate() {
            self.fast.insert(node, self.state.intervals(place));
        }
    }

    /// Encloses all values twice, if there are points and all ends are finite.
    fn refresh(&mut self) -> bool {
        self.read();
        let is_finite = self.fast.values().flatten().all(|interval| interval.is_finite());
        let is_usable = is_finite && !self.state.is_empty();
        if is_usable {
            self.enclosure.refresh(&self.fast);
        }
        is_usable
    }

    /// Compares all ends, and returns the largest relative loss.
    fn lost(&self, seed: u64) -> f64 {
        let mut worst = 0.0;
        for (node, intervals) in &self.fast {
            let exact = self.enclosure.ends[*node].iter().zip(&self.enclosure.sizes[*node]);
            for (z, ((low, high), size)) in intervals.iter().zip(exact) {
                for lost in [low - &Dyadic::of(z.lo), &Dyadic::of(z.hi) - high] {
                    assert!(!lost.is_negative(), "seed {seed}: {z:?} of node {node} is tighter than the exact one");
                    worst = f64::max(worst, lost.about() / size.about().max(UNDERFLOW));
                }
            }
        }
        worst
    }

    /// Assumes a literal about an input or the sign of another value, or tightens.
    fn step(&mut self, random: &mut Random) {
        if random.chance(0.15) {
            return self.tighten();
        }
        let places = self.network.places();
        let place = if random.chance(0.6) { 0 } else { random.below(places.len()) };
        let element = random.below(self.network.nodes()[places[place]].size);
        let z = self.state.intervals(place)[element];
        let between = z.lo + random.unit() * (z.hi - z.lo);
        let is_sign = place > 0 && z.lo < 0.0 && z.hi > 0.0;
        let at = if is_sign || !between.is_finite() { 0.0 } else { between };
        let literal = Literal { place, element, side: random.pick(&[Side::Lower, Side::Upper]), at };
        self.state.assume(&literal).unwrap();
        let mut by = Interval::EVERYTHING;
        *if literal.side == Side::Lower { &mut by.lo } else { &mut by.hi } = at;
        self.enclosure.cut(places[place], element, by);
        self.literals.push(literal);
    }

    /// Evaluates the network at a point of the input's box; whether everything that is assumed holds there.
    fn evaluate(&self, seed: u64, random: &mut Random) -> bool {
        let coordinate = |z: &Interval| match random.below(4) {
            0 => z.lo,
            1 => z.hi,
            _ => (z.lo + random.unit() * (z.hi - z.lo)).clamp(z.lo, z.hi),
        };
        let point: Vec<Dyadic> = self.fast[&0].iter().map(coordinate).map(Dyadic::of).collect();
        let values = self.exact.evaluate(&point);
        let places = self.network.places();
        let holds = |literal: &Literal| {
            let (value, at) = (&values[places[literal.place]][literal.element], Dyadic::of(literal.at));
            if literal.side == Side::Lower { *value >= at } else { *value <= at }
        };
        if !self.literals.iter().all(holds) {
            return false;
        }
        for (node, intervals) in &self.fast {
            for (z, value) in intervals.iter().zip(&values[*node]) {
                let is_above = !z.lo.is_finite() || Dyadic::of(z.lo) <= *value;
                let is_below = !z.hi.is_finite() || *value <= Dyadic::of(z.hi);
                let is_enclosed = is_above && is_below && z.lo < f64::INFINITY && z.hi > f64::NEG_INFINITY;
                assert!(is_enclosed, "seed {seed}: {z:?} of node {node} leaves {:e} out", value.about());
            }
        }
        true
    }

    fn output_width(&mut self) -> f64 {
        let output = self.state.intervals(self.network.places().len() - 1)[0];
        output.hi - output.lo
    }
}
