//! Certificates that cannot be read, or not to their end.

use bartizan_proof::Digest;
use bartizan_proof::certificate::{Header, Witness, encode};

use super::instances::Instance;
use super::steps::{alpha, close, exact, grow, proof};

/// Where the parts of a certificate begin: magic, version, semantics, digests, number of proofs, region, tree.
const VERSION: usize = 8;
const SEMANTICS: usize = 9;
const PROOFS: usize = 74;
const TREE: usize = 76;

/// Damaged bytes of the distance instance.
pub fn bytes(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let whole = instance.certificate(&[proof(0, &grow(0, &exact()))]);
    let at = |place: usize, byte: u8| {
        let mut changed = whole.clone();
        changed[place] = byte;
        changed
    };
    let tree = |bytes: &[u8]| [&whole[..TREE], bytes].concat();
    let other = Digest::of(b"other");
    let bound_to = |header: Header| encode(&header, &[proof(0, &grow(0, &exact()))]);
    // Close, flagged; one case; case 0 by atom 0; short slopes of place 1, both elements: 0.5 and 129 / 128.
    let short_slope = [0x8b, 1, 0, 1, 1, 1, 1, 2, 3, 64, 129, 0, 0];
    let list = [
        ("no_certificate.other_magic", at(0, b'B')),
        ("version.two", at(VERSION, 2)),
        ("semantics.unknown", at(SEMANTICS, 2)),
        ("other_semantics.float32", at(SEMANTICS, 1)),
        ("other_model.digest", bound_to(Header { model: other, ..instance.header() })),
        ("other_property.digest", bound_to(Header { property: other, ..instance.header() })),
        ("truncated.nothing", vec![]),
        ("truncated.header", whole[..PROOFS - 1].to_vec()),
        ("truncated.no_proofs", whole[..PROOFS].to_vec()),
        ("truncated.in_an_item", whole[..whole.len() - 3].to_vec()),
        ("missing_node.no_tree", whole[..TREE].to_vec()),
        ("trailing.one_byte", [&whole[..], &[0]].concat()),
        ("trailing.uncounted_proof", [&whole[..], &whole[PROOFS + 1..]].concat()),
        ("truncated.proof_too_many", at(PROOFS, 2)),
        ("malformed.unknown_item", tree(&[31])),
        ("malformed.flag_on_end", tree(&[0x80])),
        ("malformed.flag_on_forms", tree(&[0x8e])),
        ("malformed.longer_than_needed", tree(&[2, 0x80, 0])),
        ("malformed.beyond_64_bits", tree(&[2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2])),
        ("malformed.unknown_witness", tree(&[11, 1, 0, 1, 5])),
        ("malformed.signs_on_signs", tree(&[0x8b, 1, 0, 1, 4, 4, 0, 2, 2])),
        ("malformed.signs_on_nothing", tree(&[0x8b, 1, 0, 1, 4, 5, 2])),
        ("malformed.leaf_without_slopes", tree(&[0x8b, 1, 0, 1, 4, 0, 0, 0])),
        ("truncated.signs", tree(&[0x8b, 1, 0, 1, 4, 0, 7, 0, 2])),
        ("malformed.base_without_slopes", tree(&[0x8b, 1, 0, 1, 4, 0, 3, 0, 2])),
        ("truncated.base_without_subtree", tree(&[0x8b, 1, 0, 1, 4, 0, 3, 1, 0, 0, 0])),
        ("too_long.betas", tree(&[0x8b, 1, 0, 1, 4, 0, 0x84, 0x80, 0x80, 0x10])),
        ("malformed.keep_without_slopes", tree(&[10, 0])),
        ("malformed.place_twice", tree(&[10, 1, 2, 1, 0, 1, 0])),
        ("malformed.mark_after_the_last", tree(&[7, 1, 2, 7, 0])),
        ("slope.short_above_one", tree(&short_slope)),
        ("slope.not_a_number", tree(&[10, 2, 1, 1, 2, 1, 0, 0, 0xc0, 0x7f, 0, 0])),
        ("too_long.list", tree(&[11, 0x81, 0x80, 0x80, 8])),
        ("too_long.marks", tree(&[7, 1, 0x81, 0x80, 0x80, 8])),
        ("subtree_length.too_long", measured(instance, 1)),
        ("subtree_length.too_short", measured(instance, -1)),
    ];
    list.map(|(name, bytes)| (format!("{name}.distance"), bytes)).into()
}

/// A tree whose first subtree is said to be longer than it is.
fn measured(instance: &Instance, by: i8) -> Vec<u8> {
    let leaf = close(Witness::Own(alpha(&[0.3, 0.3])));
    let mut bytes = instance.certificate(&[proof(0, &grow(5, &leaf))]);
    // Code and element come before the length.
    bytes[TREE + 2] = bytes[TREE + 2].checked_add_signed(by).unwrap();
    bytes
}
