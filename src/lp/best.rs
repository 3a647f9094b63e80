//! The program whose variables are the coefficients of the linear bound rule: the best slopes and multipliers.
//!
//! It is the dual of the triangle relaxation. A coefficient `a = p - q` on a ReLU's output becomes `s - q u / (u - l)` with
//! `0 <= s <= p` on its input, and costs `-q u l / (u - l)`; each assumed sign takes or adds a multiplier. It is solved where the vertex
//! does not tell its multipliers, and where the signs contradict each other: then a sum of violations is positive everywhere.

use std::collections::BTreeMap;

use bartizan_proof::certificate::Slopes;
use good_lp::{
    Constraint, Expression, IntoAffineExpression as _, ProblemVariables, Solution as _, Variable, constraint, variable,
};
use ndarray::{Array2, Axis};

use super::{Assumed, Objective, Unsolved, encode::MOST_NONZEROS, solver};
use crate::bound::model::Op;
use crate::bound::{Bounds, Model};
use crate::deadline::Deadline;

/// Longer expressions get a variable of their own.
const MOST_TERMS: usize = 4;

/// What is to be bounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aim {
    /// The objective.
    Value,
    /// Multiples, which add up to one, of what violates the signs.
    Violation,
}

/// A lower line's share `s` of the coefficient `p - q` on a ReLU's output.
struct Share {
    relu: usize,
    element: usize,
    below: Variable,
    parts: [Variable; 2],
}

struct Program<'l> {
    model: &'l Model<f64>,
    domain: (&'l Bounds<f64>, usize),
    signs: &'l [Assumed],
    deadline: Deadline,
    variables: ProblemVariables,
    constraints: Vec<Constraint>,
    bound: Expression,
    /// For each node coefficients on its elements.
    open: Vec<Option<Vec<Expression>>>,
    rows: Vec<Variable>,
    betas: Vec<Variable>,
    shares: Vec<Share>,
    nonzeros: usize,
}

/// Multipliers of the objective's rows, slopes and multipliers of the signs.
pub(super) fn solve(
    model: &Model<f64>,
    domain: (&Bounds<f64>, usize),
    (objective, signs, aim): (&Objective, &[Assumed], Aim),
    deadline: Deadline,
) -> Result<(Vec<f32>, Slopes), Unsolved> {
    let mut program = Program {
        model,
        domain,
        signs,
        deadline,
        variables: ProblemVariables::new(),
        constraints: Vec::new(),
        bound: Expression::default(),
        open: vec![None; objective.node + 1],
        rows: Vec::new(),
        betas: Vec::new(),
        shares: Vec::new(),
        nonzeros: 0,
    };
    program.start(objective, aim);
    for id in (1..=objective.node).rev() {
        program.pass(id)?;
    }
    program.minimise();
    program.finish()
}

