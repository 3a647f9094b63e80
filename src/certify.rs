//! From what the search found to the certificate that says so.

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{self, Close, Header, Item, Multipliers, Proof, Targets, Witness};
use bartizan_proof::check::{Ground, Limits};
use bartizan_proof::network::Op;
use bartizan_proof::{Network, Property, Rejected, Verified, check};
use rayon::prelude::*;

use crate::bound::{Bounds, Model, forms};
use crate::branch::tree::{NodeId, Tree};
use crate::deadline::Deadline;
use crate::real::Real;

/// Within so many bytes a certificate names its property.
const LONGEST_HEADER: usize = 128;

/// Steps that bound the inputs of all ReLUs as the bounds of a domain at hand did: the lower end unless the upper one alone decides the
/// sign, and conversely. The checker leaves out what interval arithmetic decides.
pub fn tightening<T: Real>(network: &Network, model: &Model<T>, (bounds, domain): (&Bounds<T>, usize)) -> Vec<Item> {
    let step = |(source, place): (usize, certificate::Place)| {
        let lower = bounds.upper[source].row(domain).iter().map(|upper| *upper > T::zero()).collect();
        let upper = bounds.lower[source].row(domain).iter().map(|lower| *lower < T::zero()).collect();
        Item::Tighten(place, Targets::Marked(lower, upper))
    };
    let forms = forms::are_used(bounds).then_some(Item::Forms);
    let places = tightened_places(network, model, bounds.ball.is_none());
    forms.into_iter().chain(places.into_iter().map(step)).collect()
}

/// The nodes of the model that feed ReLUs, in topological order, with their places; over a box without those that are
/// affine in the input by themselves, where interval arithmetic is exact.
pub fn tightened_places<T: Real>(
    network: &Network,
    model: &Model<T>,
    is_box: bool,
) -> Vec<(usize, certificate::Place)> {
    let is_exact = |source: usize| match &network.nodes()[model.nodes()[source].origin].op {
        Op::Affine(affine) => affine.terms.iter().all(|term| term.source == 0),
        _ => false,
    };
    let mut places: Vec<_> = model.relus().map(|(relu, source)| (source, model.place(relu))).collect();
    places.retain(|(source, _)| !(is_box && is_exact(*source)));
    places.sort_unstable();
    places.dedup_by_key(|(source, _)| *source);
    places
}

/// Closes a case by one of its atoms, with default slopes.
pub fn close_by_atom(case: usize, atom: usize) -> Close {
    Close { case, multipliers: Multipliers::Atom(atom), witness: Witness::Default }
}

/// A proof of a region, whose `parts` close what is left open.
pub fn proof(region: usize, node: (Vec<Item>, Vec<Close>), parts: Vec<Item>) -> Proof {
    Proof { region, items: items(node, parts) }
}

/// A node of a proof tree: steps that tighten bounds, all cases at once, and a split with its two subtrees if there is one.
pub fn items((mut items, mut close): (Vec<Item>, Vec<Close>), parts: Vec<Item>) -> Vec<Item> {
    close.sort_by_key(|c| c.case);
    if !close.is_empty() {
        items.push(Item::Close(close));
    }
    match parts.is_empty() {
        true => items.push(Item::End),
        false => items.extend(parts),
    }
    items
}

/// What a check may take: all threads, until the deadline.
pub fn limits(deadline: Deadline) -> Limits {
    let threads = NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN);
    Limits { threads, deadline: Some(deadline.at()) }
}

/// Writes a certificate and has it checked: the shortest form that is good enough. Witnesses are rounded to their short form
/// at first, and only the marked ends are bounded.
///
/// # Errors
///
/// The checker refuses it, or the deadline passes first.
pub fn conclude(
    network: &Network,
    property: &Property,
    (proofs, deadline): (Vec<Proof>, Deadline),
) -> Result<(Verified, Vec<u8>), Rejected> {
    let header = Header::of(network, property);
    let judge = |proofs: &[Proof]| {
        let bytes = certificate::encode(&header, proofs);
        check::verify(network, property, &bytes, limits(deadline)).map(|verified| (verified, bytes))
    };
    let mut form = changed(&proofs, rounded);
    let mut result = judge(&form);
    for longer in [|_: &mut Item| {}, thorough] {
        if result.is_ok() {
            break;
        }
        let next = changed(&proofs, longer);
        if next != form {
            result = judge(&next);
        }
        form = next;
    }
    result
}

