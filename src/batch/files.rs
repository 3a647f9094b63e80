//! Reading models and properties from files, gzipped or not.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bartizan_proof::{Network, Property, Semantics};
use flate2::read::MultiGzDecoder;

use super::{BatchError, queries};

/// Reads files for many queries at once.
pub struct Disk;

impl queries::Files for Disk {
    fn model(&self, path: &Path, semantics: Semantics) -> Result<Network, String> {
        read_model(path, semantics).map_err(|e| e.to_string())
    }

    fn property(&self, path: &Path) -> Result<Property, String> {
        read_property(path).map_err(|e| e.to_string())
    }
}

/// More than any model here has; a compressed file that expands beyond this is refused.
const LARGEST_FILE: u64 = 8 << 30;

/// Bytes that every gzip file starts with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The content of a file, decompressed if it is gzipped (whatever its name).
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, BatchError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut bytes));
    read.map_err(|error| BatchError::Read { path: path.to_owned(), error })?;
    unpacked(bytes, path)
}

/// Bytes, decompressed if they are gzipped; the path says where they came from.
fn unpacked(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, BatchError> {
    let reading = |error| BatchError::Read { path: path.to_owned(), error };
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let length = MultiGzDecoder::new(bytes.as_slice()).take(LARGEST_FILE + 1).read_to_end(&mut unpacked);
    let length = length.map_err(|error| {
        let text = format!("not a complete gzip file ({error})");
        reading(io::Error::new(error.kind(), text))
    })?;
    if length as u64 > LARGEST_FILE {
        let text = format!("expands to more than {} GiB", LARGEST_FILE >> 30);
        return Err(reading(io::Error::new(io::ErrorKind::InvalidData, text)));
    }
    Ok(unpacked)
}

/// Reads a model, under the semantics that are meant: ONNX, or NNet where the name says so (`.nnet`, `.nnet.gz`).
pub fn read_model(path: &Path, semantics: Semantics) -> Result<Network, BatchError> {
    let network = model_of(&read_bytes(path)?, path)?;
    network.under(semantics).map_err(|error| BatchError::Semantics { path: path.to_owned(), error })
}

/// The model in the bytes of a file that may be gzipped; its format is the one that the path says.
pub fn unpack_model(bytes: &[u8], path: &Path) -> Result<Network, BatchError> {
    model_of(&unpacked(bytes.to_vec(), path)?, path)
}

fn model_of(bytes: &[u8], path: &Path) -> Result<Network, BatchError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let is_nnet = name.trim_end_matches(".gz").ends_with(".nnet");
    let network = if is_nnet { bartizan_read::read_nnet(bytes) } else { bartizan_read::read_onnx(bytes) };
    network.map_err(|error| BatchError::Content { path: path.to_owned(), error })
}

/// Reads a VNN-LIB property.
pub fn read_property(path: &Path) -> Result<Property, BatchError> {
    let bytes = read_bytes(path)?;
    bartizan_read::read_vnnlib(&bytes).map_err(|error| BatchError::Content { path: path.to_owned(), error })
}
