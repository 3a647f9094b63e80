//! A property as the search sees it: boxes, and for each case the linear functions that must all be non-positive.

use std::sync::Arc;

use bartizan_proof::property::{Atom, Property, Region, Variable};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis};

use crate::bound::{Ball, Bounds};
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
    /// The ball that inputs also lie in, if there is one.
    pub ball: Option<Arc<Ball<T>>>,
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

    /// For each point of a batch, given by inputs and outputs, the least of the cases' worst excesses: some case happens
    /// where it is not positive.
    pub fn least_excesses(&self, x: ArrayView2<T>, y: ArrayView2<T>) -> Array1<T> {
        let mut least = Array1::from_elem(x.nrows(), T::infinity());
        for target in &self.cases {
            least.zip_mut_with(&target.worst_excesses(x, y), |least, worst| *least = least.min(*worst));
        }
        least
    }

    fn of_region(region: usize, of: &Region) -> Self {
        let Bounds { mut lower, mut upper, ball, .. } = Bounds::of_region(of);
        let end = |ends: &mut Vec<Array2<T>>| ends.swap_remove(0).index_axis_move(Axis(0), 0);
        Query { region, lower: end(&mut lower), upper: end(&mut upper), ball, cases: Vec::new() }
    }

    /// Bounds on the input: all of the region as a single domain.
    pub fn input(&self) -> Bounds<T> {
        let row = |ends: &Array1<T>| ends.clone().insert_axis(Axis(0));
        Bounds::of_input(row(&self.lower), row(&self.upper)).within(self.ball.clone())
    }

    /// Moves a point into the region: to the nearest point of the box, and from there towards the ball's center.
    pub fn project(&self, mut point: ArrayViewMut1<T>) {
        let clamped = point.iter_mut().zip(&self.lower).zip(&self.upper);
        clamped.for_each(|((x, lower), upper)| *x = x.max(*lower).min(*upper));
        if let (Some(ball), Some(point)) = (&self.ball, point.as_slice_mut()) {
            ball.pull(point);
        }
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

    /// The same for each point of a batch.
    fn worst_excesses(&self, x: ArrayView2<T>, y: ArrayView2<T>) -> Array1<T> {
        let mut excesses = y.dot(&self.outputs.t()) - &self.at_most;
        if let Some(on_inputs) = &self.inputs {
            excesses += &x.dot(&on_inputs.t());
        }
        excesses.fold_axis(Axis(1), T::neg_infinity(), |worst, excess| worst.max(*excess))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn excesses_of_a_batch_are_those_of_its_points() {
        let on_both = Target {
            case: 0,
            outputs: array![[1.0, -1.0], [0.5, 2.0]],
            inputs: Some(array![[1.0, 0.0, 0.0], [0.0, -3.0, 0.25]]),
            at_most: array![0.5, -1.0],
        };
        let on_outputs = Target { case: 1, outputs: array![[-1.0, 4.0]], inputs: None, at_most: array![1.5] };
        let cases = vec![on_both, on_outputs];
        let mut query = Query { region: 0, lower: Array1::zeros(3), upper: Array1::<f64>::zeros(3), ball: None, cases };
        let x = array![[1.0, 2.0, 4.0], [0.0, -1.0, 0.5], [-2.0, 0.0, 8.0]];
        let y = array![[1.0, 0.5], [0.25, 3.0], [-4.0, -1.0]];
        let least = query.least_excesses(x.view(), y.view());
        for (i, least) in least.iter().enumerate() {
            let worst = query.cases.iter().map(|target| target.worst_excess(x.row(i), y.row(i)));
            assert_eq!(*least, worst.fold(f64::INFINITY, f64::min));
        }
        query.cases[0] = Target { outputs: Array2::zeros((0, 2)), inputs: None, at_most: array![], case: 0 };
        assert!(query.least_excesses(x.view(), y.view()).iter().all(|least| *least == f64::NEG_INFINITY));
    }
}
