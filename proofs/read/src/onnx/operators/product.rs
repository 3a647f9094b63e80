//! Matrix products with a constant.

use super::arithmetic::broadcasts_to;
use super::{
    Call, Dense, Interval, Map, Part, Result, Table, Tensor, Term, Value, Weights, broadcast, broadcast_places, count,
    lowering, outer_sum, sparse,
};

/// A matrix with more than one nonzero in this many elements is kept dense.
const DENSE_SHARE: usize = 4;

/// Rows that are read together, as many as have neighbouring weights in one cache line of the file.
const BLOCK: usize = 16;

/// A batch of matrices inside a tensor: where each begins, its size, and the distances of its rows and columns.
struct Matrices {
    starts: Table,
    size: [usize; 2],
    steps: [usize; 2],
}

/// A batch of products with constant matrices. With the first weight `w` and column `c` of a row of the map, the row
/// holds weight `w + k weight_step` of the constant in column `c + k column_step`, for each `k` below `inner`.
struct Product<'t> {
    weights: Weights<'t>,
    firsts: Vec<(Option<usize>, Option<usize>)>,
    weight_step: usize,
    column_step: usize,
    inner: usize,
}

impl Product<'_> {
    /// Calls `visit` with place in the block, column and weight of the nonzeros of a block of rows, given their first
    /// weights and columns.
    fn visit(&self, block: &[(usize, usize)], mut visit: impl FnMut(usize, usize, f64)) {
        for k in 0..self.inner {
            for (row, (weight, column)) in block.iter().enumerate() {
                let weight = self.weights.get(weight + k * self.weight_step);
                if weight != 0.0 {
                    visit(row, column + k * self.column_step, weight);
                }
            }
        }
    }

    /// The map, given the number of elements of the computed factor. All weights are used equally often.
    fn map(&self, call: &mut Call<'_, '_>, inputs: usize) -> Result<Map> {
        let firsts: Vec<(usize, usize)> = self.firsts.iter().filter_map(|(w, c)| (*w).zip(*c)).collect();
        let size = firsts.len().saturating_mul(inputs);
        let nonzeros = self.weights.nonzeros() * (firsts.len() * self.inner / self.weights.len().max(1));
        let is_dense = size / DENSE_SHARE <= nonzeros;
        call.spend(if is_dense { size } else { nonzeros })?;
        if !is_dense {
            let rows = |block: &[(usize, usize)]| {
                let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); block.len()];
                self.visit(block, |row, column, weight| {
                    if let Some(entries) = rows.get_mut(row) {
                        entries.push((column, weight));
                    }
                });
                rows
            };
            return Ok(sparse(inputs, firsts.chunks(BLOCK).flat_map(rows)));
        }
        let mut weights = vec![0.0; size];
        for (dense, block) in weights.chunks_mut(BLOCK * inputs).zip(firsts.chunks(BLOCK)) {
            self.visit(block, |row, column, weight| {
                if let Some(w) = dense.get_mut(row * inputs + column) {
                    *w = weight;
                }
            });
        }
        Ok(Map::Dense(Dense { inputs, weights }))
    }
}

