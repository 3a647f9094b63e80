//! The operators that the reader knows: what lowers each, in which operator sets it is defined, and when it is accepted.

use super::{
    Call, Result, Value, choice, constant, convolution, elementwise, folding, grid, pool, product, rearrangement,
    resize,
};

/// An operator of the default domain.
pub(crate) struct Operator {
    /// Its name.
    pub name: &'static str,
    /// The operator sets that define it anew: the one whose definition the first set that the reader knows has, if it is in
    /// that, and all later ones.
    pub versions: &'static [i64],
    /// The operator set that withdrew it.
    pub gone: Option<i64>,
    /// What lowers it.
    pub lower: Lower,
    /// When it is accepted, beside what holds for every operator; empty for always.
    #[cfg_attr(not(test), allow(dead_code))] // for the table in OPERATORS.md
    pub when: &'static str,
}

/// Lowers an operator with one result.
type One = for<'v, 'c, 'a> fn(&'v mut Call<'c, 'a>) -> Result<Value<'a>>;

/// Lowers an operator with several results.
type Several = for<'v, 'c, 'a> fn(&'v mut Call<'c, 'a>) -> Result<Vec<Value<'a>>>;

/// What lowers an operator.
#[derive(Clone, Copy)]
pub(crate) enum Lower {
    /// To one result.
    One(One),
    /// To several results.
    Several(Several),
}

impl Operator {
    /// The operator of that name.
    pub fn named(name: &str) -> Option<&'static Operator> {
        OPERATORS.iter().find(|operator| operator.name == name)
    }

    /// Whether an operator set has it.
    pub fn is_in(&self, set: i64) -> bool {
        self.versions.first().is_some_and(|first| *first <= set) && self.gone.is_none_or(|gone| set < gone)
    }

    /// The operator sets that have it, in words.
    pub fn sets(&self) -> String {
        let first = self.versions.first().copied().unwrap_or_default();
        self.gone.map_or_else(|| format!("{first} and later"), |gone| format!("{first} to {}", gone - 1))
    }

    const fn gone(mut self, set: i64) -> Self {
        self.gone = Some(set);
        self
    }
}

const fn one(name: &'static str, versions: &'static [i64], lower: One, when: &'static str) -> Operator {
    Operator { name, versions, gone: None, lower: Lower::One(lower), when }
}

const fn several(name: &'static str, versions: &'static [i64], lower: Several, when: &'static str) -> Operator {
    Operator { name, versions, gone: None, lower: Lower::Several(lower), when }
}

