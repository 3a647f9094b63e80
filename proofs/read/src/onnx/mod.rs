//! ONNX models (<https://onnx.ai/onnx/repo-docs/IR.html>), operator sets 6 to 28 of the default domain.
//!
//! Reading goes from bytes to nodes in these steps, each of which refuses by name what it does not know:
//!
//! * `graph` decodes the messages of `onnx.proto`, walks the graph's nodes in order and keeps a table of named values.
//!   Constants, shapes among them, are computed while reading.
//! * `value` is one of these values: a constant or a node of the network, with its shape.
//! * `call` is one operator with its operands and attributes; `operators` lowers it to affine and ReLU nodes, one
//!   operator at a time; `builder` and `shape` are what they build upon.
//!
//! What a model means is what its operators say in real arithmetic on the stored numbers: `epsilon` of
//! `BatchNormalization` is the binary32 number in the file, a quotient is the exact quotient. Weights that binary64
//! cannot hold carry the number of their roundings, constants become enclosures.
//!
//! Of each node is noted what executions in floating point round, and of a model what stands against saying that.
//!
//! A batch dimension is dropped: the first of two or more dimensions of the input when it is symbolic or 1. A model
//! with a fixed batch of several inputs is refused, as its elements would be mistaken for those of one input.
//!
//! Inputs that are initializers too are constants. A Softmax, LogSoftmax or Sigmoid at the very end is dropped and
//! recorded. Where definition and runtimes disagree (a pool's windows that begin in the padding behind the source, or
//! that count elements beyond it), a model is refused.
//!
//! No value may have more than `shape::LARGEST` elements, and all nodes together hold no more elements and weights
//! than the file has bytes plus `builder::ALLOWANCE`.

mod builder;
mod call;
mod graph;
mod operators;
mod shape;
mod value;

use self::builder::{ALLOWANCE, Builder, Rounding, sparse};
use self::call::Call;
use self::shape::{Table, at, broadcast, count, outer_sum, redirect, stretch, tables};
use self::value::{Elements, ONE, Value, ZERO, type_name};
use crate::arith::{Interval, lowering};
use crate::digest::Digest;
use crate::error::ReadError;
use crate::network::{Affine, Conv, Dense, Execution, Map, Network, Node, NodeId, Op, Parts, Sparse, Term};
use crate::protobuf::Field;

type Result<T> = std::result::Result<T, ReadError>;

/// Reads a model from the bytes of an ONNX file.
///
/// # Errors
///
/// Names the place in the file that is malformed, or the node, tensor or attribute that is not supported.
pub fn read_onnx(bytes: &[u8]) -> Result<Network> {
    graph::network(bytes)
}

#[cfg(test)]
mod tests;
