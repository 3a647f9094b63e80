use super::npy::tests::file;
use super::npz::tests::archive;
use super::parquet::tests::{self as parquet_files, Cells};
use super::*;
use crate::batch::tests::two_inputs;
use ::parquet::basic::Compression;
use std::fs;
use std::io::Write;
use zip::CompressionMethod;

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Files of a temporary folder.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, bytes)| fs::write(folder.0.path().join(name), bytes).unwrap());
        folder
    }

    fn source(&self, name: &str) -> Source {
        Source::parse(&self.0.path().join(name).to_string_lossy())
    }

    fn read(&self, data: &str, labels: Option<&str>) -> Result<Dataset, String> {
        let labels = labels.map(|name| self.source(name));
        let hide = |e: BatchError| e.to_string().replace(&format!("{}/", self.0.path().display()), "");
        Dataset::read(&self.source(data), labels.as_ref(), None).map_err(hide)
    }
}

#[test]
fn all_formats_give_the_same_points() {
    let points = file("<f4", "False", "(2, 2)", &floats(&[0.5, 1.0, -1.0, 2.0]));
    let labels = file("|u1", "False", "(2,)", &[1, 0]);
    let entries = [("images.npy", points.clone()), ("labels.npy", labels.clone()), ("k.npy", points.clone())];
    let columns = [Cells::Float(vec![0.5, -1.0]), Cells::Int(vec![1, 0]), Cells::Double(vec![1.0, 2.0])];
    let schema = "required float a; required int32 label; required double b;";
    let table = parquet_files::file(schema, &[columns.to_vec()], Compression::SNAPPY);
    let folder = Folder::new(&[
        ("x.npy.gz", gzipped(&points)),
        ("x.npy", points),
        ("y.npy", labels),
        ("both.npz", archive(&entries, CompressionMethod::Deflated)),
        ("both.csv", b"a,label,b\n0.5,1,1\n-1,0,2\n".to_vec()),
        ("both.csv.gz", gzipped(b"a,label,b\n0.5,1,1\n-1,0,2\n")),
        ("both.parquet", table),
        ("y.txt", b"1\n0\n".to_vec()),
    ]);
    let ways = [
        ("x.npy", Some("y.npy")),
        ("x.npy", Some("y.txt")),
        ("x.npy.gz", Some("both.parquet")),
        ("x.npy", Some("both.npz")),
        ("both.npz", None),
        ("both.csv", None),
        ("both.csv.gz", None),
        ("both.parquet", None),
        ("both.npz:k", None),
    ];
    for (data, labels) in ways {
        let set = folder.read(data, labels).unwrap();
        assert_eq!((set.len(), set.point(0).unwrap(), set.point(1).unwrap()), (2, vec![0.5, 1.0], vec![-1.0, 2.0]));
        assert_eq!(set.points_origin().digest, Digest::of(&fs::read(&folder.source(data).path).unwrap()), "{data}");
        assert_eq!((set.label(0), set.label(1)), (1, 0), "{data}");
        assert!(set.fits(&two_inputs()).is_ok());
        assert_eq!(
            (set.is_table(), set.integer_features()),
            (data.starts_with("both.") && !data.contains("npz"), &[false, true][..]),
            "{data}"
        );
    }
    let set = folder.read("both.npz", None).unwrap();
    assert!(set.labels_origin().source.to_string().ends_with("both.npz:labels"));
    assert_eq!(set.labels_origin().digest, set.points_origin().digest);
}

#[test]
fn tables_have_names_of_columns() {
    let folder = Folder::new(&[
        ("named.csv", b"a,label,b\n1,0,0.5\n2,0,1\n".to_vec()),
        ("bare.csv", b"1,2,0\n".to_vec()),
        ("all.csv", b"a,b\n1,2\n".to_vec()),
        ("y.csv", b"0\n".to_vec()),
    ]);
    let columns = |data: &str, labels| folder.read(data, labels).unwrap().columns().unwrap().join(" ");
    assert_eq!(columns("named.csv", None), "a b");
    assert_eq!(columns("bare.csv", None), "0 1");
    assert_eq!(columns("all.csv", Some("y.csv")), "a b");
    assert_eq!(folder.read("named.csv", None).unwrap().integer_features(), [true, false]);
}

