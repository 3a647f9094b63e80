//! Reading certificates item by item; the layout is that of `FORMAT.md`.
//!
//! Nothing is allocated before the bytes that fill it have been read, so that a certificate can make a reader hold a
//! small multiple of its own length at most.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

use super::encode::{FLAG, MAGIC, VERSION, code};
use super::{
    Close, Header, Item, Literal, Multipliers, Shape, Side, SignNode, Signs, Slopes, Split, Target, Targets, Witness,
};
use crate::arith::alpha_of_byte;
use crate::digest::Digest;
use crate::error::Refusal;
use crate::semantics::Semantics;

/// The most elements of any list in a certificate.
const LONGEST_LIST: usize = 1 << 24;

/// Bytes of a certificate that may be read from several places at once.
pub trait Source: Sync {
    /// The bytes from an offset on.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + Send + '_>>;
}

impl Source for Vec<u8> {
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        Ok(Box::new(rest.unwrap_or_default()))
    }
}

impl Source for PathBuf {
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let mut file = File::open(self)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(BufReader::new(file)))
    }
}

impl Header {
    /// Reads the beginning of a certificate.
    ///
    /// # Errors
    ///
    /// It is none, or cannot be read.
    pub fn read(certificate: &dyn Source) -> std::result::Result<Header, Refusal> {
        Ok(Decoder::new(certificate, 0)?.header()?.0)
    }
}

type Result<T> = std::result::Result<T, Refusal>;

/// Reads one item after the other.
pub(crate) struct Decoder<'s> {
    source: Box<dyn Read + Send + 's>,
    offset: u64,
    /// An end that the last item announced.
    has_ended: bool,
}

impl<'s> Decoder<'s> {
    /// Reads from an offset of a source.
    pub fn new(source: &'s dyn Source, offset: u64) -> Result<Self> {
        let source = source.open(offset).map_err(|error| Refusal::Unreadable(error.to_string()))?;
        Ok(Decoder { source, offset, has_ended: false })
    }

    /// How many bytes of the certificate have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The header, and the number of proofs.
    pub fn header(&mut self) -> Result<(Header, usize)> {
        if self.array()? != MAGIC {
            return Err(Refusal::NoCertificate);
        }
        let [version, number] = self.array()?;
        if version != VERSION {
            return Err(Refusal::Version(VERSION, version));
        }
        let known = Semantics::ALL.into_iter().find(|semantics| semantics.number() == number);
        let semantics = known.ok_or(Refusal::Semantics(number))?;
        let header = Header { model: Digest::from(self.array()?), property: Digest::from(self.array()?), semantics };
        Ok((header, self.number()?))
    }

    /// Checks that nothing follows.
    pub fn finish(&mut self) -> Result<()> {
        match self.byte() {
            Err(Refusal::Truncated) => Ok(()),
            Err(other) => Err(other),
            Ok(_) => Err(Refusal::Trailing),
        }
    }

    /// The next item, and for a split the length of the first subtree if it is written down.
    pub fn item(&mut self) -> Result<(Item, Option<u64>)> {
        if std::mem::take(&mut self.has_ended) {
            return Ok((Item::End, None));
        }
        let opcode = self.byte().map_err(|e| if e == Refusal::Truncated { Refusal::MissingNode } else { e })?;
        let (code, has_flag) = (opcode & !FLAG, opcode & FLAG != 0);
        let item = match code {
            code::END => Item::End,
            code::EMPTY => Item::Empty,
            code::SPLIT_MIDDLE => Item::Split(Split::Middle(self.number()?)),
            code::SPLIT_SIGN | code::SPLIT_AT => {
                let (place, element) = (self.number()?, self.number()?);
                let [below, above] = if code == code::SPLIT_AT { [self.double()?, self.double()?] } else { [0.0; 2] };
                Item::Split(Split::At { place, element, below, above })
            }
            code::FORMS => Item::Forms,
            code::TIGHTEN_ALL => Item::TightenAll,
            code::TIGHTEN_UNDECIDED => Item::Tighten(self.number()?, Targets::Undecided),
            code::TIGHTEN_MARKED => {
                let (place, count) = (self.number()?, self.number()?);
                Item::Tighten(place, Targets::Marked(self.marks(count)?, self.marks(count)?))
            }
            code::TIGHTEN_LISTED => Item::Tighten(self.number()?, Targets::Listed(self.list(Self::target)?)),
            code::PROVE => Item::Prove(self.literal()?),
            code::KEEP => Item::Keep(self.slopes()?),
            code::CLOSE => Item::Close(self.list(Self::close)?),
            code::LEMMA => Item::Lemma(self.list(Self::literal)?, self.list(Self::number)?),
            code::APPLY => Item::Apply(self.number()?),
            code::LEAVE => Item::Leave,
            code::VIOLATE => Item::Violate(self.number()?),
            _ => return Err(Refusal::Malformed("an item")),
        };
        match (&item, has_flag) {
            (Item::Split(_), true) => Ok((item, Some(self.long()?))),
            (Item::Close(_) | Item::Apply(_), _) => {
                self.has_ended = has_flag;
                Ok((item, None))
            }
            (_, true) => Err(Refusal::Malformed("an item")),
            (_, false) => Ok((item, None)),
        }
    }

    fn target(&mut self) -> Result<Target> {
        let (element, side) = self.end()?;
        Ok(Target { element, side, witness: self.witness()? })
    }

