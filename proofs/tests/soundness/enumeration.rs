//! Whatever is claimed of random tiny networks, against the enumeration of all their activation patterns.
//!
//! A claim is put next to its truth: its threshold is the exact minimum of a function of inputs and outputs, one unit in
//! the last place beside it, or near it. No proof of a false claim may be accepted, and no point that is said to
//! violate a claim may fail to. Where numbers are only enclosed (rounded weights, constants and bounds that are
//! not binary floats), what is judged is one of the networks and claims that may be meant.

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{Header, Item, Literal, Proof, Side, SignNode, Targets, Witness, encode};
use bartizan_proof::check::{Ground, State, replay, verify};
use bartizan_proof::property::{Atom, Case, Variable};
use bartizan_proof::{Interval, Refusal};

use crate::oracle::property::ExactProperty;
use crate::oracle::random::Random;
use crate::oracle::tiny;
use crate::oracle::trial::{Claim, Trial};
use crate::prover::{MISTAKES, Prover, Scope, Style, Subject};

const NETWORKS: u64 = 12_000;

/// Proofs tried for each network.
const PROOFS: usize = 4;

/// Bytes of a certificate before its proofs.
const HEADER: usize = 74;

/// Damaged certificates tried for each false claim that has one.
const DAMAGED: usize = 3;

/// Points replayed for each claim.
const REPLAYED: usize = 3;

/// How proofs are made: without a split, by splits on inputs or on signs alone, or with everything.
const STYLES: [Style; 5] = [
    Style { depth: 0, inputs: 0.0, asides: 0.0 },
    Style { depth: 6, inputs: 1.0, asides: 0.0 },
    Style { depth: 4, inputs: 0.0, asides: 0.0 },
    Style { depth: 3, inputs: 0.5, asides: 0.3 },
    Style { depth: 2, inputs: 0.55, asides: 0.3 },
];

/// What was tried and what came of it.
#[derive(Debug, Default)]
struct Figures {
    /// Proofs of true claims, and how many were accepted.
    of_true: usize,
    accepted: usize,
    /// Of these, the claims at most 64 units in the last place from being false.
    accepted_narrowly: usize,
    /// Of these again, those where the network has kinks.
    accepted_across_kinks: usize,
    /// Proofs with forms that were accepted, and those of them that are refused without.
    with_forms: usize,
    by_forms: usize,
    /// Proofs with trees of signs that were accepted, and those of them that are refused with the trees' bases instead.
    with_signs: usize,
    by_signs: usize,
    /// Proofs with slopes that stand for such bases that were accepted, and those of them that are refused without.
    with_bases: usize,
    by_bases: usize,
    /// True claims about one output that were proved as bounds.
    bounds: usize,
    /// Proofs of false claims, damaged ones included; all refused.
    of_false: usize,
    /// Points replayed, and how many were said to violate the claim.
    replayed: usize,
    violated: usize,
    /// Activation patterns, and networks that have several.
    patterns: usize,
    with_kinks: usize,
}

#[test]
fn claims_about_tiny_networks_are_judged_as_enumeration_judges_them() {
    let mut figures = Figures::default();
    for seed in 0..NETWORKS {
        let mut random = Random::new(seed);
        let network = tiny::network(&mut random);
        let region = tiny::region(&mut random, network.input_size());
        Judge { trial: Trial::new(&network, &region, random), seed }.run(&mut figures);
    }
    println!("{NETWORKS} networks: {figures:?}");
    assert!(
        figures.accepted > 20_000 && figures.accepted_across_kinks > 2_000 && figures.bounds > 2_000,
        "{figures:?}"
    );
    assert!(figures.with_forms > 2_000 && figures.by_forms > 20, "{figures:?}");
    assert!(figures.with_signs > 4_000 && figures.by_signs > 10, "{figures:?}");
    assert!(figures.with_bases > 2_000 && figures.by_bases > 5, "{figures:?}");
    assert!(figures.of_false > 100_000 && figures.violated > 10_000, "{figures:?}");
}

/// One trial on its way through all proofs of all its claims.
struct Judge<'n> {
    trial: Trial<'n>,
    seed: u64,
}

