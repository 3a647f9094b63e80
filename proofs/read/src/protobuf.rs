//! The wire format of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! A [`Message`] is a slice of the file; asking it for a field walks over its bytes, nothing is copied or indexed.
//! Nothing recurses either: nested messages are handed out as further slices, so that depth and memory are bounded by
//! what the caller asks for. Groups (wire types 3 and 4), which ONNX does not use, are refused.

use std::borrow::Cow;

use crate::error::ReadError;

type Result<T> = std::result::Result<T, ReadError>;

/// The largest field number of the format.
const LARGEST_FIELD: u64 = (1 << 29) - 1;

/// A message, and where in the file it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    number: u64,
    offset: usize,
    payload: Payload<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Payload<'a> {
    Varint(u64),
    /// Four or eight bytes.
    Fixed(&'a [u8]),
    Delimited(Message<'a>),
}

impl<'a> Message<'a> {
    /// The message that fills a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Message { bytes, offset: 0 }
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

    /// What `read` makes of every field of that number, in the order of the file.
    pub fn all<T>(self, number: u64, read: impl Fn(Field<'a>) -> Result<T>) -> Result<Vec<T>> {
        self.numbered(number).map(|field| read(field?)).collect()
    }

    /// A `bytes` field, if it is there.
    pub fn bytes(self, number: u64) -> Result<Option<&'a [u8]>> {
        Ok(self.message(number)?.map(|message| message.bytes))
    }

    /// A nested message or `bytes` field, if it is there; refused when it is there twice.
    pub fn message(self, number: u64) -> Result<Option<Message<'a>>> {
        let mut fields = self.numbered(number);
        let Some(first) = fields.next().transpose()? else { return Ok(None) };
        match fields.next().transpose()? {
            Some(second) => Err(ReadError::byte(second.offset, format!("field {number} only once"), "it again")),
            None => Ok(Some(first.message()?)),
        }
    }

    /// A `string` field, empty if it is not there.
    pub fn text(self, number: u64) -> Result<&'a str> {
        self.numbered(number).last().map_or(Ok(""), |field| field?.text())
    }

    /// An integer of any of the variable-length signed types (not `sint`), 0 if it is not there.
    pub fn integer(self, number: u64) -> Result<i64> {
        self.numbered(number).last().map_or(Ok(0), |field| field?.integer())
    }

    /// A `float`, 0 if it is not there.
    pub fn float(self, number: u64) -> Result<f32> {
        Ok(self.fixed(number)?.last().map_or(0.0, |bytes| f32::from_le_bytes(*bytes)))
    }

    /// The integers of a repeated field, packed or not.
    pub fn integers(self, number: u64) -> Result<Vec<i64>> {
        let mut integers = Vec::new();
        for field in self.numbered(number) {
            match field? {
                Field { payload: Payload::Delimited(mut packed), .. } => {
                    while !packed.bytes.is_empty() {
                        integers.push(packed.varint()?.cast_signed());
                    }
                }
                field => integers.push(field.integer()?),
            }
        }
        Ok(integers)
    }

    /// The `N`-byte elements of a repeated field, packed or not; the file's bytes are borrowed where they are in one
    /// piece.
    pub fn fixed<const N: usize>(self, number: u64) -> Result<Cow<'a, [[u8; N]]>> {
        let mut all: Cow<'a, [[u8; N]]> = Cow::default();
        for field in self.numbered(number) {
            let field = field?;
            let (elements, rest) = match field.payload {
                Payload::Fixed(bytes) | Payload::Delimited(Message { bytes, .. }) => bytes.as_chunks(),
                Payload::Varint(_) => return Err(field.mismatch(&format!("elements of {N} bytes"))),
            };
            if !rest.is_empty() || matches!(field.payload, Payload::Fixed(bytes) if bytes.len() != N) {
                return Err(field.mismatch(&format!("elements of {N} bytes")));
            }
            if all.is_empty() { all = Cow::Borrowed(elements) } else { all.to_mut().extend_from_slice(elements) }
        }
        Ok(all)
    }

    fn numbered(self, number: u64) -> impl Iterator<Item = Result<Field<'a>>> {
        self.fields().filter(move |field| field.as_ref().map_or(true, |field| field.number == number))
    }

    /// All fields, ending with an error where the message is malformed.
    fn fields(mut self) -> impl Iterator<Item = Result<Field<'a>>> {
        std::iter::from_fn(move || {
            let field = (!self.bytes.is_empty()).then(|| self.field());
            if matches!(field, Some(Err(_))) {
                self.bytes = &[];
            }
            field
        })
    }

    fn field(&mut self) -> Result<Field<'a>> {
        let offset = self.offset;
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 || number > LARGEST_FIELD {
            return Err(ReadError::byte(
                offset,
                format!("a field from 1 to {LARGEST_FIELD}"),
                format!("field {number}"),
            ));
        }
        let payload = match key & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed(self.take(8)?.bytes),
            2 => {
                let length = self.varint()?;
                Payload::Delimited(self.take(length)?)
            }
            5 => Payload::Fixed(self.take(4)?.bytes),
            other => return Err(ReadError::byte(offset, "wire type 0, 1, 2 or 5", format!("wire type {other}"))),
        };
        Ok(Field { number, offset, payload })
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

    fn take(&mut self, count: u64) -> Result<Message<'a>> {
        let taken = usize::try_from(count).ok().and_then(|count| self.bytes.split_at_checked(count));
        let left = || ReadError::byte(self.offset, format!("{count} more bytes"), format!("{}", self.bytes.len()));
        let (taken, rest) = taken.ok_or_else(left)?;
        let message = Message { bytes: taken, offset: self.offset };
        *self = Message { bytes: rest, offset: self.offset + taken.len() };
        Ok(message)
    }
}

impl<'a> Field<'a> {
    /// The nested message.
    pub fn message(self) -> Result<Message<'a>> {
        match self.payload {
            Payload::Delimited(message) => Ok(message),
            _ => Err(self.mismatch("a length-delimited value")),
        }
    }

    /// The text.
    pub fn text(self) -> Result<&'a str> {
        let bytes = self.message()?.bytes;
        std::str::from_utf8(bytes).map_err(|_| ReadError::byte(self.offset, "text in UTF-8", "other bytes"))
    }

    fn integer(self) -> Result<i64> {
        match self.payload {
            Payload::Varint(value) => Ok(value.cast_signed()),
            _ => Err(self.mismatch("a variable-length integer")),
        }
    }

    fn mismatch(&self, expected: &str) -> ReadError {
        let found = match self.payload {
            Payload::Varint(_) => "a variable-length integer".to_owned(),
            Payload::Fixed(bytes) => format!("{} bytes", bytes.len()),
            Payload::Delimited(message) => format!("{} delimited bytes", message.bytes.len()),
        };
        ReadError::byte(self.offset, format!("{expected} as field {}", self.number), found)
    }
}

#[cfg(test)]
mod tests;
