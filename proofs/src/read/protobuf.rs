//! The wire format of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! A [`Field`] is a slice of the file; asking it for a field inside walks over its bytes, nothing is copied or indexed.
//! Nothing recurses either: nested messages are handed out as further slices, so that depth and memory are bounded by
//! what the caller asks for. Groups (wire types 3 and 4), which ONNX does not use, are refused.

use crate::error::ReadError;

type Result<T> = std::result::Result<T, ReadError>;

/// The largest field number of the format.
const LARGEST_FIELD: u64 = (1 << 29) - 1;

/// The wire type of integers of variable length; 1 and 5 are those of eight and four bytes.
const VARINT: u64 = 0;

/// The wire type of a length and as many bytes: a text, a message, or a list of numbers.
const DELIMITED: u64 = 2;

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
        for field in self.fields() {
            let Field { number, offset, .. } = field?;
            if !known.contains(&number) {
                return Err(ReadError::byte(offset, format!("a supported field of {name}"), format!("field {number}")));
            }
        }
        Ok(self)
    }

    /// All fields of that number that are messages, texts or bytes.
    pub fn all(self, number: u64) -> Result<Vec<Field<'a>>> {
        self.numbered(number, &[DELIMITED]).collect()
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
        self.numbered(number, &[VARINT]).last().map_or(Ok(0), |field| Ok(field?.varint()?.cast_signed()))
    }

    /// The integers of a repeated field, packed or not.
    pub fn integers(self, number: u64) -> Result<Vec<i64>> {
        let mut integers = Vec::new();
        for field in self.numbered(number, &[VARINT, DELIMITED]) {
            let mut field = field?;
            while !field.bytes.is_empty() {
                integers.push(field.varint()?.cast_signed());
            }
        }
        Ok(integers)
    }

    /// The `N`-byte elements of a repeated field, packed or not.
    pub fn fixed<const N: usize>(self, number: u64) -> Result<Vec<[u8; N]>> {
        let wires = if N == 4 { &[5, DELIMITED] } else { &[1, DELIMITED] };
        let mut elements = Vec::new();
        for field in self.numbered(number, wires) {
            elements.extend(field?.chunks::<N>()?);
        }
        Ok(elements)
    }

    /// The value as elements of `N` bytes.
    pub fn chunks<const N: usize>(self) -> Result<&'a [[u8; N]]> {
        match self.bytes.as_chunks() {
            (elements, []) => Ok(elements),
            _ => Err(self.refuse(&format!("in elements of {N} bytes"), &format!("{} bytes", self.bytes.len()))),
        }
    }

    /// The fields of that number, each of which must have one of the wire types.
    fn numbered(self, number: u64, wires: &[u64]) -> impl Iterator<Item = Result<Field<'a>>> {
        let fields = self.fields().filter(move |field| field.as_ref().map_or(true, |field| field.number == number));
        fields.map(move |field| match field? {
            field if wires.contains(&field.wire) => Ok(field),
            field => Err(field.refuse(&format!("of wire type {wires:?}"), &format!("wire type {}", field.wire))),
        })
    }

    fn refuse(&self, expected: &str, found: &str) -> ReadError {
        ReadError::byte(self.offset, format!("field {} {expected}", self.number), found)
    }

    /// All fields, ending with an error where the message is malformed.
    fn fields(mut self) -> impl Iterator<Item = Result<Field<'a>>> {
        std::iter::from_fn(move || {
            let field = (!self.bytes.is_empty()).then(|| self.next());
            if matches!(field, Some(Err(_))) {
                self.bytes = &[];
            }
            field
        })
    }

    fn next(&mut self) -> Result<Field<'a>> {
        let offset = self.offset;
        let key = self.varint()?;
        let (number, wire) = (key >> 3, key & 7);
        if number == 0 || number > LARGEST_FIELD {
            let expected = format!("a field from 1 to {LARGEST_FIELD}");
            return Err(ReadError::byte(offset, expected, format!("field {number}")));
        }
        let length = match wire {
            VARINT => {
                let mut ahead = *self;
                ahead.varint()?;
                u64::try_from(ahead.offset - self.offset).unwrap_or(u64::MAX)
            }
            1 => 8,
            DELIMITED => self.varint()?,
            5 => 4,
            other => return Err(ReadError::byte(offset, "wire type 0, 1, 2 or 5", format!("wire type {other}"))),
        };
        Ok(Field { number, wire, ..self.take(length)? })
    }

    fn varint(&mut self) -> Result<u64> {
        let start = self.offset;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.bytes.first().copied().unwrap_or(0);
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ReadError::byte(start, "an integer of at most 64 bits", "a longer one"))
    }

    fn take(&mut self, count: u64) -> Result<Field<'a>> {
        let taken = usize::try_from(count).ok().and_then(|count| self.bytes.split_at_checked(count));
        let left = || ReadError::byte(self.offset, format!("{count} more bytes"), format!("{}", self.bytes.len()));
        let (bytes, rest) = taken.ok_or_else(left)?;
        let taken = Field { bytes, ..*self };
        *self = Field { offset: self.offset + bytes.len(), bytes: rest, ..*self };
        Ok(taken)
    }
}

#[cfg(test)]
mod tests;