    fn literal(&mut self) -> Result<Literal> {
        let (place, (element, side)) = (self.number()?, self.end()?);
        Ok(Literal { place, element, side, at: self.double()? })
    }

    fn close(&mut self) -> Result<Close> {
        let case = self.number()?;
        let multipliers = match self.number()?.checked_sub(1) {
            Some(atom) => Multipliers::Atom(atom),
            None => Multipliers::Each(self.list(Self::single)?),
        };
        Ok(Close { case, multipliers, witness: self.witness()? })
    }

    fn witness(&mut self) -> Result<Witness> {
        match self.byte()? {
            code::SIGNS => {
                let base = self.byte()?;
                let tree = Signs { base: self.witness_without_signs(base)?, nodes: self.sign_nodes()? };
                Ok(Witness::Signs(Box::new(tree)))
            }
            kind => self.witness_without_signs(kind),
        }
    }

    fn witness_without_signs(&mut self, kind: u8) -> Result<Witness> {
        match kind {
            code::DEFAULT => Ok(Witness::Default),
            code::KEPT => Ok(Witness::Kept(self.number()?)),
            code::SHORT | code::LONG => Ok(Witness::Own(self.slopes_after(kind)?)),
            code::SIGNS => Err(Refusal::Malformed("a witness that is no tree of signs")),
            _ => Err(Refusal::Malformed("a witness")),
        }
    }

    /// A tree of signs, whose nodes stand one after the other until it is complete.
    fn sign_nodes(&mut self) -> Result<Vec<SignNode>> {
        let (mut nodes, mut shape) = (Vec::new(), Shape::new());
        while !shape.is_complete() {
            let number = self.number()?;
            let node = match (number / 2, number % 2) {
                (0, 0) => SignNode::Own(self.slopes()?),
                (0, _) => SignNode::Leaf(self.list(Self::single)?),
                (betas, 0) => SignNode::Leaf(self.elements(betas - 1, Self::short)?),
                (1, _) => SignNode::Base(self.slopes()?),
                (place, _) => SignNode::Split(place - 2, self.number()?),
            };
            shape.add(&node)?;
            nodes.push(node);
        }
        Ok(nodes)
    }

    fn slopes(&mut self) -> Result<Slopes> {
        let kind = self.byte()?;
        self.slopes_after(kind)
    }

    fn slopes_after(&mut self, kind: u8) -> Result<Slopes> {
        let is_short = match kind {
            code::SHORT => true,
            code::LONG => false,
            _ => return Err(Refusal::Malformed("slopes")),
        };
        let mut alpha = BTreeMap::new();
        for (place, alphas) in self.list(|decoder| decoder.alphas(is_short))? {
            if alpha.insert(place, alphas).is_some() {
                return Err(Refusal::Malformed("slopes of different places"));
            }
        }
        let multiplier = if is_short { Self::short } else { Self::single };
        Ok(Slopes { alpha, beta: self.list(multiplier)?, constraints: self.list(multiplier)? })
    }

    fn alphas(&mut self, is_short: bool) -> Result<(usize, Vec<f32>)> {
        let (place, count) = (self.number()?, self.number()?);
        let marks = self.marks(count)?;
        let alpha = |is_given: bool| match (is_given, is_short) {
            (false, _) => Ok(f32::NAN),
            (true, true) => self.byte().map(alpha_of_byte),
            (true, false) => match self.single()? {
                alpha if alpha.is_nan() => Err(Refusal::Slope(alpha)),
                alpha => Ok(alpha),
            },
        };
        Ok((place, marks.into_iter().map(alpha).collect::<Result<_>>()?))
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.number()?;
        self.elements(count, read)
    }

    fn elements<T>(&mut self, count: usize, read: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        if count > LONGEST_LIST {
            return Err(Refusal::TooLong(count, LONGEST_LIST));
        }
        // Grows with what is read: every element takes at least a byte.
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }

    fn marks(&mut self, count: usize) -> Result<Vec<bool>> {
        if count > LONGEST_LIST {
            return Err(Refusal::TooLong(count, LONGEST_LIST));
        }
        let mut marks = Vec::new();
        for _ in 0..count.div_ceil(8) {
            let byte = self.byte()?;
            marks.extend((0..8).map(|bit| byte >> bit & 1 == 1));
        }
        match marks.split_off(count.min(marks.len())).contains(&true) {
            true => Err(Refusal::Malformed("zeros after the last mark")),
            false => Ok(marks),
        }
    }

    fn end(&mut self) -> Result<(usize, Side)> {
        let number = self.number()?;
        Ok((number / 2, if number % 2 == 0 { Side::Lower } else { Side::Upper }))
    }

    /// A count or an index.
    pub fn number(&mut self) -> Result<usize> {
        usize::try_from(self.long()?).map_err(|_| Refusal::Malformed("a number of this machine's size"))
    }

    /// LEB128 in its shortest form.
    fn long(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits || (byte == 0 && shift > 0) {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Refusal::Malformed("a number in its shortest form"))
    }

    /// The upper half of a number.
    fn short(&mut self) -> Result<f32> {
        Ok(f32::from_bits(u32::from(u16::from_le_bytes(self.array()?)) << 16))
    }

    fn single(&mut self) -> Result<f32> {
        self.array().map(f32::from_le_bytes)
    }

    fn double(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    fn byte(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Refusal::Truncated,
            _ => Refusal::Unreadable(error.to_string()),
        })?;
        self.offset += u64::try_from(N).unwrap_or_default();
        Ok(bytes)
    }
}
