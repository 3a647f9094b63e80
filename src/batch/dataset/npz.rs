//! NumPy's `.npz` files: zip archives of `.npy` files, stored or deflated.

use std::io::{self, Read, Seek};

use bartizan_read::ReadError;
use zip::ZipArchive;

use super::defect::Defect;

/// An opened archive.
#[derive(Debug)]
pub struct Archive<R> {
    zip: ZipArchive<R>,
}

const SUFFIX: &str = ".npy";

/// Arrays that unpack to more than this many bytes are refused.
const LARGEST_ARRAY: u64 = 8 << 30;

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive.
    ///
    /// # Errors
    ///
    /// The file is not a zip archive.
    pub fn open(file: R) -> Result<Self, ReadError> {
        let refused = |e: zip::result::ZipError| ReadError::part("archive", "a complete .npz archive", e.to_string());
        Ok(Archive { zip: ZipArchive::new(file).map_err(refused)? })
    }

    /// Names of the arrays, in alphabetic order.
    pub fn keys(&self) -> Vec<String> {
        let names = self.zip.file_names().filter_map(Result::ok);
        let mut keys: Vec<String> = names.filter_map(|n| n.strip_suffix(SUFFIX).map(str::to_owned)).collect();
        keys.sort_unstable();
        keys
    }

    /// Reads an array from its bytes, unpacked as they are asked for.
    ///
    /// # Errors
    ///
    /// There is no such array (the message lists those that there are), it is damaged, or whatever `parse` finds wrong.
    pub fn array<T>(&mut self, key: &str, parse: impl FnOnce(&mut dyn Read) -> Result<T, Defect>) -> Result<T, Defect> {
        let place = format!("array `{key}`");
        let listing = self.listing();
        let Ok(entry) = self.zip.by_name(&format!("{key}{SUFFIX}")) else {
            return Err(ReadError::part("archive", place, listing).into());
        };
        let mut entry = entry.take(LARGEST_ARRAY + 1);
        let parsed = parse(&mut entry);
        if entry.limit() == 0 {
            let expected = format!("at most {} GiB", LARGEST_ARRAY >> 30);
            return Err(ReadError::part(place, expected, "more").into());
        }
        let parsed = parsed.map_err(|defect| defect.in_part(&place))?;
        io::copy(&mut entry, &mut io::sink()).map_err(|error| Defect::from(error).in_part(&place))?;
        Ok(parsed)
    }

    /// The arrays that there are, for messages.
    pub fn listing(&self) -> String {
        let keys = self.keys();
        if keys.is_empty() { "no arrays".to_owned() } else { format!("`{}`", keys.join("`, `")) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::npy::tests::file;
    use super::*;
    use crate::batch::dataset::npy;
    use std::io::{Cursor, Write};
    use zip::CompressionMethod;
    use zip::write::{SimpleFileOptions, ZipWriter};

    /// The bytes of an archive.
    pub(crate) fn archive(entries: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// The elements of the array of a key.
    fn read(bytes: &[u8], key: &str) -> Result<Vec<f64>, Defect> {
        Archive::open(Cursor::new(bytes))?.array(key, |input| {
            let mut values = Vec::new();
            npy::Header::read(input)?.elements(input, |elements| {
                values.extend_from_slice(elements);
                Ok(())
            })?;
            Ok(values)
        })
    }

    #[test]
    fn stored_and_deflated_arrays() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let bytes = archive(&[("x.npy", file("|u1", "False", "(2, 1)", &[7, 8]))], method);
            assert_eq!(read(&bytes, "x").unwrap(), [7.0, 8.0]);
        }
    }

    #[test]
    fn defects_are_refused_with_their_reason() {
        let not_zip = read(b"PK no", "x").unwrap_err().to_string();
        assert!(not_zip.starts_with("archive: expected a complete .npz archive, found "), "{not_zip}");
        let entries = [("b.npy", file("<f2", "False", "(1,)", &[0; 2])), ("a.npy", Vec::new()), ("c.txt", Vec::new())];
        let bytes = archive(&entries, CompressionMethod::Stored);
        let message = |key: &str| read(&bytes, key).unwrap_err().to_string();
        assert_eq!(message("x"), "archive: expected array `x`, found `a`, `b`");
        assert_eq!(
            message("b"),
            "array `b`, header, `descr`: expected floats f4 or f8, or integers i1 to i8 or u1 to u8, found `<f2`"
        );
        let empty = archive(&[], CompressionMethod::Stored);
        let message = read(&empty, "x").unwrap_err().to_string();
        assert_eq!(message, "archive: expected array `x`, found no arrays");
    }

    #[test]
    fn damaged_data_are_noticed() {
        let mut bytes = archive(&[("x.npy", file("|u1", "False", "(3,)", &[7, 77, 7]))], CompressionMethod::Stored);
        let place = bytes.windows(3).position(|w| w == [7, 77, 7]).unwrap();
        bytes[place] = 9;
        let message = read(&bytes, "x").unwrap_err().to_string();
        assert_eq!(message, "array `x`: expected intact data, found Invalid checksum");
    }

    #[test]
    fn truncated_and_damaged_archives_never_panic() {
        let whole = archive(&[("x.npy", file("|u1", "False", "(2, 1)", &[7, 8]))], CompressionMethod::Deflated);
        for length in 0..whole.len() {
            assert!(read(&whole[..length], "x").is_err(), "{length} bytes");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x55;
            let _ = read(&damaged, "x");
        }
    }
}
