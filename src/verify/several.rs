//! Many queries of one shape at once, by one batch of linear bounds: their rows share the matrix products.

use bartizan_proof::certificate::Close;
use bartizan_proof::{Property, Verified};
use ndarray::{Array1, Array2};

use super::{Method, Options, Verifier, atom_rows};
use crate::bound::{Bounds, Relaxations, linear};
use crate::certify;
use crate::deadline::Deadline;
use crate::query::Query;

/// What a batch of linear bounds says of a query.
#[derive(Clone, Debug)]
pub enum Easy {
    /// The property holds; the bytes are the certificate that the checker accepted.
    Verified(Verified, Vec<u8>),
    /// Nothing was proved. The least of the cases' bounds: the nearer to zero, the sooner something stronger may prove the property.
    Open(f64),
}

/// Multiplications that a batch may cost. Where a query alone costs more, products are large enough without company.
const COST: usize = 4_000_000_000;

/// The most queries of a batch.
const MOST: usize = 64;

impl Verifier {
    /// How many queries are worth proving together; one or none: that many are not.
    pub fn batch_size(&self, options: &Options) -> usize {
        if options.method == Method::Ibp {
            return 0;
        }
        // Each hidden neuron costs two rows, and each row goes back through a half of the network on average.
        let cost = self.model.relu_count().saturating_mul(self.model.multiplications());
        COST.checked_div(cost).unwrap_or(MOST).min(MOST)
    }

    /// Tries to prove properties with linear bounds. Each has one region and one atom a case; others stay open. Boxes share one batch;
    /// balls are bounded one by one.
    ///
    /// The answers do not depend on the number of threads, but what is rounded may depend on which properties share a batch.
    pub fn prove_linearly(&self, properties: &[&Property], deadline: Deadline) -> Vec<Easy> {
        let mut answers = vec![Easy::Open(f64::NEG_INFINITY); properties.len()];
        let (mut boxes, mut groups) = (Vec::new(), Vec::new());
        for (place, property) in properties.iter().enumerate() {
            let is_simple = property.regions().len() == 1 && property.cases().iter().all(|case| case.atoms.len() == 1);
            match Query::all_of(property).pop().filter(|_| is_simple) {
                Some(query) if query.ball.is_some() => groups.push(vec![(place, query)]),
                Some(query) => boxes.push((place, query)),
                None => {}
            }
        }
        groups.push(boxes);
        for group in groups.into_iter().filter(|group| !group.is_empty()) {
            let (places, queries): (Vec<usize>, Vec<Query<f32>>) = group.into_iter().unzip();
            let Some((bounds, relaxations)) = self.bound_together(&queries, deadline) else { break };
            for (domain, least) in self.bound_cases(&queries, (&bounds, &relaxations)).into_iter().enumerate() {
                let property = properties[places[domain]];
                let proved =
                    (least > 0.0).then(|| self.conclude(property, &queries[domain], (&bounds, domain, deadline)));
                answers[places[domain]] = proved.flatten().unwrap_or(Easy::Open(least));
            }
        }
        answers
    }

    /// What the checker says of a proof by linear bounds.
    fn conclude(
        &self,
        property: &Property,
        query: &Query<f32>,
        (bounds, domain, deadline): (&Bounds<f32>, usize, Deadline),
    ) -> Option<Easy> {
        let tightening = certify::tightening(&self.network, &self.model, (bounds, domain));
        let close: Vec<Close> = query.cases.iter().map(|target| certify::close_by_atom(target.case, 0)).collect();
        let proof = certify::proof(query.region, (tightening, close), Vec::new());
        let concluded = certify::conclude(&self.network, property, (vec![proof], deadline));
        concluded.ok().map(|(verified, certificate)| Easy::Verified(verified, certificate))
    }

    /// Linear bounds of all nodes, one domain a query: several boxes, or one ball.
    fn bound_together(&self, queries: &[Query<f32>], deadline: Deadline) -> Option<(Bounds<f32>, Relaxations<f32>)> {
        let ends = |end: fn(&Query<f32>) -> &Array1<f32>| {
            let mut ends = Array2::zeros((queries.len(), self.network.input_size()));
            ends.rows_mut().into_iter().zip(queries).for_each(|(mut row, query)| row.assign(end(query)));
            ends
        };
        let input = match queries {
            [query] => query.input(),
            _ => Bounds::of_input(ends(|query| &query.lower), ends(|query| &query.upper)),
        };
        linear::propagate(&self.model, input, deadline)
    }

    /// The least lower bound of a case's atom, query by query.
    fn bound_cases(
        &self,
        queries: &[Query<f32>],
        (bounds, relaxations): (&Bounds<f32>, &Relaxations<f32>),
    ) -> Vec<f64> {
        let targets: Vec<_> = queries.iter().flat_map(|query| &query.cases).collect();
        let Some(mut rows) = atom_rows(self.model.output(), &targets) else {
            return vec![f64::INFINITY; queries.len()];
        };
        rows.domains = queries.iter().enumerate().flat_map(|(d, query)| vec![d; query.cases.len()]).collect();
        let domains = rows.domains.clone();
        let found = linear::lower_bounds(&self.model, bounds, relaxations, &rows);
        let mut least = vec![f64::INFINITY; queries.len()];
        for (domain, bound) in domains.into_iter().zip(&found.lower) {
            least[domain] = least[domain].min(f64::from(*bound));
        }
        least
    }
}