#[test]
fn defects_are_refused_with_their_reason() {
    let array = |shape: &str, values: &[f32]| file("<f4", "False", shape, &floats(values));
    let folder = Folder::new(&[
        ("x.npy", array("(1, 2)", &[0.0, 0.0])),
        ("y.npy", file("|u1", "False", "(2,)", &[1, 0])),
        ("nan.npy", array("(2, 2)", &[0.0, 0.0, f32::NAN, 0.0])),
        ("none.npy", array("(0, 2)", &[])),
        ("scalar.npy", array("()", &[1.0])),
        ("only_x.npz", archive(&[("x.npy", array("(1, 1)", &[0.0]))], CompressionMethod::Stored)),
        ("odd.npz", archive(&[("q.npy", array("(1, 1)", &[0.0]))], CompressionMethod::Stored)),
    ]);
    let message = |data: &str, labels: Option<&str>| folder.read(data, labels).unwrap_err();
    assert_eq!(
        message("x.npy", Some("y.npy")),
        "y.npy: labels: expected 1 labels, one for each point of x.npy, found 2"
    );
    assert_eq!(
        message("x.npy", None),
        "x.npy: labels: expected a file of labels (--labels), as this format holds points only, found none"
    );
    assert_eq!(message("nan.npy", Some("y.npy")), "nan.npy: point 1, element 0: expected a finite number, found NaN");
    assert_eq!(message("none.npy", Some("y.npy")), "none.npy: points: expected at least one point, found none");
    assert_eq!(
        message("scalar.npy", Some("y.npy")),
        "scalar.npy: array: expected an array of points, found a single number"
    );
    assert_eq!(
        message("only_x.npz", None),
        "only_x.npz: archive: expected an array `y` with labels, or --labels FILE, found `x`"
    );
    assert_eq!(
        message("odd.npz", None),
        "odd.npz: archive: expected an array `x`, `X`, `images`, `data`, `x_test` or `x_train`, or FILE.npz:ARRAY, found `q`"
    );
    assert_eq!(message("gone.npy", None), "gone.npy: cannot read: No such file or directory (os error 2)");
}

#[test]
fn data_that_do_not_fit_the_network_are_refused() {
    let points = |count: usize| {
        let mut rows = Rows::new(count);
        rows.push(&vec![0.0; count]).unwrap();
        Arc::new(rows.finish().unwrap())
    };
    let set = |shape: &[usize], label: usize| Dataset {
        points: points(shape.iter().product()),
        shape: shape.to_vec(),
        labels: vec![label],
        columns: None,
        class_names: None,
        read_from: Origin { source: Source::parse("x.npy"), digest: Digest::of(b"") },
        labelled_by: Origin { source: Source::parse("y.npy"), digest: Digest::of(b"") },
        named: Named { data: "x.npy".to_owned(), labels: None, label_column: None },
    };
    let message = |set: Dataset, network: &Network| set.fits(network).unwrap_err().to_string();
    assert_eq!(
        message(set(&[28, 28], 0), &two_inputs()),
        "x.npy: points: expected 2 elements, the network's input [2], found 784 elements, shape [28, 28]"
    );
    assert_eq!(
        message(set(&[2], 2), &two_inputs()),
        "y.npy: label of point 0: expected a class from 0 to 1, as the network has outputs, found 2"
    );
    let image = crate::batch::tests::scaled(&[3, 4, 5], &[0.0; 60]);
    assert_eq!(
        message(set(&[4, 5, 3], 0), &image),
        "x.npy: points: expected shape [3, 4, 5], the network's input, found shape [4, 5, 3]; transpose the array"
    );
    assert!(set(&[60], 0).fits(&image).is_ok());
    assert!(set(&[1, 3, 4, 5], 0).fits(&image).is_ok());
}
