//! Files that the tests make, and commands run among them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

/// Two inputs, whose positive parts are the outputs.
pub const NET: &str = "// test
2,2,2,2,
2,2,2,
0,
-9,-9,
9,9,
0,0,0,
1,1,1,
1,0,
0,1,
0,
0,
1,0,
0,1,
0,
0,
";

/// Holds over [`NET`]: the first output is never below the second by more than 1 where inputs are in [0, 1].
pub const HOLDS: &str = "(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1)))
(assert (<= Y_0 (- Y_1 1.5)))
";

/// Does not hold over [`NET`]: the outputs may be any numbers in [0, 1].
pub const FAILS: &str = "(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1)))
(assert (<= Y_0 (- Y_1 0.5)))
";

/// A folder of its own.
pub struct Folder(TempDir);

impl Folder {
    /// A folder with a network `net.nnet` and two properties, `holds.vnnlib` and `fails.vnnlib`.
    pub fn new() -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("net.nnet", NET);
        folder.write("holds.vnnlib", HOLDS);
        folder.write("fails.vnnlib", FAILS);
        folder
    }

    /// Makes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), content).unwrap();
    }

    /// The content of a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Runs `bartizan` in the folder, with arguments separated by blanks.
    pub fn run(&self, args: &str) -> Output {
        let mut command = assert_cmd::Command::cargo_bin("bartizan").unwrap();
        command.current_dir(self.0.path()).args(args.split_whitespace()).output().unwrap()
    }
}

/// A file below `models/`.
pub fn model(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(path)
}

/// The bytes of the shipped digits network: Flatten, Gemm and Relu.
pub fn digits() -> Vec<u8> {
    fs::read(model("digits_mlp/model.onnx")).unwrap()
}

/// Bytes with the first occurrence of a pattern replaced.
pub fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|w| w == from).expect("the pattern occurs");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// Gzipped bytes.
pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What a process wrote, as text.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
