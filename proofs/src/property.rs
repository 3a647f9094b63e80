//! The language of properties: cases that must not happen.
//!
//! A property is a list of cases. A case stands for "no point of its region satisfies all of its atoms", and the
//! property holds when every case is refuted. Numbers that are not binary floats (`0.1`) are kept as the interval of
//! floats around them; proofs use the outer end and counterexamples the inner one, so that the region that is proved
//! is never smaller than the region that was asked for, and a counterexample never lies outside it.

mod robustness;

pub use robustness::{Normalisation, RobustnessQuery};

use crate::arith::Interval;
use crate::digest::Digest;
use crate::error::PropertyError;
use crate::network::Network;

/// A list of cases over declared inputs and outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    inputs: usize,
    outputs: usize,
    regions: Vec<Region>,
    cases: Vec<Case>,
}

/// A box of inputs, perhaps cut by linear constraints and a ball.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Bounds of each input element.
    pub bounds: Vec<Bound>,
    /// Constraints over the inputs; strict ones stand for their closure.
    pub constraints: Vec<Atom>,
    /// A ball that the inputs also lie in.
    pub ball: Option<Ball>,
}

/// The inputs `x` with `|| scale . (x - center) || <= radius`, the product taken element by element.
#[derive(Clone, Debug, PartialEq)]
pub struct Ball {
    /// Which norm.
    pub norm: Norm,
    /// Center of each element.
    pub center: Vec<Interval>,
    /// Positive factor of each element.
    pub scale: Vec<Interval>,
    /// Radius, not negative.
    pub radius: Interval,
}

/// The norm of a [`Ball`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The sum of absolute values.
    L1,
    /// The Euclidean norm.
    L2,
}

impl Region {
    /// A box without constraints.
    pub fn of_box(bounds: Vec<Bound>) -> Region {
        Region { bounds, constraints: Vec::new(), ball: None }
    }

    /// Whether nothing but bounds restricts the inputs.
    pub fn is_box(&self) -> bool {
        self.constraints.is_empty() && self.ball.is_none()
    }
}

/// Lower and upper bound of one input, each as an enclosure of the number that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Encloses the lower bound.
    pub lower: Interval,
    /// Encloses the upper bound.
    pub upper: Interval,
}

impl Bound {
    /// The floats that are certain to include every permitted value.
    pub fn outer(&self) -> Interval {
        Interval { lo: self.lower.lo, hi: self.upper.hi }
    }

    /// The floats that are certain to be permitted, if there are any.
    pub fn inner(&self) -> Option<Interval> {
        Interval::new(self.lower.hi, self.upper.lo)
    }
}

/// A conjunction of linear atoms over the inputs of one region and the outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Index into [`Property::regions`].
    pub region: usize,
    /// The atoms; all of them hold at a counterexample. No atoms at all means that the region must be empty.
    pub atoms: Vec<Atom>,
}

/// `sum_i c_i v_i <= b`, or `< b` where strict.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// Variables with their coefficients; a variable may occur more than once.
    pub terms: Vec<(Variable, Interval)>,
    /// The right-hand side.
    pub at_most: Interval,
    /// Whether equality is excluded. Proofs refute the closed atom all the same.
    pub strict: bool,
}

/// A scalar that an atom may speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// An input element.
    Input(usize),
    /// An output element.
    Output(usize),
}

impl Property {
    /// Checks and assembles a property: every region bounds all inputs with finite numbers and is not empty, every
    /// variable exists, every number is finite.
    ///
    /// # Errors
    ///
    /// Names the first part that is wrong.
    pub fn new(
        (inputs, outputs): (usize, usize),
        regions: Vec<Region>,
        cases: Vec<Case>,
    ) -> Result<Property, PropertyError> {
        if cases.is_empty() {
            return Err(PropertyError::NoCases);
        }
        regions.iter().try_for_each(|region| check_region(region, inputs))?;
        regions.iter().flat_map(|r| &r.constraints).try_for_each(|atom| check_atom(atom, inputs, 0))?;
        for case in &cases {
            if case.region >= regions.len() {
                let variable = format!("region {}", case.region);
                return Err(PropertyError::UnknownVariable { variable, declared: regions.len() });
            }
            case.atoms.iter().try_for_each(|atom| check_atom(atom, inputs, outputs))?;
        }
        Ok(Property { inputs, outputs, regions, cases })
    }

