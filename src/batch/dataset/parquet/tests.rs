use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::*;

/// A column of a row group, with definition and repetition levels where the schema asks for them.
#[derive(Clone)]
pub(crate) enum Cells {
    Bool(Vec<bool>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Text(Vec<&'static str>),
    /// Numbers, definition levels and repetition levels.
    Levels(Vec<f32>, Vec<i16>, Vec<i16>),
}

/// The bytes of a file.
pub(crate) fn file(schema: &str, groups: &[Vec<Cells>], compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message table {{ {schema} }}")).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    for columns in groups {
        let mut group = writer.next_row_group().unwrap();
        for cells in columns {
            let mut column = group.next_column().unwrap().unwrap();
            match cells {
                Cells::Bool(v) => column.typed::<BoolType>().write_batch(v, None, None),
                Cells::Int(v) => column.typed::<Int32Type>().write_batch(v, None, None),
                Cells::Long(v) => column.typed::<Int64Type>().write_batch(v, None, None),
                Cells::Float(v) => column.typed::<FloatType>().write_batch(v, None, None),
                Cells::Double(v) => column.typed::<DoubleType>().write_batch(v, None, None),
                Cells::Text(v) => {
                    let texts: Vec<ByteArray> = v.iter().map(|text| ByteArray::from(*text)).collect();
                    column.typed::<ByteArrayType>().write_batch(&texts, None, None)
                }
                Cells::Levels(v, d, r) => column.typed::<FloatType>().write_batch(v, Some(d), Some(r)),
            }
            .unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

/// All points that a file holds, as they are read where anything may be damaged.
fn read_damaged(bytes: &[u8]) -> Result<(), Defect> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Table::read(file, |table| table.points(true, None)?.rows.finish().map(|_| ()))
}

#[test]
fn a_panic_of_the_decoder_is_an_error() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&file_of_every_type()).unwrap();
    let read = Table::read(file, |_| -> Result<(), Defect> { panic!("no {}", "dictionary") });
    assert_eq!(read.unwrap_err().to_string(), "file: expected intact data, found no dictionary");
}

fn file_of_every_type() -> Vec<u8> {
    file(EVERY_TYPE, &every_type(), Compression::SNAPPY)
}

/// A file with the bytes.
fn opened(bytes: &[u8]) -> Result<Table, Defect> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Table::open(file)
}

/// All points, their labels, and the names of the elements.
type Read = (Vec<Vec<f64>>, Option<Labels>, Option<Vec<String>>);

fn read(bytes: &[u8], with_labels: bool, column: Option<&str>) -> Result<Read, Defect> {
    let found = opened(bytes)?.points(with_labels, column)?;
    let points = found.rows.finish()?;
    let values = (0..points.count).map(|index| points.point(index).unwrap()).collect();
    Ok((values, found.labels, found.names))
}

fn message(bytes: &[u8]) -> String {
    read(bytes, true, None).unwrap_err().to_string()
}

const EVERY_TYPE: &str = "required boolean a; required int32 label; required int32 b (INTEGER(8,true)); \
     required int32 c (INTEGER(32,false)); required int64 d; required int64 e (INTEGER(64,false)); \
     required float f; required double g;";

fn every_type() -> Vec<Vec<Cells>> {
    let rows = |sign: i32| {
        vec![
            Cells::Bool(vec![true, false]),
            Cells::Int(vec![3, 1]),
            Cells::Int(vec![-128, sign]),
            Cells::Int(vec![-1, 7]),
            Cells::Long(vec![-(1 << 53), 1]),
            Cells::Long(vec![1 << 53, 2]),
            Cells::Float(vec![0.1, 1.5]),
            Cells::Double(vec![0.1, -0.0]),
        ]
    };
    vec![rows(1), rows(-1)]
}

