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

/// Two inputs and their sum.
const ONE_OUTPUT: &str = "1,2,1,2,
2,1,
0,
-9,-9,
9,9,
0,0,0,
1,1,1,
1,1,
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
    /// A folder with networks (`net.nnet` and its copy `two.nnet`, `one.nnet`), two properties (`holds.vnnlib`, `fails.vnnlib`) and
    /// four labelled points (`x.npy`, `y.npy`, `data.csv`).
    pub fn new() -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("net.nnet", NET);
        folder.write("two.nnet", NET);
        folder.write("one.nnet", ONE_OUTPUT);
        folder.write("holds.vnnlib", HOLDS);
        folder.write("fails.vnnlib", FAILS);
        folder.write("x.npy", npy("<f4", "(4, 2)", &floats(&[1.0, 0.0, 0.0, 0.5, 0.25, 0.5, 0.5, 0.375])));
        folder.write("y.npy", npy("|u1", "(4,)", &[0, 1, 0, 0]));
        folder.write("data.csv", "a,b,label\n1,0,0\n0,0.5,1\n0.25,0.5,0\n0.5,0.375,0\n");
        folder
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Makes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), content).unwrap();
    }

    /// Makes a folder inside.
    pub fn make_folder(&self, name: &str) {
        fs::create_dir(self.0.path().join(name)).unwrap();
    }

    /// The bytes of a file.
    pub fn read_bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).unwrap()
    }

    /// The content of a text file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Names of all files.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    /// Runs `bartizan certify` in the folder, with arguments separated by blanks.
    pub fn certify(&self, args: &str) -> Output {
        self.run(&format!("certify {args}"))
    }

    /// Runs `bartizan` in the folder, with arguments separated by blanks.
    pub fn run(&self, args: &str) -> Output {
        let mut command = assert_cmd::Command::cargo_bin("bartizan").unwrap();
        command.current_dir(self.0.path()).args(args.split_whitespace()).output().unwrap()
    }
}

/// Name, file to make (name and bytes), arguments, and the message after `error: `.
pub type Refusal = (&'static str, Option<(&'static str, Vec<u8>)>, &'static str, &'static str);

/// Runs a command on bad inputs: the complete message, exit code 2, and nothing on standard output.
pub fn check_refusals(command: &str, cases: impl IntoIterator<Item = Refusal>) {
    for (name, file, args, expected) in cases {
        let folder = Folder::new();
        if let Some((path, bytes)) = file {
            folder.write(path, bytes);
        }
        let output = folder.run(&format!("{command} {args}"));
        assert_eq!(text(&output.stderr), format!("error: {expected}\n"), "{name}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{name}");
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

/// The bytes of an `.npy` file.
pub fn npy(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// Little-endian `f4` elements.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The bytes of an `.npz` file with one array.
pub fn npz(key: &str, array: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(format!("{key}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(array).unwrap();
    writer.finish().unwrap().into_inner()
}

/// What a process wrote, as text.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
