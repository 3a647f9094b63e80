use super::*;

const SMALL: &str = "// a comment\n// another\n2,2,1,2,\n2,2,1,\n0,\n-1.0,-1.0,\n1.0,1.0,\n\
    0.5,-0.5,7.0,\n2.0,4.0,10.0,\n1.0,-1.0,\n0.0,0.25,\n0.5,\n-0.5,\n2.0,1.0,\n0.125,\n";

#[test]
fn raw_inputs_are_normalised_and_outputs_restored() {
    let network = read_nnet(SMALL.as_bytes()).unwrap();
    assert_eq!((network.input_shape(), network.output_shape()), (&[2][..], &[1][..]));
    // x = (2.5, 1.5): normalised (1, 0.5); layer 1: (1, -0.375), after ReLU (1, 0); layer 2: 2.125; restored 28.25.
    assert_eq!(network.evaluate(&[2.5, 1.5]), [28.25]);
    // Not clipped to the maximum of 1: a larger input gives another output.
    assert_eq!(network.evaluate(&[4.5, 1.5]), [48.25]);
}

#[test]
fn normalisation_that_changes_nothing_takes_no_node() {
    let plain = SMALL.replace("0.5,-0.5,7.0", "0,0,0").replace("2.0,4.0,10.0", "1,1,1.0");
    let network = read_nnet(plain.as_bytes()).unwrap();
    assert_eq!(network.nodes().len(), 4);
}

#[test]
fn decimals_are_enclosed_and_zeros_stay_exact() {
    let text = SMALL.replace("1.0,-1.0,\n0.0,0.25", "0.1,-1.0,\n0.0,0.25").replace("\n0.125,", "\n0.1,");
    let network = read_nnet(text.as_bytes()).unwrap();
    let layers = network.nodes().iter().filter_map(|node| match &node.op {
        Op::Affine(affine) => Some(affine),
        _ => None,
    });
    let layers: Vec<&Affine> = layers.collect();
    assert!((1..=4).contains(&layers[1].terms[0].roundings));
    assert!(matches!(&layers[1].terms[0].map, Map::Dense(map) if map.weights[2] == 0.0));
    assert_eq!(layers[2].bias, [enclose_decimal("0.1").unwrap()]);
    assert_eq!(layers[2].terms[0].roundings, 0);
}

#[test]
fn malformed_files_are_refused() {
    for (from, to, message) in [
        (
            "2,2,1,2,",
            "2,2,1,",
            "line 3, column 1: expected layers, inputs, outputs and widest layer, as positive integers, found `2,2,1,`",
        ),
        (
            "2,2,1,\n0",
            "2,3,1,5,\n0",
            "line 4, column 1: expected the sizes of all layers, as positive integers, found `2,3,1,5,`",
        ),
        ("2,2,1,\n0", "3,2,1,\n0", "line 4, column 1: expected sizes from 2 to 1, found [3, 2, 1]"),
        ("0.5,-0.5,7.0,", "0.5,-0.5,", "line 8, column 1: expected means, 3 numbers, found 2"),
        ("0.0,0.25", "0.0,x", "line 11, column 5: expected a decimal number, found `x`"),
        ("0.0,0.25", "0.0,", "line 11, column 1: expected weights of neuron 1 of layer 1, 2 numbers, found 1"),
        ("0.0,0.25", "0.0,inf", "line 11, column 5: expected a decimal number, found `inf`"),
        ("2.0,4.0,10.0", "0.0,4.0,10.0", "line 9, column 1: expected ranges that are not 0, found 0"),
        ("\n0.125,", "", "line 14, column 1: expected the bias of neuron 0 of layer 2, found the end of the file"),
        ("\n0.125,", "\n0.125,\n1.0,", "line 16, column 1: expected the end of the file, found `1.0,`"),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL);
        assert_eq!(read_nnet(text.as_bytes()).unwrap_err().to_string(), message);
    }
    let error = read_nnet(&[0xff]).unwrap_err().to_string();
    assert_eq!(error, "byte 0: expected text in UTF-8, found other bytes");
}

#[test]
fn truncated_and_oversized_files_are_errors() {
    // The last line is `0.125,`; a file that ends inside it may hold a shorter number.
    for length in 0..=SMALL.len() - 7 {
        assert!(read_nnet(&SMALL.as_bytes()[..length]).is_err(), "{length}");
    }
    let gigantic = SMALL.replacen("2,2,1,2,", "2,999999999999,1,2,", 1).replacen("2,2,1,\n", "999999999999,2,1,\n", 1);
    assert!(read_nnet(gigantic.as_bytes()).is_err());
    let layers = SMALL.replacen("2,2,1,2,", "18446744073709551615,2,1,2,", 1);
    assert!(read_nnet(layers.as_bytes()).is_err());
}
