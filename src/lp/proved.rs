//! What the checker's linear bound rule makes of a witness, in double precision.

use std::collections::BTreeMap;

use bartizan_proof::certificate::Slopes;
use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::{Assumed, Objective};
use crate::bound::model::Op;
use crate::bound::{Bounds, Model};

/// A bound, and the coefficients behind it.
pub(super) struct Proved {
    /// The bound.
    pub bound: f64,
    /// Coefficients on the ReLU nodes, by their sources.
    pub coefficients: BTreeMap<usize, Array1<f64>>,
}

/// The lower bound of a combination of the objective's rows that a witness proves under assumed signs, up to rounding.
pub(super) fn bound(
    model: &Model<f64>,
    (bounds, domain): (&Bounds<f64>, usize),
    (objective, signs): (&Objective, &[Assumed]),
    (multipliers, slopes): (&[f32], &Slopes),
) -> Proved {
    let weights: Array1<f64> = multipliers.iter().copied().map(f64::from).collect();
    let mut open: Vec<Option<Array1<f64>>> = vec![None; objective.node + 1];
    open[objective.node] = Some(weights.dot(&objective.coefficients));
    open[0] = objective.inputs.as_ref().map(|inputs| weights.dot(inputs));
    let mut proved = Proved { bound: weights.dot(&objective.constants), coefficients: BTreeMap::new() };
    for (sign, beta) in signs.iter().zip(&slopes.beta) {
        let row = open[sign.node].get_or_insert_with(|| Array1::zeros(model.nodes()[sign.node].size));
        row[sign.element] += if sign.is_positive { -f64::from(*beta) } else { f64::from(*beta) };
    }
    let ends = |id: usize| (bounds.lower[id].row(domain), bounds.upper[id].row(domain));
    for id in (1..=objective.node).rev() {
        let Some(row) = open[id].take() else { continue };
        match &model.nodes()[id].op {
            Op::Input => unreachable!("only node 0 is the input"),
            Op::Affine { terms, bias, .. } => {
                proved.bound += row.dot(bias);
                if let Some(errors) = bounds.errors(id) {
                    proved.bound -= row.iter().zip(errors.row(domain)).map(|(a, e)| a.abs() * e).sum::<f64>();
                }
                for (source, layer) in terms {
                    let mut into = Array2::zeros((1, model.nodes()[*source].size));
                    layer.backward(row.view().insert_axis(Axis(0)), into.view_mut());
                    add(&mut open[*source], into.index_axis_move(Axis(0), 0));
                }
            }
            Op::Relu(source) => {
                let alpha = slopes.alpha.get(&model.place(id)).map_or(&[][..], Vec::as_slice);
                let signs: BTreeMap<usize, bool> =
                    signs.iter().filter(|s| s.node == *source).map(|s| (s.element, s.is_positive)).collect();
                let (relaxed, cost) = relax(row.view(), ends(*source), (alpha, &signs));
                proved.bound += cost;
                proved.coefficients.insert(*source, row);
                add(&mut open[*source], relaxed);
            }
        }
    }
    if let Some(row) = &open[0] {
        let (lower, upper) = ends(0);
        let over_box = row.iter().zip(lower).zip(upper).map(|((a, l), u)| (a * l).min(a * u)).sum::<f64>();
        proved.bound += bounds.least_in_ball(domain, row.view(), over_box).map_or(over_box, |(least, _)| least);
    }
    proved
}

fn add(sum: &mut Option<Array1<f64>>, row: Array1<f64>) {
    match sum {
        Some(sum) => *sum += &row,
        none => *none = Some(row),
    }
}

/// Coefficients on a ReLU's input, and what they cost.
fn relax(
    row: ArrayView1<f64>,
    (lower, upper): (ArrayView1<f64>, ArrayView1<f64>),
    (alpha, signs): (&[f32], &BTreeMap<usize, bool>),
) -> (Array1<f64>, f64) {
    let mut cost = 0.0;
    let relaxed = row.iter().enumerate().map(|(j, a)| {
        let (l, u) = (lower[j], upper[j]);
        match signs.get(&j) {
            Some(is_positive) => f64::from(u8::from(*is_positive)) * a,
            None if l >= 0.0 => *a,
            None if u <= 0.0 => 0.0,
            None if *a >= 0.0 => match alpha.get(j) {
                Some(alpha) if !alpha.is_nan() => f64::from(*alpha) * a,
                _ => f64::from(u8::from(u > -l)) * a,
            },
            None => {
                let slope = a * u / (u - l);
                cost -= slope * l;
                slope
            }
        }
    });
    (relaxed.collect(), cost)
}
