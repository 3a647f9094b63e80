//! The compiled half of the Python package `bartizan`: networks, data sets, runs. What users see is written in Python, in `bartizan/`.
//!
//! Arrays cross the border as bytes of little-endian binary64 numbers in row-major order.

mod cluster;
mod data;
mod error;
mod interrupt;
mod network;
mod outcome;
mod run;
mod settings;

use pyo3::prelude::*;

/// The module.
#[pymodule]
mod _bartizan {
    #[pymodule_export]
    use crate::cluster::{Plan, answer};
    #[pymodule_export]
    use crate::data::{Builder, Data};
    #[pymodule_export]
    use crate::network::Network;
    #[pymodule_export]
    use crate::outcome::{Outcome, check, verify};
    #[pymodule_export]
    use crate::run::{Run, certify, merge};

    /// The version of the engine.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const version: &str = env!("CARGO_PKG_VERSION");
}
