//! Many queries of one shape at once, by one batch of linear bounds: their rows share the matrix products.

use bartizan_proof::certificate::Close;
use bartizan_proof::{Property, Verified};
use ndarray::Array2;

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

    /// Tries to prove properties with linear bounds. Each has one region, a box, and at most one atom a case; others stay open.
    ///
    /// The answers do not depend on the number of threads, but what is rounded may depend on which properties share a batch.
    pub fn prove_linearly(&self, properties: &[&Property], deadline: Deadline) -> Vec<Easy> {
        let mut answers = vec![Easy::Open(f64::NEG_INFINITY); properties.len()];
        let mut places = Vec::new();
        let mut queries = Vec::new();
        for (place, property) in properties.iter().enumerate() {
            let is_simple = property.regions().len() == 1
                && property.regions()[0].is_box()
                && property.cases().iter().all(|case| case.atoms.len() == 1);
            if let Some(query) = Query::all_of(property).pop().filter(|_| is_simple) {
                places.push(place);
                queries.push(query);
            }
        }
        let Some((bounds, relaxations)) = self.bound_together(&queries, deadline) else { return answers };
        for (domain, bound) in self.bound_cases(&queries, (&bounds, &relaxations)).into_iter().enumerate() {
            let (place, query) = (places[domain], &queries[domain]);
            let least = bound.iter().copied().fold(f64::INFINITY, f64::min);
            answers[place] = Easy::Open(least);
            if least > 0.0 {
                let tightening = certify::tightening(&self.network, &self.model, (&bounds, domain));
                let close: Vec<Close> = query.cases.iter().map(|t| certify::close_by_atom(t.case, 0)).collect();
                let proof = certify::proof(query.region, (tightening, close), Vec::new());
                let concluded = certify::conclude(&self.network, properties[place], (vec![proof], deadline));
                if let Ok((verified, certificate)) = concluded {
                    answers[place] = Easy::Verified(verified, certificate);
                }
            }
        }
        answers
    }

    /// Linear bounds of all nodes, one domain a query.
    fn bound_together(&self, queries: &[Query<f32>], deadline: Deadline) -> Option<(Bounds<f32>, Relaxations<f32>)> {
        let inputs = self.network.input_size();
        let ends = |end: fn(&Query<f32>) -> &ndarray::Array1<f32>| {
            let mut ends = Array2::zeros((queries.len(), inputs));
            ends.rows_mut().into_iter().zip(queries).for_each(|(mut row, query)| row.assign(end(query)));
            ends
        };
        if queries.is_empty() {
            return None;
        }
        linear::propagate(&self.model, ends(|query| &query.lower), ends(|query| &query.upper), deadline)
    }

    /// A lower bound of each case's atom, query by query.
    fn bound_cases(
        &self,
        queries: &[Query<f32>],
        (bounds, relaxations): (&Bounds<f32>, &Relaxations<f32>),
    ) -> Vec<Vec<f64>> {
        let targets: Vec<_> = queries.iter().flat_map(|query| &query.cases).collect();
        let Some(mut rows) = atom_rows(self.model.output(), &targets) else { return vec![Vec::new(); queries.len()] };
        rows.domains = queries.iter().enumerate().flat_map(|(d, query)| vec![d; query.cases.len()]).collect();
        let found = linear::lower_bounds(&self.model, bounds, relaxations, &rows);
        let mut next = 0;
        let of_query = |query: &Query<f32>| {
            let first = next;
            next += query.cases.len();
            (first..next).map(|row| f64::from(found.lower[row])).collect()
        };
        queries.iter().map(of_query).collect()
    }
}