impl Program<'_> {
    fn non_negative(&mut self) -> Variable {
        self.variables.add(variable().min(0.0))
    }

    fn start(&mut self, objective: &Objective, aim: Aim) {
        self.betas = (0..self.signs.len()).map(|_| self.non_negative()).collect();
        self.rows = (0..objective.coefficients.nrows()).map(|_| self.non_negative()).collect();
        let (unit, none) = if aim == Aim::Value { (&self.rows, &self.betas) } else { (&self.betas, &self.rows) };
        self.constraints.push(constraint!(unit.iter().sum::<Expression>() == 1.0));
        if aim == Aim::Violation {
            self.constraints.push(constraint!(none.iter().sum::<Expression>() == 0.0));
        }
        for (i, row) in self.rows.clone().into_iter().enumerate() {
            self.bound.add_mul(objective.constants[i], row);
            self.add(objective.node, (row.into(), objective.coefficients.row(i).iter().copied().enumerate()));
            if let Some(inputs) = &objective.inputs {
                self.add(0, (row.into(), inputs.row(i).iter().copied().enumerate()));
            }
        }
        for (sign, beta) in self.signs.iter().zip(self.betas.clone()) {
            let factor = if sign.is_positive { -1.0 } else { 1.0 };
            self.add(sign.node, (beta.into(), std::iter::once((sign.element, factor))));
        }
    }

    /// Adds multiples of an expression to coefficients on a node.
    fn add(&mut self, id: usize, (expression, factors): (Expression, impl Iterator<Item = (usize, f64)>)) {
        let size = self.model.nodes()[id].size;
        let open = self.open[id].get_or_insert_with(|| vec![Expression::default(); size]);
        for (j, factor) in factors.filter(|(_, factor)| *factor != 0.0) {
            open[j].add_mul(factor, &expression);
            self.nonzeros += count(&expression);
        }
    }

    fn pass(&mut self, id: usize) -> Result<(), Unsolved> {
        let Some(open) = self.open[id].take() else { return Ok(()) };
        let model = self.model;
        if let Op::Relu(source) = model.nodes()[id].op {
            open.into_iter().enumerate().for_each(|(j, a)| self.relax((id, source, j), a));
            return Ok(());
        }
        let Op::Affine { terms, bias, .. } = &model.nodes()[id].op else { return Ok(()) };
        for (j, a) in open.into_iter().enumerate() {
            if count(&a) == 0 {
                continue;
            }
            let a = self.short(a);
            self.bound.add_mul(bias[j], &a);
            for (source, layer) in terms {
                let mut row = Array2::zeros((1, model.nodes()[*source].size));
                layer.pick(&[(j, 1.0)], row.view_mut());
                self.add(*source, (a.clone(), row.index_axis(Axis(0), 0).iter().copied().enumerate()));
            }
            if self.nonzeros > MOST_NONZEROS {
                return Err(Unsolved::TooLarge { nonzeros: MOST_NONZEROS });
            }
            if self.deadline.has_passed() {
                return Err(Unsolved::Deadline);
            }
        }
        Ok(())
    }

    fn short(&mut self, expression: Expression) -> Expression {
        if count(&expression) <= MOST_TERMS {
            return expression;
        }
        let named = self.variables.add(variable());
        self.constraints.push(constraint!(expression == named));
        named.into()
    }

    fn relax(&mut self, (relu, source, element): (usize, usize, usize), a: Expression) {
        let (bounds, domain) = self.domain;
        let (l, u) = (bounds.lower[source][[domain, element]], bounds.upper[source][[domain, element]]);
        let sign = self.signs.iter().find(|sign| (sign.node, sign.element) == (source, element));
        let is_linear = sign.map_or(l >= 0.0, |sign| sign.is_positive);
        if count(&a) == 0 || (!is_linear && (sign.is_some() || u <= 0.0)) {
            return;
        }
        let on_input = if is_linear {
            self.short(a)
        } else {
            let [below, plus, minus] = [(); 3].map(|()| self.non_negative());
            self.constraints.push(constraint!(a == plus - minus));
            self.constraints.push(constraint!(below <= plus));
            let slope = u / (u - l);
            self.bound.add_mul(slope * l, minus);
            self.shares.push(Share { relu, element, below, parts: [plus, minus] });
            below - slope * minus
        };
        self.add(source, (on_input, std::iter::once((element, 1.0))));
    }

    /// What remains on the inputs, at its least.
    fn minimise(&mut self) {
        let (bounds, domain) = self.domain;
        let open = self.open[0].take().unwrap_or_default();
        for (j, a) in open.into_iter().enumerate() {
            let (l, u) = (bounds.lower[0][[domain, j]], bounds.upper[0][[domain, j]]);
            if l == u {
                self.bound.add_mul(l, &a);
                continue;
            }
            let (plus, minus) = (self.non_negative(), self.non_negative());
            self.constraints.push(constraint!(a == plus - minus));
            self.bound.add_mul(l, plus);
            self.bound.add_mul(-u, minus);
        }
    }

    fn finish(self) -> Result<(Vec<f32>, Slopes), Unsolved> {
        let remaining = self.deadline.remaining().as_secs_f64();
        if remaining <= 0.0 {
            return Err(Unsolved::Deadline);
        }
        let solution = solver::solve(self.variables.minimise(-self.bound), self.constraints, remaining)?;
        let single = |variable: &Variable| solution.value(*variable).clamp(0.0, f64::from(f32::MAX)) as f32;
        let mut alpha = BTreeMap::new();
        for Share { relu, element, below, parts: [plus, minus] } in &self.shares {
            let size = self.model.nodes()[*relu].size;
            let slopes: &mut Vec<f32> = alpha.entry(self.model.place(*relu)).or_insert_with(|| vec![f32::NAN; size]);
            let coefficient = solution.value(*plus) - solution.value(*minus);
            if coefficient > 0.0 {
                slopes[*element] = (solution.value(*below) / coefficient).clamp(0.0, 1.0) as f32;
            }
        }
        let beta = self.betas.iter().map(single).collect();
        Ok((self.rows.iter().map(single).collect(), Slopes { alpha, beta, ..Slopes::default() }))
    }
}

/// The number of variables of an expression.
fn count(expression: &Expression) -> usize {
    expression.linear_coefficients().count()
}
