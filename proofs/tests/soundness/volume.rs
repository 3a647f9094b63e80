//! Volumes that are claimed of random tiny networks, against the enumeration of all activation patterns.
//!
//! Random trees split the region's box along inputs, also so that parts overlap or have no points, and claim at random that parts
//! are certified or violated. Whatever is accepted of a part is judged by enumeration of the part, and the sums by exact volumes.
//! Where there is one input, damaged certificates are offered too, and all shares compared with the true ones.

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{Close, Header, Item, Multipliers, Proof, Split, Witness, encode};
use bartizan_proof::check::{Ground, part, volume};
use bartizan_proof::property::{Atom, Case, Region, Variable};
use bartizan_proof::{Interval, Network, Property};

use crate::oracle::cells::{Cell, cells};
use crate::oracle::dyadic::Dyadic;
use crate::oracle::network::ExactNetwork;
use crate::oracle::polytope::Polytope;
use crate::oracle::property::{ExactAtom, ExactProperty, happens};
use crate::oracle::random::Random;
use crate::oracle::tiny;

const NETWORKS: u64 = 20_000;

/// The deepest leaves.
const DEEPEST: usize = 4;

/// Bytes of a certificate before its proofs.
const HEADER: usize = 74;

/// Damaged versions of each certificate about one input.
const DAMAGED: usize = 40;

/// By how much the true shares may be off: they are computed in binary64.
const TRUTH_SLACK: f64 = 1e-9;

/// By how much shares may fall short of the volumes that are proved.
const SLACK: f64 = 1e-12;

/// What was tried and what came of it.
#[derive(Debug, Default)]
struct Figures {
    certified: usize,
    violated: usize,
    refused: usize,
    /// Trees with parts of both kinds, and those with parts that overlap.
    mixed: usize,
    overlapping: usize,
    /// Damaged certificates that claim something, and those of them that claim something else than the undamaged one.
    damaged: usize,
    changed: usize,
}

/// What a leaf says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Claim {
    Certified,
    Violated(usize),
    Left,
}

/// A leaf: the splits on the way, the items at its end, its box and its claim.
struct Leaf {
    steps: Vec<(Item, bool)>,
    ends: Vec<Interval>,
    claim: Claim,
}

/// One network with a property, and a tree that grows.
struct Trial<'n> {
    ground: Ground<'n>,
    property: &'n Property,
    exact: ExactNetwork,
    meant: ExactProperty,
    random: Random,
    is_overlapping: bool,
    items: Vec<Item>,
    leaves: Vec<Leaf>,
}

#[test]
fn volumes_of_tiny_networks_are_those_of_enumeration() {
    let mut figures = Figures::default();
    for seed in 0..NETWORKS {
        let mut random = Random::new(seed);
        let network = tiny::network(&mut random);
        let region = Region::of_box(tiny::region(&mut random, network.input_size()).bounds);
        let property = property(&network, &region, &mut random);
        let ends: Vec<Interval> = region.bounds.iter().map(|b| b.outer()).collect();
        let mut trial = Trial {
            ground: Ground::new(&network, &region).unwrap(),
            exact: ExactNetwork::meant(&network, &mut random),
            meant: ExactProperty::meant(&property, &mut random),
            property: &property,
            random,
            is_overlapping: false,
            items: Vec::new(),
            leaves: Vec::new(),
        };
        trial.grow(Vec::new(), ends.clone(), &mut figures);
        let bytes = trial.measure(&network, &ends, &mut figures, seed);
        if let [only] = ends.as_slice() {
            trial.damage(&network, (bytes, *only), &mut figures, seed);
        }
    }
    println!("{NETWORKS} networks: {figures:?}");
    assert!(figures.certified > 8_000 && figures.violated > 8_000 && figures.refused > 20_000, "{figures:?}");
    assert!(figures.mixed > 1_000 && figures.overlapping > 1_000, "{figures:?}");
    assert!(figures.damaged > 10_000 && figures.changed > 1_000, "{figures:?}");
}

/// One or two cases whose thresholds are values at random points, or close to one.
fn property(network: &Network, region: &Region, random: &mut Random) -> Property {
    let atom = |random: &mut Random| {
        let point: Vec<f64> = region.bounds.iter().map(|b| random.range(b.outer().lo, b.outer().hi)).collect();
        let output = random.below(network.output_size());
        let (sign, value) = (random.pick(&[1.0, -1.0]), network.evaluate(&point)[output]);
        let value = if value.is_finite() { sign * value } else { 1.0 };
        let near = random.pick(&[value, value, value.next_up(), value - 0.1, value + 0.1, value + 1.0]);
        let width = random.pick(&[0.0, 0.0, 0.0, 0.01]);
        let at_most = if near.is_finite() { Interval { lo: near, hi: near + width } } else { Interval::point(0.0) };
        Atom { terms: vec![(Variable::Output(output), Interval::point(sign))], at_most, strict: random.chance(0.3) }
    };
    let cases = (0..random.pick(&[1, 1, 2])).map(|_| {
        let atoms = (0..random.pick(&[1, 1, 2])).map(|_| atom(random)).collect();
        Case { region: 0, atoms }
    });
    let cases: Vec<Case> = cases.collect();
    Property::new((network.input_size(), network.output_size()), vec![region.clone()], cases).unwrap()
}

