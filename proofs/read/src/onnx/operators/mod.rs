//! Lowering of each operator (<https://onnx.ai/onnx/operators/>), one file a family.

mod arithmetic;
mod constants;
mod convolution;
mod piecewise;
mod pooling;
mod product;
mod rearrangement;
mod reduction;
mod window;

use super::call::Call;
use super::shape::{Table, at, broadcast, broadcast_places, count, outer_sum, tables};
use super::tensor::{Elements, Tensor, Weights, type_name};
use super::values::{Part, Value, sparse};
use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::network::{Affine, Conv, Dense, Map, NodeId, Op, Term};

type Result<T> = std::result::Result<T, ReadError>;

/// Lowers an operator with one result.
type Lower = for<'a> fn(&mut Call<'_, 'a>) -> Result<Value<'a>>;

const ANY: usize = usize::MAX;

/// Name, largest number of operands and lowering of each operator with one result.
#[rustfmt::skip]
const OPERATORS: &[(&str, usize, Lower)] = &[
    ("Abs", 1, piecewise::abs),
    ("Add", 2, arithmetic::add),
    ("AveragePool", 1, pooling::average_pool),
    ("BatchNormalization", 5, arithmetic::batch_normalization),
    ("Cast", 1, constants::cast),
    ("Clip", 3, piecewise::clip),
    ("Concat", ANY, rearrangement::concat),
    ("Constant", 0, constants::constant),
    ("ConstantOfShape", 1, constants::constant_of_shape),
    ("Conv", 3, convolution::conv),
    ("ConvTranspose", 3, convolution::conv_transpose),
    ("Div", 2, arithmetic::div),
    ("Dropout", 3, arithmetic::dropout),
    ("Expand", 2, rearrangement::expand),
    ("Flatten", 1, rearrangement::flatten),
    ("Gather", 2, rearrangement::gather),
    ("Gemm", 3, product::gemm),
    ("GlobalAveragePool", 1, reduction::global_average_pool),
    ("HardSigmoid", 1, piecewise::hard_sigmoid),
    ("Identity", 1, arithmetic::identity),
    ("LeakyRelu", 1, piecewise::leaky_relu),
    ("MatMul", 2, product::matmul),
    ("Max", ANY, piecewise::max),
    ("MaxPool", 1, pooling::max_pool),
    ("Mean", ANY, arithmetic::mean),
    ("Min", ANY, piecewise::min),
    ("Mul", 2, arithmetic::mul),
    ("Neg", 1, arithmetic::neg),
    ("PRelu", 2, piecewise::prelu),
    ("Pad", 4, rearrangement::pad),
    ("ReduceMean", 2, reduction::reduce_mean),
    ("ReduceSum", 2, reduction::reduce_sum),
    ("Relu", 1, piecewise::relu),
    ("Reshape", 2, rearrangement::reshape),
    ("Shape", 1, constants::shape),
    ("Slice", 5, rearrangement::slice),
    ("Squeeze", 2, rearrangement::squeeze),
    ("Sub", 2, arithmetic::sub),
    ("Sum", ANY, arithmetic::sum),
    ("Transpose", 1, rearrangement::transpose),
    ("Unsqueeze", 2, rearrangement::unsqueeze),
];

/// Lowers an operator. Of the results that a node names, the mask of Dropout and the indices of MaxPool are left out.
pub(crate) fn lower<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>> {
    let operator = call.node.operator;
    let (most, results) = if operator == "Split" {
        (2, rearrangement::split(call)?)
    } else {
        let found = OPERATORS.iter().find(|(name, ..)| *name == operator);
        let (_, most, lower) = found.ok_or_else(|| unknown(call))?;
        (*most, vec![lower(call)?])
    };
    call.finish()?;
    call.require(call.inputs.len() <= most, format!("at most {most} inputs"), call.inputs.len().to_string())?;
    let named = call.node.outputs.len();
    let most = if matches!(operator, "Dropout" | "MaxPool") { 2 } else { results.len() };
    call.require((results.len()..=most).contains(&named), format!("{most} outputs"), named.to_string())?;
    Ok(results)
}

fn unknown(call: &Call<'_, '_>) -> ReadError {
    let expected = match call.node.operator {
        "Softmax" | "LogSoftmax" | "Sigmoid" => "a piecewise linear operator, or this one only at the very end",
        _ => "a piecewise linear operator",
    };
    call.refuse(expected, call.node.operator)
}
