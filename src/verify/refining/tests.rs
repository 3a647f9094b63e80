use std::time::Duration;

use bartizan_proof::Interval;
use bartizan_proof::property::{Atom, Case, Property, Region, Variable};

use super::*;
use crate::bound::forms;
use crate::deadline::Deadline;
use crate::random_networks::{Builder, random_region};
use crate::verify::{Options, Verifier};

/// Too many for forms.
const INPUTS: usize = forms::MOST_INPUTS + 4;

/// "Never is the first output at most `b[0]`, never the second at most `b[1]`" over the region.
fn never_at_most(verifier: &Verifier, region: &Region, b: [f32; 2]) -> Property {
    let case = |output: usize| {
        let terms = vec![(Variable::Output(output), Interval::point(1.0))];
        Case { region: 0, atoms: vec![Atom { terms, at_most: Interval::point(f64::from(b[output])), strict: false }] }
    };
    let sizes = (verifier.network().input_size(), verifier.network().output_size());
    Property::new(sizes, vec![region.clone()], vec![case(0), case(1)]).unwrap()
}

#[test]
fn cases_are_closed_again_or_are_known_to_be_stale() {
    let mut tried = 0;
    // Somewhere below a corner's value is what linear bounds leave open and trees close.
    for (seed, below) in (0..20).flat_map(|seed| [0.8, 1.6, 2.4, 3.2].map(|below| (seed, below))) {
        let mut builder = Builder::new(seed, INPUTS);
        builder.dense(10).relu().dense(8).relu().dense(2);
        let verifier = Verifier::new(builder.network());
        let region = random_region(&mut builder, INPUTS, 0.4);
        let point: Vec<f64> = region.bounds.iter().map(|b| b.lower.lo).collect();
        let corner = verifier.network().evaluate(&point)[0] as f32;
        let property = never_at_most(&verifier, &region, [corner - below, f32::MAX]);
        let options = Options { attack: false, ..Options::default() };
        let mut ladder = Ladder::new(&verifier, &property, &options, Deadline::after(Duration::from_secs(60)));
        ladder.bound_intervals();
        ladder.bound_linearly();
        let query = ladder.queries[0].clone();
        let Some(bounds) = ladder.bounds[0].take().filter(|_| ladder.open_cases(&query).len() == 2) else {
            continue;
        };
        let mut refinement = Refinement::new(verifier.model(), bounds);
        let _ = ladder.hunt(&query, &mut refinement, (Patience::LAST, SLACK)).unwrap();
        let Some(Closed::Here(close)) = ladder.cases[0].closed.clone() else { continue };
        tried += 1;
        ladder.cases[1].closed = Some(Closed::Here(Close { case: 1, ..close }));
        assert!(ladder.renew(&query, &mut refinement, (&[0, 1], SLACK)).unwrap().is_none());
        assert!(ladder.cases.iter().all(|state| state.closed.is_some()));
        assert_eq!(ladder.cases.iter().map(|state| state.is_stale).collect::<Vec<_>>(), [false, true], "seed {seed}");
        let Verdict::Unknown(Reason::Rejected(rejected)) = ladder.check() else { panic!("seed {seed}") };
        assert!(matches!(rejected.refusal, Refusal::NotRefuted(1, _)), "{rejected:?}");
    }
    assert!(tried > 8, "{tried}");
}