impl Judge<'_> {
    fn run(mut self, figures: &mut Figures) {
        let patterns = self.trial.cells.len();
        figures.patterns += patterns;
        figures.with_kinks += usize::from(patterns > 1);
        let claims = self.trial.claims();
        let Some(cases) = claims.first().map(|claim| claim.property.cases().to_vec()) else { return };
        let goals: Vec<(usize, usize)> = cases.iter().map(|case| case.atoms.len()).enumerate().collect();
        let proofs: Vec<Vec<Item>> = (0..PROOFS).map(|_| self.proof(&goals)).collect();
        for claim in &claims {
            let meant = self.trial.meant(claim);
            let is_true = self.trial.holds(&meant);
            for items in &proofs {
                if is_true { self.prove(claim, items, figures) } else { self.refute(claim, items, figures) }
            }
            self.bound(claim, is_true, figures);
            self.replay(claim, &meant, figures);
        }
    }

    fn proof(&mut self, goals: &[(usize, usize)]) -> Vec<Item> {
        self.with_prover(goals, |prover, scope, depth| prover.tree(scope, depth))
    }

    fn with_prover<T>(&mut self, goals: &[(usize, usize)], prove: impl FnOnce(&mut Prover, Scope, usize) -> T) -> T {
        let (style, mistake) = (self.trial.random.pick(&STYLES), self.trial.random.pick(&MISTAKES));
        let Trial { network, region, .. } = self.trial;
        let subject = Subject {
            sizes: network.places().iter().map(|node| network.nodes()[*node].size).collect(),
            kinks: (0..network.input_size()).map(|input| self.trial.kinks(input)).collect(),
            constraints: region.constraints.len(),
        };
        let ground = Ground::new(network, region).unwrap();
        let scope = Scope::root(State::new(&ground), goals.to_vec());
        let mut prover = Prover { random: &mut self.trial.random, subject: &subject, style, mistake };
        prove(&mut prover, scope, style.depth)
    }

    /// Proves the claim as a bound of an output, where it is one. Nobody accepts that the node is empty then; whoever
    /// says so has accepted the bound.
    fn bound(&mut self, claim: &Claim, is_true: bool, figures: &mut Figures) {
        let [Case { atoms, .. }] = claim.property.cases() else { return };
        let [Atom { terms, at_most, .. }] = atoms.as_slice() else { return };
        let (element, side, at) = match terms.as_slice() {
            [(Variable::Output(i), c)] if *c == Interval::point(1.0) => (*i, Side::Lower, at_most.lo),
            [(Variable::Output(i), c)] if *c == Interval::point(-1.0) => (*i, Side::Upper, -at_most.lo),
            _ => return,
        };
        let literal = Literal { place: self.trial.network.places().len() - 1, element, side, at };
        let mut items = self.with_prover(&[], |prover, scope, depth| prover.bound(&scope, literal, depth));
        items.push(Item::Empty);
        let bytes = self.certificate(claim, &items);
        let rejected = verify(self.trial.network, &claim.property, &bytes, NonZeroUsize::MIN).err();
        let is_proved =
            rejected.is_none_or(|r| r.refusal == Refusal::NotEmpty && r.at.is_some_and(|at| at.path.is_empty()));
        assert!(is_true || !is_proved, "seed {}: a false bound is accepted: {literal:?}, {items:?}", self.seed);
        figures.bounds += usize::from(is_proved);
        figures.of_false += usize::from(!is_true);
    }

    fn certificate(&self, claim: &Claim, items: &[Item]) -> Vec<u8> {
        let header = Header::of(self.trial.network, &claim.property);
        encode(&header, &[Proof { region: 0, items: items.to_vec() }])
    }

    fn is_accepted(&self, claim: &Claim, bytes: Vec<u8>) -> bool {
        verify(self.trial.network, &claim.property, &bytes, NonZeroUsize::MIN).is_ok()
    }

    /// Tries a proof of a true claim.
    fn prove(&self, claim: &Claim, items: &[Item], figures: &mut Figures) {
        figures.of_true += 1;
        if self.is_accepted(claim, self.certificate(claim, items)) {
            figures.accepted += 1;
            figures.accepted_narrowly += usize::from(claim.is_narrow);
            figures.accepted_across_kinks += usize::from(claim.is_narrow && self.trial.cells.len() > 1);
            let without: Vec<Item> = items.iter().filter(|item| **item != Item::Forms).cloned().collect();
            if without.len() < items.len() {
                figures.with_forms += 1;
                figures.by_forms += usize::from(!self.is_accepted(claim, self.certificate(claim, &without)));
            }
            if let Some(without) = without_signs(items) {
                figures.with_signs += 1;
                figures.by_signs += usize::from(!self.is_accepted(claim, self.certificate(claim, &without)));
            }
            if let Some(without) = without_bases(items) {
                figures.with_bases += 1;
                figures.by_bases += usize::from(!self.is_accepted(claim, self.certificate(claim, &without)));
            }
        }
    }

    /// Tries a proof of a false claim, as it is and damaged.
    fn refute(&mut self, claim: &Claim, items: &[Item], figures: &mut Figures) {
        let (seed, property) = (self.seed, &claim.property);
        let bytes = self.certificate(claim, items);
        let is_accepted = self.is_accepted(claim, bytes.clone());
        assert!(!is_accepted, "seed {seed}: a false claim is accepted: {property:?}, {items:?}");
        for _ in 0..DAMAGED {
            let mut damaged = bytes.clone();
            damage(&mut damaged, &mut self.trial.random);
            let is_accepted = self.is_accepted(claim, damaged);
            assert!(!is_accepted, "seed {seed}: a damaged proof of a false claim is accepted: {property:?}");
        }
        figures.of_false += 1 + DAMAGED;
    }

    /// Replays random points and vertices.
    fn replay(&mut self, claim: &Claim, meant: &ExactProperty, figures: &mut Figures) {
        let Trial { network, region, .. } = self.trial;
        let outer: Vec<Interval> = region.bounds.iter().map(|b| b.outer()).collect();
        let kinks: Vec<Vec<f64>> = (0..outer.len()).map(|input| self.trial.kinks(input)).collect();
        for _ in 0..REPLAYED {
            let random = &mut self.trial.random;
            let coordinate = |(kinks, ends): (&Vec<f64>, &Interval)| match kinks.is_empty() || random.chance(0.3) {
                true => random.range(ends.lo, ends.hi).clamp(ends.lo, ends.hi),
                false => random.pick(kinks).clamp(ends.lo, ends.hi),
            };
            let point: Vec<f64> = kinks.iter().zip(&outer).map(coordinate).collect();
            figures.replayed += 1;
            if let Ok(violated) = replay(network, &claim.property, &point) {
                let is_violated = self.trial.is_violated(meant, &violated);
                assert!(is_violated, "seed {}: no violation of {:?} at {point:?}", self.seed, claim.property);
                figures.violated += 1;
            }
        }
    }
}

