//! A property as the search sees it: boxes, and for each case the linear functions that must all be non-positive.

use bartizan_proof::property::{Atom, Property, Region, Variable};
use ndarray::{Array1, Array2, ArrayView1};

use crate::real::Real;

/// One region with the cases that live in it.
#[derive(Clone, Debug)]
pub struct Query<T> {
    /// Index of the region in the property.
    pub region: usize,
    /// Lower ends of the input box.
    pub lower: Array1<T>,
    /// Upper ends of the input box.
    pub upper: Array1<T>,
    /// The cases.
    pub cases: Vec<Target<T>>,
}

/// A case: it happens where every row `outputs[i] . y + inputs[i] . x - at_most[i]` is at most zero.
#[derive(Clone, Debug)]
pub struct Target<T> {
    /// Index of the case in the property.
    pub case: usize,
    /// Coefficients on the outputs, `[atoms, outputs]`.
    pub outputs: Array2<T>,
    /// Coefficients on the inputs, `[atoms, inputs]`, where any atom has some.
    pub inputs: Option<Array2<T>>,
    /// Right-hand sides.
    pub at_most: Array1<T>,
}

impl<T: Real> Query<T> {
    /// Splits a property by regions.
    pub fn all_of(property: &Property) -> Vec<Query<T>> {
        let mut queries: Vec<Query<T>> =
            property.regions().iter().enumerate().map(|(region, r)| Query::of_region(region, r)).collect();
        for (case, c) in property.cases().iter().enumerate() {
            queries[c.region].cases.push(Target::of(case, &c.atoms, (property.inputs(), property.outputs())));
        }
        queries
    }

    fn of_region(region: usize, bounds: &Region) -> Self {
        let ends =
            |end: fn(&bartizan_proof::property::Bound) -> f64| bounds.bounds.iter().map(|b| T::of(end(b))).collect();
        Query { region, lower: ends(|b| b.outer().lo), upper: ends(|b| b.outer().hi), cases: Vec::new() }
    }
}

impl<T: Real> Target<T> {
    fn of(case: usize, atoms: &[Atom], (inputs, outputs): (usize, usize)) -> Self {
        let mut on_outputs = Array2::zeros((atoms.len(), outputs));
        let mut on_inputs = Array2::zeros((atoms.len(), inputs));
        let mut any_input = false;
        for (i, atom) in atoms.iter().enumerate() {
            for (variable, coefficient) in &atom.terms {
                let c = T::of(coefficient.middle());
                match variable {
                    Variable::Output(j) => on_outputs[[i, *j]] += c,
                    Variable::Input(j) => {
                        on_inputs[[i, *j]] += c;
                        any_input = true;
                    }
                }
            }
        }
        let at_most = atoms.iter().map(|a| T::of(a.at_most.middle())).collect();
        Target { case, outputs: on_outputs, inputs: any_input.then_some(on_inputs), at_most }
    }

    /// How far each atom is from holding at a point: the case happens where none is positive.
    pub fn excesses(&self, x: ArrayView1<T>, y: ArrayView1<T>) -> Vec<T> {
        let excess = |i: usize| {
            let on_inputs = self.inputs.as_ref().map_or(T::zero(), |c| c.row(i).dot(&x));
            self.outputs.row(i).dot(&y) + on_inputs - self.at_most[i]
        };
        (0..self.at_most.len()).map(excess).collect()
    }

    /// The largest excess; minus infinity for a case without atoms, which happens everywhere.
    pub fn worst_excess(&self, x: ArrayView1<T>, y: ArrayView1<T>) -> T {
        self.excesses(x, y).into_iter().fold(T::neg_infinity(), T::max)
    }
}
