//! Lowering of each operator (<https://onnx.ai/onnx/operators/>), one file a family; `registry` lists them all.

mod choice;
mod constant;
mod convolution;
mod elementwise;
mod folding;
mod grid;
mod pool;
mod product;
mod rearrangement;
mod registry;
mod resize;
mod window;

#[cfg(test)]
pub(super) use registry::OPERATORS;
pub(super) use registry::Operator;

use registry::Lower;

use super::{
    Call, Conv, Dense, Elements, Field, Interval, Map, ONE, Result, Rounding, Table, Term, Value, ZERO, at, broadcast,
    count, lowering, outer_sum, redirect, sparse, stretch, tables, type_name,
};

/// Lowers an operator. Of the results that a node names, the mask of Dropout and the indices of MaxPool are left out.
pub(crate) fn lower<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>> {
    let operator = call.demand(Operator::named(call.operator), "a piecewise linear operator", call.operator)?;
    let expected = format!("an operator of set {}", call.opset);
    call.require(operator.is_in(call.opset), expected, format!("one of sets {}", operator.sets()))?;
    let results = match operator.lower {
        Lower::One(lower) => vec![lower(call)?],
        Lower::Several(lower) => lower(call)?,
    };
    call.finish()?;
    let most = if matches!(call.operator, "Dropout" | "MaxPool") { 2 } else { results.len() };
    let named = call.outputs.len();
    call.require((results.len()..=most).contains(&named), format!("{most} outputs"), named)?;
    Ok(results)
}
