//! The triangle relaxation as a linear program.
//!
//! Variables are the inputs, the inputs `z` of ReLUs that are not certainly inactive, and the outputs `h` of ReLUs whose sign is
//! open, with `h >= 0`, `h >= z` and `h <= u (z - l) / (u - l)`. Where a sign is assumed, `h = z` and `z >= 0`, or `h = 0` and
//! `z <= 0`.

use std::collections::BTreeMap;

use good_lp::{Constraint, Expression, ProblemVariables, Solution as _, Variable, constraint, variable};
use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::{Assumed, Unsolved, solver};
use crate::bound::model::Op;
use crate::bound::{Bounds, Model};
use crate::deadline::Deadline;

/// Linear functions of a node's elements and of the inputs, of which the largest is minimised.
#[derive(Clone, Debug)]
pub struct Objective {
    /// The node, an affine one (or the input).
    pub node: usize,
    /// Coefficients on its elements, `[rows, size]`.
    pub coefficients: Array2<f64>,
    /// Coefficients on the inputs, `[rows, inputs]`.
    pub inputs: Option<Array2<f64>>,
    /// One constant a row.
    pub constants: Array1<f64>,
}

impl Objective {
    /// A combination of the rows as the only one.
    pub fn combined(&self, weights: &Array1<f64>) -> Objective {
        let row = |all: &Array2<f64>| weights.dot(all).insert_axis(Axis(0));
        Objective {
            node: self.node,
            coefficients: row(&self.coefficients),
            inputs: self.inputs.as_ref().map(row),
            constants: Array1::from_elem(1, weights.dot(&self.constants)),
        }
    }
}

/// An optimal vertex: the value of every element of every encoded node.
pub(super) struct Vertex {
    pub value: f64,
    pub values: Vec<Vec<f64>>,
    /// Values of the objective's rows.
    pub rows: Vec<f64>,
}

/// What stands for an element of a node.
#[derive(Clone, Copy, Debug)]
enum Element {
    Zero,
    Variable(Variable),
    /// Not encoded, because nothing reads it.
    Unused,
}

/// A linear program on its way to the solver.
pub(super) struct Program {
    variables: ProblemVariables,
    constraints: Vec<Constraint>,
    elements: Vec<Vec<Element>>,
    rows: Vec<Expression>,
    largest: Option<Variable>,
    deadline: Deadline,
    nonzeros: usize,
    signs: BTreeMap<(usize, usize), bool>,
}

/// Larger programs take the solver minutes; the search has better uses for the time.
pub(super) const MOST_NONZEROS: usize = 600_000;

impl Program {
    /// States the relaxation up to the objective's node under assumed signs of nodes before it. Stops at the deadline, and where the
    /// program would be too large.
    pub fn of(
        model: &Model<f64>,
        domain: (&Bounds<f64>, usize),
        (objective, signs): (&Objective, &[Assumed]),
        deadline: Deadline,
    ) -> Result<Self, Unsolved> {
        let mut program = Program {
            deadline,
            nonzeros: 0,
            signs: signs.iter().map(|sign| ((sign.node, sign.element), sign.is_positive)).collect(),
            variables: ProblemVariables::new(),
            constraints: Vec::new(),
            elements: Vec::new(),
            rows: Vec::new(),
            largest: None,
        };
        let used = used_nodes(model, objective, signs);
        let feeds_relu: Vec<usize> = model.relus().map(|(_, source)| source).collect();
        for (id, used) in used.into_iter().enumerate() {
            let (lower, upper) = (domain.0.lower[id].row(domain.1), domain.0.upper[id].row(domain.1));
            let elements = match &model.nodes()[id].op {
                _ if !used => Vec::new(),
                // The objective is expanded over the node's sources instead.
                Op::Affine { .. } if id == objective.node => Vec::new(),
                Op::Input => lower.iter().zip(upper).map(|(l, u)| program.variable(*l, *u)).collect(),
                Op::Affine { .. } => program.affine(model, id, feeds_relu.contains(&id).then_some(upper))?,
                Op::Relu(source) => {
                    let ends = (domain.0.lower[*source].row(domain.1), domain.0.upper[*source].row(domain.1));
                    program.relu(*source, ends)
                }
            };
            program.elements.push(elements);
        }
        program.set_objective(model, objective);
        Ok(program)
    }

    fn variable(&mut self, min: f64, max: f64) -> Element {
        Element::Variable(self.variables.add(variable().min(min).max(max)))
    }

