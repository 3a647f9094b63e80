//! Writing certificates; the layout is that of `FORMAT.md`.

use std::iter::Peekable;

use super::{Close, Item, Literal, Multipliers, Proof, Side, SignNode, Slopes, Split, Targets, Witness};
use crate::arith::short_byte;
use crate::digest::Digest;
use crate::network::Network;
use crate::property::Property;
use crate::semantics::Semantics;

/// The first bytes of every certificate.
pub(crate) const MAGIC: [u8; 8] = *b"bartizan";

/// The version of the format.
pub(crate) const VERSION: u8 = 1;

/// Flag of an opcode: an end follows, or the length of the first subtree.
pub(crate) const FLAG: u8 = 0x80;

/// The first byte of each item, and of each witness.
pub(crate) mod code {
    pub const END: u8 = 0;
    pub const EMPTY: u8 = 1;
    pub const SPLIT_MIDDLE: u8 = 2;
    pub const SPLIT_SIGN: u8 = 3;
    pub const SPLIT_AT: u8 = 4;
    pub const TIGHTEN_ALL: u8 = 5;
    pub const TIGHTEN_UNDECIDED: u8 = 6;
    pub const TIGHTEN_MARKED: u8 = 7;
    pub const TIGHTEN_LISTED: u8 = 8;
    pub const PROVE: u8 = 9;
    pub const KEEP: u8 = 10;
    pub const CLOSE: u8 = 11;
    pub const LEMMA: u8 = 12;
    pub const APPLY: u8 = 13;
    pub const FORMS: u8 = 14;
    pub const LEAVE: u8 = 15;
    pub const VIOLATE: u8 = 16;

    pub const DEFAULT: u8 = 0;
    pub const SHORT: u8 = 1;
    pub const LONG: u8 = 2;
    pub const KEPT: u8 = 3;
    pub const SIGNS: u8 = 4;
}

/// Splits this far below the root of a proof carry the length of their first subtree, if it is at least
/// [`SHORTEST_MEASURED`], so that subtrees can be checked in parallel.
const DEEPEST_MEASURED: usize = 6;

/// Bytes of the shortest subtree whose length is written down.
const SHORTEST_MEASURED: usize = 256;

/// What a certificate is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// SHA-256 of the model's bytes.
    pub model: Digest,
    /// SHA-256 of the property's canonical form.
    pub property: Digest,
    /// What is meant by the model's outputs.
    pub semantics: Semantics,
}

impl Header {
    /// That of a certificate for a property of a network.
    pub fn of(network: &Network, property: &Property) -> Header {
        Header { model: network.digest(), property: property.digest(), semantics: network.semantics() }
    }
}

/// Writes a certificate. Items after a complete tree are not written, and a tree that is not complete is written as far
/// as it goes.
pub fn encode(header: &Header, proofs: &[Proof]) -> Vec<u8> {
    let mut out = Writer(MAGIC.to_vec());
    out.0.extend([VERSION, header.semantics.number()]);
    out.0.extend(header.model.bytes());
    out.0.extend(header.property.bytes());
    out.number(proofs.len());
    for proof in proofs {
        out.number(proof.region);
        out.tree(&mut proof.items.iter().peekable(), 0);
    }
    out.0
}

/// The bytes written so far.
struct Writer(Vec<u8>);

impl Writer {
    /// LEB128: seven bits a byte, lowest first.
    fn number(&mut self, n: usize) {
        let mut rest = n;
        while rest >= 0x80 {
            self.0.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
            rest >>= 7;
        }
        self.0.push(u8::try_from(rest).unwrap_or_default());
    }

    fn numbers(&mut self, numbers: &[usize]) {
        numbers.iter().for_each(|n| self.number(*n));
    }

    fn marks(&mut self, marks: &[bool]) {
        let byte = |eight: &[bool]| eight.iter().rev().fold(0, |byte, mark| byte << 1 | u8::from(*mark));
        self.0.extend(marks.chunks(8).map(byte));
    }

    fn singles(&mut self, numbers: &[f32]) {
        self.0.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    }

    fn double(&mut self, x: f64) {
        self.0.extend(x.to_le_bytes());
    }

