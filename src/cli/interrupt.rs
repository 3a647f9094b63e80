//! Ctrl-C, and what a scheduler sends instead: the first one ends a run cleanly, the second one at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, PoisonError};

use crate::deadline::Flag;

/// Whether somebody wants the run to end.
static INTERRUPTED: Flag = Flag::new();

/// A folder of temporary files, which nobody removes where the process ends at once.
static TEMPORARY: Mutex<Option<PathBuf>> = Mutex::new(None);

/// What shells say of a process that Ctrl-C ended.
const KILLED: i32 = 130;

/// The flag that ends searches.
pub fn flag() -> &'static Flag {
    &INTERRUPTED
}

/// Sets the flag at the first signal.
pub fn watch() {
    let handler = || {
        if INTERRUPTED.set() {
            remove_temporary();
            process::exit(KILLED);
        }
        eprintln!("ending after the answers that are ready; once more to end at once");
    };
    // Without a handler the signal ends the process, and the store can be continued all the same.
    let _ = ctrlc::set_handler(handler);
}

/// Has a folder removed where the process ends at once.
pub fn remove_at_once(folder: &Path) {
    *TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_owned());
}

fn remove_temporary() {
    if let Some(folder) = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // Where it stays, the system's own cleaning finds it.
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_files_go_where_the_process_ends_at_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run.db"), "x").unwrap();
        remove_temporary();
        assert!(folder.path().exists());
        remove_at_once(folder.path());
        remove_temporary();
        assert!(!folder.path().exists());
    }
}
