//! Matrix products with a constant.

use super::elementwise::broadcasts_to;
use super::{
    Call, Dense, Map, ONE, Result, Rounding, Term, Value, broadcast, count, lowering, outer_sum, sparse, stretch,
};

/// A matrix with more than one nonzero in this many elements is kept dense.
const DENSE_SHARE: usize = 4;

/// Rows that are read together: few enough to stay in the cache, as many as share whole cache lines of their weights.
const BLOCK: usize = 64;

/// A tensor as a batch of matrices, which may be turned around: the dimensions of the batch, the size of the
/// matrices, and the distances of neighbouring rows and columns. A vector is a matrix of one row or one column.
fn matrices(shape: &[usize], is_left: bool, is_turned: bool) -> Option<(&[usize], [usize; 2], [usize; 2])> {
    match shape {
        [] => None,
        [n] if is_left => Some((&[], [1, *n], [*n, 1])),
        [n] => Some((&[], [*n, 1], [1, 1])),
        [batch @ .., n, m] if is_turned => Some((batch, [*m, *n], [1, *m])),
        [batch @ .., n, m] => Some((batch, [*n, *m], [*m, 1])),
    }
}

/// The shape of the product of two batches of matrices, each of them turned around or not, and the product as a term:
/// one of them is constant. Leading dimensions are broadcast as in NumPy.
fn product<'a>(call: &mut Call<'_, 'a>, [a, b]: [&Value<'a>; 2], turned: [bool; 2]) -> Result<(Vec<usize>, Term)> {
    let [a_turned, b_turned] = turned;
    let sizes = matrices(&a.shape, true, a_turned).zip(matrices(&b.shape, false, b_turned));
    let batches = sizes.and_then(|(left, right)| Some((left, right, broadcast(left.0, right.0)?)));
    let expected = format!("a second factor that fits {:?}", a.shape);
    let (left, right, batch) = call.demand(batches, expected, format!("{:?}", b.shape))?;
    let ((a_batch, [rows, inner], [row, a_step]), (b_batch, [b_inner, columns], [b_step, column])) = (left, right);
    call.require(inner == b_inner, format!("{inner} rows of the second factor"), b_inner)?;
    let kept = [(a.shape.len() > 1).then_some(rows), (b.shape.len() > 1).then_some(columns)];
    let shape: Vec<usize> = batch.iter().copied().chain(kept.into_iter().flatten()).collect();
    let size = call.size(&shape)?;
    call.demand(count(&[size, inner]), "products of matrices within the limits", "a larger one")?;
    let starts = |from: &[usize], size: usize| stretch(from, &batch).iter().map(|i| Some((*i)? * size)).collect();
    let steps = |count: usize, step: usize| (0..count).map(|i| Some(i * step)).collect();
    let left = outer_sum(&[starts(a_batch, rows * inner), steps(rows, row), steps(columns, 0)]);
    let right = outer_sum(&[starts(b_batch, inner * columns), steps(rows, 0), steps(columns, column)]);
    let (constant, computed, (weights, weight_step), (places, step)) = match (a.node(), b.node()) {
        (None, Some(_)) => (a, b, (left, a_step), (right, b_step)),
        (Some(_), None) => (b, a, (right, b_step), (left, a_step)),
        _ => return Err(call.refuse("a constant factor and a computed one", format!("{} twice", a.kind()))),
    };
    let firsts: Vec<(usize, usize)> = weights.into_iter().zip(places).filter_map(|(w, c)| w.zip(c)).collect();
    let inputs = computed.shape.iter().product();
    let expected = "floats of little relative error";
    let (weights, roundings) = call.demand(constant.weights(), expected, constant.kind())?;
    let map = matrix(call, weights, &firsts, [weight_step, step, inner, inputs])?;
    Ok((shape, Term { source: call.node(computed)?, map, roundings }))
}

/// The matrix of `inputs` columns whose rows hold, for each `k` below `inner`, weight `w + k weight_step` of the
/// constant in column `c + k step`, given the first weight `w` and column `c` of each. All weights are used equally often.
fn matrix(call: &mut Call<'_, '_>, constant: Vec<f64>, firsts: &[(usize, usize)], sizes: [usize; 4]) -> Result<Map> {
    let [weight_step, step, inner, inputs] = sizes;
    let weight = |place: usize| constant.get(place).copied().unwrap_or(f64::NAN);
    let entry = |(first, column): (usize, usize), k| (column + k * step, weight(first + k * weight_step));
    let nonzeros = constant.iter().filter(|weight| **weight != 0.0).count();
    let nonzeros = nonzeros * (firsts.len() * inner / constant.len().max(1));
    let size = firsts.len().saturating_mul(inputs);
    let is_dense = size / DENSE_SHARE <= nonzeros;
    call.spend(if is_dense { size } else { nonzeros })?;
    if !is_dense {
        let row = |first| (0..inner).map(move |k| entry(first, k)).filter(|(_, weight)| *weight != 0.0);
        return Ok(sparse(inputs, firsts.iter().copied().map(row)));
    }
    let is_in_order = firsts.iter().copied().eq((0..firsts.len()).map(|row| (row * inputs, 0)));
    if is_in_order && [weight_step, step, inner] == [1, 1, inputs] {
        return Ok(Map::Dense(Dense { inputs, weights: constant }));
    }
    let mut weights = vec![0.0; size];
    for (dense, block) in weights.chunks_mut(BLOCK * inputs).zip(firsts.chunks(BLOCK)) {
        for k in 0..inner {
            for (row, first) in dense.chunks_mut(inputs).zip(block) {
                let (column, weight) = entry(*first, k);
                row.get_mut(column).into_iter().for_each(|place| *place = weight);
            }
        }
    }
    Ok(Map::Dense(Dense { inputs, weights }))
}

/// `A B`.
pub(super) fn matmul<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (shape, term) = product(call, [call.input(0)?, call.input(1)?], [false; 2])?;
    call.sum(shape, vec![term], Vec::new())
}

/// `alpha A B + beta C`, with `A` and `B` transposed where attributes say so.
pub(super) fn gemm<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    let turned = [call.flag("transA", false)?, call.flag("transB", false)?];
    let broadcasts = call.flag("broadcast", call.opset >= 7)?;
    let mut factors = [call.input(0)?.clone(), call.input(1)?.clone()];
    for factor in &mut factors {
        call.require(factor.shape.len() == 2, "a matrix", format!("shape {:?}", factor.shape))?;
        if factor.node().is_none() && alpha != ONE {
            let alpha = Value::scalar(alpha);
            *factor = call.rounding(Rounding::Nothing, |call| call.combine(&[(factor, Some(&alpha))]))?;
        }
    }
    if [alpha, beta] != [ONE; 2] {
        // An execution may multiply the factor, the product or the sum by them.
        call.rounding = Rounding::Sums(2);
        if ![alpha, beta].into_iter().all(lowering::is_moderate) {
            call.only_real("has an alpha or beta beyond 2^40 or below 2^-40");
        }
    }
    let [a, b] = &factors;
    let (shape, term) = product(call, [a, b], turned)?;
    let Some(c) = call.optional(2)? else { return call.sum(shape, vec![term], Vec::new()) };
    let fits = c.shape == shape || (broadcasts && broadcasts_to(&c.shape, &shape));
    call.require(fits, format!("a third operand that broadcasts to {shape:?}"), format!("{:?}", c.shape))?;
    let factor = (beta != ONE).then(|| Value::scalar(beta));
    call.sum(shape, vec![term], vec![(c, factor.as_ref(), None)])
}
