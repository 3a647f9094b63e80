//! How often the certificates use each construct of the format.

use std::collections::BTreeMap;

use bartizan_proof::certificate::{Close, Item, Multipliers, SignNode, Slopes, Split, Targets, Witness};

use crate::subject::Subject;

/// Counts by name.
pub type Census = BTreeMap<&'static str, usize>;

pub fn census(subjects: &[Subject]) -> Census {
    let mut census = Census::new();
    let mut count = |name| *census.entry(name).or_default() += 1;
    for subject in subjects {
        let property = &subject.property;
        let several = [
            ("several cases", property.cases().len() > 1),
            ("several regions", property.regions().len() > 1),
            ("several atoms", property.cases().iter().any(|case| case.atoms.len() > 1)),
            ("constraints", property.regions().iter().any(|region| !region.constraints.is_empty())),
            ("ball", property.regions().iter().any(|region| region.ball.is_some())),
        ];
        several.into_iter().filter(|(_, is_so)| *is_so).for_each(|(name, _)| count(name));
        subject.proofs.iter().flat_map(|proof| &proof.items).for_each(|one| item(one, &mut count));
    }
    census
}

fn item(item: &Item, count: &mut impl FnMut(&'static str)) {
    match item {
        Item::End => count("end"),
        Item::Empty => count("empty"),
        Item::Split(Split::Middle(_)) => count("split, middle"),
        Item::Split(Split::At { place: 0, .. }) => count("split, input values"),
        Item::Split(Split::At { below, above, .. }) if (*below, *above) == (0.0, 0.0) => count("split, sign"),
        Item::Split(_) => count("split, values"),
        Item::Forms => count("forms"),
        Item::TightenAll => count("tighten all"),
        Item::Tighten(_, Targets::Undecided) => count("tighten undecided"),
        Item::Tighten(_, Targets::Marked(..)) => count("tighten marked"),
        Item::Tighten(_, Targets::Listed(list)) if list.is_empty() => count("tighten nothing"),
        Item::Tighten(_, Targets::Listed(list)) => {
            count("tighten listed");
            list.iter().for_each(|target| witness(&target.witness, count));
        }
        Item::Prove(_) => count("prove"),
        Item::Keep(_) => count("keep"),
        Item::Close(list) => list.iter().for_each(|one| close(one, count)),
        Item::Lemma(literals, _) if literals.is_empty() => count("lemma without literals"),
        Item::Lemma(..) => count("lemma"),
        Item::Apply(_) => count("apply"),
        Item::Leave | Item::Violate(_) => count("volume"),
    }
}

fn close(close: &Close, count: &mut impl FnMut(&'static str)) {
    match close.multipliers {
        Multipliers::Atom(0) => count("close, first atom"),
        Multipliers::Atom(_) => count("close, another atom"),
        Multipliers::Each(_) => count("close, several atoms"),
    }
    witness(&close.witness, count);
}

fn witness(witness: &Witness, count: &mut impl FnMut(&'static str)) {
    match witness {
        Witness::Default => count("default slopes"),
        Witness::Kept(_) => count("kept slopes"),
        Witness::Own(slopes) => own(slopes, count),
        Witness::Signs(tree) => tree.nodes.iter().for_each(|node| match node {
            SignNode::Split(..) => count("signs, split"),
            SignNode::Base(slopes) => {
                count("signs, base of a subtree");
                own(slopes, count);
            }
            SignNode::Leaf(betas) if betas.iter().all(|beta| *beta == 0.0) => count("signs, leaf without betas"),
            SignNode::Leaf(_) => count("signs, leaf with betas"),
            SignNode::Own(slopes) => {
                count("signs, leaf with slopes");
                own(slopes, count);
            }
        }),
    }
}

fn own(slopes: &Slopes, count: &mut impl FnMut(&'static str)) {
    let is_short = format!("{slopes:?}") == format!("{:?}", slopes.clone().rounded());
    count(if is_short { "short slopes" } else { "long slopes" });
    if slopes.beta.iter().any(|beta| *beta > 0.0) {
        count("betas");
    }
    if slopes.constraints.iter().any(|multiplier| *multiplier > 0.0) {
        count("multipliers of constraints");
    }
}