    /// Number of declared inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of declared outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The regions that cases refer to.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The cases.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Whether every atom compares two outputs with each other and nothing else (`c Y_i <= c Y_j`), so that a
    /// strictly increasing function applied to all outputs changes nothing.
    pub fn compares_outputs_only(&self) -> bool {
        self.cases.iter().flat_map(|c| &c.atoms).all(Atom::compares_two_outputs)
    }

    /// Checks that the property can be asked of the network.
    ///
    /// # Errors
    ///
    /// The sizes differ, or the model ends in a dropped activation and the property is not an argmax property.
    pub fn fits(&self, network: &Network) -> Result<(), PropertyError> {
        let sizes = [("inputs", network.input_size(), self.inputs), ("outputs", network.output_size(), self.outputs)];
        for (what, expected, found) in sizes {
            if expected != found {
                return Err(PropertyError::Size { what, expected, found });
            }
        }
        match network.dropped_activation() {
            Some(activation) if !self.compares_outputs_only() => {
                Err(PropertyError::DroppedActivation { activation: activation.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// SHA-256 of the property's canonical form: all counts and indices as 64-bit and all numbers as binary64,
    /// little-endian, in the order of the fields.
    pub fn digest(&self) -> Digest {
        let mut form = Canonical(b"bartizan property 1\n".to_vec());
        form.sizes(&[self.inputs, self.outputs, self.regions.len()]);
        self.regions.iter().for_each(|region| form.region(region));
        form.sizes(&[self.cases.len()]);
        for case in &self.cases {
            form.sizes(&[case.region, case.atoms.len()]);
            case.atoms.iter().for_each(|atom| form.atom(atom));
        }
        Digest::of(&form.0)
    }
}

impl Atom {
    fn compares_two_outputs(&self) -> bool {
        let [(Variable::Output(_), a), (Variable::Output(_), b)] = self.terms.as_slice() else {
            return false;
        };
        a.is_point() && *b == -*a && self.at_most == Interval::point(0.0)
    }
}

/// The bytes that a property's digest is taken of.
struct Canonical(Vec<u8>);

impl Canonical {
    fn sizes(&mut self, sizes: &[usize]) {
        for size in sizes {
            self.0.extend(u64::try_from(*size).unwrap_or(u64::MAX).to_le_bytes());
        }
    }

    fn region(&mut self, region: &Region) {
        region.bounds.iter().for_each(|bound| self.intervals(&[bound.lower, bound.upper]));
        self.sizes(&[region.constraints.len()]);
        region.constraints.iter().for_each(|constraint| self.atom(constraint));
        self.sizes(&[region.ball.as_ref().map_or(0, |ball| if ball.norm == Norm::L1 { 1 } else { 2 })]);
        if let Some(ball) = &region.ball {
            self.intervals(&ball.center);
            self.intervals(&ball.scale);
            self.intervals(&[ball.radius]);
        }
    }

    fn intervals(&mut self, intervals: &[Interval]) {
        for end in intervals.iter().flat_map(|i| [i.lo, i.hi]) {
            self.0.extend(end.to_bits().to_le_bytes());
        }
    }

    fn atom(&mut self, atom: &Atom) {
        self.sizes(&[usize::from(atom.strict), atom.terms.len()]);
        self.intervals(&[atom.at_most]);
        for (variable, coefficient) in &atom.terms {
            match variable {
                Variable::Input(i) => self.sizes(&[0, *i]),
                Variable::Output(i) => self.sizes(&[1, *i]),
            }
            self.intervals(&[*coefficient]);
        }
    }
}

/// Whether a region is one of so many inputs: its bounds finite and in order, its ball one.
pub(crate) fn check_region(region: &Region, inputs: usize) -> Result<(), PropertyError> {
    if region.bounds.len() != inputs {
        return Err(PropertyError::Size { what: "bounded inputs", expected: inputs, found: region.bounds.len() });
    }
    for (input, bound) in region.bounds.iter().enumerate() {
        let Interval { lo: lower, hi: upper } = bound.outer();
        for (end, name) in [(bound.lower, "lower"), (bound.upper, "upper")] {
            if !end.is_finite() || end.lo > end.hi {
                let place = format!("the {name} bound of input {input}");
                let value = if end.lo.is_finite() { end.hi } else { end.lo };
                return Err(PropertyError::NotFinite { place, value });
            }
        }
        if lower > upper {
            return Err(PropertyError::EmptyRegion { input, lower, upper });
        }
    }
    region.ball.as_ref().map_or(Ok(()), |ball| check_ball(ball, inputs))
}

fn check_ball(ball: &Ball, inputs: usize) -> Result<(), PropertyError> {
    for list in [&ball.center, &ball.scale] {
        if list.len() != inputs {
            return Err(PropertyError::Size { what: "elements of the ball", expected: inputs, found: list.len() });
        }
    }
    let numbers = || ball.center.iter().chain(&ball.scale).chain([&ball.radius]);
    let is_negative = ball.radius.lo < 0.0 || ball.scale.iter().any(|scale| scale.lo <= 0.0);
    match numbers().find(|number| !number.is_finite() || number.lo > number.hi) {
        Some(number) => Err(PropertyError::NotFinite { place: "a number of the ball".to_owned(), value: number.lo }),
        None if is_negative => Err(PropertyError::Option {
            what: "ball".to_owned(),
            expected: "a radius that is not negative and positive scales".to_owned(),
            found: format!("radius {}", ball.radius.lo),
        }),
        None => Ok(()),
    }
}

/// Whether an atom names only variables that there are, with finite numbers.
pub(crate) fn check_atom(atom: &Atom, inputs: usize, outputs: usize) -> Result<(), PropertyError> {
    let unknown =
        |name: char, i: usize, declared| PropertyError::UnknownVariable { variable: format!("{name}_{i}"), declared };
    for (variable, coefficient) in &atom.terms {
        match *variable {
            Variable::Input(i) if i >= inputs => return Err(unknown('X', i, inputs)),
            Variable::Output(i) if i >= outputs => return Err(unknown('Y', i, outputs)),
            _ if !coefficient.is_finite() => {
                return Err(PropertyError::NotFinite { place: "a coefficient".to_owned(), value: coefficient.hi });
            }
            _ => {}
        }
    }
    if atom.at_most.is_finite() {
        Ok(())
    } else {
        Err(PropertyError::NotFinite { place: "a constant".to_owned(), value: atom.at_most.hi })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit_box(inputs: usize) -> Region {
        let bound = Bound { lower: Interval::point(0.0), upper: Interval::point(1.0) };
        Region::of_box(vec![bound; inputs])
    }

    fn atom(terms: &[(Variable, f64)], at_most: f64) -> Atom {
        let terms = terms.iter().map(|(v, c)| (*v, Interval::point(*c))).collect();
        Atom { terms, at_most: Interval::point(at_most), strict: false }
    }

    fn property(atoms: Vec<Atom>) -> Result<Property, PropertyError> {
        Property::new((2, 2), vec![unit_box(2)], vec![Case { region: 0, atoms }])
    }

    #[test]
    fn only_comparisons_of_outputs_count_as_such() {
        use Variable::{Input, Output};
        let compares = |atoms| property(atoms).unwrap().compares_outputs_only();
        assert!(compares(vec![atom(&[(Output(0), 1.0), (Output(1), -1.0)], 0.0)]));
        assert!(!compares(vec![atom(&[(Output(0), 1.0), (Output(1), -1.0)], 0.5)]));
        assert!(!compares(vec![atom(&[(Output(0), 2.0), (Output(1), -1.0)], 0.0)]));
        assert!(!compares(vec![atom(&[(Output(0), 1.0), (Input(1), -1.0)], 0.0)]));
        assert!(!compares(vec![atom(&[(Output(0), 1.0)], 0.0)]));
    }

    #[test]
    fn digest_depends_on_every_part() {
        let base = property(vec![atom(&[(Variable::Output(0), 1.0)], 0.0)]).unwrap();
        let other = property(vec![atom(&[(Variable::Output(0), 1.0)], 0.5)]).unwrap();
        let input = property(vec![atom(&[(Variable::Input(0), 1.0)], 0.0)]).unwrap();
        assert_eq!(base.digest(), base.clone().digest());
        assert_ne!(base.digest(), other.digest());
        assert_ne!(base.digest(), input.digest());
    }

    #[test]
    fn parts_that_do_not_exist_are_refused() {
        let refused = property(vec![atom(&[(Variable::Output(2), 1.0)], 0.0)]).unwrap_err();
        assert_eq!(refused.to_string(), "the property uses Y_2, but has only 2 such variables");
        let refused = property(vec![atom(&[(Variable::Input(0), 1.0)], f64::NAN)]).unwrap_err();
        assert!(matches!(refused, PropertyError::NotFinite { .. }));
        let empty = Bound { lower: Interval::point(1.0), upper: Interval::point(0.0) };
        let region = Region::of_box(vec![empty; 2]);
        let refused = Property::new((2, 2), vec![region], vec![Case { region: 0, atoms: vec![] }]).unwrap_err();
        assert_eq!(refused, PropertyError::EmptyRegion { input: 0, lower: 1.0, upper: 0.0 });
    }
}
