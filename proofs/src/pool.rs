//! What a check may take: its threads, and its time.

use std::iter::from_fn;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Instant;

use crate::error::Refusal;

/// What a check may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most threads.
    pub threads: NonZeroUsize,
    /// When to give up.
    pub deadline: Option<Instant>,
}

impl From<NonZeroUsize> for Limits {
    fn from(threads: NonZeroUsize) -> Self {
        Limits { threads, deadline: None }
    }
}

/// What all that is checked of a certificate shares; by default one thread and no deadline.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    deadline: Option<Instant>,
    /// How many more threads may be started.
    idle: AtomicUsize,
}

impl Pool {
    pub fn new(limits: Limits) -> Self {
        Pool { deadline: limits.deadline, idle: AtomicUsize::new(limits.threads.get() - 1) }
    }

    /// Refuses once the deadline has passed.
    pub fn check_time(&self) -> Result<(), Refusal> {
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_late { Err(Refusal::Deadline) } else { Ok(()) }
    }

    /// Whether there was an idle thread, which is to be started now.
    pub fn take(&self) -> bool {
        let take = |idle: usize| idle.checked_sub(1);
        self.idle.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Starts a thread that was taken, which is idle again when it has done its work.
    pub fn start<'s, R: Send + 's>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        work: impl FnOnce() -> R + Send + 's,
    ) -> ScopedJoinHandle<'s, R> {
        scope.spawn(move || {
            let result = work();
            self.idle.fetch_add(1, Ordering::AcqRel);
            result
        })
    }

    /// The results of some jobs in their order, with the help of idle threads.
    pub fn each<J: Sync, R: Send>(&self, jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let take_job = || jobs.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed));
        let run = || from_fn(take_job).map(|(number, job)| (number, work(job))).collect::<Vec<_>>();
        let mut done = thread::scope(|scope| {
            let helpers: Vec<_> =
                jobs.iter().skip(1).map_while(|_| self.take().then(|| self.start(scope, run))).collect();
            let mut done = run();
            helpers.into_iter().for_each(|helper| done.extend(joined(helper)));
            done
        });
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

/// What a thread has found.
pub(crate) fn joined<R>(thread: ScopedJoinHandle<R>) -> R {
    thread.join().unwrap_or_else(|payload| resume_unwind(payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_their_jobs_and_threads_go_back() {
        for threads in [1, 2, 5] {
            let pool = Pool::new(NonZeroUsize::new(threads).unwrap().into());
            for jobs in [0, 1, 3, 200] {
                let jobs = Vec::from_iter(0..jobs);
                let work = |job: &usize| {
                    (0..job % 7).for_each(|_| thread::yield_now());
                    3 * job
                };
                let expected: Vec<usize> = jobs.iter().map(|job| 3 * job).collect();
                assert_eq!(pool.each(&jobs, work), expected);
            }
            assert_eq!((0..9).filter(|_| pool.take()).count(), threads - 1);
        }
    }
}
