//! VNN-LIB properties.
//!
//! A VNN-LIB file describes a counterexample: its assertions, taken together, hold at the inputs and outputs that must
//! not occur. The [`Property`] is the negation. Its cases are the disjunctive normal form of the assertions, and each
//! case says that one conjunction does not happen: the bounds on single inputs become the region, everything else
//! becomes atoms.
//!
//! Parts, in the order in which a file passes through them:
//!
//! * [`expression`]: text to trees of words, with positions.
//! * [`v1`]: the grammar of version 1.0.
//! * [`linear`]: sums of multiples of variables, and what a comparison of two of them says.
//! * [`formula`]: `and` and `or`, and the disjunctive normal form.
//! * [`range`]: the bounds of one input.
//! * [`lower`]: conjunctions to regions and cases.
//!
//! Numbers are exact decimals. Those that are not binary floats are enclosed and every operation on them rounds
//! outward, so the region that is proved is never smaller than what is written, and the one in which a
//! counterexample counts never larger.

mod cases;
mod expression;
mod linear;
mod region;
mod v1;

use expression::Expression;
use v1::Reader;

use crate::error::ReadError;
use crate::property::Property;

/// Reads a property from the bytes of a VNN-LIB 1.0 file.
///
/// # Errors
///
/// The text is not VNN-LIB 1.0 or not linear, an input lacks a bound, the bounds leave no input at all, or the
/// disjunctive normal form is too large. The error names the line and column, or the input, that is to blame.
pub fn read_vnnlib(bytes: &[u8]) -> Result<Property, ReadError> {
    let file = std::str::from_utf8(bytes).map_err(|_| not_text(bytes))?;
    let mut reader = Reader::default();
    let mut command = Expression::read(file, 0, 0)?;
    while !command.text.is_empty() {
        reader.command(&command)?;
        command = Expression::read(file, command.end(), 0)?;
    }
    reader.property()
}

/// The error at the first byte that is not UTF-8.
fn not_text(bytes: &[u8]) -> ReadError {
    let before = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let byte = bytes.get(before.len()).copied().unwrap_or_default();
    Expression { before, text: "", items: Vec::new() }.refuse("text in UTF-8", format!("the byte 0x{byte:02x}"))
}

#[cfg(test)]
mod tests;
