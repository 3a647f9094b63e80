//! The worked example of `FORMAT.md` is what it says it is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_arithmetic)]

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{Close, Header, Item, Multipliers, Proof, Slopes, Split, Witness, encode};
use bartizan_proof::{Network, Property, Refusal, check};
use bartizan_read::{read_nnet, read_vnnlib};

/// The code blocks of the example: model, property, certificate.
fn blocks() -> [String; 3] {
    let text = include_str!("../../FORMAT.md");
    let example = text.split("## 6. Example").nth(1).and_then(|rest| rest.split("\n## 7.").next()).unwrap();
    let blocks: Vec<String> = example.split("```").skip(1).step_by(2).map(str::to_owned).collect();
    blocks.try_into().unwrap()
}

/// Everything in the certificate's block but the comments.
fn bytes(block: &str) -> Vec<u8> {
    let digits = block.lines().flat_map(|line| line.split("  #").next().unwrap().split_whitespace());
    digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn example() -> (Network, Property, Vec<u8>) {
    let [model, property, certificate] = blocks();
    let network = read_nnet(model.trim_start().as_bytes()).unwrap();
    let property = read_vnnlib(property.trim_start().as_bytes()).unwrap();
    (network, property, bytes(&certificate))
}

/// The tree that the example describes in words.
fn tree() -> Vec<Item> {
    let leaf = |alpha: [f32; 2]| {
        let slopes = Slopes { alpha: [(1, alpha.to_vec())].into(), beta: vec![1.0], constraints: vec![] };
        Item::Close(vec![Close { case: 0, multipliers: Multipliers::Atom(0), witness: Witness::Own(slopes) }])
    };
    let split = Item::Split(Split::At { place: 1, element: 0, below: 0.0, above: 0.0 });
    vec![split, leaf([0.0, 1.0]), Item::End, leaf([1.0, 0.0]), Item::End]
}

#[test]
fn the_bytes_are_those_of_the_tree() {
    let (network, property, bytes) = example();
    let header = Header::of(&network, &property);
    let encoded = encode(&header, &[Proof { region: 0, items: tree() }]);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    assert_eq!(hex(&encoded), hex(&bytes));
}

#[test]
fn the_checker_accepts_the_bytes_and_refuses_them_once_a_number_is_changed() {
    let (network, property, bytes) = example();
    let verified = check::verify(&network, &property, &bytes, NonZeroUsize::MIN).unwrap();
    assert_eq!((verified.cases(), verified.leaves()), (1, 2));
    // The second alpha of the first leaf: 1 becomes 129 / 128.
    let mut damaged = bytes.clone();
    let alpha = damaged.iter().position(|byte| *byte == 0x80).unwrap();
    damaged[alpha] += 1;
    let refused = check::verify(&network, &property, &damaged, NonZeroUsize::MIN).unwrap_err();
    assert_eq!(refused.refusal, Refusal::Slope(129.0 / 128.0));
}