    /// Writes one tree, which may have no end if the items run out.
    fn tree<'i>(&mut self, items: &mut Peekable<impl Iterator<Item = &'i Item>>, depth: usize) {
        while let Some(item) = items.next() {
            let ends = matches!(item, Item::Close(_) | Item::Apply(_)) && items.next_if(|i| **i == Item::End).is_some();
            match item {
                Item::Split(split) if depth < DEEPEST_MEASURED => {
                    let mut first = Writer(Vec::new());
                    first.tree(items, depth + 1);
                    let is_measured = first.0.len() >= SHORTEST_MEASURED;
                    self.split(split, is_measured.then_some(first.0.len()));
                    self.0.extend(first.0);
                }
                Item::Split(split) => {
                    self.split(split, None);
                    self.tree(items, depth + 1);
                }
                item => self.item(item, if ends { FLAG } else { 0 }),
            }
            match item {
                Item::Prove(_) | Item::Lemma(..) => self.tree(items, DEEPEST_MEASURED),
                Item::Split(_) => return self.tree(items, depth + 1),
                Item::End | Item::Empty | Item::Leave => return,
                _ if ends => return,
                _ => {}
            }
        }
    }

    fn split(&mut self, split: &Split, length: Option<usize>) {
        let flag = if length.is_some() { FLAG } else { 0 };
        match split {
            Split::Middle(element) => {
                self.0.push(code::SPLIT_MIDDLE | flag);
                self.number(*element);
            }
            Split::At { place, element, below, above } => {
                let is_sign = (below.to_bits(), above.to_bits()) == (0, 0);
                self.0.push(flag | if is_sign { code::SPLIT_SIGN } else { code::SPLIT_AT });
                self.numbers(&[*place, *element]);
                if !is_sign {
                    self.double(*below);
                    self.double(*above);
                }
            }
        }
        length.into_iter().for_each(|length| self.number(length));
    }

    fn item(&mut self, item: &Item, flag: u8) {
        match item {
            Item::End => self.0.push(code::END),
            Item::Empty => self.0.push(code::EMPTY),
            Item::Split(split) => self.split(split, None),
            Item::Forms => self.0.push(code::FORMS),
            Item::TightenAll => self.0.push(code::TIGHTEN_ALL),
            Item::Tighten(place, targets) => self.targets(*place, targets),
            Item::Prove(literal) => {
                self.0.push(code::PROVE);
                self.literal(literal);
            }
            Item::Keep(slopes) => {
                self.0.push(code::KEEP);
                self.slopes(slopes);
            }
            Item::Close(list) => {
                self.0.push(code::CLOSE | flag);
                self.number(list.len());
                list.iter().for_each(|close| self.close(close));
            }
            Item::Lemma(literals, cases) => {
                self.0.push(code::LEMMA);
                self.number(literals.len());
                literals.iter().for_each(|literal| self.literal(literal));
                self.number(cases.len());
                self.numbers(cases);
            }
            Item::Apply(lemma) => {
                self.0.push(code::APPLY | flag);
                self.number(*lemma);
            }
            Item::Leave => self.0.push(code::LEAVE),
            Item::Violate(case) => {
                self.0.push(code::VIOLATE);
                self.number(*case);
            }
        }
    }

    fn literal(&mut self, literal: &Literal) {
        self.numbers(&[literal.place, end(literal.element, literal.side)]);
        self.double(literal.at);
    }

    fn targets(&mut self, place: usize, targets: &Targets) {
        match targets {
            Targets::Undecided => {
                self.0.push(code::TIGHTEN_UNDECIDED);
                self.number(place);
            }
            Targets::Marked(lower, upper) => {
                self.0.push(code::TIGHTEN_MARKED);
                self.numbers(&[place, lower.len()]);
                self.marks(lower);
                self.marks(upper);
            }
            Targets::Listed(list) => {
                self.0.push(code::TIGHTEN_LISTED);
                self.numbers(&[place, list.len()]);
                for target in list {
                    self.number(end(target.element, target.side));
                    self.witness(&target.witness);
                }
            }
        }
    }

    fn close(&mut self, close: &Close) {
        self.number(close.case);
        match &close.multipliers {
            Multipliers::Atom(atom) => self.number(atom + 1),
            Multipliers::Each(numbers) => {
                self.numbers(&[0, numbers.len()]);
                self.singles(numbers);
            }
        }
        self.witness(&close.witness);
    }

    fn witness(&mut self, witness: &Witness) {
        match witness {
            Witness::Default => self.0.push(code::DEFAULT),
            Witness::Kept(kept) => {
                self.0.push(code::KEPT);
                self.number(*kept);
            }
            Witness::Own(slopes) => self.slopes(slopes),
            Witness::Signs(tree) => {
                self.0.push(code::SIGNS);
                self.witness(&tree.base);
                tree.nodes.iter().for_each(|node| self.sign_node(node));
            }
        }
    }

    fn sign_node(&mut self, node: &SignNode) {
        match node {
            SignNode::Own(slopes) => {
                self.number(0);
                self.slopes(slopes);
            }
            SignNode::Leaf(betas) if betas.iter().copied().all(is_short) => {
                self.number(2 * betas.len() + 2);
                self.multipliers(betas, true);
            }
            SignNode::Leaf(betas) => {
                self.numbers(&[1, betas.len()]);
                self.multipliers(betas, false);
            }
            SignNode::Base(slopes) => {
                self.number(3);
                self.slopes(slopes);
            }
            SignNode::Split(place, element) => self.numbers(&[2 * place + 5, *element]),
        }
    }

    fn slopes(&mut self, slopes: &Slopes) {
        let multipliers = [&slopes.beta, &slopes.constraints];
        let given = || slopes.alpha.values().flatten().filter(|alpha| !alpha.is_nan());
        let is_short = given().all(|alpha| short_byte(*alpha).is_some())
            && multipliers.iter().all(|list| list.iter().copied().all(is_short));
        self.0.push(if is_short { code::SHORT } else { code::LONG });
        self.number(slopes.alpha.len());
        for (place, alphas) in &slopes.alpha {
            self.numbers(&[*place, alphas.len()]);
            self.marks(&alphas.iter().map(|alpha| !alpha.is_nan()).collect::<Vec<bool>>());
            let given = alphas.iter().filter(|alpha| !alpha.is_nan());
            match is_short {
                true => self.0.extend(given.filter_map(|alpha| short_byte(*alpha))),
                false => given.for_each(|alpha| self.singles(&[*alpha])),
            }
        }
        for list in multipliers {
            self.number(list.len());
            self.multipliers(list, is_short);
        }
    }

    fn multipliers(&mut self, list: &[f32], is_short: bool) {
        match is_short {
            true => self.0.extend(list.iter().flat_map(|m| m.to_le_bytes().into_iter().skip(2))),
            false => self.singles(list),
        }
    }
}

/// Whether a multiplier takes two bytes.
fn is_short(multiplier: f32) -> bool {
    multiplier.to_bits() & 0xffff == 0
}

/// An element and an end of its interval in one number.
fn end(element: usize, side: Side) -> usize {
    2 * element + usize::from(side == Side::Upper)
}
