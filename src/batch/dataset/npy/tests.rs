use super::*;

/// The bytes of an `.npy` file.
pub(crate) fn file(dtype: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
}

/// Shape and elements of a file, in the order of the file.
fn parse(mut bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), Defect> {
    let header = Header::read(&mut bytes)?;
    let mut values = Vec::new();
    header.elements(&mut bytes, |elements| {
        values.extend_from_slice(elements);
        Ok(())
    })?;
    Ok((header.shape, values))
}

fn values(dtype: &str, data: &[u8]) -> Vec<f64> {
    let size: usize = dtype[2..].parse().unwrap();
    parse(&file(dtype, "False", &format!("({},)", data.len() / size), data)).unwrap().1
}

#[test]
fn every_type_in_both_byte_orders() {
    assert_eq!(values("<f4", &1.5f32.to_le_bytes()), [1.5]);
    assert_eq!(values(">f4", &0.1f32.to_be_bytes()), [f64::from(0.1f32)]);
    assert_eq!(values("<f8", &0.1f64.to_le_bytes()), [0.1]);
    assert_eq!(values(">f8", &(-0.1f64).to_be_bytes()), [-0.1]);
    assert_eq!(values("|u1", &[0, 255]), [0.0, 255.0]);
    assert_eq!(values("|i1", &[0x80, 127]), [-128.0, 127.0]);
    assert_eq!(values("<i2", &(-2i16).to_le_bytes()), [-2.0]);
    assert_eq!(values(">u2", &65_535u16.to_be_bytes()), [65_535.0]);
    assert_eq!(values(">i4", &(-7i32).to_be_bytes()), [-7.0]);
    assert_eq!(values("<u4", &u32::MAX.to_le_bytes()), [4_294_967_295.0]);
    assert_eq!(values("<i8", &(-(1i64 << 53)).to_le_bytes()), [-9_007_199_254_740_992.0]);
    assert_eq!(values(">u8", &3u64.to_be_bytes()), [3.0]);
}

#[test]
fn fortran_order_is_turned_into_row_major() {
    let read = |shape: &str, data: &[u8]| {
        let (shape, rows) = read_points(&mut file("|u1", "True", shape, data).as_slice(), "array").unwrap();
        let points = rows.finish().unwrap();
        let values: Vec<f64> = (0..points.count).flat_map(|index| points.point(index).unwrap()).collect();
        (shape, values)
    };
    assert_eq!(read("(2, 3)", &[1, 4, 2, 5, 3, 6]), (vec![3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    // Elements of [2, 2, 3], numbered in row-major order, as NumPy writes them in Fortran order.
    let (shape, values) = read("(2, 2, 3)", &[0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11]);
    assert_eq!((shape, values), (vec![2, 3], (0..12).map(f64::from).collect()));
}

#[test]
fn portions_of_elements_join() {
    let count = ELEMENTS_AT_ONCE + 3;
    let data: Vec<u8> = (0..count as u32).flat_map(u32::to_le_bytes).collect();
    assert!(values("<u4", &data).into_iter().eq((0..count).map(|i| i as f64)));
    let message = parse(&file("<u4", "False", &format!("({},)", count + 1), &data)).unwrap_err().to_string();
    assert_eq!(message, "data: expected 131088 bytes (32772 elements of <u4), found 131084 bytes");
    let message = parse(&file("<u4", "False", "(2,)", &data)).unwrap_err().to_string();
    assert_eq!(message, "data: expected 8 bytes (2 elements of <u4), found 131084 bytes");
}

#[test]
fn versions_two_and_three_have_long_headers() {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}\n";
    let length = u32::try_from(header.len()).unwrap().to_le_bytes();
    for version in [2, 3] {
        let bytes = [MAGIC, &[version, 0], &length, header.as_bytes(), &[3, 4]].concat();
        assert_eq!(parse(&bytes).unwrap(), (vec![2, 1], vec![3.0, 4.0]));
    }
}

#[test]
fn defects_are_refused_with_their_reason() {
    let message = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
    let types = "expected floats f4 or f8, or integers i1 to i8 or u1 to u8, found";
    let cases: [(&[u8], String); 9] = [
        (b"hello", r#"byte 0: expected the magic string "\x93NUMPY" of .npy files, found "hello""#.into()),
        (b"\x93NUMPY\x01", "header: expected a complete .npy header, found the end of the file".into()),
        (b"\x93NUMPY\x09\x00\x00\x00", "byte 6: expected version 1, 2 or 3, found version 9".into()),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
            "header: expected a complete .npy header, found the end of the file".into(),
        ),
        (b"\x93NUMPY\x01\x00\x02\x00{}", "header: expected the key `descr`, found `{}`".into()),
        (&file("<f2", "False", "(1,)", &[0; 2]), format!("header, `descr`: {types} `<f2`")),
        (&file("<c8", "False", "(1,)", &[0; 8]), format!("header, `descr`: {types} `<c8`")),
        (
            &file("<f4", "False", "(2, 3)", &[0; 20]),
            "data: expected 24 bytes (6 elements of <f4), found 20 bytes".into(),
        ),
        (
            &file("<u8", "False", "(1,)", &u64::MAX.to_le_bytes()),
            "element 0: expected an integer of at most 9007199254740992, found 18446744073709551615".into(),
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(message(bytes), expected);
    }
    let huge = message(&file("<f8", "False", "(9999999999, 9999999999)", &[]));
    assert_eq!(huge, "header: expected a shape that fits into memory, found [9999999999, 9999999999]");
    let odd = message(&file("<f8", "False", "7", &[]));
    assert_eq!(odd, "header, `shape`: expected a tuple of sizes such as (10, 784), found `7, }`");
    let order = message(&file("<f8", "0", "(1,)", &[]));
    assert_eq!(order, "header, `fortran_order`: expected True or False, found `0, 'shape': (1,), }`");
}

#[test]
fn truncated_and_damaged_files_never_panic() {
    let whole = file("<f4", "False", "(1, 2)", &[1; 8]);
    for length in 0..whole.len() {
        assert!(parse(&whole[..length]).is_err(), "{length} bytes");
    }
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x55;
        let _ = parse(&damaged);
    }
}
