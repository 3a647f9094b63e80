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
//! * [`cases`]: `and` and `or`, the disjunctive normal form, and the property that it becomes.
//! * [`region`]: the bounds of inputs, and the boxes that cases share.
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
    let prefix = |_| bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let file = std::str::from_utf8(bytes).unwrap_or_else(prefix);
    if let Some(byte) = bytes.get(file.len()) {
        let here = Expression { before: file, text: "", items: Vec::new() };
        return Err(here.refuse("text in UTF-8", format!("the byte 0x{byte:02x}")));
    }
    let (mut reader, mut at) = (Reader::default(), 0);
    loop {
        let command = Expression::read(file, &mut at, 0)?;
        if command.text.is_empty() {
            return reader.property();
        }
        reader.command(&command)?;
    }
}

#[cfg(test)]
mod tests;