#[test]
fn every_type_in_several_row_groups_and_every_codec() {
    let exact = 9_007_199_254_740_992.0;
    let row = [1.0, -128.0, 4_294_967_295.0, -exact, exact, f64::from(0.1f32), 0.1];
    let other = |sign: f64| vec![0.0, sign, 7.0, 1.0, 2.0, 1.5, -0.0];
    let expected = vec![row.to_vec(), other(1.0), row.to_vec(), other(-1.0)];
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for codec in codecs {
        let (points, labels, names) = read(&file(EVERY_TYPE, &every_type(), codec), true, None).unwrap();
        assert_eq!(points, expected, "{codec}");
        assert_eq!(labels, Some((vec![3, 1, 3, 1], Some("label".to_owned()))));
        assert_eq!(names.unwrap(), ["a", "b", "c", "d", "e", "f", "g"]);
    }
}

#[test]
fn the_label_is_chosen_as_in_text() {
    let bytes = file(
        "required int32 a; required int32 b;",
        &[vec![Cells::Int(vec![1, 2]), Cells::Int(vec![3, 4])]],
        Compression::SNAPPY,
    );
    let labels = |column: Option<&str>| read(&bytes, true, column).unwrap().1.unwrap();
    assert_eq!(labels(None), (vec![3, 4], Some("b".to_owned())));
    assert_eq!(labels(Some("a")), (vec![1, 2], Some("a".to_owned())));
    assert_eq!(labels(Some("0")), (vec![1, 2], Some("a".to_owned())));
    let refused = read(&bytes, true, Some("c")).unwrap_err().to_string();
    assert_eq!(refused, "columns: expected `c`, found `a`, `b`");
    assert_eq!(read(&bytes, false, None).unwrap().0, [[1.0, 3.0], [2.0, 4.0]]);
    assert_eq!(opened(&bytes).unwrap().labels(Some("a")).unwrap().0, [1, 2]);
}

const LISTS: &str = "optional group image (LIST) { repeated group list { optional float element; } } required int64 y;";

/// A file of lists of numbers, whose elements are there (level 3), null (2), or not there because the list is empty (1) or null (0).
fn lists(groups: &[(&[f32], &[i16], &[i16])]) -> Vec<u8> {
    let groups: Vec<Vec<Cells>> = groups
        .iter()
        .map(|(values, present, repeated)| {
            let rows = repeated.iter().filter(|level| **level == 0).count() as i64;
            vec![Cells::Levels(values.to_vec(), present.to_vec(), repeated.to_vec()), Cells::Long((0..rows).collect())]
        })
        .collect();
    file(LISTS, &groups, Compression::SNAPPY)
}

#[test]
fn lists_of_one_length_are_points() {
    let bytes = lists(&[(&[1.0, 2.0, 3.0, 4.5], &[3; 4], &[0, 1, 0, 1]), (&[5.0, 6.0], &[3; 2], &[0, 1])]);
    let (points, labels, names) = read(&bytes, true, None).unwrap();
    assert_eq!(points, [[1.0, 2.0], [3.0, 4.5], [5.0, 6.0]]);
    assert_eq!((labels, names), (Some((vec![0, 1, 0], Some("y".to_owned()))), None));
}

#[test]
fn lists_of_other_lengths_and_nulls_are_refused() {
    let first: (&[f32], &[i16], &[i16]) = (&[1.0, 2.0], &[3; 2], &[0, 1]);
    let longer = lists(&[first, (&[1.0; 5], &[3; 5], &[0, 1, 0, 1, 1])]);
    assert_eq!(message(&longer), "row 2, column `image`: expected a list of 2 numbers, as in the first row, found 3");
    let shorter = lists(&[(&[1.0; 3], &[3; 3], &[0, 1, 0])]);
    assert_eq!(message(&shorter), "row 1, column `image`: expected a list of 2 numbers, as in the first row, found 1");
    for (values, present, repeated) in
        [(&[1.0][..], &[3, 2][..], &[0, 1][..]), (&[], &[1], &[0]), (&[], &[0], &[0]), (&[1.0], &[2, 3], &[0, 1])]
    {
        let bytes = lists(&[first, (values, present, repeated)]);
        let expected = "row 1, column `image`: expected a list of numbers, found a null or an empty list";
        assert_eq!(message(&bytes), expected);
        assert!(message(&lists(&[(values, present, repeated)])).starts_with("row 0, column `image`: expected a list"));
    }
}

