use std::path::PathBuf;

use ::png::{BitDepth, ColorType, Encoder};

use super::*;
use crate::batch::dataset::Dataset;

/// The bytes of an image.
fn image((width, height): (u32, u32), kind: (ColorType, BitDepth), samples: &[u8]) -> Vec<u8> {
    changed((width, height), kind, samples, |_| {})
}

fn changed(
    (width, height): (u32, u32),
    (color, depth): (ColorType, BitDepth),
    samples: &[u8],
    change: impl Fn(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    change(&mut encoder);
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    bytes
}

const GREY: (ColorType, BitDepth) = (ColorType::Grayscale, BitDepth::Eight);

fn grey(samples: [u8; 2]) -> Vec<u8> {
    image((2, 1), GREY, &samples)
}

/// A folder with files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        for (name, bytes) in files {
            let path = folder.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("images").join(name)
    }

    fn read(&self, labels: Option<&str>) -> Result<Dataset, String> {
        let source = |name: &str| Source { path: self.path(name), part: None };
        let read = Dataset::read(&source(""), labels.map(source).as_ref(), None);
        let root = self.0.path().display().to_string();
        read.map_err(|e| e.to_string().replace(&format!("{root}/"), ""))
    }
}

fn points(set: &Dataset) -> Vec<Vec<f64>> {
    (0..set.len()).map(|index| set.point(index).unwrap()).collect()
}

fn labels(set: &Dataset) -> Vec<usize> {
    (0..set.len()).map(|index| set.label(index)).collect()
}