/// All of them, by name.
pub(crate) const OPERATORS: &[Operator] = &[
    one("Abs", &[6, 13], elementwise::leaky_relu, ""),
    one("Add", &[6, 7, 13, 14], elementwise::arithmetic, ""),
    one("And", &[1, 7], folding::connect, "of constants"),
    one(
        "AveragePool",
        &[1, 7, 10, 11, 19, 22],
        pool::average_pool,
        "windows begin and padding ends where runtimes agree",
    ),
    one(
        "BatchNormalization",
        &[6, 7, 9, 14, 15],
        elementwise::batch_normalization,
        "in inference mode, with constant statistics for each channel",
    ),
    one(
        "Cast",
        &[6, 9, 13, 19, 21, 23, 24, 25, 28],
        constant::cast,
        "from FLOAT to FLOAT or DOUBLE, or of constants to FLOAT, DOUBLE, INT32, INT64 or BOOL",
    ),
    one("CastLike", &[15, 19, 21, 23, 24, 25], constant::cast_like, "to FLOAT or DOUBLE"),
    one("Ceil", &[6, 13], folding::round, "of constants"),
    one("Clip", &[6, 11, 12, 13], elementwise::clip, "limits are constant"),
    one("Concat", &[4, 11, 13], rearrangement::concat, ""),
    one(
        "Constant",
        &[1, 9, 11, 12, 13, 19, 21, 23, 24, 25],
        constant::constant,
        "it holds FLOAT, DOUBLE, INT32, INT64 or BOOL",
    ),
    one("ConstantOfShape", &[9, 20, 21, 23, 24, 25], constant::constant_of_shape, "the shape is constant"),
    one("Conv", &[1, 11, 22], convolution::conv, "weights are constant, along one or two axes"),
    one("ConvTranspose", &[1, 11, 22], convolution::conv, "weights are constant, along one or two axes"),
    one("CumSum", &[11, 14], pool::cumulative, "the axis is constant"),
    one("DepthToSpace", &[1, 11, 13, 28], grid::blocks, ""),
    one("Div", &[6, 7, 13, 14], elementwise::arithmetic, "the divisor is constant"),
    one("Dropout", &[6, 7, 10, 12, 13, 22], elementwise::identity, "in inference mode"),
    one("Equal", &[1, 7, 11, 13, 19], folding::compare, "of constants"),
    one("Expand", &[8, 13], rearrangement::expand, "the shape is constant"),
    one("Flatten", &[1, 9, 11, 13, 21, 23, 24, 25], rearrangement::reshape, ""),
    one("Floor", &[6, 13], folding::round, "of constants"),
    one("Gather", &[1, 11, 13], rearrangement::gather, "indices are constant"),
    one("GatherElements", &[11, 13], choice::gather, "indices are constant"),
    one("GatherND", &[11, 12, 13], choice::gather, "indices are constant, batch_dims = 0"),
    one("Gemm", &[6, 7, 9, 11, 13], product::gemm, "a factor is constant"),
    one("GlobalAveragePool", &[1, 22], pool::reduce, ""),
    one("GlobalMaxPool", &[1, 22], pool::reduce, ""),
    one("Greater", &[1, 7, 9, 13], folding::compare, "of constants"),
    one("GreaterOrEqual", &[12, 16], folding::compare, "of constants"),
    one("HardSigmoid", &[6, 22], elementwise::hard_sigmoid, ""),
    one("Identity", &[1, 13, 14, 16, 19, 21, 23, 24, 25], elementwise::identity, ""),
    one("LeakyRelu", &[6, 16], elementwise::leaky_relu, ""),
    one("Less", &[1, 7, 9, 13], folding::compare, "of constants"),
    one("LessOrEqual", &[12, 16], folding::compare, "of constants"),
    one("LogSoftmax", &[1, 11, 13], elementwise::activation, "last operator, over one row: left out"),
    one("MatMul", &[1, 9, 13], product::matmul, "a factor is constant"),
    one("Max", &[6, 8, 12, 13], elementwise::extreme, ""),
    one(
        "MaxPool",
        &[1, 8, 10, 11, 12, 22],
        pool::max_pool,
        "windows begin where runtimes agree; its indices are not used",
    ),
    one("Mean", &[6, 8, 13], elementwise::sum, ""),
    one("Min", &[6, 8, 12, 13], elementwise::extreme, ""),
    one("Mod", &[10, 13, 28], folding::remainder, "of constant integers"),
    one("Mul", &[6, 7, 13, 14], elementwise::arithmetic, "a factor is constant"),
    one("Neg", &[6, 13], elementwise::sum, ""),
    one("Not", &[1], folding::not, "of constants"),
    one("Or", &[1, 7], folding::connect, "of constants"),
    one("PRelu", &[6, 7, 9, 16], elementwise::leaky_relu, "slopes are constant"),
    one(
        "Pad",
        &[2, 11, 13, 18, 19, 21, 23, 24, 25],
        rearrangement::pad,
        "pads and value are constant; negative pads in mode constant only",
    ),
    one("Pow", &[1, 7, 12, 13, 15], folding::power, "of constants, to an integer or 1/2"),
    one("Range", &[11, 27], folding::range, "start, limit and delta are constant integers"),
    one("Reciprocal", &[6, 13], folding::power, "of constants"),
    one("ReduceL1", &[1, 11, 13, 18], pool::reduce, "axes are constant; at least one, or all"),
    one("ReduceMax", &[1, 11, 12, 13, 18, 20], pool::reduce, "axes are constant"),
    one("ReduceMean", &[1, 11, 13, 18], pool::reduce, "axes are constant"),
    one("ReduceMin", &[1, 11, 12, 13, 18, 20], pool::reduce, "axes are constant"),
    one("ReduceSum", &[1, 11, 13], pool::reduce, "axes are constant"),
    one("Relu", &[6, 13, 14], elementwise::relu, ""),
    one("Reshape", &[5, 13, 14, 19, 21, 23, 24, 25], rearrangement::reshape, "the shape is constant"),
    one(
        "Resize",
        &[10, 11, 13, 18, 19],
        resize::resize,
        "mode nearest or linear without antialias; scales give integers; what is nearest is beyond doubt",
    ),
    one("Scatter", &[9], choice::scatter, "indices are constant and distinct").gone(11),
    one(
        "ScatterElements",
        &[11, 13, 16, 18],
        choice::scatter,
        "indices are constant and distinct, without a reduction",
    ),
    one("ScatterND", &[11, 13, 16, 18], choice::scatter, "indices are constant and distinct, without a reduction"),
    one("Shape", &[1, 13, 15, 19, 21, 23, 24, 25], constant::shape, ""),
    one("Shrink", &[9], elementwise::shrink, "bias = lambd, elsewhere it jumps"),
    one("Sigmoid", &[6, 13], elementwise::activation, "last operator: left out"),
    one("Size", &[1, 13, 19, 21, 23, 24, 25], folding::size, ""),
    one("Slice", &[1, 10, 11, 13], rearrangement::slice, "starts, ends, axes and steps are constant"),
    one("Softmax", &[1, 11, 13], elementwise::activation, "last operator, over one row: left out"),
    one("SpaceToDepth", &[1, 13, 28], grid::blocks, ""),
    several("Split", &[2, 11, 13, 18], rearrangement::split, "lengths are constant"),
    one("Sqrt", &[6, 13], folding::power, "of constants"),
    one("Squeeze", &[1, 11, 13, 21, 23, 24, 25], rearrangement::reshape, "axes are constant"),
    one("Sub", &[6, 7, 13, 14], elementwise::arithmetic, ""),
    one("Sum", &[6, 8, 13], elementwise::sum, ""),
    one("ThresholdedRelu", &[10, 22], elementwise::thresholded_relu, "alpha = 0, elsewhere it jumps"),
    one("Tile", &[6, 13], grid::tile, "repeats are constant"),
    one("Transpose", &[1, 13, 21, 23, 24, 25], rearrangement::transpose, ""),
    one("Trilu", &[14], choice::triangle, "the diagonal is constant"),
    one("Unsqueeze", &[1, 11, 13, 21, 23, 24, 25], rearrangement::reshape, "axes are constant"),
    one("Upsample", &[1, 7, 9], resize::resize, "mode nearest or linear; scales are at least 1 and give integers")
        .gone(10),
    one("Where", &[9, 16], choice::choose, "the condition is constant"),
    one("Xor", &[1, 7], folding::connect, "of constants"),
];