#[test]
fn cells_that_are_no_points_are_refused() {
    let one = |schema: &str, cells: Cells| {
        file(
            &format!("{schema} required int32 label;"),
            &[vec![cells, Cells::Int(vec![0; 2])]],
            Compression::UNCOMPRESSED,
        )
    };
    let null = one("optional float a;", Cells::Levels(vec![1.0], vec![1, 0], vec![0; 2]));
    assert_eq!(message(&null), "row 1, column `a`: expected a number, found a null");
    let large = one("required int64 a;", Cells::Long(vec![0, (1 << 53) + 1]));
    assert_eq!(
        message(&large),
        "row 1, column `a`: expected an integer of at most 9007199254740992, found 9007199254740993"
    );
    let unsigned = one("required int64 a (INTEGER(64,false));", Cells::Long(vec![0, -1]));
    assert_eq!(
        message(&unsigned),
        "row 1, column `a`: expected an integer of at most 9007199254740992, found 18446744073709551615"
    );
    let nan = one("required double a;", Cells::Double(vec![0.0, f64::NAN]));
    assert_eq!(message(&nan), "point 1, element 0: expected a finite number, found NaN");
    let types = "expected booleans, integers, floats or doubles, found";
    let text = one("required binary a (STRING);", Cells::Text(vec!["x", "y"]));
    assert_eq!(message(&text), format!("column `a`: {types} BYTE_ARRAY (String)"));
    let date = one("required int32 a (DATE);", Cells::Int(vec![1, 2]));
    assert_eq!(message(&date), format!("column `a`: {types} INT32 (Date)"));
    let nested = one("required group a { required float b; }", Cells::Float(vec![0.0; 2]));
    assert_eq!(
        message(&nested),
        "column `a.b`: expected a column of numbers or of lists of numbers, found a nested one"
    );
    let label = file("required float label;", &[vec![Cells::Float(vec![0.5])]], Compression::UNCOMPRESSED);
    assert_eq!(message(&label), "row 0, column `label`: expected a class index (0, 1, 2, ...), found 0.5");
}

#[test]
fn lists_beside_other_columns_are_refused() {
    let levels = || Cells::Levels(vec![1.0], vec![3], vec![0]);
    let list = "optional group image (LIST) { repeated group list { optional float element; } }";
    let columns = vec![levels(), Cells::Int(vec![0]), Cells::Int(vec![0])];
    let bytes = file(&format!("{list} required int32 a; required int32 label;"), &[columns], Compression::SNAPPY);
    assert_eq!(
        message(&bytes),
        "column `image`: expected no other column than the label's beside a column of lists, found 1 other columns"
    );
    let columns = vec![Cells::Int(vec![0]), levels()];
    let bytes = file(&format!("required int32 class; {list}"), &[columns], Compression::SNAPPY);
    assert_eq!(
        message(&bytes),
        "column `image`: expected a column of labels, which --label-column names, not lists, found lists"
    );
    assert_eq!(read(&bytes, true, Some("class")).unwrap().0, [[1.0]]);
}

#[test]
fn truncated_and_damaged_files_never_panic() {
    let files = [file_of_every_type(), lists(&[(&[1.0, 2.0], &[3; 2], &[0, 1])])];
    for whole in files {
        for length in 0..whole.len() {
            let text = message(&whole[..length]);
            assert!(text.starts_with("file: expected a complete Parquet file, found "), "{length} bytes: {text}");
        }
        for place in 0..whole.len() {
            for flip in [0x01, 0x55, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] ^= flip;
                let _ = read_damaged(&damaged);
            }
        }
    }
}
