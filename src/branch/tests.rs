use std::time::Duration;

use bartizan_proof::property::{Atom, Bound, Case, Property, Region, Variable};
use bartizan_proof::{Interval, Network};
use rayon::ThreadPoolBuilder;

use super::*;
use crate::certify;
use crate::deadline::Deadline;
use crate::outcome::{Outcome, Reason, Rung, Verdict};
use crate::random_networks::{Builder, random_point, random_region};
use crate::verify::{Options, Verifier};

/// A network of three inputs, two layers of ReLUs and two outputs, and a region of it.
fn network(seed: u64) -> (Network, Region) {
    let mut builder = Builder::new(seed, 3);
    let network = builder.dense(12).relu().dense(12).relu().dense(2).network();
    let region = random_region(&mut builder, 3, 1.0);
    (network, region)
}

/// The least largest output that sampling finds.
fn sampled_minimum(network: &Network, region: &Region) -> f64 {
    let mut builder = Builder::new(99, 1);
    let value = |_| network.evaluate(&random_point(&mut builder, region)).into_iter().fold(f64::NEG_INFINITY, f64::max);
    (0..20_000).map(value).fold(f64::INFINITY, f64::min)
}

/// "Never are both outputs at most `b`".
fn never_both_at_most(b: f64, region: &Region) -> Property {
    let atom = |output| Atom {
        terms: vec![(Variable::Output(output), Interval::point(1.0))],
        at_most: Interval::point(b),
        strict: false,
    };
    Property::new((3, 2), vec![region.clone()], vec![Case { region: 0, atoms: vec![atom(0), atom(1)] }]).unwrap()
}

fn verify(network: &Network, property: &Property, timeout: Duration, seed: u64) -> Outcome {
    Verifier::new(network.clone()).verify(property, &Options { timeout, seed, ..Options::default() }).unwrap()
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn claims_just_below_the_minimum_are_verified_and_just_above_violated() {
    let mut domains = 0;
    for seed in 0..8 {
        let (network, region) = network(seed);
        let least = sampled_minimum(&network, &region);
        let holds = verify(&network, &never_both_at_most(least - 0.05, &region), LONG, 0);
        assert!(matches!(holds.verdict, Verdict::Verified(..)), "seed {seed}: {:?}", holds.verdict);
        domains += holds.domains;
        let fails = verify(&network, &never_both_at_most(least + 1e-3, &region), LONG, 0);
        assert!(matches!(fails.verdict, Verdict::Violated(_)), "seed {seed}: {:?}", fails.verdict);
        assert!(matches!((holds.rung, fails.rung), (Rung::Branch, Rung::Branch | Rung::Attack)));
    }
    assert!(domains > 100, "these claims take splitting: {domains}");
}

#[test]
fn neither_threads_nor_seeds_change_an_answer() {
    for seed in 0..4 {
        let (network, region) = network(seed);
        let property = never_both_at_most(sampled_minimum(&network, &region) - 0.03, &region);
        let certificate = |threads: usize, seed: u64| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            match pool.install(|| verify(&network, &property, LONG, seed)).verdict {
                Verdict::Verified(_, certificate) => certificate,
                other => panic!("{other:?}"),
            }
        };
        let expected = certificate(1, 0);
        for (threads, seed) in [(2, 0), (3, 0), (1, 1), (2, 9)] {
            assert_eq!(certificate(threads, seed), expected, "{threads} threads, seed {seed}");
        }
    }
}

#[test]
fn a_search_that_is_stopped_says_what_is_open() {
    let (network, region) = network(1);
    // So near the minimum that boxes of all sizes stay open.
    let property = never_both_at_most(sampled_minimum(&network, &region) - 1e-9, &region);
    let options = Options { timeout: Duration::from_millis(30), attack: false, ..Options::default() };
    let outcome = Verifier::new(network).verify(&property, &options).unwrap();
    let Verdict::Unknown(Reason::Timeout(Some(open))) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert!(open.domains > 0 && open.bound <= 0.0, "{open}");
    assert!(outcome.time < Duration::from_secs(5));
}

#[test]
fn what_is_too_narrow_to_be_split_stays_open() {
    // The output is never negative, and zero at a corner, on a region of few numbers.
    let mut builder = Builder::new(3, 1);
    let network = builder.dense(1).relu().network();
    let (mut zero, mut positive) = (-9.0, 9.0);
    if network.evaluate(&[zero])[0] > 0.0 {
        std::mem::swap(&mut zero, &mut positive);
    }
    while f64::abs(positive - zero) > 1e-4 {
        let middle = 0.5 * (zero + positive);
        *if network.evaluate(&[middle])[0] > 0.0 { &mut positive } else { &mut zero } = middle;
    }
    let region = Region::of_box(vec![Bound {
        lower: Interval::point(f64::min(zero, positive)),
        upper: Interval::point(f64::max(zero, positive)),
    }]);
    let atoms = vec![Atom {
        terms: vec![(Variable::Output(0), Interval::point(1.0))],
        at_most: Interval::point(0.0),
        strict: true,
    }];
    let property = Property::new((1, 1), vec![region.clone()], vec![Case { region: 0, atoms }]).unwrap();
    let options = Options { attack: false, ..Options::default() };
    let outcome = Verifier::new(network).verify(&property, &options).unwrap();
    assert!(matches!(outcome.verdict, Verdict::Unknown(Reason::TooNarrow(_))), "{:?}", outcome.verdict);
}

