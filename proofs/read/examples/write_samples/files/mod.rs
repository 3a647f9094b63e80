//! The sample files that are written by program.

mod damaged;
pub mod instances;
mod refused;
mod signs;
mod steps;
mod valid;
#[allow(dead_code)]
#[path = "../../../tests/onnx_writer/mod.rs"]
mod writer;

use std::collections::BTreeMap;

use instances::Instance;

/// Every file of the folder that is written by program, with its path in the folder.
pub fn all() -> BTreeMap<String, Vec<u8>> {
    let mut files = instances::files();
    let instance = |name: &str| Instance::parse(name, &instances::files());
    let (distance, corners) = (instance("distance"), instance("corners"));
    let wide = instance("wide");
    let signs = [signs::valid(&distance), signs::corners(&corners)].concat();
    let valid = [valid::distance(&distance), valid::corners(&corners), valid::wide(&wide), signs].concat();
    files.extend(valid.into_iter().map(|(name, bytes)| (format!("valid/{name}.cert"), bytes)));
    let claim = instance("distance_false");
    let beyond = [refused::beyond_the_minimum(&distance, &claim), signs::beyond_the_minimum(&claim)].concat();
    let damaged = damaged::bytes(&distance);
    let rejected = [
        refused::trees(&distance),
        refused::proofs(&corners),
        refused::wide(&wide),
        signs::refused(&distance),
        beyond,
        damaged,
    ]
    .concat();
    files.extend(rejected.into_iter().map(|(name, bytes)| (format!("rejected/{name}.cert"), bytes)));
    files
}
