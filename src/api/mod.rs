//! The library's public face: what `lib.rs` exports. Everything behind it may change from version to version.
//!
//! * `network`: a network, ready for questions.
//! * `query`: one question about it.
//! * `verifier`: settings, and answers.
//! * `certify`: the same question at all points of a data set.
//! * `run`: what became of them.
//! * [`cluster`]: points that are answered elsewhere.

mod certify;
pub mod cluster;
mod network;
mod query;
mod run;
mod verifier;

pub use certify::Certify;
pub use network::Network;
pub use query::Query;
pub use run::Run;
pub use verifier::Verifier;
