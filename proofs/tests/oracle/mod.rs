//! An oracle in exact arithmetic, which shares nothing with the checker but the types of networks and properties: it
//! evaluates networks, enumerates their activation patterns over regions of up to three inputs, and makes random
//! tiny networks that are hard on arithmetic.

pub mod cells;
pub mod dyadic;
pub mod forms;
pub mod network;
pub mod polytope;
pub mod property;
pub mod random;
pub mod tiny;
pub mod trial;