/// The product of two batches of matrices, one of them constant, as a term.
fn term<'a>(
    call: &mut Call<'_, 'a>,
    (a, left): (&Value<'a>, Matrices),
    (b, right): (&Value<'a>, Matrices),
) -> Result<Term> {
    let ([rows, inner], [right_inner, columns]) = (left.size, right.size);
    call.require(inner == right_inner, format!("{inner} rows of the second factor"), right_inner.to_string())?;
    let work = count(&[left.starts.len(), rows, columns, inner]);
    call.require(work.is_some(), "products of matrices within the limits", "a larger one")?;
    let steps = |count: usize, step: usize| -> Table { (0..count).map(|i| Some(i * step)).collect() };
    let ([left_row, left_inner], [right_inner, right_column]) = (left.steps, right.steps);
    let first_left = outer_sum(&[left.starts, steps(rows, left_row), steps(columns, 0)]);
    let first_right = outer_sum(&[right.starts, steps(rows, 0), steps(columns, right_column)]);
    let (left, right) = ((first_left, left_inner), (first_right, right_inner));
    let (tensor, source, (weights, weight_step), (columns, column_step)) = match (a, b) {
        (Value::Constant(tensor), Value::Computed { node, .. }) => (tensor, *node, left, right),
        (Value::Computed { node, .. }, Value::Constant(tensor)) => (tensor, *node, right, left),
        (Value::Constant(_), _) => return Err(call.refuse("a factor that depends on the model's input", "constants")),
        _ => return Err(call.refuse("a constant factor", "two computed values")),
    };
    let firsts = weights.into_iter().zip(columns).collect();
    let weights = tensor.weights().ok_or_else(|| call.refuse("floats of little relative error", "others"))?;
    let roundings = weights.roundings();
    let inputs = call.lowering.nodes.get(source).map_or(0, |node| node.size);
    let map = Product { weights, firsts, weight_step, column_step, inner }.map(call, inputs)?;
    Ok(Term { source, map, roundings })
}

/// `A B` with NumPy's rules: vectors become matrices, leading dimensions are broadcast.
pub(super) fn matmul<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let refusal = || call.refuse(format!("a second factor that fits {:?}", a.shape()), format!("{:?}", b.shape()));
    let (a_batch, a_size) = match a.shape() {
        [batch @ .., m, k] => (batch, [*m, *k]),
        [k] => (&[][..], [1, *k]),
        [] => return Err(refusal()),
    };
    let (b_batch, b_size) = match b.shape() {
        [batch @ .., k, n] => (batch, [*k, *n]),
        [k] => (&[][..], [*k, 1]),
        [] => return Err(refusal()),
    };
    let batch = broadcast(a_batch, b_batch).ok_or_else(refusal)?;
    let ([rows, _], [_, columns]) = (a_size, b_size);
    let mut shape = batch.clone();
    shape.extend((a.shape().len() > 1).then_some(rows));
    shape.extend((b.shape().len() > 1).then_some(columns));
    call.size(&shape)?;
    let matrices = |from: &[usize], [rows, columns]: [usize; 2]| {
        let places = broadcast_places(from, &batch).unwrap_or_else(|| (0..batch.iter().product()).map(Some).collect());
        let starts = places.iter().map(|place| place.map(|matrix| matrix * rows * columns)).collect();
        Matrices { starts, size: [rows, columns], steps: [columns, 1] }
    };
    let term = term(call, (a, matrices(a_batch, a_size)), (b, matrices(b_batch, b_size)))?;
    call.sum(shape, vec![term], Vec::new())
}

/// `alpha A B + beta C`, with `A` and `B` transposed where attributes say so.
pub(super) fn gemm<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    let (a_turned, b_turned) = (call.flag("transA", false)?, call.flag("transB", false)?);
    let broadcasts = call.flag("broadcast", call.opset >= 7)?;
    let (a, b) = (scaled(call, 0, alpha)?, scaled(call, 1, alpha)?);
    let (left, right) = (matrix(call, &a, a_turned)?, matrix(call, &b, b_turned)?);
    let ([rows, _], [_, columns]) = (left.size, right.size);
    let shape = vec![rows, columns];
    call.size(&shape)?;
    let term = term(call, (&a, left), (&b, right))?;
    let Some(c) = call.optional(2)? else { return call.sum(shape, vec![term], Vec::new()) };
    let fits = c.shape() == shape || (broadcasts && broadcasts_to(c.shape(), &shape));
    call.require(fits, format!("a third operand that broadcasts to {shape:?}"), format!("{:?}", c.shape()))?;
    let factor = (beta != Interval::point(1.0)).then(|| Tensor::scalar(beta));
    let part = Part::broadcast(call, (c, factor.as_ref()), &shape)?;
    call.sum(shape, vec![term], vec![part])
}

/// A value of two dimensions as a matrix, transposed or not.
fn matrix(call: &Call<'_, '_>, value: &Value<'_>, is_turned: bool) -> Result<Matrices> {
    let [rows, columns] = value.shape() else {
        return Err(call.refuse("a matrix", format!("shape {:?}", value.shape())));
    };
    let (size, steps) = if is_turned { ([*columns, *rows], [1, *columns]) } else { ([*rows, *columns], [*columns, 1]) };
    Ok(Matrices { starts: vec![Some(0)], size, steps })
}

/// An operand, times a number if it is constant.
fn scaled<'a>(call: &Call<'_, 'a>, index: usize, by: Interval) -> Result<Value<'a>> {
    match call.input(index)? {
        Value::Constant(tensor) if by != Interval::point(1.0) => {
            let numbers = call.reals(tensor)?.iter().map(|n| lowering::multiply(*n, by)).collect();
            Ok(Value::Constant(Tensor::real(tensor.shape.clone(), numbers)))
        }
        value => Ok(value.clone()),
    }
}
