//! The wire format of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! A [`Field`] is a slice of the file; asking it for a field inside walks over its bytes, nothing is copied or indexed.
//! Nothing recurses either: nested messages are handed out as further slices, so that depth and memory are bounded by
//! what the caller asks for. Groups (wire types 3 and 4), which ONNX does not use, are refused.

use std::fmt::Display;

use crate::error::ReadError;

type Result<T> = std::result::Result<T, ReadError>;

/// The largest field number of the format.
const LARGEST_FIELD: u64 = (1 << 29) - 1;

/// The most bytes of an integer.
const LONGEST_VARINT: usize = 10;

/// The wire type of integers of variable length; 1 and 5 are those of eight and four bytes.
const VARINT: u64 = 0;

/// The wire type of a length and as many bytes: a text, a message, or a list of numbers.
const DELIMITED: u64 = 2;

/// Reads a field.
type Read<'a, T> = fn(Field<'a>) -> Result<T>;

/// A field: its number, its wire type, and where its value is. The value of a message is its fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    number: u64,
    wire: u64,
    offset: usize,
    bytes: &'a [u8],
}

impl<'a> Field<'a> {
    /// The message that fills a file.
    pub fn file(bytes: &'a [u8]) -> Self {
        Field { number: 0, wire: DELIMITED, offset: 0, bytes }
    }

    /// The message, if it is well-formed and has only fields that its definition `name` has.
    pub fn check(self, name: &str, known: &[u64]) -> Result<Self> {
        let mut rest = self;
        while !rest.bytes.is_empty() {
            let Field { number, offset, .. } = rest.next()?;
            if !known.contains(&number) {
                return Err(ReadError::byte(offset, format!("a supported field of {name}"), format!("field {number}")));
            }
        }
        Ok(self)
    }

    /// What `read` makes of all fields of a number, each of which must have one of the wire types.
    fn gather<T, I: IntoIterator<Item = T>>(mut self, number: u64, wires: &[u64], read: Read<'a, I>) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while !self.bytes.is_empty() {
            match self.next()? {
                field if field.number != number => {}
                field if wires.contains(&field.wire) => all.extend(read(field)?),
                field => {
                    return Err(field.refuse(format!("of wire type {wires:?}"), format!("wire type {}", field.wire)));
                }
            }
        }
        Ok(all)
    }

    /// All fields of that number that are messages, texts or bytes.
    pub fn all(self, number: u64) -> Result<Vec<Field<'a>>> {
        self.gather(number, &[DELIMITED], |field| Ok([field]))
    }

    /// The one field of that number, if it is there; refused when it is there twice.
    pub fn one(self, number: u64) -> Result<Option<Field<'a>>> {
        match self.all(number)?.as_slice() {
            [_, second, ..] => Err(second.refuse("only once", "it again")),
            fields => Ok(fields.first().copied()),
        }
    }

    /// A `string` field, empty if it is not there.
    pub fn text(self, number: u64) -> Result<&'a str> {
        self.all(number)?.last().map_or(Ok(""), |field| field.to_text())
    }

    /// The value as text.
    pub fn to_text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes).map_err(|_| self.refuse("in UTF-8", "other bytes"))
    }

    /// An integer of any of the variable-length signed types (not `sint`), 0 if it is not there.
    pub fn integer(self, number: u64) -> Result<i64> {
        Ok(self.gather(number, &[VARINT], Field::to_integers)?.last().copied().unwrap_or(0))
    }

    /// The integers of a repeated field, packed or not.
    pub fn integers(self, number: u64) -> Result<Vec<i64>> {
        self.gather(number, &[VARINT, DELIMITED], Field::to_integers)
    }

    fn to_integers(mut self) -> Result<Vec<i64>> {
        let mut integers = Vec::new();
        while !self.bytes.is_empty() {
            integers.push(self.varint()?.cast_signed());
        }
        Ok(integers)
    }

    /// The `N`-byte elements of a repeated field, packed or not.
    pub fn fixed<const N: usize>(self, number: u64) -> Result<Vec<[u8; N]>> {
        let wires = if N == 4 { [5, DELIMITED] } else { [1, DELIMITED] };
        self.gather(number, &wires, |field| Ok(field.chunks()?.iter().copied()))
    }

    /// The value as elements of `N` bytes.
    pub fn chunks<const N: usize>(self) -> Result<&'a [[u8; N]]> {
        let (elements, rest) = self.bytes.as_chunks();
        let refusal = || self.refuse(format!("in elements of {N} bytes"), format!("{} bytes", self.bytes.len()));
        rest.is_empty().then_some(elements).ok_or_else(refusal)
    }

    fn refuse(&self, expected: impl Display, found: impl Into<String>) -> ReadError {
        ReadError::byte(self.offset, format!("field {} {expected}", self.number), found)
    }

    fn next(&mut self) -> Result<Field<'a>> {
        let offset = self.offset;
        let key = self.varint()?;
        let (number, wire) = (key >> 3, key & 7);
        if !(1..=LARGEST_FIELD).contains(&number) {
            let expected = format!("a field from 1 to {LARGEST_FIELD}");
            return Err(ReadError::byte(offset, expected, format!("field {number}")));
        }
        let length = match wire {
            VARINT => {
                let mut ahead = *self;
                ahead.varint()?;
                ahead.offset - self.offset
            }
            1 => 8,
            DELIMITED => usize::try_from(self.varint()?).unwrap_or(usize::MAX),
            5 => 4,
            other => return Err(ReadError::byte(offset, "wire type 0, 1, 2 or 5", format!("wire type {other}"))),
        };
        Ok(Field { number, wire, ..self.take(length)? })
    }

    fn varint(&mut self) -> Result<u64> {
        let length = 1 + self.bytes.iter().take_while(|byte| **byte >= 0x80).count();
        let taken = self.take(length)?;
        let add = |value: u64, byte: &u8| value.checked_mul(0x80)?.checked_add((byte & 0x7f).into());
        let value = taken.bytes.iter().rev().try_fold(0, add).filter(|_| length <= LONGEST_VARINT);
        value.ok_or_else(|| ReadError::byte(taken.offset, "an integer of at most 64 bits", "a longer one"))
    }

    fn take(&mut self, count: usize) -> Result<Field<'a>> {
        let left = || ReadError::byte(self.offset, format!("{count} more bytes"), self.bytes.len().to_string());
        let (bytes, rest) = self.bytes.split_at_checked(count).ok_or_else(left)?;
        let taken = Field { bytes, ..*self };
        *self = Field { offset: self.offset + count, bytes: rest, ..*self };
        Ok(taken)
    }
}

#[cfg(test)]
mod tests;