#[test]
fn disputed_leaves_are_split_and_refused_ones_are_found() {
    let (network, region) = network(2);
    let property = never_both_at_most(sampled_minimum(&network, &region) - 0.1, &region);
    let queries = Query::<f32>::all_of(&property);
    let model = Model::<f32>::of(&network);
    let ends: Vec<Interval> = region.bounds.iter().map(|bound| bound.outer()).collect();
    let deadline = Deadline::after(LONG);
    let mut search = Search::new(&model, &queries[0], ends, 0);
    assert_eq!(search.run(deadline, None), Found::Refutation);
    assert!(certify::refused(&network, &property, (0, search.tree())).is_empty());
    let leaves = search.tree().leaves();
    search.dispute(&leaves[..2]);
    assert_eq!(search.run(deadline, None), Found::Refutation);
    assert!(search.tree().leaves().len() >= leaves.len() + 2);
    // The same tree does not prove a stronger claim.
    let stronger = never_both_at_most(sampled_minimum(&network, &region) + 0.1, &region);
    assert!(!certify::refused(&network, &stronger, (0, search.tree())).is_empty());
}

#[test]
fn a_search_without_room_ends_open() {
    let (network, region) = network(1);
    let property = never_both_at_most(sampled_minimum(&network, &region) - 1e-9, &region);
    let queries = Query::<f32>::all_of(&property);
    let model = Model::<f32>::of(&network);
    let ends: Vec<Interval> = region.bounds.iter().map(|bound| bound.outer()).collect();
    let mut search = Search::new(&model, &queries[0], ends, 0);
    search.tree.room = 64;
    let found = search.run(Deadline::after(LONG), None);
    assert!(matches!(found, Found::Open { .. }) && search.tree().is_full(), "{found:?}");
    assert!(search.tree().size() < 64 + 2 * ROUND, "{}", search.tree().size());
}

#[test]
fn a_measure_without_room_ends_open() {
    let (network, region) = network(1);
    let property = never_both_at_most(sampled_minimum(&network, &region) + 0.1, &region);
    let question = volume::Question::of(Query::<f32>::all_of(&property).swap_remove(0));
    let model = Model::<f32>::of(&network);
    let ends: Vec<Interval> = region.bounds.iter().map(|bound| bound.outer()).collect();
    let mut search = volume::VolumeSearch::new(&model, &question, ends);
    search.tree.room = 64;
    assert_eq!(search.run(0.0, Deadline::after(LONG), &|_| true), volume::Stop::Full);
    assert!(search.tree().size() >= 64 && search.parts().undecided > 0);
}

#[test]
fn evolution_costs_in_proportion_and_only_where_points_are_looked_for() {
    let (network, region) = network(2);
    let property = never_both_at_most(sampled_minimum(&network, &region) - 0.01, &region);
    let queries = Query::<f32>::all_of(&property);
    let model = Model::<f32>::of(&network);
    let cost = |is_attacked: bool| {
        let ends: Vec<Interval> = region.bounds.iter().map(|bound| bound.outer()).collect();
        let mut search = Search::new(&model, &queries[0], ends, 0);
        // Twice, so that there is enough to do.
        for _ in 0..2 {
            search.dispute(&search.tree().leaves());
            let mut refuse = |_: &[f64]| false;
            let accept: Option<&mut Accept> = if is_attacked { Some(&mut refuse) } else { None };
            assert_eq!(search.run(Deadline::after(LONG), accept), Found::Refutation);
        }
        search.cost()
    };
    let (without, with) = (cost(false), cost(true));
    assert_eq!((without.evaluations, Cost { evaluations: 0, ..with }), (0, without));
    let allowance = with.domains * EVALUATIONS.0 + with.backward * EVALUATIONS.1;
    assert!(with.evaluations > allowance / 4 && with.evaluations <= allowance, "{with:?}");
}

#[test]
fn what_is_too_narrow_for_single_precision_is_left_to_programs() {
    // The output is at least 1000, which single precision cannot tell from a millionth less.
    let mut builder = Builder::new(0, 1);
    let network = builder.given(vec![1.0], &[0.0]).relu().given(vec![1.0], &[1000.0]).network();
    let bound = Bound { lower: Interval::point(0.0), upper: Interval::point(1.0) };
    let region = Region::of_box(vec![bound]);
    let never_at_most = |b: f64| {
        let terms = vec![(Variable::Output(0), Interval::point(1.0))];
        let atoms = vec![Atom { terms, at_most: Interval::point(b), strict: false }];
        Property::new((1, 1), vec![region.clone()], vec![Case { region: 0, atoms }]).unwrap()
    };
    let property = never_at_most(1000.0 - 1e-6);
    let model = Model::of(&network);
    let query = &crate::query::Query::all_of(&property)[0];
    let mut search = Search::new(&model, query, vec![Interval { lo: 0.0, hi: 1.0 }], 0);
    let found = search.run(Deadline::after(LONG), None);
    assert!(matches!(found, Found::Open { domains: 1, .. }), "{found:?}");
    let outcome = verify(&network, &property, LONG, 0);
    assert!(matches!(outcome.verdict, Verdict::Verified(..)), "{:?}", outcome.verdict);
    // Nobody can tell a tie from what rounding may hide.
    let tie = verify(&network, &never_at_most(1000.0), LONG, 0);
    assert!(matches!(tie.verdict, Verdict::Unknown(Reason::TooNarrow(_))), "{:?}", tie.verdict);
}
