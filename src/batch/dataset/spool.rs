//! Many numbers in little memory: in the smallest type that holds all of them exactly, and beyond a limit in a temporary file
//! that has no name and disappears with the process. Nobody else can change what is kept here.

use std::env;
use std::fs::File;
use std::io::{self, Write};

use crate::batch::BatchError;

/// Bytes that are kept in memory; more go into a temporary file.
const LARGEST_IN_MEMORY: usize = 32 << 20;

/// Bytes that are written to a file at once.
const BLOCK: usize = 1 << 20;

/// Numbers that are read at once where a type turns out to be too small.
const NUMBERS_AT_ONCE: usize = 1 << 16;

/// Types of kept numbers, from the smallest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Element {
    Byte,
    Single,
    Double,
}

impl Element {
    const ALL: [Element; 3] = [Element::Byte, Element::Single, Element::Double];

    fn size(self) -> usize {
        match self {
            Element::Byte => 1,
            Element::Single => 4,
            Element::Double => 8,
        }
    }

    /// Whether the type holds all numbers, down to the sign of zero.
    fn holds(self, numbers: &[f64]) -> bool {
        match self {
            Element::Byte => numbers.iter().all(|x| f64::from(*x as u8).to_bits() == x.to_bits()),
            Element::Single => numbers.iter().all(|x| f64::from(*x as f32).to_bits() == x.to_bits()),
            Element::Double => true,
        }
    }

    fn encode(self, numbers: &[f64], bytes: &mut Vec<u8>) {
        match self {
            Element::Byte => bytes.extend(numbers.iter().map(|x| *x as u8)),
            Element::Single => append(numbers, bytes, |x| (x as f32).to_ne_bytes()),
            Element::Double => append(numbers, bytes, f64::to_ne_bytes),
        }
    }

    fn decode(self, bytes: &[u8]) -> Vec<f64> {
        match self {
            Element::Byte => bytes.iter().map(|byte| f64::from(*byte)).collect(),
            Element::Single => bytes.as_chunks().0.iter().map(|bytes| f64::from(f32::from_ne_bytes(*bytes))).collect(),
            Element::Double => bytes.as_chunks().0.iter().map(|bytes| f64::from_ne_bytes(*bytes)).collect(),
        }
    }
}

fn append<const N: usize>(numbers: &[f64], bytes: &mut Vec<u8>, encode: impl Fn(f64) -> [u8; N]) {
    let start = bytes.len();
    bytes.resize(start + N * numbers.len(), 0);
    let places = bytes[start..].as_chunks_mut().0;
    places.iter_mut().zip(numbers).for_each(|(place, number)| *place = encode(*number));
}

/// Numbers as they come.
#[derive(Debug)]
pub struct Spool {
    element: Element,
    /// What is not in the file.
    buffer: Vec<u8>,
    file: Option<File>,
    /// How many numbers there are.
    length: usize,
    largest_in_memory: usize,
}

/// Numbers that can be read in any order, by several threads.
#[derive(Debug)]
pub struct Spooled {
    element: Element,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    Temporary(Positioned),
}

impl Default for Spool {
    fn default() -> Self {
        Spool::with_limit(LARGEST_IN_MEMORY)
    }
}

