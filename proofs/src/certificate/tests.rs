#![allow(clippy::float_arithmetic)]

use super::*;
use crate::digest::Digest;
use crate::error::Refusal;
use crate::semantics::Semantics;

fn header() -> Header {
    Header { model: Digest::of(b"model"), property: Digest::of(b"property"), semantics: Semantics::Real }
}

/// Reads a certificate to its end; trees are taken from their items alone.
fn decode(bytes: &[u8]) -> Result<(Header, Vec<Proof>), Refusal> {
    let source = bytes.to_vec();
    let mut decoder = Decoder::new(&source, 0)?;
    let (header, count) = decoder.header()?;
    let mut proofs = Vec::new();
    for _ in 0..count {
        let (region, mut items, mut open) = (decoder.number()?, Vec::new(), 1);
        while open > 0 {
            let (item, _) = decoder.item()?;
            match item {
                Item::End | Item::Empty | Item::Leave => open -= 1,
                Item::Split(_) | Item::Prove(_) | Item::Lemma(..) => open += 1,
                _ => {}
            }
            items.push(item);
        }
        proofs.push(Proof { region, items });
    }
    decoder.finish()?;
    Ok((header, proofs))
}

fn signs(base: Witness, nodes: Vec<SignNode>) -> Witness {
    Witness::Signs(Box::new(Signs { base, nodes }))
}

/// A certificate with every kind of item and witness.
fn everything() -> Vec<Proof> {
    let alphas = vec![0.0, 0.5, 1.0, 127.0 / 128.0, 0.25, 0.75, 0.0, 1.0, 1.0];
    let short = Slopes { alpha: [(1, alphas), (3, vec![1.0])].into(), beta: vec![0.5, 3.0], constraints: vec![2.0] };
    let long = Slopes { alpha: [(2, vec![0.1, 0.9])].into(), beta: vec![0.3], constraints: vec![] };
    let literal = Literal { place: 2, element: 300, side: Side::Upper, at: -0.125 };
    let target = |element, side, witness| Target { element, side, witness };
    let close = |case, multipliers, witness| Close { case, multipliers, witness };
    let nodes = vec![
        SignNode::Split(1, 300),
        SignNode::Split(63, 0),
        SignNode::Leaf(vec![0.5, 0.0]),
        SignNode::Base(short.clone()),
        SignNode::Base(long.clone()),
        SignNode::Own(long.clone()),
        SignNode::Base(long.clone()),
        SignNode::Split(0, 0),
        SignNode::Leaf(vec![0.1]),
        SignNode::Own(short.clone()),
    ];
    let alone = vec![SignNode::Base(Slopes::default()), SignNode::Leaf(vec![])];
    let targets = vec![
        target(0, Side::Lower, Witness::Default),
        target(128, Side::Upper, Witness::Kept(1)),
        target(3, Side::Lower, Witness::Own(long.clone())),
        target(5, Side::Upper, signs(Witness::Kept(0), vec![SignNode::Leaf(vec![])])),
        target(6, Side::Upper, signs(Witness::Own(long.clone()), nodes.clone())),
        target(7, Side::Lower, signs(Witness::Default, alone)),
    ];
    let items = vec![
        Item::TightenAll,
        Item::Forms,
        Item::Tighten(1, Targets::Undecided),
        Item::Tighten(2, Targets::Marked(vec![true; 9], (0..9).map(|i| i % 2 == 0).collect())),
        Item::Tighten(3, Targets::Listed(targets)),
        Item::Prove(literal),
        Item::Close(vec![close(0, Multipliers::Atom(0), Witness::Own(short.clone()))]),
        Item::End,
        Item::Keep(short),
        Item::Lemma(vec![literal, Literal { side: Side::Lower, ..literal }], vec![4, 5]),
        Item::Empty,
        Item::Split(Split::Middle(7)),
        Item::Split(Split::At { place: 1, element: 2, below: 0.0, above: 0.0 }),
        Item::Apply(0),
        Item::End,
        Item::Close(vec![
            close(4, Multipliers::Each(vec![0.5, 0.25]), Witness::Own(long)),
            close(5, Multipliers::Atom(2), signs(Witness::Default, nodes)),
        ]),
        Item::Apply(1),
        Item::End,
        Item::Split(Split::At { place: 0, element: 2, below: 0.5, above: -0.0 }),
        Item::Violate(300),
        Item::End,
        Item::Leave,
    ];
    vec![Proof { region: 0, items }, Proof { region: 130, items: vec![Item::End] }]
}

#[test]
fn what_is_written_is_what_is_read() {
    let proofs = everything();
    let (found, read) = decode(&encode(&header(), &proofs)).unwrap();
    assert_eq!(found, header());
    assert_eq!(read, proofs);
}