    /// One free variable and one equation for each element that can be positive (or for all).
    fn affine(
        &mut self,
        model: &Model<f64>,
        id: usize,
        upper: Option<ArrayView1<f64>>,
    ) -> Result<Vec<Element>, Unsolved> {
        let size = model.nodes()[id].size;
        let mut elements = Vec::with_capacity(size);
        for i in 0..size {
            let sign = self.signs.get(&(id, i)).copied();
            let z = match sign {
                None if upper.is_some_and(|u| u[i] <= 0.0) => {
                    elements.push(Element::Unused);
                    continue;
                }
                None => self.variables.add(variable()),
                Some(true) => self.variables.add(variable().min(0.0)),
                Some(false) => self.variables.add(variable().max(0.0)),
            };
            let mut unit = Array1::zeros(size);
            unit[i] = 1.0;
            let (expression, nonzeros) = self.expand(model, id, unit.view());
            self.nonzeros += nonzeros;
            if self.nonzeros > MOST_NONZEROS {
                return Err(Unsolved::TooLarge { nonzeros: MOST_NONZEROS });
            }
            if self.deadline.has_passed() {
                return Err(Unsolved::Deadline);
            }
            self.constraints.push(constraint!(expression == z));
            elements.push(Element::Variable(z));
        }
        Ok(elements)
    }

    fn relu(&mut self, source: usize, (lower, upper): (ArrayView1<f64>, ArrayView1<f64>)) -> Vec<Element> {
        let mut elements = Vec::with_capacity(lower.len());
        for (i, (l, u)) in lower.iter().zip(upper).enumerate() {
            let (l, u) = (*l, *u);
            let sign = self.signs.get(&(source, i)).copied();
            elements.push(match self.elements[source][i] {
                active if sign == Some(true) => active,
                _ if u <= 0.0 || sign == Some(false) => Element::Zero,
                Element::Variable(z) if l < 0.0 => {
                    let h = self.variables.add(variable().min(0.0).max(u));
                    let slope = u / (u - l);
                    self.constraints.push(constraint!(h >= z));
                    self.constraints.push(constraint!(h <= slope * z - slope * l));
                    Element::Variable(h)
                }
                active => active,
            });
        }
        elements
    }

    /// A linear function of a node's elements in terms of the variables of its sources, and its number of nonzeros.
    fn expand(&self, model: &Model<f64>, id: usize, row: ArrayView1<f64>) -> (Expression, usize) {
        let Op::Affine { terms, bias, .. } = &model.nodes()[id].op else {
            return self.sum(id, row);
        };
        let row = row.insert_axis(Axis(0));
        let (mut expression, mut nonzeros) = (Expression::from(row.row(0).dot(bias)), 0);
        for (source, layer) in terms {
            let mut on_source = Array2::zeros((1, model.nodes()[*source].size));
            layer.backward(row, on_source.view_mut());
            let (part, count) = self.sum(*source, on_source.row(0));
            expression += part;
            nonzeros += count;
        }
        (expression, nonzeros)
    }

    fn sum(&self, id: usize, row: ArrayView1<f64>) -> (Expression, usize) {
        let used = row.iter().zip(&self.elements[id]).filter(|(a, _)| **a != 0.0);
        let (mut expression, mut nonzeros) = (Expression::default(), 0);
        for (a, element) in used {
            if let Element::Variable(v) = element {
                expression.add_mul(*a, *v);
                nonzeros += 1;
            }
        }
        (expression, nonzeros)
    }

    fn set_objective(&mut self, model: &Model<f64>, objective: &Objective) {
        for (i, row) in objective.coefficients.rows().into_iter().enumerate() {
            let mut expression = self.expand(model, objective.node, row).0 + objective.constants[i];
            if let Some(inputs) = &objective.inputs {
                expression += self.sum(0, inputs.row(i)).0;
            }
            self.rows.push(expression);
        }
        if self.rows.len() > 1 {
            let largest = self.variables.add(variable());
            self.largest = Some(largest);
            for row in &self.rows {
                self.constraints.push(constraint!(largest >= row.clone()));
            }
        }
    }

    pub fn solve(self) -> Result<Vertex, Unsolved> {
        let remaining = self.deadline.remaining().as_secs_f64();
        if remaining <= 0.0 {
            return Err(Unsolved::Deadline);
        }
        let goal = match (self.largest, self.rows.first()) {
            (Some(largest), _) => Expression::from(largest),
            (None, Some(row)) => row.clone(),
            (None, None) => return Err(Unsolved::Solver("the objective has no rows".to_owned())),
        };
        let problem = self.variables.minimise(goal.clone());
        let solution = solver::solve(problem, self.constraints, remaining)?;
        let value_of = |element: &Element| match element {
            Element::Variable(v) => solution.value(*v),
            Element::Zero | Element::Unused => 0.0,
        };
        Ok(Vertex {
            value: solution.eval(&goal),
            values: self.elements.iter().map(|node| node.iter().map(value_of).collect()).collect(),
            rows: self.rows.iter().map(|row| solution.eval(row)).collect(),
        })
    }
}

/// The nodes that the objective and the signs depend on.
fn used_nodes(model: &Model<f64>, objective: &Objective, signs: &[Assumed]) -> Vec<bool> {
    let mut used = vec![false; objective.node + 1];
    signs.iter().for_each(|sign| used[sign.node] = true);
    used[0] = true;
    used[objective.node] = true;
    for id in (1..=objective.node).rev() {
        match &model.nodes()[id].op {
            _ if !used[id] => {}
            Op::Input => {}
            Op::Relu(source) => used[*source] = true,
            Op::Affine { terms, .. } => terms.iter().for_each(|(source, _)| used[*source] = true),
        }
    }
    used
}
