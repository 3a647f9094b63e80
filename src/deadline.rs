//! When a search must end: at a time, or as soon as somebody says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What somebody sets who wants searches to end. It lives as long as the process, since whoever knows of it may.
#[derive(Debug)]
pub struct Flag {
    is_set: AtomicBool,
    /// A flag that counts for this one too.
    wider: Option<&'static Flag>,
}

/// The longest time limit, some thirty years: any more could not be added to the time of day.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(1_000_000_000);

/// The end of a search.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    cancelled: Option<&'static Flag>,
}

impl Flag {
    /// A flag that nobody has set.
    pub const fn new() -> Flag {
        Flag { is_set: AtomicBool::new(false), wider: None }
    }

    /// A flag that is set by itself or with a wider one: that of one run among all that the process does. Its few bytes are not given
    /// back.
    pub fn within(wider: Option<&'static Flag>) -> &'static Flag {
        Box::leak(Box::new(Flag { wider, ..Flag::new() }))
    }

    /// Sets it, and tells whether it was set by itself before.
    pub fn set(&self) -> bool {
        self.is_set.swap(true, Ordering::Relaxed)
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed) || self.wider.is_some_and(Flag::is_set)
    }
}

impl Default for Flag {
    fn default() -> Flag {
        Flag::new()
    }
}

impl Deadline {
    /// So much time from now on.
    pub fn after(time: Duration) -> Deadline {
        Deadline { at: Instant::now() + time, cancelled: None }
    }

    /// The same, or when the flag is set.
    #[must_use]
    pub fn unless(self, cancelled: Option<&'static Flag>) -> Deadline {
        Deadline { cancelled, ..self }
    }

    /// The time, or another one before it.
    #[must_use]
    pub fn at_most(self, time: Duration) -> Deadline {
        Deadline { at: self.at.min(Instant::now() + time), ..self }
    }

    /// The time, for those who cannot be told anything else; no later than now once the flag is set.
    pub fn at(&self) -> Instant {
        if self.is_cancelled() { self.at.min(Instant::now()) } else { self.at }
    }

    /// Whether it is over.
    pub fn has_passed(&self) -> bool {
        self.is_cancelled() || Instant::now() >= self.at
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.is_some_and(Flag::is_set)
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
        static FLAG: Flag = Flag::new();
        assert!(Deadline::after(Duration::ZERO).has_passed());
        let long = Deadline::after(Duration::from_secs(1000)).unless(Some(&FLAG));
        assert!(!long.has_passed() && long.remaining() > Duration::from_secs(900));
        assert!(long.at_most(Duration::ZERO).has_passed());
        let [one, other] = [(); 2].map(|()| Flag::within(Some(&FLAG)));
        let narrow = |flag| Deadline::after(Duration::from_secs(1000)).unless(Some(flag));
        assert_eq!((one.set(), one.set(), FLAG.is_set(), other.is_set()), (false, true, false, false));
        assert!(narrow(one).has_passed() && !narrow(other).has_passed() && !long.has_passed());
        assert!(narrow(one).at() <= Instant::now() && narrow(other).at() > Instant::now());
        FLAG.set();
        assert!(long.has_passed() && long.remaining() == Duration::ZERO && narrow(other).has_passed());
    }
}