#[test]
fn lengths_of_long_subtrees_are_exact() {
    let leaf = [Item::Tighten(1, Targets::Marked(vec![true; 4000], vec![false; 4000])), Item::End];
    let items = [&[Item::Split(Split::Middle(0))], &leaf[..], &leaf[..]].concat();
    let bytes = encode(&header(), &[Proof { region: 0, items }]);
    let source = bytes.clone();
    let mut decoder = Decoder::new(&source, 0).unwrap();
    decoder.header().unwrap();
    decoder.number().unwrap();
    let (_, length) = decoder.item().unwrap();
    let start = decoder.offset();
    decoder.item().unwrap();
    decoder.item().unwrap();
    assert_eq!(Some(decoder.offset() - start), length);
}

#[test]
fn every_truncation_and_every_addition_is_refused() {
    let bytes = encode(&header(), &everything());
    for length in 0..bytes.len() {
        let refused = decode(&bytes[..length]).unwrap_err();
        assert!(matches!(refused, Refusal::Truncated | Refusal::MissingNode), "{length}: {refused}");
    }
    assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(Refusal::Trailing));
}

#[test]
fn bytes_that_say_nothing_are_refused() {
    let start = encode(&header(), &[Proof::default()]);
    let refused = |tail: &[u8]| decode(&[&start[..], tail].concat()).unwrap_err();
    assert_eq!(refused(&[31]), Refusal::Malformed("an item"));
    for flagged in [0x80, 0x8e, 0x8f] {
        assert_eq!(refused(&[flagged]), Refusal::Malformed("an item"));
    }
    assert_eq!(refused(&[0x90, 0]), Refusal::Malformed("an item"));
    assert_eq!(refused(&[2, 0x80, 0]), Refusal::Malformed("a number in its shortest form"));
    assert_eq!(
        refused(&[[2].as_slice(), &[0xff; 9], &[2]].concat()),
        Refusal::Malformed("a number in its shortest form")
    );
    assert_eq!(refused(&[11, 1, 0, 1, 5]), Refusal::Malformed("a witness"));
    assert_eq!(refused(&[10, 0]), Refusal::Malformed("slopes"));
    assert_eq!(refused(&[10, 1, 2, 1, 0, 1, 0]), Refusal::Malformed("slopes of different places"));
    assert_eq!(refused(&[7, 1, 1, 2]), Refusal::Malformed("zeros after the last mark"));
    assert_eq!(refused(&[11, 0xff, 0xff, 0xff, 0x7f]), Refusal::TooLong((1 << 28) - 1, 1 << 24));
    let nan = f32::NAN.to_le_bytes();
    assert!(matches!(refused(&[&[10, 2, 1, 1, 1, 1], &nan[..]].concat()), Refusal::Slope(_)));
    for (place, refusal) in [(0, Refusal::NoCertificate), (8, Refusal::Version(1, 3)), (9, Refusal::Semantics(2))] {
        let mut other = start.clone();
        other[place] += 2;
        assert_eq!(decode(&other), Err(refusal));
    }
}

#[test]
fn rounding_keeps_ends_and_nan() {
    let slopes = Slopes { alpha: [(1, vec![0.0, 1.0, 0.3, f32::NAN])].into(), beta: vec![0.3], constraints: vec![1.0] };
    let rounded = slopes.rounded();
    assert_eq!(rounded.alpha[&1][..3], [0.0, 1.0, 38.0 / 128.0]);
    assert!(rounded.alpha[&1][3].is_nan());
    assert!(rounded.beta[0] <= 0.3 && rounded.beta[0] > 0.29 && rounded.constraints == [1.0]);
    let header = header();
    let length =
        |slopes: &Slopes| encode(&header, &[Proof { region: 0, items: vec![Item::Keep(slopes.clone())] }]).len();
    let exact = Slopes { alpha: [(1, vec![0.3; 100])].into(), ..Slopes::default() };
    assert_eq!(length(&exact) - length(&exact.clone().rounded()), 300);
}

#[test]
fn rounding_reaches_all_of_a_tree_of_signs() {
    let slopes = Slopes { alpha: [(1, vec![0.3])].into(), beta: vec![0.3], constraints: vec![0.7] };
    let last = [SignNode::Own(slopes.clone()), SignNode::Base(slopes.clone()), SignNode::Leaf(vec![])];
    let nodes =
        [vec![SignNode::Split(1, 0), SignNode::Leaf(vec![0.3, 1.0]), SignNode::Split(1, 1)], last.into()].concat();
    let short = slopes.clone().rounded();
    let Witness::Signs(tree) = signs(Witness::Own(slopes), nodes).rounded() else { panic!("another witness") };
    assert_eq!(tree.base, Witness::Own(short.clone()));
    assert_eq!(tree.nodes[1], SignNode::Leaf(vec![short.beta[0], 1.0]));
    assert_eq!(tree.nodes[3..5], [SignNode::Own(short.clone()), SignNode::Base(short)]);
}

