//! Writes the sample certificates of `samples/` anew: `cargo run -p bartizan-read --example write_samples`.
#![allow(clippy::float_arithmetic, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod files;

use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    for (path, bytes) in files::all() {
        std::fs::write(folder.join(path), bytes).unwrap();
    }
}
