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
use super::values::Value;
use crate::error::ReadError;

type Lower = for<'a> fn(&mut Call<'_, 'a>) -> Result<Value<'a>, ReadError>;

/// Name, largest number of operands and lowering of each operator that has one result.
const OPERATORS: &[(&str, usize, Lower)] = &[
    ("Abs", 1, piecewise::abs),
    ("Add", 2, arithmetic::add),
    ("AveragePool", 1, pooling::average_pool),
    ("BatchNormalization", 5, arithmetic::batch_normalization),
    ("Cast", 1, constants::cast),
    ("Clip", 3, piecewise::clip),
    ("Concat", usize::MAX, rearrangement::concat),
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
    ("Max", usize::MAX, piecewise::max),
    ("MaxPool", 1, pooling::max_pool),
    ("Mean", usize::MAX, arithmetic::mean),
    ("Min", usize::MAX, piecewise::min),
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
    ("Sum", usize::MAX, arithmetic::sum),
    ("Transpose", 1, rearrangement::transpose),
    ("Unsqueeze", 2, rearrangement::unsqueeze),
];

/// Operators whose further results (a mask, indices) may be named as long as nothing uses them.
const WITH_UNUSED_RESULTS: [&str; 2] = ["Dropout", "MaxPool"];

/// Lowers an operator; the results are as many as the node names, or the first of them.
pub(crate) fn lower<'a>(operator: &str, mut call: Call<'_, 'a>) -> Result<Vec<Value<'a>>, ReadError> {
    let is_split = operator == "Split";
    let results = if is_split {
        call.require(call.inputs.len() <= 2, "at most 2 inputs", call.inputs.len().to_string())?;
        rearrangement::split(&mut call)?
    } else {
        let found = OPERATORS.iter().find(|(name, ..)| *name == operator);
        let (_, most, lower) = found.ok_or_else(|| unknown(operator, &call))?;
        call.require(call.inputs.len() <= *most, format!("at most {most} inputs"), call.inputs.len().to_string())?;
        vec![lower(&mut call)?]
    };
    call.finish()?;
    let outputs = call.outputs;
    let are_known = outputs == results.len() || (outputs > 0 && WITH_UNUSED_RESULTS.contains(&operator));
    call.require(are_known, format!("{} outputs", results.len()), outputs.to_string())?;
    Ok(results)
}

fn unknown(operator: &str, call: &Call<'_, '_>) -> ReadError {
    let expected = match operator {
        "Softmax" | "LogSoftmax" | "Sigmoid" => {
            "a piecewise linear operator (or this one at the end, over all classes)"
        }
        _ => "a piecewise linear operator of the supported list",
    };
    call.refuse(expected, operator)
}