#[test]
fn trees_of_signs_have_limits_and_no_trees_as_bases() {
    let start = encode(&header(), &[Proof::default()]);
    let refused = |tail: &[u8]| decode(&[&start[..], &[11, 1, 0, 1, 4], tail].concat()).unwrap_err();
    assert_eq!(refused(&[4, 0, 2]), Refusal::Malformed("a witness that is no tree of signs"));
    assert_eq!(refused(&[5, 2]), Refusal::Malformed("a witness"));
    assert_eq!(refused(&[0, 0, 0]), Refusal::Malformed("slopes"));
    assert_eq!(refused(&[0, 7, 0, 2]), Refusal::Truncated);
    assert_eq!(refused(&[[0].as_slice(), &[7, 0].repeat(129)].concat()), Refusal::TooDeep(128));
    assert_eq!(refused(&[[0].as_slice(), &[7, 0].repeat(128)].concat()), Refusal::Truncated);
    // One beta more than a list may have, and as many as there are numbers.
    assert_eq!(refused(&[0, 0x84, 0x80, 0x80, 0x10]), Refusal::TooLong((1 << 24) + 1, 1 << 24));
    let most = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(refused(&[&[0], &most[..]].concat()), Refusal::TooLong((1 << 63) - 2, 1 << 24));
    fn full(depth: usize) -> Vec<u8> {
        if depth == 0 { vec![2] } else { [vec![7, 0], full(depth - 1), full(depth - 1)].concat() }
    }
    let wide = [vec![0, 7, 0], full(16), full(1)].concat();
    assert_eq!(refused(&wide), Refusal::TooLong((1 << 17) + 1, 1 << 17));
    // As large as may be.
    assert_eq!(refused(&[vec![0], full(15)].concat()), Refusal::MissingNode);
}

#[test]
fn slopes_that_stand_for_a_base_are_nodes_that_end_nothing() {
    let start = encode(&header(), &[Proof::default()]);
    let refused = |tail: &[u8]| decode(&[&start[..], &[11, 1, 0, 1, 4], tail].concat()).unwrap_err();
    let base = [3, 1, 0, 0, 0];
    // The item is over where the tree is; then there is no other.
    assert_eq!(refused(&[&[0], &base[..], &[2]].concat()), Refusal::MissingNode);
    assert_eq!(refused(&[&[0], &base[..]].concat()), Refusal::Truncated);
    assert_eq!(refused(&[&[0, 7, 0], &base[..], &[2]].concat()), Refusal::Truncated);
    assert_eq!(refused(&[0, 3, 0]), Refusal::Malformed("slopes"));
    assert_eq!(refused(&[0, 3, 3]), Refusal::Malformed("slopes"));
    assert_eq!(refused(&[0, 3, 1, 2, 1, 0, 1, 0]), Refusal::Malformed("slopes of different places"));
    // As nodes they count, as splits they do not.
    let many = |bases: usize| [&[0], &base.repeat(bases)[..], &[2]].concat();
    assert_eq!(refused(&many((1 << 17) - 1)), Refusal::MissingNode);
    for bases in [0, 1].map(|more| (1 << 17) + more) {
        assert_eq!(refused(&many(bases)), Refusal::TooLong((1 << 17) + 1, 1 << 17));
    }
    let comb =
        |splits: usize| [&[0], &[&[7, 0][..], &base].concat().repeat(splits)[..], &[2].repeat(splits + 1)].concat();
    assert_eq!(refused(&comb(128)), Refusal::MissingNode);
    assert_eq!(refused(&comb(129)), Refusal::TooDeep(128));
}

#[test]
fn numbers_of_nodes_are_those_of_the_format() {
    let numbers = |nodes: Vec<SignNode>| {
        let close = Close { case: 0, multipliers: Multipliers::Atom(0), witness: signs(Witness::Default, nodes) };
        let bytes = encode(&header(), &[Proof { region: 0, items: vec![Item::Close(vec![close])] }]);
        bytes[82..].to_vec()
    };
    let empty = [1, 0, 0, 0];
    assert_eq!(numbers(vec![SignNode::Leaf(vec![])]), [2]);
    assert_eq!(numbers(vec![SignNode::Own(Slopes::default())]), [&[0], &empty[..]].concat());
    assert_eq!(numbers(vec![SignNode::Base(Slopes::default())]), [&[3], &empty[..]].concat());
    assert_eq!(numbers(vec![SignNode::Split(0, 9)]), [5, 9]);
    assert_eq!(numbers(vec![SignNode::Split(1, 9)]), [7, 9]);
}
