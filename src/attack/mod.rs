//! The search for counterexamples. What it finds are candidates: only [`bartizan_proof::check::replay`] decides.

pub mod evolve;
pub mod momentum;
pub mod pgd;
mod slope;
