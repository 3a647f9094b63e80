//! Matrix products with a constant.

use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::network::{Dense, Map, Sparse, Term};
use crate::read::onnx::call::Call;
use crate::read::onnx::shape::{broadcast, broadcast_places};
use crate::read::onnx::tensor::{Elements, Tensor, Weights};
use crate::read::onnx::values::{Part, Value};

type Result<T> = std::result::Result<T, ReadError>;

/// A matrix with more than one nonzero in this many elements is kept dense.
const DENSE_SHARE: usize = 4;

/// One factor of a batch of products: where each matrix begins, and how its elements follow each other.
struct Factor {
    /// First element of each matrix of the batch.
    starts: Vec<usize>,
    /// Length along the axis that stays, and distance of its elements.
    outer: (usize, usize),
    /// Distance of elements along the axis that is summed.
    inner: usize,
}

/// A batch of products of constant matrices with computed ones, as a map from the latter's elements.
struct Product<'t> {
    weights: Weights<'t>,
    constant: Factor,
    computed: Factor,
    /// Length of the axis that is summed.
    inner: usize,
    /// Whether the constant is the left factor.
    is_left: bool,
}

impl Product<'_> {
    fn rows(&self) -> usize {
        self.computed.starts.len() * self.constant.outer.0 * self.computed.outer.0
    }

    /// Calls `visit` with row, column and weight of each nonzero of the map; columns ascend within a row.
    fn visit(&self, mut visit: impl FnMut(usize, usize, f64)) {
        let ((outer, outer_step), (free, free_step)) = (self.constant.outer, self.computed.outer);
        let (row_of_outer, row_of_free) = if self.is_left { (free, 1) } else { (1, outer) };
        let (constant, computed) = (&self.constant, &self.computed);
        for (batch, (first, source)) in constant.starts.iter().zip(&computed.starts).enumerate() {
            let mut element = |o: usize, k: usize| {
                let weight = self.weights.get(first + o * outer_step + k * constant.inner);
                if weight != 0.0 {
                    for f in 0..free {
                        let row = batch * outer * free + o * row_of_outer + f * row_of_free;
                        visit(row, source + f * free_step + k * computed.inner, weight);
                    }
                }
            };
            // In the order of the file, which for large matrices is the order of memory.
            if outer_step < constant.inner {
                (0..self.inner).for_each(|k| (0..outer).for_each(|o| element(o, k)));
            } else {
                (0..outer).for_each(|o| (0..self.inner).for_each(|k| element(o, k)));
            }
        }
    }

    /// The map, given the number of elements of the computed factor.
    fn map(&self, call: &mut Call<'_, '_>, inputs: usize) -> Result<Map> {
        let rows = self.rows();
        let mut ends = vec![0; call.size(&[rows])? + 1];
        self.visit(|row, _, _| {
            if let Some(end) = ends.get_mut(row + 1) {
                *end += 1;
            }
        });
        let nonzeros: usize = ends.iter().sum();
        let dense = rows.checked_mul(inputs).filter(|size| size / DENSE_SHARE <= nonzeros);
        call.spend(dense.unwrap_or(nonzeros))?;
        if let Some(size) = dense {
            let mut weights = vec![0.0; size];
            self.visit(|row, column, weight| set(&mut weights, row * inputs + column, weight));
            return Ok(Map::Dense(Dense { inputs, weights }));
        }
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        let (mut next, mut entries) = (ends.clone(), vec![(0, 0.0); nonzeros]);
        self.visit(|row, column, weight| {
            if let Some(place) = next.get_mut(row) {
                set(&mut entries, *place, (column, weight));
                *place += 1;
            }
        });
        Ok(Map::Sparse(Sparse { inputs, starts: ends, entries }))
    }
}

fn set<T>(elements: &mut [T], place: usize, value: T) {
    if let Some(element) = elements.get_mut(place) {
        *element = value;
    }
}

