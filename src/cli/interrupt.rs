//! Ctrl-C, and what a scheduler sends instead: the first one ends a run cleanly, the second one at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether somebody wants the run to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What shells say of a process that Ctrl-C ended.
const KILLED: i32 = 130;

/// The flag that ends searches.
pub fn flag() -> &'static AtomicBool {
    &INTERRUPTED
}

/// Sets the flag at the first signal.
pub fn watch() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            process::exit(KILLED);
        }
        eprintln!("ending after the answers that are ready; once more to end at once");
    };
    // Without a handler the signal ends the process, and the store can be continued all the same.
    let _ = ctrlc::set_handler(handler);
}