impl Trial<'_> {
    /// Appends a random subtree.
    fn grow(&mut self, path: Vec<(Item, bool)>, ends: Vec<Interval>, figures: &mut Figures) {
        if path.len() < DEEPEST && self.random.chance(0.75) {
            let element = self.random.below(ends.len());
            let (split, below, above) = self.split(element, ends[element]);
            self.items.push(Item::Split(split));
            let sides = [Interval { hi: below, ..ends[element] }, Interval { lo: above, ..ends[element] }];
            for (side, is_second) in sides.into_iter().zip([false, true]) {
                let mut ends = ends.clone();
                ends[element] = Interval { lo: side.lo.max(ends[element].lo), hi: side.hi.min(ends[element].hi) };
                self.grow([&path[..], &[(Item::Split(split), is_second)]].concat(), ends, figures);
            }
            return;
        }
        let claim = self.claim();
        let end = self.end(claim);
        let all: Vec<(Item, bool)> = path.iter().cloned().chain(end.iter().map(|item| (item.clone(), false))).collect();
        let is_accepted = part(&self.ground, self.property, 0, &all).is_ok();
        let (claim, end) = if is_accepted { (claim, end) } else { (Claim::Left, vec![Item::Leave]) };
        figures.refused += usize::from(!is_accepted);
        self.items.extend(end);
        self.leaves.push(Leaf { steps: all, ends, claim });
    }

    fn split(&mut self, element: usize, Interval { lo, hi }: Interval) -> (Split, f64, f64) {
        let middle = Interval { lo, hi }.middle();
        let at = |below, above| (Split::At { place: 0, element, below, above }, below, above);
        match self.random.below(8) {
            0 => {
                self.is_overlapping = true;
                let between = middle / 2.0 + hi / 2.0;
                at(between.max(middle), middle)
            }
            1 => {
                let inside = self.random.range(lo, hi);
                if inside.is_finite() { at(inside, inside) } else { at(middle, middle) }
            }
            2 if hi < 1e300 => at(hi + 1.0, hi + 1.0),
            _ => (Split::Middle(element), middle, middle),
        }
    }

    fn claim(&mut self) -> Claim {
        match self.random.below(9) {
            0 => Claim::Left,
            1..=4 => Claim::Certified,
            _ => Claim::Violated(self.random.below(self.property.cases().len())),
        }
    }

    /// The items of a leaf.
    fn end(&mut self, claim: Claim) -> Vec<Item> {
        let mut items = Vec::new();
        items.extend(self.random.chance(0.3).then_some(Item::Forms));
        items.extend(self.random.chance(0.5).then_some(Item::TightenAll));
        let close = |case, atom| Close { case, multipliers: Multipliers::Atom(atom), witness: Witness::Default };
        let cases = self.property.cases();
        match claim {
            Claim::Left => return vec![Item::Leave],
            Claim::Certified => {
                let atom = |case: &Case| self.random.below(case.atoms.len());
                let atoms: Vec<usize> = cases.iter().map(atom).collect();
                items.push(Item::Close(atoms.into_iter().enumerate().map(|(case, atom)| close(case, atom)).collect()));
            }
            Claim::Violated(case) => {
                items.push(Item::Violate(case));
                items.push(Item::Close((0..cases[case].atoms.len()).map(|atom| close(atom, 0)).collect()));
            }
        }
        items.push(Item::End);
        items
    }

    /// Has the tree checked, and judges what is said of each part and of their volumes.
    fn measure(&self, network: &Network, whole: &[Interval], figures: &mut Figures, seed: u64) -> Vec<u8> {
        let header = Header::of(network, self.property);
        let bytes = encode(&header, &[Proof { region: 0, items: self.items.clone() }]);
        let proved = volume(network, self.property, &bytes, NonZeroUsize::MIN).unwrap();
        for (number, leaf) in self.leaves.iter().enumerate() {
            assert!(self.is_true(leaf), "seed {seed}, leaf {number}: {:?} by {:?}", leaf.claim, leaf.steps);
        }
        let count = |is: fn(Claim) -> bool| self.leaves.iter().filter(|leaf| is(leaf.claim)).count();
        let (certified, violated) = (count(|c| c == Claim::Certified), count(|c| matches!(c, Claim::Violated(_))));
        figures.certified += certified;
        figures.violated += violated;
        figures.mixed += usize::from(certified > 0 && violated > 0);
        figures.overlapping += usize::from(self.is_overlapping);
        let shares = proved.regions()[0];
        assert_eq!(shares.certified() + shares.violated() + shares.undecided(), 1.0);
        let varies: Vec<usize> = (0..whole.len()).filter(|i| whole[*i].lo < whole[*i].hi).collect();
        if varies.len() < whole.len() {
            return bytes;
        }
        let sum = |is: fn(Claim) -> bool| {
            let leaves = self.leaves.iter().filter(|leaf| is(leaf.claim));
            leaves.fold(Dyadic::zero(), |sum, leaf| &sum + &volume_of(&leaf.ends))
        };
        let all = volume_of(whole);
        let shares = [shares.certified(), shares.violated()];
        let sums = [sum(|c| c == Claim::Certified), sum(|c| matches!(c, Claim::Violated(_)))];
        for (share, sum) in shares.into_iter().zip(sums) {
            assert!(&all * &Dyadic::of(share) <= sum, "seed {seed}: more is claimed than is proved");
            let short = &(&all * &Dyadic::of(share + SLACK)) - &sum;
            assert!(self.is_overlapping || !short.is_negative(), "seed {seed}: less is claimed than is proved");
        }
        bytes
    }

    /// Offers the certificate, as it is and damaged, and compares what is accepted with the truth about the only input.
    fn damage(&mut self, network: &Network, (bytes, whole): (Vec<u8>, Interval), figures: &mut Figures, seed: u64) {
        let length = whole.hi - whole.lo;
        if !(1e-6..1e6).contains(&length) {
            return;
        }
        let happening = self.happening(whole) / length;
        let threads = NonZeroUsize::MIN;
        let intact = volume(network, self.property, &bytes, threads).unwrap();
        for version in 0..=DAMAGED {
            let damaged = if version == 0 { bytes.clone() } else { self.change(&bytes) };
            let Ok(proved) = volume(network, self.property, &damaged, threads) else { continue };
            let shares = proved.regions()[0];
            let is_true =
                shares.violated() <= happening + TRUTH_SLACK && shares.certified() <= 1.0 - happening + TRUTH_SLACK;
            assert!(is_true, "seed {seed}: {shares:?}, but a case happens at {happening}: {damaged:?}");
            figures.damaged += usize::from(version > 0 && shares.undecided() < 1.0);
            figures.changed += usize::from(shares.undecided() < 1.0 && proved.regions() != intact.regions());
        }
    }

    /// Changes one or two bytes of the proofs; small numbers are codes, cases and elements.
    fn change(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (mut bytes, random) = (bytes.to_vec(), &mut self.random);
        for _ in 0..random.between(1, 2) {
            let place = HEADER + random.below(bytes.len() - HEADER);
            match random.below(6) {
                0 if bytes.len() > HEADER + 1 => drop(bytes.remove(place)),
                1 => bytes.insert(place, random.below(17) as u8),
                2 => bytes[place] ^= 1 << random.below(8),
                _ => bytes[place] = random.below(17) as u8,
            }
        }
        bytes
    }

    /// The length of the set at which some case happens, all atoms closed, in binary64.
    fn happening(&self, whole: Interval) -> f64 {
        let cells = cells(&self.exact, Polytope::of_box(&[(Dyadic::of(whole.lo), Dyadic::of(whole.hi))]));
        let ends = |part: &Polytope| {
            let points = part.vertices.iter().map(|v| v.coordinates[0].divided_by(&v.coordinates[1], 64).about());
            points.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| (lo.min(x), hi.max(x)))
        };
        let on_cell = |cell: &Cell| -> Vec<(f64, f64)> {
            let clip = |part: Polytope, atom: &ExactAtom| part.clip(&atom.slack(1, &cell.outputs));
            let part = |atoms: &Vec<ExactAtom>| ends(&atoms.iter().fold(cell.part.clone(), clip));
            self.meant.cases.iter().map(part).filter(|(lo, hi)| lo < hi).collect()
        };
        let mut intervals: Vec<(f64, f64)> = cells.iter().flat_map(on_cell).collect();
        intervals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut sum, mut reached) = (0.0, f64::NEG_INFINITY);
        for (lo, hi) in intervals {
            sum += (hi - lo.max(reached)).max(0.0);
            reached = reached.max(hi);
        }
        sum
    }

    fn is_true(&self, leaf: &Leaf) -> bool {
        let ends: Vec<(Dyadic, Dyadic)> = leaf.ends.iter().map(|i| (Dyadic::of(i.lo), Dyadic::of(i.hi))).collect();
        let cells = match leaf.claim {
            Claim::Left => return true,
            _ => cells(&self.exact, Polytope::of_box(&ends)),
        };
        match leaf.claim {
            Claim::Violated(case) => self.meant.cases[case].iter().all(|atom| holds_everywhere(&cells, atom)),
            _ => !self.meant.cases.iter().any(|atoms| happens(&cells, atoms)),
        }
    }
}

/// Whether an atom holds at all points of some cells, strictly.
fn holds_everywhere(cells: &[Cell], atom: &ExactAtom) -> bool {
    cells.iter().all(|cell| {
        let slack = atom.slack(cell.part.dimension, &cell.outputs);
        cell.part.values(&slack).iter().all(Dyadic::is_positive)
    })
}

/// The exact volume of a box.
fn volume_of(ends: &[Interval]) -> Dyadic {
    let length = |i: &Interval| &Dyadic::of(i.hi) - &Dyadic::of(i.lo);
    let positive = |length: Dyadic| if length.is_negative() { Dyadic::zero() } else { length };
    ends.iter().map(|i| positive(length(i))).fold(Dyadic::of(1.0), |product, length| &product * &length)
}