/// The product of two values, one of them constant, as a term.
fn term<'a>(
    call: &mut Call<'_, 'a>,
    (a, left): (&Value<'a>, Factor),
    (b, right): (&Value<'a>, Factor),
    inner: usize,
) -> Result<Term> {
    let (tensor, constant, (source, shape), computed, is_left) = match (a, b) {
        (Value::Constant(tensor), Value::Computed { node, shape }) => (tensor, left, (*node, shape), right, true),
        (Value::Computed { node, shape }, Value::Constant(tensor)) => (tensor, right, (*node, shape), left, false),
        (Value::Constant(_), _) => {
            return Err(call.refuse("a factor that depends on the model's input", "two constants"));
        }
        _ => return Err(call.refuse("a constant factor", "two computed values")),
    };
    let weights = tensor.weights().ok_or_else(|| call.refuse("weights that binary64 holds closely", "others"))?;
    let roundings = weights.roundings();
    let map = Product { weights, constant, computed, inner, is_left }.map(call, shape.iter().product())?;
    Ok(Term { source, map, roundings })
}

/// `A B` with NumPy's rules: vectors become matrices, leading dimensions are broadcast.
pub(crate) fn matmul<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let mismatch = || call.refuse(format!("a second factor that fits {:?}", a.shape()), format!("{:?}", b.shape()));
    let ((a_batch, rows, inner), (b_batch, b_inner, columns)) = match (a.shape(), b.shape()) {
        ([a_batch @ .., m, k], [b_batch @ .., l, n]) => ((a_batch, *m, *k), (b_batch, *l, *n)),
        ([k], [b_batch @ .., l, n]) => ((&[][..], 1, *k), (b_batch, *l, *n)),
        ([a_batch @ .., m, k], [l]) => ((a_batch, *m, *k), (&[][..], *l, 1)),
        ([k], [l]) => ((&[][..], 1, *k), (&[][..], *l, 1)),
        _ => return Err(mismatch()),
    };
    let batch = broadcast(a_batch, b_batch).filter(|_| inner == b_inner).ok_or_else(mismatch)?;
    let mut shape = batch.clone();
    shape.extend((a.shape().len() > 1).then_some(rows));
    shape.extend((b.shape().len() > 1).then_some(columns));
    call.size(&shape)?;
    let starts = |from: &[usize], size: usize| -> Vec<usize> {
        let places = broadcast_places(from, &batch).unwrap_or_else(|| (0..batch.iter().product()).map(Some).collect());
        places.iter().flatten().map(|matrix| matrix * size).collect()
    };
    let left = Factor { starts: starts(a_batch, rows * inner), outer: (rows, inner), inner: 1 };
    let right = Factor { starts: starts(b_batch, inner * columns), outer: (columns, 1), inner: columns };
    let term = term(call, (a, left), (b, right), inner)?;
    call.sum(shape, vec![term], Vec::new())
}

/// `alpha A B + beta C`, with `A` and `B` transposed where attributes say so.
pub(crate) fn gemm<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    let (a_turned, b_turned) = (call.flag("transA", false)?, call.flag("transB", false)?);
    let broadcasts = call.flag("broadcast", call.opset >= 7)?;
    let (a, b) = (call.input(0)?, call.input(1)?);
    let ([a_rows, a_columns], [b_rows, b_columns]) = (a.shape(), b.shape()) else {
        return Err(call.refuse("two matrices", format!("shapes {:?} and {:?}", a.shape(), b.shape())));
    };
    let (rows, inner) = if a_turned { (*a_columns, *a_rows) } else { (*a_rows, *a_columns) };
    let (b_inner, columns) = if b_turned { (*b_columns, *b_rows) } else { (*b_rows, *b_columns) };
    call.require(inner == b_inner, format!("{inner} rows of the second factor"), b_inner.to_string())?;
    let shape = vec![rows, columns];
    call.size(&shape)?;
    let matrix = |outer, columns, is_turned| {
        let (outer_step, inner) = if is_turned { (1, columns) } else { (columns, 1) };
        Factor { starts: vec![0], outer: (outer, outer_step), inner }
    };
    let (left, right) = (matrix(rows, *a_columns, a_turned), matrix(columns, *b_columns, !b_turned));
    let (a, b) = (scaled(call, a, alpha)?, scaled(call, b, alpha)?);
    let term = term(call, (&a, left), (&b, right), inner)?;
    let Some(c) = call.optional(2)? else { return call.sum(shape, vec![term], Vec::new()) };
    let fits = c.shape() == shape || (broadcasts && broadcast(c.shape(), &shape).is_some_and(|common| common == shape));
    call.require(fits, format!("a third operand that broadcasts to {shape:?}"), format!("{:?}", c.shape()))?;
    let factor = (beta != Interval::point(1.0)).then(|| Tensor::scalar(beta));
    let part = Part::broadcast(call, (c, factor.as_ref()), &shape)?;
    call.sum(shape, vec![term], vec![part])
}

/// A constant times a number; other values as they are.
fn scaled<'a>(call: &Call<'_, 'a>, value: &Value<'a>, by: Interval) -> Result<Value<'a>> {
    match value {
        Value::Constant(tensor) if by != Interval::point(1.0) => {
            let numbers = call.reals(tensor)?.iter().map(|n| lowering::multiply(*n, by)).collect();
            Ok(Value::Constant(Tensor { shape: tensor.shape.clone(), elements: Elements::Real(numbers) }))
        }
        _ => Ok(value.clone()),
    }
}
