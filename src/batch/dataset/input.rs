//! Files as streams of bytes, gzipped or not, whose digest is taken as they are read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use bartizan_proof::Digest;
use bartizan_read::ReadError;
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::defect::Defect;
use crate::batch::BatchError;

/// Bytes that are asked of the system at once.
const CHUNK: usize = 1 << 18;

/// Bytes that every gzip file starts with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes whose digest is taken as they pass.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

/// Reads a file once from start to end, decompressed if it is gzipped (whatever its name), and takes the digest of its bytes.
///
/// # Errors
///
/// The file cannot be read, or whatever `parse` finds wrong.
pub fn read<T>(
    path: &Path,
    parse: impl FnOnce(&mut dyn BufRead) -> Result<T, Defect>,
) -> Result<(T, Digest), BatchError> {
    let reading = |error| Defect::Read(error).within(path);
    let mut hashed = Hashed { inner: open(path)?, hash: Sha256::new() };
    let mut plain = BufReader::with_capacity(CHUNK, &mut hashed);
    let is_gzipped = plain.fill_buf().map_err(reading)?.starts_with(&GZIP_MAGIC);
    let parsed = if is_gzipped {
        parse(&mut BufReader::with_capacity(CHUNK, MultiGzDecoder::new(plain))).map_err(unpacking)
    } else {
        parse(&mut plain)
    };
    let parsed = parsed.map_err(|defect| defect.within(path))?;
    io::copy(&mut hashed, &mut io::sink()).map_err(reading)?;
    Ok((parsed, digest(hashed.hash)))
}

/// Reads a file in whatever order its format needs, and takes the digest of its bytes before and after.
///
/// # Errors
///
/// The file cannot be read, or changes meanwhile, or whatever `parse` finds wrong.
pub fn read_at_random<T>(
    path: &Path,
    parse: impl FnOnce(File) -> Result<T, Defect>,
) -> Result<(T, Digest), BatchError> {
    let mut file = open(path)?;
    let mut whole = || {
        file.rewind()?;
        digest_of(&mut file)
    };
    let reading = |error| Defect::Read(error).within(path);
    let before = whole().map_err(reading)?;
    let parsed = parse(open(path)?).map_err(|defect| defect.within(path))?;
    let after = whole().map_err(reading)?;
    if before != after {
        let expected = format!("{before}, as before the file was read");
        return Err(Defect::from(ReadError::part("SHA-256", expected, after.to_string())).within(path));
    }
    Ok((parsed, before))
}

fn open(path: &Path) -> Result<File, BatchError> {
    File::open(path).map_err(|error| BatchError::Read { path: path.to_owned(), error })
}

/// The digest of everything that is left to read.
fn digest_of(input: &mut impl Read) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        match input.read(&mut buffer)? {
            0 => return Ok(digest(hash)),
            length => hash.update(&buffer[..length]),
        }
    }
}

fn digest(hash: Sha256) -> Digest {
    Digest::from(<[u8; 32]>::from(hash.finalize()))
}

/// Says of bytes that cannot be had that they were compressed.
fn unpacking(defect: Defect) -> Defect {
    match defect {
        Defect::Read(error) => {
            Defect::Read(io::Error::new(error.kind(), format!("not a complete gzip file ({error})")))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn the_digest_is_that_of_the_files_bytes_however_much_is_read() {
        let bytes: Vec<u8> = (0..3 * CHUNK).map(|i| (i % 251) as u8).collect();
        let file = written(&bytes);
        let start = |input: &mut dyn BufRead| {
            let mut start = [0; 2];
            input.read_exact(&mut start)?;
            Ok(start)
        };
        assert_eq!(read(file.path(), start).unwrap(), ([0, 1], Digest::of(&bytes)));
        assert_eq!(read_at_random(file.path(), |_| Ok(7)).unwrap(), (7, Digest::of(&bytes)));
    }

    #[test]
    fn gzipped_files_are_unpacked_and_broken_ones_refused() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&[7; 1000]).unwrap();
        let packed = packed.finish().unwrap();
        let whole = |input: &mut dyn BufRead| {
            let mut bytes = Vec::new();
            input.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        assert_eq!(read(written(&packed).path(), whole).unwrap(), (vec![7; 1000], Digest::of(&packed)));
        let file = written(&packed[..packed.len() - 9]);
        let message = read(file.path(), whole).unwrap_err().to_string();
        assert!(message.contains(": cannot read: not a complete gzip file ("), "{message}");
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let file = written(b"before");
        let change = |_: File| Ok(fs::write(file.path(), b"after")?);
        let message = read_at_random(file.path(), change).unwrap_err().to_string();
        let (before, after) = (Digest::of(b"before"), Digest::of(b"after"));
        let expected = format!("SHA-256: expected {before}, as before the file was read, found {after}");
        assert_eq!(message, format!("{}: {expected}", file.path().display()));
    }
}