/// A certificate of one property as the claim that it proves another one, which only the checker can decide: slopes, multipliers and
/// splits speak of the network and not of the region. `None` where the bytes do not begin as a certificate of the first property does.
pub fn transferred(certificate: &[u8], from: &Property, to: &Property) -> Option<Vec<u8>> {
    let (from, to) = (from.digest(), to.digest());
    let width = from.bytes().len();
    let place = certificate.windows(width).take(LONGEST_HEADER).position(|bytes| bytes == from.bytes())?;
    Some([&certificate[..place], to.bytes(), &certificate[place + width..]].concat())
}

/// The leaves of a search tree that the checker does not accept.
pub fn refused(network: &Network, property: &Property, (region, tree): (usize, &Tree)) -> Vec<NodeId> {
    let Ok(ground) = Ground::new(network, &property.regions()[region]) else { return Vec::new() };
    let is_refused =
        |node: &NodeId| check::node(&ground, property, region, &tree.way(*node, tree.items_at(*node))).is_err();
    tree.leaves().into_par_iter().filter(is_refused).collect()
}

fn changed(proofs: &[Proof], change: fn(&mut Item)) -> Vec<Proof> {
    let mut proofs = proofs.to_vec();
    proofs.iter_mut().flat_map(|proof| &mut proof.items).for_each(change);
    proofs
}

fn rounded(item: &mut Item) {
    if let Item::Close(list) = item {
        list.iter_mut().for_each(|close| close.witness = close.witness.rounded());
    }
}

/// All undecided ends instead of the marked ones.
fn thorough(item: &mut Item) {
    if let Item::Tighten(_, targets @ Targets::Marked(..)) = item {
        *targets = Targets::Undecided;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bartizan_proof::Interval;
    use bartizan_proof::property::{Atom, Case, Region, Variable};

    use super::*;
    use crate::bound::linear;
    use crate::random_networks::{Builder, assorted, random_region};

    /// "The first output is never at most `b`" over the region.
    fn never_at_most(network: &Network, region: &Region, b: f64) -> Property {
        let terms = vec![(Variable::Output(0), Interval::point(1.0))];
        let atoms = vec![Atom { terms, at_most: Interval::point(b), strict: false }];
        let sizes = (network.input_size(), network.output_size());
        Property::new(sizes, vec![region.clone()], vec![Case { region: 0, atoms }]).unwrap()
    }

    /// A lower bound of the first output, as tight as all undecided ends make it.
    fn least_output(network: &Network, region: &Region) -> f64 {
        let target = certificate::Target { element: 0, side: certificate::Side::Lower, witness: Witness::Default };
        let last = Item::Tighten(network.places().len() - 1, Targets::Listed(vec![target]));
        // The bound of the rule alone: interval arithmetic plays no part in closing a case.
        let proved = check::bounds(network, region, &[Item::TightenAll, last]).unwrap();
        let loose = check::bounds(network, region, &[Item::TightenAll]).unwrap();
        if proved.outputs()[0].lo > loose.outputs()[0].lo { proved.outputs()[0].lo } else { f64::NEG_INFINITY }
    }

    #[test]
    fn whatever_all_ends_prove_gets_a_certificate() {
        let soon = Deadline::after(Duration::from_secs(60));
        let mut marked_suffice = 0;
        for seed in 0..20 {
            for network in assorted(seed) {
                let region = random_region(&mut Builder::new(seed, 1), network.input_size(), 0.3);
                let least = least_output(&network, &region);
                if least == f64::NEG_INFINITY {
                    continue;
                }
                let model = Model::<f64>::of(&network);
                let (bounds, _) = linear::propagate(&model, Bounds::of_region(&region), soon).unwrap();
                let steps = tightening(&network, &model, (&bounds, 0));
                let property = never_at_most(&network, &region, least - 1e-9 * least.abs().max(1.0));
                let proofs = vec![proof(0, (steps, vec![close_by_atom(0, 0)]), Vec::new())];
                let (_, short) = conclude(&network, &property, (proofs.clone(), soon)).expect("a certificate");
                let header = Header::of(&network, &property);
                marked_suffice += usize::from(short == certificate::encode(&header, &proofs));
            }
        }
        assert!(marked_suffice > 40, "marked ends sufficed {marked_suffice} times only");
    }
}
