//! Certificates that are accepted, with everything that is needed to damage them.

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{Header, Proof, encode};
use bartizan_proof::check::{replay, verify};
use bartizan_proof::{Network, Property, Rejected, Verified};

use crate::prover::{pretend, prove};
use crate::question::{Danger, FAMILIES, Question};
use crate::random::Random;

/// How many certificates are made, a share of each family.
pub const SUBJECTS: usize = 240;

/// Bytes of a certificate before the number of its proofs.
pub const HEADER: usize = 74;

/// An accepted certificate.
pub struct Subject {
    pub network: Network,
    pub property: Property,
    pub proofs: Vec<Proof>,
    pub bytes: Vec<u8>,
    /// Properties with one case moved beyond its true minimum.
    pub falsehoods: Vec<Falsehood>,
}

/// A property with a counterexample, and a certificate that proves all of it but the surroundings of that point.
pub struct Falsehood {
    pub property: Property,
    pub almost: Vec<u8>,
}

impl Subject {
    /// Tries margins between the property and the true minimum, the smallest first, until a proof is found.
    fn random(seed: u64) -> Subject {
        let mut random = Random::new(seed);
        let family = seed as usize % FAMILIES;
        let question = Question::random(&mut random, family);
        let mut margin = random.range(0.005, 0.1);
        loop {
            let cases = question.at(margin);
            if let Some(proofs) = prove(&question, &cases, &mut random) {
                let property = question.property(&cases);
                let bytes = encode(&Header::of(&question.network, &property), &proofs);
                let falsehoods = (0..cases.len()).map(|case| falsehood(&question, &cases, case, &mut random)).collect();
                return Subject { network: question.network, property, proofs, bytes, falsehoods };
            }
            margin *= 1.5;
        }
    }

    pub fn header(&self) -> Header {
        Header::of(&self.network, &self.property)
    }

    /// A certificate of the same property with other proofs.
    pub fn with(&self, proofs: &[Proof]) -> Vec<u8> {
        encode(&self.header(), proofs)
    }

    pub fn judge(&self, bytes: &Vec<u8>) -> Result<Verified, Rejected> {
        verify(&self.network, &self.property, bytes, NonZeroUsize::MIN)
    }

    /// Offers a certificate for a property of the same network, whatever property it names.
    pub fn judge_as(&self, property: &Property, bytes: &[u8]) -> Result<Verified, Rejected> {
        let header = Header::of(&self.network, property);
        let mut patched = encode(&header, &[]);
        patched.truncate(HEADER);
        patched.extend(bytes.get(HEADER..).unwrap_or_default());
        verify(&self.network, property, &patched, NonZeroUsize::MIN)
    }
}

fn falsehood(question: &Question, cases: &[Danger], case: usize, random: &mut Random) -> Falsehood {
    let cases = question.beyond(cases, case);
    let property = question.property(&cases);
    replay(&question.network, &property, &cases[case].nearest).unwrap_or_else(|refused| panic!("not false: {refused}"));
    let proofs = pretend(question, &cases, random).unwrap();
    let header = Header::of(&question.network, &property);
    Falsehood { almost: encode(&header, &proofs), property }
}

/// The certificates; each is accepted.
pub fn subjects() -> Vec<Subject> {
    let subjects: Vec<Subject> = (0..SUBJECTS as u64).map(Subject::random).collect();
    for (seed, subject) in subjects.iter().enumerate() {
        if let Err(refused) = subject.judge(&subject.bytes) {
            panic!("certificate {seed}: {refused}");
        }
    }
    subjects
}
