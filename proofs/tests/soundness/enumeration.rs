//! Whatever is claimed of random tiny networks, against the enumeration of all their activation patterns.
//!
//! A claim is put next to its truth: its threshold is the exact minimum of a function of inputs and outputs, one unit in
//! the last place beside it, or near it. No proof of a false claim may be accepted, and no point that is said to
//! violate a claim may fail to. Where numbers are only enclosed (rounded weights, constants and bounds that are
//! not binary floats), what is judged is one of the networks and claims that may be meant.

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{Header, Item, Proof, encode};
use bartizan_proof::check::{Ground, State, replay, verify};
use bartizan_proof::property::{Atom, Case, Region, Variable};
use bartizan_proof::{Interval, Network, Property};

use crate::oracle::cells::{Cell, cells, minimum};
use crate::oracle::network::ExactNetwork;
use crate::oracle::property::{ExactAtom, ExactProperty, ExactRegion, happens};
use crate::oracle::random::Random;
use crate::oracle::tiny;
use crate::prover::{Prover, Scope, Style, Subject};

const NETWORKS: u64 = 10_000;

/// Proofs tried for each network.
const PROOFS: usize = 3;

/// Bytes of a certificate before its proofs.
const HEADER: usize = 74;

/// Damaged certificates tried for each false claim that has one.
const DAMAGED: usize = 3;

/// The largest threshold of an atom that is added to a claim.
const LARGEST: f64 = 1e307;

/// What was tried and what came of it.
#[derive(Debug, Default)]
struct Figures {
    /// Proofs of true claims, and how many were accepted.
    of_true: usize,
    accepted: usize,
    /// Of these, the claims at most 64 units in the last place from being false.
    accepted_narrowly: usize,
    /// Of these again, those where the network has kinks.
    accepted_across_kinks: usize,
    /// Proofs of false claims, damaged ones included; all refused.
    of_false: usize,
    /// Points replayed, and how many were said to violate the claim.
    replayed: usize,
    violated: usize,
    /// Activation patterns, and networks that have several.
    patterns: usize,
    with_kinks: usize,
}

#[test]
fn claims_about_tiny_networks_are_judged_as_enumeration_judges_them() {
    let mut figures = Figures::default();
    for seed in 0..NETWORKS {
        let mut random = Random::new(seed);
        let network = tiny::network(&mut random);
        let region = tiny::region(&mut random, network.input_size());
        Trial::new(&network, &region, seed, random).run(&mut figures);
    }
    println!("{NETWORKS} networks: {figures:?}");
    assert!(figures.accepted > 20_000 && figures.accepted_narrowly > 1_000, "{figures:?}");
    assert!(figures.of_false > 50_000 && figures.violated > 5_000, "{figures:?}");
}

/// One network and region.
struct Trial<'n> {
    network: &'n Network,
    region: &'n Region,
    exact: ExactNetwork,
    exact_region: ExactRegion,
    cells: Vec<Cell>,
    seed: u64,
    random: Random,
}

/// A claim, and how many units in the last place below the exact minimum its threshold is.
struct Claim {
    property: Property,
    is_narrow: bool,
}

impl<'n> Trial<'n> {
    fn new(network: &'n Network, region: &'n Region, seed: u64, mut random: Random) -> Self {
        let exact = ExactNetwork::meant(network, &mut random);
        let exact_region = ExactRegion::meant(region, &mut random);
        let cells = exact_region.parts().into_iter().flat_map(|part| cells(&exact, part)).collect();
        Trial { network, region, exact, exact_region, cells, seed, random }
    }

    fn run(mut self, figures: &mut Figures) {
        figures.patterns += self.cells.len();
        figures.with_kinks += usize::from(self.cells.len() > 1);
        let claims = self.claims();
        let Some(cases) = claims.first().map(|claim| claim.property.cases().to_vec()) else { return };
        let goals: Vec<(usize, usize)> = cases.iter().map(|case| case.atoms.len()).enumerate().collect();
        let proofs: Vec<Vec<Item>> = (0..PROOFS).map(|_| self.proof(&goals)).collect();
        for claim in &claims {
            let meant = ExactProperty::meant(&claim.property, &mut self.random);
            let is_true = !meant.cases.iter().any(|(_, atoms)| happens(&self.cells, atoms));
            for items in &proofs {
                self.judge(claim, is_true, items, figures);
            }
            self.replay(&claim.property, &meant, figures);
        }
    }

