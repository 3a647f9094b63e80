//! bartizan proves that a trained ReLU network gives the same answer everywhere within a radius of an input, and
//! estimates from many such proofs how much of the input distribution is covered.
//!
//! This crate searches; [`bartizan_proof`] judges. Modules, in the order in which they build on each other:
//!
//! * [`real`], [`matrix`]: the search's floating-point types and matrix products.
//! * [`deadline`]: when a search must end.
//! * [`bound`]: interval and linear bounds, in batches.
//! * [`query`]: a property as the search sees it.
//! * [`attack`]: the search for counterexamples.
//! * [`branch`]: branch and bound over the input region.
//! * [`refine`]: refined bounds of hidden neurons, and branch and bound over the signs of ReLUs.
//! * [`lp`]: the linear programming engine.
//! * [`certify`]: from what the search found to a certificate.
//! * [`outcome`], [`verify`]: the ladder for one query, on one page.
//! * [`output_bounds`]: proved output intervals, to compare methods.
//! * [`volume`]: which share of a region's volume is certified or violated.
//! * [`coverage`]: from outcomes at sampled points to a statement about their distribution.
//! * [`batch`]: many queries in one process: lists of properties, and data sets; runs in a file, and their check.
//! * [`report`]: what a run over a data set says in the end.
//! * [`cli`]: the command line.

#[cfg(test)]
mod random_networks;

pub mod deadline;
pub mod matrix;
pub mod real;

pub mod bound;
pub mod query;

pub mod attack;
pub mod branch;
pub mod lp;
pub mod refine;

pub mod certify;
pub mod outcome;
pub mod output_bounds;
pub mod verify;
pub mod volume;

pub mod coverage;

pub mod batch;
pub mod report;

pub mod cli;
