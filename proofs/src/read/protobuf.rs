//! The wire format of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! A [`Message`] is a slice of the file, read field by field without copying. Nothing here recurses: nested messages
//! are handed out as further slices, so that depth and memory are bounded by what the caller asks for. Groups (wire
//! types 3 and 4), which ONNX does not use, are refused.

use std::borrow::Cow;

use crate::error::ReadError;

/// The largest field number of the format.
const LARGEST_FIELD: u64 = (1 << 29) - 1;

/// The unread rest of a message, and where in the file it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    rest: &'a [u8],
    offset: usize,
}

/// One field of a message.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    /// Number of the field in the message's definition.
    pub number: u64,
    offset: usize,
    payload: Payload<'a>,
}

#[derive(Debug)]
enum Payload<'a> {
    Varint(u64),
    /// Four or eight bytes.
    Fixed(&'a [u8]),
    Bytes(Message<'a>),
}

impl<'a> Message<'a> {
    /// The message that fills a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Message { rest: bytes, offset: 0 }
    }

    /// Calls `visit` with every field, in the order of the file.
    pub fn fields(mut self, mut visit: impl FnMut(Field<'a>) -> Result<(), ReadError>) -> Result<(), ReadError> {
        while !self.rest.is_empty() {
            let field = self.field()?;
            visit(field)?;
        }
        Ok(())
    }

    fn field(&mut self) -> Result<Field<'a>, ReadError> {
        let offset = self.offset;
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 || number > LARGEST_FIELD {
            return Err(ReadError::byte(
                offset,
                format!("a field number from 1 to {LARGEST_FIELD}"),
                number.to_string(),
            ));
        }
        let payload = match key & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed(self.take(8)?.rest),
            2 => {
                let length = self.varint()?;
                Payload::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => Payload::Fixed(self.take(4)?.rest),
            other => return Err(ReadError::byte(offset, "wire type 0, 1, 2 or 5", format!("wire type {other}"))),
        };
        Ok(Field { number, offset, payload })
    }

    fn varint(&mut self) -> Result<u64, ReadError> {
        let start = self.offset;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.rest.first().copied().unwrap_or(0);
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ReadError::byte(start, "a variable-length integer of at most 64 bits", "a longer one"))
    }

    fn take(&mut self, count: usize) -> Result<Message<'a>, ReadError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            let left = self.rest.len();
            return Err(ReadError::byte(self.offset, format!("{count} more bytes"), format!("{left}")));
        };
        let taken = Message { rest: taken, offset: self.offset };
        self.offset += count;
        self.rest = rest;
        Ok(taken)
    }
}

impl<'a> Field<'a> {
    /// An integer of any of the variable-length signed types (not `sint`).
    pub fn integer(&self) -> Result<i64, ReadError> {
        match self.payload {
            Payload::Varint(value) => Ok(value.cast_signed()),
            _ => Err(self.mismatch("a variable-length integer")),
        }
    }

    /// A `float`.
    pub fn single(&self) -> Result<f32, ReadError> {
        match self.payload {
            Payload::Fixed(bytes) => bytes.try_into().map(f32::from_le_bytes).map_err(|_| self.mismatch("4 bytes")),
            _ => Err(self.mismatch("4 bytes")),
        }
    }

    /// A nested message.
    pub fn message(&self) -> Result<Message<'a>, ReadError> {
        match self.payload {
            Payload::Bytes(message) => Ok(message),
            _ => Err(self.mismatch("a length-delimited field")),
        }
    }

    /// A `bytes` field.
    pub fn bytes(&self) -> Result<&'a [u8], ReadError> {
        Ok(self.message()?.rest)
    }

    /// A `string` field.
    pub fn text(&self) -> Result<&'a str, ReadError> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| ReadError::byte(self.offset, "text in UTF-8", "other bytes"))
    }

    /// Appends the integers of a repeated field, packed or not.
    pub fn integers(&self, into: &mut Vec<i64>) -> Result<(), ReadError> {
        match self.payload {
            Payload::Bytes(mut packed) => {
                while !packed.rest.is_empty() {
                    into.push(packed.varint()?.cast_signed());
                }
            }
            _ => into.push(self.integer()?),
        }
        Ok(())
    }

    /// Appends the `N`-byte elements of a repeated field, packed or not; the file's bytes are borrowed where they are
    /// contiguous.
    pub fn fixed<const N: usize>(&self, into: &mut Cow<'a, [[u8; N]]>) -> Result<(), ReadError> {
        let bytes = match self.payload {
            Payload::Fixed(bytes) if bytes.len() == N => bytes,
            Payload::Bytes(packed) => packed.rest,
            _ => return Err(self.mismatch(&format!("elements of {N} bytes"))),
        };
        let (elements, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(self.mismatch(&format!("elements of {N} bytes")));
        }
        if into.is_empty() {
            *into = Cow::Borrowed(elements)
        } else {
            into.to_mut().extend_from_slice(elements)
        }
        Ok(())
    }

    /// The refusal of a field that the definition of `message` does not have.
    pub fn unknown(&self, message: &str) -> ReadError {
        ReadError::byte(self.offset, format!("a known field of {message}"), format!("field {}", self.number))
    }

    /// The refusal of a field that may stand in its message only once.
    pub fn repeated(&self) -> ReadError {
        ReadError::byte(self.offset, format!("field {} only once", self.number), "it again")
    }

    fn mismatch(&self, expected: &str) -> ReadError {
        let found = match self.payload {
            Payload::Varint(_) => "a variable-length integer".to_owned(),
            Payload::Fixed(bytes) => format!("{} bytes", bytes.len()),
            Payload::Bytes(message) => format!("{} delimited bytes", message.rest.len()),
        };
        ReadError::byte(self.offset, format!("{expected} in field {}", self.number), found)
    }
}

#[cfg(test)]
mod tests;