    /// Claims that differ in the threshold of their first atom.
    fn claims(&mut self) -> Vec<Claim> {
        let mut cases = vec![vec![self.atom()]];
        if self.random.chance(0.2) {
            cases[0].push(self.atom_near_its_minimum());
        }
        for _ in 0..self.random.pick(&[0, 0, 0, 0, 1, 2]) {
            cases.push(vec![self.atom_near_its_minimum()]);
        }
        let thresholds = self.thresholds(&cases[0][0]);
        let claim = |(at_most, is_narrow): (f64, bool)| {
            cases[0][0].at_most = Interval::point(at_most);
            let cases = cases.iter().map(|atoms| Case { region: 0, atoms: atoms.clone() }).collect();
            let sizes = (self.network.input_size(), self.network.output_size());
            Claim { property: Property::new(sizes, vec![self.region.clone()], cases).unwrap(), is_narrow }
        };
        thresholds.into_iter().map(claim).collect()
    }

    fn atom(&mut self) -> Atom {
        let (inputs, outputs) = (self.network.input_size(), self.network.output_size());
        let mut terms = vec![(Variable::Output(self.random.below(outputs)), self.random.pick(&[1.0, -1.0, 1.0, 0.1]))];
        if self.random.chance(0.3) {
            terms.push((Variable::Output(self.random.below(outputs)), -1.0));
        }
        if self.random.chance(0.2) {
            terms.push((Variable::Input(self.random.below(inputs)), self.random.range(-1.0, 1.0)));
        }
        let terms = terms.into_iter().map(|(variable, c)| (variable, Interval::point(c))).collect();
        Atom { terms, at_most: Interval::point(0.0), strict: self.random.chance(0.2) }
    }

    /// The largest number not above the smallest left side of an atom.
    fn floor(&mut self, atom: &Atom) -> Option<f64> {
        let exact = ExactAtom::meant(atom, &mut self.random);
        let left = |cell: &Cell| exact.slack(cell.part.dimension, &cell.outputs).negated();
        minimum(&self.cells, left).map(|least| least.floor()).filter(|floor| floor.is_finite())
    }

    fn atom_near_its_minimum(&mut self) -> Atom {
        let atom = self.atom();
        let floor = self.floor(&atom).unwrap_or(0.0).clamp(-LARGEST, LARGEST);
        let off = self.random.pick(&[0.0, 1e-3, -1e-3, -0.5, 0.5]);
        let at_most = Interval::point(floor + off * (1.0 + floor.abs()));
        let wide = Interval { hi: at_most.hi.next_up(), ..at_most };
        Atom { at_most: if self.random.chance(0.2) { wide } else { at_most }, ..atom }
    }

    /// Thresholds for an atom, and whether they are within 64 units in the last place of its minimum.
    fn thresholds(&mut self, atom: &Atom) -> Vec<(f64, bool)> {
        let Some(floor) = self.floor(atom) else { return vec![(0.0, false)] };
        let units = |n: i32| floor - f64::from(n) * (floor.next_up() - floor);
        let narrow = [floor.next_up(), floor, floor.next_down(), units(self.random.pick(&[2, 4, 8])), units(64)];
        let size = 1.0 + floor.abs();
        let steps = [1e-14, 1e-12, 1e-7, 1e-3];
        let wide = [floor - self.random.pick(&steps) * size, floor - self.random.range(0.0, 4.0) * size];
        let above = floor + self.random.pick(&[1e-12, 1e-3, 1.0]) * size;
        let all = narrow.map(|b| (b, true)).into_iter().chain(wide.map(|b| (b, false))).chain([(above, false)]);
        all.filter(|(b, _)| b.is_finite()).collect()
    }

