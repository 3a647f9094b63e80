//! A tiny network and a region, its cells, and claims whose truth they decide.

use bartizan_proof::property::{Atom, Case, Region, Variable};
use bartizan_proof::{Interval, Network, Property, Violated};

use super::cells::{Cell, cells, minimum};
use super::network::ExactNetwork;
use super::polytope::Vertex;
use super::property::{ExactAtom, ExactProperty, ExactRegion, happens};
use super::random::Random;

/// The largest threshold of an atom that is added to a claim.
const LARGEST: f64 = 1e307;

/// One network and region. Where numbers are only enclosed (rounded weights, constants and bounds that are not binary
/// floats), what counts is one of the networks and regions that may be meant.
pub struct Trial<'n> {
    pub network: &'n Network,
    pub region: &'n Region,
    pub cells: Vec<Cell>,
    pub random: Random,
    exact: ExactNetwork,
    exact_region: ExactRegion,
}

/// A claim, and whether its threshold is at most 64 units in the last place away from the exact minimum.
#[derive(Clone)]
pub struct Claim {
    pub property: Property,
    pub is_narrow: bool,
}

impl<'n> Trial<'n> {
    pub fn new(network: &'n Network, region: &'n Region, mut random: Random) -> Self {
        let exact = ExactNetwork::meant(network, &mut random);
        let exact_region = ExactRegion::meant(region, &mut random);
        let cells = exact_region.parts().into_iter().flat_map(|part| cells(&exact, part)).collect();
        Trial { network, region, cells, random, exact, exact_region }
    }

    /// Claims that differ in the threshold of their first atom.
    pub fn claims(&mut self) -> Vec<Claim> {
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

    /// Coordinates of vertices of cells.
    pub fn kinks(&self, input: usize) -> Vec<f64> {
        let vertices = self.cells.iter().flat_map(|cell| &cell.part.vertices).take(24);
        let coordinate = |v: &Vertex| {
            let w = v.coordinates.last().unwrap();
            v.coordinates[input].divided_by(w, 60).about()
        };
        vertices.map(coordinate).filter(|x| x.is_finite()).collect()
    }

    /// The claim with the numbers that are meant.
    pub fn meant(&mut self, claim: &Claim) -> ExactProperty {
        ExactProperty::meant(&claim.property, &mut self.random)
    }

    /// Whether no case happens at any point of the region.
    pub fn holds(&self, meant: &ExactProperty) -> bool {
        !meant.cases.iter().any(|atoms| happens(&self.cells, atoms))
    }

    /// Whether the claim is violated where it is said to be.
    pub fn is_violated(&self, meant: &ExactProperty, violated: &Violated) -> bool {
        let point = self.exact_region.nearest(violated.point());
        let outputs = &self.exact.evaluate(&point)[self.exact.output];
        let mut atoms = meant.cases[violated.case()].iter();
        self.exact_region.contains(&point) && atoms.all(|atom| atom.holds(&point, outputs))
    }
}
