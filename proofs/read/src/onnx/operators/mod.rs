//! Lowering of each operator (<https://onnx.ai/onnx/operators/>), one file a family.

mod choice;
mod constant;
mod convolution;
mod elementwise;
mod folding;
mod grid;
mod pool;
mod product;
mod rearrangement;
mod resize;
mod window;

use super::{
    Call, Conv, Dense, Elements, Field, Interval, Map, ONE, Result, Rounding, Table, Term, Value, ZERO, at, broadcast,
    count, lowering, outer_sum, redirect, sparse, stretch, tables, type_name,
};

/// Lowers an operator. Of the results that a node names, the mask of Dropout and the indices of MaxPool are left out.
pub(crate) fn lower<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>> {
    let results = if call.operator == "Split" { rearrangement::split(call)? } else { vec![lower_to_one(call)?] };
    call.finish()?;
    let most = if matches!(call.operator, "Dropout" | "MaxPool") { 2 } else { results.len() };
    let named = call.outputs.len();
    call.require((results.len()..=most).contains(&named), format!("{most} outputs"), named)?;
    Ok(results)
}

/// Lowers an operator with one result.
fn lower_to_one<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    match call.operator {
        "Abs" | "LeakyRelu" | "PRelu" => elementwise::leaky_relu(call),
        "Add" | "Sub" | "Mul" | "Div" => elementwise::arithmetic(call),
        "AveragePool" => pool::average_pool(call),
        "BatchNormalization" => elementwise::batch_normalization(call),
        "CumSum" => pool::cumulative(call),
        "DepthToSpace" | "SpaceToDepth" => grid::blocks(call),
        "GatherElements" | "GatherND" => choice::gather(call),
        "Scatter" | "ScatterElements" | "ScatterND" => choice::scatter(call),
        "Shrink" => elementwise::shrink(call),
        "ThresholdedRelu" => elementwise::thresholded_relu(call),
        "Tile" => grid::tile(call),
        "Trilu" => choice::triangle(call),
        "Where" => choice::choose(call),
        "And" | "Or" | "Xor" => folding::connect(call),
        "CastLike" => constant::cast_like(call),
        "Ceil" | "Floor" => folding::round(call),
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => folding::compare(call),
        "Mod" => folding::remainder(call),
        "Not" => folding::not(call),
        "Pow" | "Reciprocal" | "Sqrt" => folding::power(call),
        "Range" => folding::range(call),
        "Resize" | "Upsample" => resize::resize(call),
        "Size" => folding::size(call),
        "Cast" => constant::cast(call),
        "Clip" => elementwise::clip(call),
        "Concat" => rearrangement::concat(call),
        "Constant" => constant::constant(call),
        "ConstantOfShape" => constant::constant_of_shape(call),
        "Conv" | "ConvTranspose" => convolution::conv(call),
        "Dropout" | "Identity" => elementwise::identity(call),
        "Expand" => rearrangement::expand(call),
        "Gather" => rearrangement::gather(call),
        "Gemm" => product::gemm(call),
        "GlobalAveragePool" | "GlobalMaxPool" | "ReduceL1" | "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceSum" => {
            pool::reduce(call)
        }
        "HardSigmoid" => elementwise::hard_sigmoid(call),
        "MatMul" => product::matmul(call),
        "Max" | "Min" => elementwise::extreme(call),
        "MaxPool" => pool::max_pool(call),
        "Mean" | "Neg" | "Sum" => elementwise::sum(call),
        "Pad" => rearrangement::pad(call),
        "Relu" => call.relu(call.input(0)?),
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => rearrangement::reshape(call),
        "Shape" => constant::shape(call),
        "LogSoftmax" | "Sigmoid" | "Softmax" => elementwise::activation(call),
        "Slice" => rearrangement::slice(call),
        "Transpose" => rearrangement::transpose(call),
        other => Err(call.refuse("a piecewise linear operator", other)),
    }
}