    fn proof(&mut self, goals: &[(usize, usize)]) -> Vec<Item> {
        let styles = [
            Style { depth: 0, inputs: 0.0, wild: 0.0, asides: 0.0 },
            Style { depth: 6, inputs: 1.0, wild: 0.0, asides: 0.0 },
            Style { depth: 4, inputs: 0.0, wild: 0.0, asides: 0.0 },
            Style { depth: 3, inputs: 0.5, wild: 0.0, asides: 0.3 },
            Style { depth: 2, inputs: 0.5, wild: 0.05, asides: 0.3 },
        ];
        let style = self.random.pick(&styles);
        let places = self.network.places();
        let subject = Subject {
            sizes: places.iter().map(|node| self.network.nodes()[*node].size).collect(),
            kinks: (0..self.network.input_size()).map(|input| self.kinks(input)).collect(),
            constraints: self.region.constraints.len(),
        };
        let ground = Ground::new(self.network, self.region).unwrap();
        let scope = Scope::root(State::new(&ground), goals.to_vec());
        Prover { random: &mut self.random, subject: &subject, style }.tree(scope, style.depth)
    }

    /// Coordinates of vertices of cells.
    fn kinks(&self, input: usize) -> Vec<f64> {
        let vertices = self.cells.iter().flat_map(|cell| &cell.part.vertices).take(24);
        let coordinate = |v: &crate::oracle::polytope::Vertex| {
            let w = v.coordinates.last().unwrap();
            v.coordinates[input].divided_by(w, 60).about()
        };
        vertices.map(coordinate).filter(|x| x.is_finite()).collect()
    }

    fn judge(&mut self, claim: &Claim, is_true: bool, items: &[Item], figures: &mut Figures) {
        let property = &claim.property;
        let header = Header { model: self.network.digest(), property: property.digest() };
        let bytes = encode(&header, &[Proof { region: 0, items: items.to_vec() }]);
        let is_accepted = |bytes: Vec<u8>| verify(self.network, property, &bytes, NonZeroUsize::MIN).is_ok();
        if is_true {
            let accepted = usize::from(is_accepted(bytes));
            figures.of_true += 1;
            figures.accepted += accepted;
            figures.accepted_narrowly += if claim.is_narrow { accepted } else { 0 };
            figures.accepted_across_kinks += if claim.is_narrow && self.cells.len() > 1 { accepted } else { 0 };
            return;
        }
        assert!(!is_accepted(bytes.clone()), "seed {}: a false claim is accepted: {property:?}, {items:?}", self.seed);
        for _ in 0..DAMAGED {
            let mut damaged = bytes.clone();
            damage(&mut damaged, &mut self.random);
            assert!(!is_accepted(damaged), "seed {}: a damaged proof of a false claim is accepted", self.seed);
        }
        figures.of_false += 1 + DAMAGED;
    }

    /// Replays random points and vertices.
    fn replay(&mut self, property: &Property, meant: &ExactProperty, figures: &mut Figures) {
        let outer: Vec<Interval> = self.region.bounds.iter().map(|b| b.outer()).collect();
        let kinks: Vec<Vec<f64>> = (0..outer.len()).map(|input| self.kinks(input)).collect();
        for _ in 0..3 {
            let coordinate = |(kinks, ends): (&Vec<f64>, &Interval)| match kinks.is_empty() || self.random.chance(0.3) {
                true => self.random.range(ends.lo, ends.hi).clamp(ends.lo, ends.hi),
                false => self.random.pick(kinks).clamp(ends.lo, ends.hi),
            };
            let point: Vec<f64> = kinks.iter().zip(&outer).map(coordinate).collect();
            figures.replayed += 1;
            if let Ok(violated) = replay(self.network, property, &point) {
                let point = self.exact_region.nearest(&point);
                let outputs = &self.exact.evaluate(&point)[self.exact.output];
                let (_, atoms) = &meant.cases[violated.case()];
                let happens =
                    self.exact_region.contains(&point) && atoms.iter().all(|atom| atom.holds(&point, outputs));
                assert!(happens, "seed {}: no violation of {property:?} at {:?}", self.seed, violated.point());
                figures.violated += 1;
            }
        }
    }
}

/// Changes, removes or repeats a byte behind the header.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.between(HEADER, bytes.len() - 1);
    match random.below(4) {
        0 => drop(bytes.remove(at)),
        1 => bytes.insert(at, bytes[at]),
        2 => bytes[at] = random.below(256) as u8,
        _ => bytes[at] ^= 1 << random.below(8),
    }
}
