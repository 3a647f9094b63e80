//! The rung that splits the input region, until the checker accepts the proof.

use bartizan_proof::certificate::{Close, Proof};
use bartizan_proof::{Interval, Violated};

use super::{Ladder, Method, Split, close_by_program, objective, row};
use crate::bound::{Bounds, linear};
use crate::branch::{Accept, Found, Search};
use crate::certify;
use crate::lp;
use crate::outcome::{Open, Reason, Rung, Verdict};
use crate::query::{Query, Target};
use crate::real::Real;

/// The most inputs that may vary where the region is split along them unasked.
const MOST_SPLIT: usize = 20;

/// The most in a ball before signs are split: parts outside of it cost a bound each, and the more inputs, the more of the box they are.
/// Measured: with 5 inputs splitting them is faster than splitting signs, with 7 slower.
const MOST_SPLIT_IN_BALL: usize = 5;

impl Ladder<'_> {
    /// Whether to split the input region: few enough inputs vary.
    pub(super) fn splits_inputs(&self) -> bool {
        let most = |query: &Query<f32>| if query.ball.is_some() { MOST_SPLIT_IN_BALL } else { MOST_SPLIT };
        matches!(self.options.method, Method::Branch | Method::Auto)
            && match self.options.split {
                Split::Auto => self.varies_by_at_most(most),
                Split::Inputs => true,
                Split::Signs => false,
            }
    }

    /// Whether to split the input region where splits of signs have left cases open.
    pub(super) fn splits_inputs_at_last(&self) -> bool {
        let is_free = self.options.split == Split::Auto && self.options.method != Method::Slopes;
        is_free && self.is_open() && !self.is_late() && self.varies_by_at_most(|_| MOST_SPLIT)
    }

    /// Whether no more inputs vary in any query than there may.
    fn varies_by_at_most(&self, most: impl Fn(&Query<f32>) -> usize) -> bool {
        let varying = |query: &Query<f32>| query.lower.iter().zip(&query.upper).filter(|(l, u)| l < u).count();
        self.queries.iter().all(|query| varying(query) <= most(query))
    }

    /// Splits the region of every query until the checker accepts the proof.
    pub(super) fn branch(&mut self) -> Verdict {
        self.rung = Rung::Branch;
        let ladder = &*self;
        let ends = |query: &Query<f32>| {
            let bounds = &ladder.property.regions()[query.region].bounds;
            bounds.iter().map(|bound| bound.outer()).collect()
        };
        let (model, seed) = (&ladder.verifier.model, ladder.options.seed);
        let mut searches: Vec<Search> =
            ladder.queries.iter().map(|query| Search::new(model, query, ends(query), seed)).collect();
        let verdict = loop {
            if let Some(verdict) = ladder.run(&mut searches) {
                break verdict;
            }
            let verdict = ladder.conclude_searches(&searches);
            let is_refused = matches!(verdict, Verdict::Unknown(Reason::Rejected(_)));
            if !is_refused || !ladder.dispute(&mut searches) {
                break verdict;
            }
        };
        self.domains = searches.iter().map(|search| search.cost().domains).sum();
        verdict
    }

    /// Continues all searches; a verdict if one of them ends without a refutation.
    fn run(&self, searches: &mut [Search]) -> Option<Verdict> {
        for (query, search) in self.queries.iter().zip(searches) {
            let mut violated = None;
            let mut accept = |point: &[f64]| {
                violated = self.replay(query.region, point);
                violated.is_some()
            };
            let accept: Option<&mut Accept> = if self.options.attack { Some(&mut accept) } else { None };
            let mut found = search.run(self.deadline, accept);
            if matches!(found, Found::Open { .. }) && violated.is_none() && !self.is_late() && !search.tree().is_full()
            {
                let cases = Query::<f64>::all_of(self.property).swap_remove(query.region).cases;
                found = search.settle_stuck(|ends| self.solve_part((query.region, &cases), ends, &mut violated));
            }
            if let Some(violated) = violated {
                return Some(Verdict::Violated(violated));
            }
            match found {
                Found::Refutation | Found::Point => {}
                Found::Open { domains, bound } => {
                    let open = Open { domains, bound: bound.wide() };
                    let reason = match search.tree().is_full() {
                        _ if self.is_late() => Reason::Timeout(Some(open)),
                        true => Reason::NoMemory(open),
                        false => Reason::TooNarrow(open),
                    };
                    return Some(Verdict::Unknown(reason));
                }
            }
        }
        None
    }

    fn conclude_searches(&self, searches: &[Search]) -> Verdict {
        let proof =
            |(query, search): (&Query<f32>, &Search)| Proof { region: query.region, items: search.tree().items() };
        let proofs =
            self.queries.iter().zip(searches).filter(|(query, _)| !query.cases.is_empty()).map(proof).collect();
        self.judge(proofs)
    }

    /// Opens again what the checker does not accept; whether there was anything.
    fn dispute(&self, searches: &mut [Search]) -> bool {
        let mut any = false;
        for (query, search) in self.queries.iter().zip(searches) {
            let refused = certify::refused(&self.verifier.network, self.property, (query.region, search.tree()));
            any |= !refused.is_empty();
            search.dispute(&refused);
        }
        any
    }

    /// Refutes all cases in a part of a region by linear programs in double precision, or finds a counterexample in it.
    fn solve_part(
        &self,
        (region, cases): (usize, &[Target<f64>]),
        ends: &[Interval],
        violated: &mut Option<Violated>,
    ) -> Option<Vec<Close>> {
        let model = self.verifier.wide_model();
        let end = |end: fn(&Interval) -> f64| row(&ends.iter().map(end).collect());
        let (bounds, _) = linear::propagate(model, Bounds::of_input(end(|i| i.lo), end(|i| i.hi)), self.deadline)?;
        let close = |target: &Target<f64>| {
            let objective = objective(model.output(), target);
            let solved = lp::minimise_largest(model, (&bounds, 0), &objective, self.deadline).ok()?;
            if solved.value <= 0.0 {
                *violated = self.replay(region, &solved.input).filter(|_| self.options.attack);
                return None;
            }
            Some(close_by_program(target.case, solved))
        };
        cases.iter().map(close).collect()
    }
}
