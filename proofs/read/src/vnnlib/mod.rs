//! VNN-LIB properties.
//!
//! A VNN-LIB file describes a counterexample: its assertions, taken together, hold at the inputs and outputs that must
//! not occur. The [`Property`] is the negation. Its cases are the disjunctive normal form of the assertions, and each
//! case says that one conjunction does not happen: the bounds on single inputs become the region, everything else
//! becomes atoms.
//!
//! Parts, in the order in which a file passes through them:
//!
//! * [`lexer`]: text to tokens, with positions.
//! * [`v1`]: the grammar of version 1.0.
//! * [`linear`]: sums of multiples of variables, and what a comparison of two of them says.
//! * [`formula`]: `and`, `or`, `not`, and the disjunctive normal form.
//! * [`range`]: the bounds of one input.
//! * [`lower`]: conjunctions to regions and cases.
//!
//! Numbers are exact decimals. Those that are not binary floats are enclosed and every operation on them rounds
//! outward, so the region that is proved is never smaller than what is written, and the one in which a
//! counterexample counts never larger.

mod formula;
mod lexer;
mod linear;
mod lower;
mod range;
mod v1;

use crate::error::ReadError;
use crate::property::Property;

/// Reads a property from the bytes of a VNN-LIB 1.0 file.
///
/// # Errors
///
/// The text is not VNN-LIB 1.0 or not linear, an input lacks a bound, the bounds leave no input at all, or the
/// disjunctive normal form is too large. The error names the line and column, or the input, that is to blame.
pub fn read_vnnlib(text: &[u8]) -> Result<Property, ReadError> {
    match std::str::from_utf8(text) {
        Ok(text) => v1::read(text),
        Err(error) => {
            let (valid, rest) = text.split_at_checked(error.valid_up_to()).unwrap_or((text, &[]));
            let place = lexer::position(&String::from_utf8_lossy(valid), valid.len());
            let found = rest.first().map_or(String::new(), |byte| format!("the byte 0x{byte:02x}"));
            Err(ReadError::text(place, "text in UTF-8", found))
        }
    }
}

#[cfg(test)]
mod tests;
