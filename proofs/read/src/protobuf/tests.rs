use super::*;

fn read(bytes: &[u8]) -> Field<'_> {
    Field::file(bytes).check("Test", &[1, 2, 3]).unwrap()
}

fn error(bytes: &[u8]) -> String {
    Field::file(bytes).check("Test", &[1, 2, 3]).unwrap_err().to_string()
}

#[test]
fn integers_of_all_lengths() {
    assert_eq!(read(&[0x08, 0x96, 0x01]).integer(1), Ok(150));
    let negative = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(read(&negative).integer(1), Ok(-1));
    assert_eq!(read(&[0x08, 0x80, 0x00]).integer(1), Ok(0), "a longer form than needed");
    assert_eq!(read(&[0x08, 0x01, 0x08, 0x02]).integer(1), Ok(2), "the last one counts");
    assert_eq!(read(&[]).integer(1), Ok(0));
}

#[test]
fn repeated_integers_are_packed_or_not_or_both() {
    let bytes = [0x08, 0x05, 0x0a, 0x03, 0x01, 0x96, 0x01, 0x08, 0x06];
    assert_eq!(read(&bytes).integers(1), Ok(vec![5, 1, 150, 6]));
    assert_eq!(read(&[0x0a, 0x00]).integers(1), Ok(vec![]));
}

#[test]
fn repeated_floats_are_packed_or_not_or_both() {
    let packed = [0x0a, 0x08, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40];
    let floats = read(&packed).fixed::<4>(1).unwrap();
    assert_eq!(read(&packed).one(1).unwrap().unwrap().chunks::<4>().unwrap(), floats);
    assert_eq!(floats.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>(), [1.0, 2.0]);
    let unpacked = [0x0d, 0, 0, 0x80, 0x3f, 0x0d, 0, 0, 0, 0x40];
    assert_eq!(read(&unpacked).fixed::<4>(1).unwrap(), floats);
    assert_eq!(read(&[packed.as_slice(), &unpacked].concat()).fixed::<4>(1).unwrap(), floats.repeat(2));
    let double = [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
    assert_eq!(read(&double).fixed::<8>(1).unwrap().len(), 1);
}

#[test]
fn nested_messages_know_their_place_in_the_file() {
    let bytes = [0x12, 0x02, 0x08, 0x07, 0x1a, 0x02, b'h', b'i'];
    let outer = read(&bytes);
    assert_eq!(outer.one(2).unwrap().unwrap().integer(1), Ok(7));
    assert_eq!(outer.text(3), Ok("hi"));
    assert_eq!(outer.text(1), Ok(""));
    assert!(outer.one(1).unwrap().is_none());
    let nested = [0x08, 0x01, 0x12, 0x02, 0x20, 0x07];
    let inner = read(&nested).one(2).unwrap().unwrap();
    let refused = inner.check("Inner", &[1]).unwrap_err();
    assert_eq!(refused.to_string(), "byte 5: expected a supported field of Inner, found field 4");
}

#[test]
fn malformed_bytes_are_refused_at_their_offset() {
    for (bytes, message) in [
        (&[0x08][..], "byte 1: expected 1 more bytes, found 0"),
        (&[0x08, 0x80], "byte 1: expected 2 more bytes, found 1"),
        (&[0x0a, 0x05, 0x00], "byte 2: expected 5 more bytes, found 1"),
        (&[0x09, 0x00], "byte 1: expected 8 more bytes, found 1"),
        (&[0x0b], "byte 0: expected wire type 0, 1, 2 or 5, found wire type 3"),
        (&[0x0f], "byte 0: expected wire type 0, 1, 2 or 5, found wire type 7"),
        (&[0x00, 0x00], "byte 0: expected a field from 1 to 536870911, found field 0"),
        (&[0x08, 0x01, 0x20, 0x01], "byte 3: expected a supported field of Test, found field 4"),
    ] {
        assert_eq!(error(bytes), message);
    }
    let too_long = [&[0x08][..], &[0xff; 9], &[0x02]].concat();
    assert_eq!(error(&too_long), "byte 1: expected an integer of at most 64 bits, found a longer one");
    let padded = [&[0x08][..], &[0x80; 10], &[0x00]].concat();
    assert_eq!(error(&padded), "byte 1: expected an integer of at most 64 bits, found a longer one");
    let endless = [&[0x0a][..], &[0xff; 9], &[0x01]].concat();
    assert_eq!(error(&endless), "byte 11: expected 18446744073709551615 more bytes, found 0");
}

#[test]
fn values_of_another_type_are_refused() {
    let refused = |result: Result<()>| result.unwrap_err().to_string();
    let integer = [0x08, 0x01];
    let message = "byte 1: expected field 1 of wire type [2], found wire type 0";
    assert_eq!(refused(read(&integer).one(1).map(drop)), message);
    assert_eq!(refused(read(&integer).text(1).map(drop)), message);
    let message = "byte 1: expected field 1 of wire type [5, 2], found wire type 0";
    assert_eq!(refused(read(&integer).fixed::<4>(1).map(drop)), message);
    let bytes = [0x0a, 0x03, 0xff, 0xff, 0xff];
    let message = "byte 2: expected field 1 in elements of 4 bytes, found 3 bytes";
    assert_eq!(refused(read(&bytes).fixed::<4>(1).map(drop)), message);
    let message = "byte 2: expected field 1 of wire type [0], found wire type 2";
    assert_eq!(refused(read(&bytes).integer(1).map(drop)), message);
    assert_eq!(refused(read(&bytes).text(1).map(drop)), "byte 2: expected field 1 in UTF-8, found other bytes");
    assert!(read(&bytes).integers(1).is_err());
    let double = [0x09, 0, 0, 0, 0, 0, 0, 0, 0];
    let message = "byte 1: expected field 1 of wire type [5, 2], found wire type 1";
    assert_eq!(refused(read(&double).fixed::<4>(1).map(drop)), message);
    let twice = [0x0a, 0x00, 0x0a, 0x00];
    assert_eq!(refused(read(&twice).one(1).map(drop)), "byte 4: expected field 1 only once, found it again");
}
