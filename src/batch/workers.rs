//! Independent tasks on several threads.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::BatchError;
use crate::deadline::Flag;

/// Runs `work` for every number below `tasks` on `threads` threads. `finished` is called with each task's number and result as it
/// ends, on the calling thread, in no particular order.
///
/// Every task that runs has a thread pool of its own: in a shared pool, a thread that waits inside one task would pick
/// up another whole task, and that task's time would be charged to the first. Each pool has `threads` threads, so that the last
/// tasks have all cores.
///
/// # Errors
///
/// The threads cannot be started, or whatever `finished` returns; then tasks that have begun come to their end and their
/// results are dropped.
pub fn run<R: Send, E: From<BatchError>>(
    size: (usize, usize),
    work: impl Fn(usize) -> R + Sync,
    mut finished: impl FnMut(usize, R) -> Result<(), E>,
) -> Result<(), E> {
    run_while(size, &Flag::new(), work, |task, result| finished(task, result).map(|()| true)).map(|_| ())
}

/// As [`run`], as long as `finished` says that it should go on; returns whether it always did. Once it does not, `stop` is set, which
/// tells tasks that have begun that nobody waits for them.
///
/// # Errors
///
/// As [`run`].
pub fn run_while<R: Send, E: From<BatchError>>(
    (tasks, threads): (usize, usize),
    stop: &Flag,
    work: impl Fn(usize) -> R + Sync,
    mut finished: impl FnMut(usize, R) -> Result<bool, E>,
) -> Result<bool, E> {
    let pools = pools(threads, tasks)?;
    let (next, work) = (&AtomicUsize::new(0), &work);
    thread::scope(|scope| {
        // Results wait for `finished` in small numbers: they may be large.
        let (sender, receiver) = mpsc::sync_channel(pools.len());
        for pool in &pools {
            let sender = sender.clone();
            scope.spawn(move || {
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= tasks || sender.send((task, pool.install(|| work(task)))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // Leaving early drops the receiver, which ends the threads.
        for (task, result) in receiver {
            let goes_on = finished(task, result);
            if !matches!(goes_on, Ok(true)) {
                stop.set();
                return goes_on;
            }
        }
        Ok(true)
    })
}

/// Runs one task with a pool of `threads` threads.
///
/// # Errors
///
/// The threads cannot be started.
pub fn run_one<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, BatchError> {
    let pools = pools(threads, 1)?;
    Ok(pools[0].install(work))
}

/// What a task comes to; the text of the panic where it hits a bug, which must not take other tasks with it.
///
/// # Errors
///
/// It panicked.
pub fn caught<R>(task: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(task)).map_err(|payload| match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().copied().unwrap_or("no text").to_owned(),
    })
}

/// As many threads as the machine has cores.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// One pool for each task that runs at a time, at least one, with at least one thread each.
fn pools(threads: usize, tasks: usize) -> Result<Vec<ThreadPool>, BatchError> {
    let threads = threads.max(1);
    let pools = threads.min(tasks.max(1));
    (0..pools)
        .map(|_| ThreadPoolBuilder::new().num_threads(threads).build())
        .collect::<Result<_, _>>()
        .map_err(|error| BatchError::Threads { threads, error: error.to_string() })
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn every_task_runs_once_and_errors_stop_the_run() {
        for threads in [1, 3, 8] {
            let mut seen = vec![0; 20];
            let count = |task: usize, square: usize| {
                assert_eq!(square, task * task);
                seen[task] += 1;
                Ok::<(), BatchError>(())
            };
            run((20, threads), |task| task * task, count).unwrap();
            assert_eq!(seen, [1; 20]);
        }
        let mut ended = 0;
        let stop = |_, ()| {
            ended += 1;
            Err(BatchError::Threads { threads: 0, error: "stop".to_owned() })
        };
        assert!(run((100, 2), |_| (), stop).is_err());
        assert_eq!(ended, 1);
        assert!(run((0, 2), |_| (), |_, ()| Ok::<(), BatchError>(())).is_ok());
    }

    /// Tasks that only the flag ends: whoever waits for them waits for ever.
    #[test]
    fn whoever_leaves_early_tells_those_who_work() {
        for leave in [Ok(false), Err(BatchError::Threads { threads: 0, error: "stop".to_owned() })] {
            let (stop, is_error, mut leave) = (Flag::new(), leave.is_err(), Some(leave));
            let work = |task: usize| {
                while task > 0 && !stop.is_set() {
                    thread::yield_now();
                }
            };
            let left = run_while((9, 3), &stop, work, |_, ()| leave.take().unwrap());
            assert_eq!((left.is_err(), stop.is_set()), (is_error, true));
        }
        let stop = Flag::new();
        assert!(run_while((9, 3), &stop, |_| (), |_, ()| Ok::<bool, BatchError>(true)).unwrap() && !stop.is_set());
    }

    #[test]
    fn panics_are_caught_with_their_text() {
        let below = |most: usize, task: usize| {
            assert!(task < most, "task {task}");
            task
        };
        let mut found = [const { Ok(0) }; 3];
        let keep = |task, result| {
            found[task] = result;
            Ok::<(), BatchError>(())
        };
        run((3, 2), |task| caught(|| [task].par_iter().map(|task| below(2, *task)).sum()), keep).unwrap();
        assert_eq!(found, [Ok(0), Ok(1), Err("task 2".to_owned())]);
        assert_eq!(caught(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
    }

    #[test]
    fn every_running_task_has_all_threads() {
        let sizes = |threads, tasks| {
            pools(threads, tasks).unwrap().iter().map(ThreadPool::current_num_threads).collect::<Vec<usize>>()
        };
        assert_eq!((sizes(1, 9), sizes(3, 9), sizes(5, 2), sizes(0, 0)), (vec![1], vec![3; 3], vec![5; 2], vec![1]));
    }
}
