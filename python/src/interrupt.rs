//! Long work without the interpreter's lock, which Ctrl-C ends.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use bartizan::{Error, Flag};
use pyo3::prelude::*;

use crate::error::raise;

/// How often Python is asked whether somebody has pressed Ctrl-C.
const INTERVAL: Duration = Duration::from_millis(50);

/// How far a run is: points with an answer, points that it is about.
pub type Progress = (usize, usize);

/// What the work tells.
enum Told<R> {
    Progress(Progress),
    End(Result<R, Error>),
}

/// Tells how far the work is.
pub struct Teller<R>(Sender<Told<R>>);

impl<R> Teller<R> {
    /// Tells it; nobody may listen.
    pub fn tell(&self, progress: Progress) {
        let _ = self.0.send(Told::Progress(progress));
    }
}

/// Does work on another thread while this one watches for signals; a signal sets the flag that the work was given, and what the handler
/// raises is raised once the work has ended. `watch` is called with the work's progress.
pub fn run<R: Send>(
    py: Python<'_>,
    watch: Option<&Py<PyAny>>,
    work: impl FnOnce(&'static Flag, &Teller<R>) -> Result<R, Error> + Send,
) -> PyResult<R> {
    let flag = Flag::within(None);
    py.detach(|| {
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let worker = scope.spawn(move || {
                let teller = Teller(sender);
                let result = work(flag, &teller);
                let _ = teller.0.send(Told::End(result));
            });
            let mut raised: Option<PyErr> = None;
            loop {
                let looked = match receiver.recv_timeout(INTERVAL) {
                    Ok(Told::End(result)) => return raised.map_or_else(|| result.map_err(raise), Err),
                    Ok(Told::Progress(progress)) => match watch {
                        Some(watch) if raised.is_none() => Python::attach(|py| watch.call1(py, progress).map(|_| ())),
                        _ => Ok(()),
                    },
                    Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals()),
                    Err(RecvTimeoutError::Disconnected) => match worker.join() {
                        Err(panic) => std::panic::resume_unwind(panic),
                        Ok(()) => unreachable!("the work tells its end"),
                    },
                };
                if let Err(error) = looked {
                    flag.set();
                    raised.get_or_insert(error);
                }
            }
        })
    })
}