/// The items with the bases of trees of signs in their place, if there are such trees.
fn without_signs(items: &[Item]) -> Option<Vec<Item>> {
    with_witnesses(items, |witness| match witness {
        Witness::Signs(tree) => {
            *witness = tree.base.clone();
            true
        }
        _ => false,
    })
}

/// The items with nothing in the place of the bases of trees of signs, if something is.
fn without_bases(items: &[Item]) -> Option<Vec<Item>> {
    with_witnesses(items, |witness| {
        let Witness::Signs(tree) = witness else { return false };
        let nodes = tree.nodes.len();
        tree.nodes.retain(|node| !matches!(node, SignNode::Base(_)));
        tree.nodes.len() < nodes
    })
}

/// The items with all witnesses changed; `change` says whether it did. (A NaN among the slopes is not equal to itself.)
fn with_witnesses(items: &[Item], change: impl Fn(&mut Witness) -> bool) -> Option<Vec<Item>> {
    let (mut items, mut is_changed) = (items.to_vec(), false);
    for item in &mut items {
        match item {
            Item::Close(list) => list.iter_mut().for_each(|close| is_changed |= change(&mut close.witness)),
            Item::Tighten(_, Targets::Listed(list)) => {
                list.iter_mut().for_each(|target| is_changed |= change(&mut target.witness));
            }
            _ => {}
        }
    }
    is_changed.then_some(items)
}

/// Changes, removes or repeats a byte behind the header.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.between(HEADER, bytes.len() - 1);
    match random.below(4) {
        0 => drop(bytes.remove(at)),
        1 => bytes.insert(at, bytes[at]),
        2 => bytes[at] = random.below(256) as u8,
        _ => bytes[at] ^= 1 << random.below(8),
    }
}