impl Spool {
    fn with_limit(largest_in_memory: usize) -> Self {
        Spool { element: Element::Byte, buffer: Vec::new(), file: None, length: 0, largest_in_memory }
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Appends numbers.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be written.
    pub fn push(&mut self, numbers: &[f64]) -> Result<(), BatchError> {
        if !self.element.holds(numbers) {
            let wider = Element::ALL.into_iter().find(|element| *element > self.element && element.holds(numbers));
            self.widen(wider.unwrap_or(Element::Double))?;
        }
        self.element.encode(numbers, &mut self.buffer);
        self.length += numbers.len();
        let limit = if self.file.is_some() { BLOCK } else { self.largest_in_memory };
        if self.buffer.len() > limit { self.flush() } else { Ok(()) }
    }

    /// Keeps all numbers in a larger type.
    fn widen(&mut self, element: Element) -> Result<(), BatchError> {
        let wide = Spool { element, ..Spool::with_limit(self.largest_in_memory) };
        let narrow = std::mem::replace(self, wide);
        let length = narrow.length;
        let narrow = narrow.finish()?;
        for start in (0..length).step_by(NUMBERS_AT_ONCE) {
            self.push(&narrow.read(start, NUMBERS_AT_ONCE.min(length - start))?)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BatchError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile().map_err(|error| temporary("create", error))?,
        };
        self.file.insert(file).write_all(&self.buffer).map_err(|error| temporary("write", error))?;
        self.buffer.clear();
        self.buffer.shrink_to(BLOCK);
        Ok(())
    }

    /// Ends the writing.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be written.
    pub fn finish(mut self) -> Result<Spooled, BatchError> {
        if self.file.is_some() {
            self.flush()?;
        }
        let place = match self.file {
            Some(file) => Place::Temporary(Positioned::new(file)),
            None => {
                self.buffer.shrink_to_fit();
                Place::Memory(self.buffer)
            }
        };
        Ok(Spooled { element: self.element, place })
    }
}

impl Spooled {
    /// Some numbers in a row.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be read, or there are not so many numbers.
    pub fn read(&self, start: usize, count: usize) -> Result<Vec<f64>, BatchError> {
        let (from, length) = (start * self.element.size(), count * self.element.size());
        let read = match &self.place {
            Place::Memory(bytes) => {
                let bytes = bytes.get(from..).and_then(|bytes| bytes.get(..length));
                bytes.map(|bytes| self.element.decode(bytes)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
            Place::Temporary(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, from as u64).map(|()| self.element.decode(&bytes))
            }
        };
        read.map_err(|error| temporary("read", error))
    }
}

/// A file that several threads read at places of their own.
#[derive(Debug)]
struct Positioned {
    file: File,
    /// Where the system has no reading at a place, one thread at a time goes there and reads.
    #[cfg(not(unix))]
    turn: std::sync::Mutex<()>,
}

impl Positioned {
    fn new(file: File) -> Self {
        Positioned {
            file,
            #[cfg(not(unix))]
            turn: std::sync::Mutex::new(()),
        }
    }

    #[cfg(unix)]
    fn read_exact_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, place)
    }

    #[cfg(not(unix))]
    fn read_exact_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(bytes)
    }
}

fn temporary(action: &'static str, error: io::Error) -> BatchError {
    BatchError::Temporary { folder: env::temp_dir(), action, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever comes in comes out, bit for bit, in the type that is expected.
    fn survive(limit: usize, element: Element, numbers: &[f64]) {
        let mut spool = Spool::with_limit(limit);
        numbers.chunks(3).for_each(|numbers| spool.push(numbers).unwrap());
        assert_eq!((spool.len(), spool.element), (numbers.len(), element));
        assert_eq!(spool.file.is_some(), numbers.len() * element.size() > limit);
        let spooled = spool.finish().unwrap();
        let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
        assert_eq!(bits(&spooled.read(0, numbers.len()).unwrap()), bits(numbers));
        assert_eq!(bits(&spooled.read(2, 3).unwrap()), bits(&numbers[2..5]));
    }

    #[test]
    fn the_smallest_type_that_holds_everything() {
        for limit in [0, 20, 1 << 20] {
            survive(limit, Element::Byte, &[0.0, 255.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
            survive(limit, Element::Single, &[1.0, 2.0, 3.0, 4.0, 256.0]);
            survive(limit, Element::Single, &[1.0, 2.0, 3.0, 4.0, -0.0]);
            survive(limit, Element::Single, &[1.0, 2.0, 3.0, 0.5, f64::from(f32::MAX), 6.0]);
            survive(limit, Element::Double, &[1.0, 2.0, 3.0, 0.5, 4.0, 5.0, 0.1, f64::MAX, 5e-324]);
            survive(limit, Element::Double, &[1.0, 0.1, 3.0, 4.0, 5.0]);
        }
        let many: Vec<f64> = (0..NUMBERS_AT_ONCE + 5).map(|i| if i > NUMBERS_AT_ONCE { 0.1 } else { 7.0 }).collect();
        survive(100, Element::Double, &many);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for (limit, reason) in [(100, "unexpected end of file"), (0, "failed to fill whole buffer")] {
            let mut spool = Spool::with_limit(limit);
            spool.push(&[1.0, 2.0]).unwrap();
            let message = spool.finish().unwrap().read(1, 2).unwrap_err().to_string();
            let folder = env::temp_dir().display().to_string();
            assert_eq!(message, format!("temporary file in {folder}: cannot read: {reason}"));
        }
    }
}
