//! Bytes to the checker.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Counting, Instance, check};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static INSTANCES: LazyLock<Vec<Instance>> = LazyLock::new(Instance::all);

fuzz_target!(|data: &[u8]| check(&INSTANCES, data));