#[test]
fn samples_are_integers_with_the_channel_first() {
    let decode = |bytes: &[u8]| png::decode(bytes).unwrap();
    assert_eq!(decode(&image((2, 1), GREY, &[0, 255])), (vec![1, 1, 2], vec![0.0, 255.0]));
    let deep = (ColorType::Grayscale, BitDepth::Sixteen);
    assert_eq!(decode(&image((1, 2), deep, &[1, 2, 255, 255])), (vec![1, 2, 1], vec![258.0, 65_535.0]));
    let colour = (vec![3, 1, 2], vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(decode(&image((2, 1), (ColorType::Rgb, BitDepth::Eight), &[1, 2, 3, 4, 5, 6])), colour);
    let deep = (ColorType::Rgb, BitDepth::Sixteen);
    assert_eq!(decode(&image((1, 1), deep, &[0, 1, 1, 0, 0, 3])), (vec![3, 1, 1], vec![1.0, 256.0, 3.0]));
    for (depth, samples) in [(BitDepth::Eight, &[0, 1][..]), (BitDepth::One, &[0b0100_0000])] {
        let palette = |encoder: &mut Encoder<&mut Vec<u8>>| encoder.set_palette(vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(decode(&changed((2, 1), (ColorType::Indexed, depth), samples, palette)), colour);
    }
}

#[test]
fn kinds_of_images_that_are_refused() {
    let message = |bytes: &[u8]| png::decode(bytes).unwrap_err().to_string();
    let alpha = "image: expected grey or colours without transparency, found";
    let rgba = image((1, 1), (ColorType::Rgba, BitDepth::Eight), &[1, 2, 3, 255]);
    assert_eq!(message(&rgba), format!("{alpha} Rgba with transparency"));
    let transparent = image((1, 1), (ColorType::GrayscaleAlpha, BitDepth::Eight), &[1, 2]);
    assert_eq!(message(&transparent), format!("{alpha} GrayscaleAlpha with transparency"));
    let key = changed((1, 1), GREY, &[1], |encoder| encoder.set_trns(vec![0, 1]));
    assert_eq!(message(&key), format!("{alpha} Grayscale with transparency"));
    let bits = image((8, 1), (ColorType::Grayscale, BitDepth::One), &[0]);
    assert_eq!(message(&bits), "image: expected 8 or 16 bits a sample, found 1 bits");
    let animation = changed((1, 1), GREY, &[1], |encoder| encoder.set_animated(1, 0).unwrap());
    assert_eq!(message(&animation), "image: expected one picture, found an animation");
    let start = "image: expected a complete PNG file, found ";
    assert!(message(b"GIF89a").starts_with(start), "{}", message(b"GIF89a"));
}

#[test]
fn truncated_and_damaged_images_never_panic() {
    let whole = grey([3, 4]);
    for length in 0..whole.len() {
        assert!(png::decode(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x55;
        let _ = png::decode(&damaged);
    }
}

#[test]
fn sub_folders_are_classes() {
    let [one, two, three] = [grey([1, 1]), grey([2, 2]), grey([3, 3])];
    let files = [("dog/b.png", one), ("cat/deep/c.PNG", two), ("dog/a.png", three), ("ant/readme.md", Vec::new())];
    let set = Folder::new(&files).read(None).unwrap();
    assert_eq!(points(&set), [[2.0, 2.0], [3.0, 3.0], [1.0, 1.0]]);
    assert_eq!(labels(&set), [1, 2, 2]);
    assert_eq!(set.class_names().unwrap(), ["ant", "cat", "dog"]);
    assert_eq!((set.width(), set.is_table(), set.integer_features()), (2, false, &[true, true][..]));
    let numbers = Folder::new(&[("10/a.png", grey([1, 1])), ("9/a.png", grey([2, 2]))]).read(None).unwrap();
    assert_eq!((labels(&numbers), numbers.class_names()), (vec![10, 9], None));
}

#[test]
fn the_digests_are_those_of_paths_with_files_and_with_labels() {
    let files = [("b/2.png", grey([1, 2])), ("a/1.png", grey([3, 4]))];
    let set = Folder::new(&files).read(None).unwrap();
    let part = |path: &str, bytes: &[u8]| [path.as_bytes(), &[0], Digest::of(bytes).bytes()].concat();
    let expected = Digest::of(&[part("a/1.png", &files[1].1), part("b/2.png", &files[0].1)].concat());
    let labels = Digest::of(b"a/1.png\0\x00\0\0\0\0\0\0\0b/2.png\0\x01\0\0\0\0\0\0\0");
    assert_eq!((set.points_origin().digest, set.labels_origin().digest), (expected, labels));
}

#[test]
fn a_table_gives_labels_and_order() {
    let table = b"label,file\n1,a/x.png\n0, y.png\n".to_vec();
    let folder = Folder::new(&[("a/x.png", grey([1, 1])), ("y.png", grey([2, 2])), ("t.csv", table.clone())]);
    let set = folder.read(Some("t.csv")).unwrap();
    assert_eq!((points(&set), labels(&set)), (vec![vec![1.0, 1.0], vec![2.0, 2.0]], vec![1, 0]));
    assert_eq!((set.class_names(), set.labels_origin().digest), (None, Digest::of(&table)));
    let other = b"label,file\n0,y.png\n1,a/x.png\n".to_vec();
    let folder = Folder::new(&[("a/x.png", grey([1, 1])), ("y.png", grey([2, 2])), ("t.csv", other)]);
    let turned = folder.read(Some("t.csv")).unwrap();
    assert_eq!((points(&turned), labels(&turned)), (vec![vec![2.0, 2.0], vec![1.0, 1.0]], vec![0, 1]));
    assert_eq!(set.points_origin().digest, turned.points_origin().digest);
}

#[test]
fn tables_that_do_not_fit_the_folder_are_refused() {
    let message = |table: &str| {
        let files = [("x.png", grey([1, 1])), ("y.png", grey([2, 2])), ("t.csv", table.as_bytes().to_vec())];
        Folder::new(&files).read(Some("t.csv")).unwrap_err().replace("images/t.csv: ", "")
    };
    let head = "file,label\nx.png,0\n";
    assert_eq!(message(head), "table: expected a line for each image in images/, found none for `y.png`");
    assert_eq!(
        message(&format!("{head}z.png,0\n")),
        "line 3, column `file`: expected an image in images/, found `z.png`"
    );
    assert_eq!(
        message(&format!("{head}\nx.png,0\n")),
        "line 4, column `file`: expected each image once, found `x.png` in line 2, too"
    );
    let classes = "line 3, column `label`: expected a class index (0, 1, 2, ...), found";
    assert_eq!(message(&format!("{head}y.png,-1\n")), format!("{classes} -1"));
    assert_eq!(message(&format!("{head}y.png,cat\n")), format!("{classes} `cat`"));
    assert_eq!(message(&format!("{head}y.png\n")), "line 3: expected 2 cells as in the first line, found 1");
    assert_eq!(message("name,label\n"), "first line: expected a column `file`, found `name`, `label`");
    assert_eq!(message(""), "table: expected at least one row, found an empty file");
}

#[test]
fn folders_that_are_no_data_set_are_refused() {
    let message = |files: &[(&str, Vec<u8>)]| Folder::new(files).read(None).unwrap_err();
    assert_eq!(
        message(&[("a/x.png", grey([1, 1])), ("y.png", grey([1, 1]))]),
        "images/: image `y.png`: expected a sub-folder for each class, or --labels FILE.csv with the columns `file` and `label`, \
         found no label"
    );
    assert_eq!(
        message(&[("a/x.png", grey([1, 1])), ("a/y.png", image((1, 2), GREY, &[1, 2]))]),
        "images/a/y.png: channels, height and width: expected [1, 1, 2] as of a/x.png, found [1, 2, 1]"
    );
    assert_eq!(message(&[("a/x.jpg", Vec::new())]), "images/a: folder: expected PNG images only, found `x.jpg`");
    assert_eq!(message(&[("a/x.txt", Vec::new())]), "images/: points: expected at least one point, found none");
    let broken = message(&[("a/x.png", b"no".to_vec())]);
    assert!(broken.starts_with("images/a/x.png: image: expected a complete PNG file, found "), "{broken}");
}

#[test]
fn folders_that_shift_the_labels_change_their_digest() {
    let folder = Folder::new(&[("cat/a.png", grey([1, 2])), ("dog/a.png", grey([3, 4]))]);
    let before = folder.read(None).unwrap();
    fs::create_dir(folder.path("aardvark")).unwrap();
    let after = folder.read(None).unwrap();
    assert_eq!((labels(&before), labels(&after)), (vec![0, 1], vec![1, 2]));
    assert_eq!(before.points_origin().digest, after.points_origin().digest);
    assert_ne!(before.labels_origin().digest, after.labels_origin().digest);
}
