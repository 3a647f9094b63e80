//! When a search must end: at a time, or as soon as somebody says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The end of a search.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    cancelled: Option<&'static AtomicBool>,
}

impl Deadline {
    /// So much time from now on.
    pub fn after(time: Duration) -> Deadline {
        Deadline { at: Instant::now() + time, cancelled: None }
    }

    /// The same, or when the flag is set.
    #[must_use]
    pub fn unless(self, cancelled: Option<&'static AtomicBool>) -> Deadline {
        Deadline { cancelled, ..self }
    }

    /// The time, or another one before it.
    #[must_use]
    pub fn at_most(self, time: Duration) -> Deadline {
        Deadline { at: self.at.min(Instant::now() + time), ..self }
    }

    /// The time, for those who cannot be told anything else.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Whether it is over.
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.at || self.cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// What is left.
    pub fn remaining(&self) -> Duration {
        if self.has_passed() { Duration::ZERO } else { self.at.saturating_duration_since(Instant::now()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_flag_end_a_search() {
        static FLAG: AtomicBool = AtomicBool::new(false);
        assert!(Deadline::after(Duration::ZERO).has_passed());
        let long = Deadline::after(Duration::from_secs(1000)).unless(Some(&FLAG));
        assert!(!long.has_passed() && long.remaining() > Duration::from_secs(900));
        assert!(long.at_most(Duration::ZERO).has_passed());
        FLAG.store(true, Ordering::Relaxed);
        assert!(long.has_passed() && long.remaining() == Duration::ZERO);
    }
}
