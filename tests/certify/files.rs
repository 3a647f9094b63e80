//! Files that the tests make, and the command run among them.

use std::fs;
use std::process::Output;

use tempfile::TempDir;

/// Two inputs, whose positive parts are the outputs.
const TWO_CLASSES: &str = "// test
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

/// A folder of its own.
pub struct Folder(TempDir);

impl Folder {
    /// A folder with two networks (`two.nnet`, `one.nnet`) and four labelled points (`x.npy`, `y.npy`, `data.csv`).
    pub fn new() -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("two.nnet", TWO_CLASSES);
        folder.write("one.nnet", ONE_OUTPUT);
        folder.write("x.npy", npy("<f4", "(4, 2)", &floats(&[1.0, 0.0, 0.0, 0.5, 0.25, 0.5, 0.5, 0.375])));
        folder.write("y.npy", npy("|u1", "(4,)", &[0, 1, 0, 0]));
        folder.write("data.csv", "a,b,label\n1,0,0\n0,0.5,1\n0.25,0.5,0\n0.5,0.375,0\n");
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

    /// Names of all files.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    /// Runs `bartizan certify` in the folder, with arguments separated by blanks.
    pub fn certify(&self, args: &str) -> Output {
        let mut command = assert_cmd::Command::cargo_bin("bartizan").unwrap();
        command.current_dir(self.0.path()).arg("certify").args(args.split_whitespace()).output().unwrap()
    }
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
