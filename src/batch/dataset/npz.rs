//! NumPy's `.npz` files: zip archives of `.npy` files, stored or deflated.

use std::io::{Cursor, Read};

use bartizan_read::ReadError;
use zip::ZipArchive;

use super::npy::{self, Array};

/// An opened archive.
#[derive(Debug)]
pub struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
}

const SUFFIX: &str = ".npy";

/// Arrays that unpack to more than this many bytes are refused.
const LARGEST_ARRAY: u64 = 8 << 30;

impl<'b> Archive<'b> {
    /// Opens an archive.
    ///
    /// # Errors
    ///
    /// The bytes are not a zip archive.
    pub fn open(bytes: &'b [u8]) -> Result<Self, ReadError> {
        let refused = |e: zip::result::ZipError| ReadError::part("archive", "a complete .npz archive", e.to_string());
        Ok(Archive { zip: ZipArchive::new(Cursor::new(bytes)).map_err(refused)? })
    }

    /// Names of the arrays, in alphabetic order.
    pub fn keys(&self) -> Vec<String> {
        let names = self.zip.file_names().filter_map(Result::ok);
        let mut keys: Vec<String> = names.filter_map(|n| n.strip_suffix(SUFFIX).map(str::to_owned)).collect();
        keys.sort_unstable();
        keys
    }

    /// Reads an array.
    ///
    /// # Errors
    ///
    /// There is no such array (the message lists those that there are), or it is damaged or not supported.
    pub fn array(&mut self, key: &str) -> Result<Array, ReadError> {
        let place = format!("array `{key}`");
        let Ok(entry) = self.zip.by_name(&format!("{key}{SUFFIX}")) else {
            return Err(ReadError::part("archive", place, self.listing()));
        };
        let mut bytes = Vec::new();
        let length = entry.take(LARGEST_ARRAY + 1).read_to_end(&mut bytes);
        let length = length.map_err(|e| ReadError::part(&place, "intact data", e.to_string()))?;
        if length as u64 > LARGEST_ARRAY {
            let expected = format!("at most {} GiB", LARGEST_ARRAY >> 30);
            return Err(ReadError::part(place, expected, "more"));
        }
        npy::parse(&bytes).map_err(|e| ReadError::part(format!("{place}, {}", e.place), e.expected, e.found))
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
    use std::io::Write;
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

    #[test]
    fn stored_and_deflated_arrays() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let bytes = archive(&[("x.npy", file("|u1", "False", "(2, 1)", &[7, 8]))], method);
            assert_eq!(Archive::open(&bytes).unwrap().array("x").unwrap().values, [7.0, 8.0]);
        }
    }

    #[test]
    fn defects_are_refused_with_their_reason() {
        let not_zip = Archive::open(b"PK no").unwrap_err().to_string();
        assert!(not_zip.starts_with("archive: expected a complete .npz archive, found "), "{not_zip}");
        let entries = [("b.npy", file("<f2", "False", "(1,)", &[0; 2])), ("a.npy", Vec::new()), ("c.txt", Vec::new())];
        let bytes = archive(&entries, CompressionMethod::Stored);
        let mut opened = Archive::open(&bytes).unwrap();
        let mut message = |key: &str| opened.array(key).unwrap_err().to_string();
        assert_eq!(message("x"), "archive: expected array `x`, found `a`, `b`");
        assert_eq!(
            message("b"),
            "array `b`, header, `descr`: expected floats f4 or f8, or integers i1 to i8 or u1 to u8, found `<f2`"
        );
        let empty = archive(&[], CompressionMethod::Stored);
        let message = Archive::open(&empty).unwrap().array("x").unwrap_err().to_string();
        assert_eq!(message, "archive: expected array `x`, found no arrays");
    }

    #[test]
    fn damaged_data_are_noticed() {
        let mut bytes = archive(&[("x.npy", file("|u1", "False", "(3,)", &[7, 77, 7]))], CompressionMethod::Stored);
        let place = bytes.windows(3).position(|w| w == [7, 77, 7]).unwrap();
        bytes[place] = 9;
        let message = Archive::open(&bytes).unwrap().array("x").unwrap_err().to_string();
        assert_eq!(message, "array `x`: expected intact data, found Invalid checksum");
    }

    #[test]
    fn truncated_and_damaged_archives_never_panic() {
        let whole = archive(&[("x.npy", file("|u1", "False", "(2, 1)", &[7, 8]))], CompressionMethod::Deflated);
        let read = |bytes: &[u8]| Archive::open(bytes).and_then(|mut archive| archive.array("x"));
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length} bytes");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x55;
            let _ = read(&damaged);
        }
    }
}
