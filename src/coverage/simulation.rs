//! Every interval of this module against a known truth: none misses it more often than it says, beyond what chance
//! explains in so many repetitions. Intervals are kept by the counts that they depend on, which few of the repetitions
//! do not share.

mod together;

use std::collections::HashMap;
use std::hash::Hash;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::sequential::Known;
use super::*;

const REPETITIONS: usize = 2000;

/// How often something that may happen with probability `level` happened: at most three standard errors too often.
fn assert_rare(happened: usize, level: f64, what: &str) {
    let repetitions = REPETITIONS as f64;
    let most = level + 3.0 * (level * (1.0 - level) / repetitions).sqrt();
    let found = happened as f64 / repetitions;
    assert!(found <= most, "{what}: happened at a rate of {found}, expected at most {most}");
}

/// What was computed once.
struct Kept<K, V>(HashMap<K, V>);

impl<K: Eq + Hash + Copy, V: Copy> Kept<K, V> {
    fn new() -> Self {
        Kept(HashMap::new())
    }

    fn get(&mut self, key: K, compute: impl FnOnce(K) -> V) -> V {
        *self.0.entry(key).or_insert_with(|| compute(key))
    }
}

/// Inputs of which a share has a quality, and how often that stays unknown where it is there and where it is not.
#[derive(Clone, Copy, Debug)]
struct World {
    share: f64,
    unknown: (f64, f64),
}

/// Nothing unknown, chance, and only what would be good or bad news.
const UNKNOWN: [(f64, f64); 4] = [(0.0, 0.0), (0.2, 0.2), (0.3, 0.0), (0.0, 0.5)];

impl World {
    fn outcome(self, has: bool, random: &mut ChaCha8Rng) -> Known {
        let unknown = if has { self.unknown.0 } else { self.unknown.1 };
        match has {
            _ if unknown > 0.0 && random.random::<f64>() < unknown => Known::Unknown,
            true => Known::Certain,
            false => Known::Refuted,
        }
    }

    fn draw(self, random: &mut ChaCha8Rng) -> Known {
        let has = random.random::<f64>() < self.share;
        self.outcome(has, random)
    }

    fn sample(self, points: usize, random: &mut ChaCha8Rng) -> Sample {
        let mut sample = NOTHING;
        (0..points).for_each(|_| count(&mut sample, self.draw(random)));
        sample
    }
}

const NOTHING: Sample = Sample { points: 0, certain: 0, refuted: 0 };

fn count(sample: &mut Sample, outcome: Known) {
    sample.points += 1;
    sample.certain += usize::from(outcome == Known::Certain);
    sample.refuted += usize::from(outcome == Known::Refuted);
}

fn misses(interval: Coverage, share: f64) -> bool {
    !(interval.lower <= share && share <= interval.upper)
}

/// Counts in how many repetitions something happens.
fn repeat(seed: u64, mut happens: impl FnMut(&mut ChaCha8Rng) -> bool) -> usize {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..REPETITIONS).filter(|_| happens(&mut random)).count()
}

#[test]
fn fixed_samples_miss_as_rarely_as_they_say() {
    let mut often = 0;
    for (points, share, confidence) in
        [(10, 0.5, 0.95), (10, 0.99, 0.8), (50, 0.9, 0.9), (150, 0.02, 0.95), (300, 0.5, 0.8), (300, 0.97, 0.99)]
    {
        for unknown in UNKNOWN {
            let (world, mut kept) = (World { share, unknown }, Kept::new());
            let missed = repeat(points as u64, |random| {
                let sample = world.sample(points, random);
                let key = (sample.certain, sample.refuted);
                misses(kept.get(key, |_| Coverage::of(sample, confidence)), share)
            });
            assert_rare(missed, 1.0 - confidence, &format!("{world:?}, {points} points at {confidence}"));
            often += usize::from(missed as f64 > REPETITIONS as f64 * (1.0 - confidence) / 2.0);
        }
    }
    assert!(often >= 3, "the intervals are far too wide: only {often} settings come near their level");
}

/// In how many runs of at most so many points the share is missed at some time, and in how many it is missed where a
/// run stops because its lower end exceeds `goal`.
fn watched(world: World, (most, goal): (usize, f64), interval: impl Fn(Sample) -> Coverage) -> (usize, usize) {
    let (mut lower, mut upper, mut missed_at_goal) = (Kept::new(), Kept::new(), 0);
    let missed = repeat(most as u64, |random| {
        let (mut sample, mut missed, mut stopped) = (NOTHING, false, false);
        for _ in 0..most {
            count(&mut sample, world.draw(random));
            // The lower end does not depend on what is refuted, nor the upper one on what is certain.
            let low = lower.get((sample.points, sample.certain), |_| interval(Sample { refuted: 0, ..sample }).lower);
            let high = upper.get((sample.points, sample.refuted), |_| interval(Sample { certain: 0, ..sample }).upper);
            let now = !(low <= world.share && world.share <= high);
            missed |= now;
            missed_at_goal += usize::from(now && !stopped && low > goal);
            stopped |= low > goal;
        }
        missed
    });
    (missed, missed_at_goal)
}

#[test]
fn watched_runs_miss_as_rarely_as_they_say() {
    const MOST: usize = 200;
    for (share, goal, confidence) in [(0.5, 0.45, 0.9), (0.9, 0.8, 0.95), (0.99, 0.95, 0.8)] {
        for unknown in UNKNOWN {
            let world = World { share, unknown };
            let (missed, at_goal) = watched(world, (MOST, goal), |sample| Coverage::at_any_time(sample, confidence));
            assert_rare(missed, 1.0 - confidence, &format!("{world:?} at {confidence}, stopped when missed"));
            assert_rare(at_goal, 1.0 - confidence, &format!("{world:?} at {confidence}, stopped at {goal}"));
            assert!(missed > 0 || unknown != (0.0, 0.0), "{world:?}: never missed in {REPETITIONS} runs");
        }
    }
}

/// What the interval at any time is for: one for a fixed number of points misses much too often when it is watched.
#[test]
fn a_fixed_sample_does_not_bear_watching() {
    let world = World { share: 0.5, unknown: (0.0, 0.0) };
    let (missed, _) = watched(world, (100, 0.5), |sample| Coverage::of(sample, 0.9));
    assert!(missed > REPETITIONS / 5, "missed in {missed} runs");
}

#[test]
fn sequences_miss_as_rarely_as_they_say() {
    for (share, confidence) in [(0.5, 0.9), (0.95, 0.8)] {
        for unknown in [(0.0, 0.0), (0.2, 0.0)] {
            let world = World { share, unknown };
            let missed = repeat(3, |random| {
                let outcomes: Vec<Known> = (0..80).map(|_| world.draw(random)).collect();
                misses(Coverage::of_sequence(outcomes, confidence), share)
            });
            assert_rare(missed, 1.0 - confidence, &format!("{world:?} at {confidence}"));
            assert!(missed > 0 || unknown != (0.0, 0.0), "{world:?}: never missed");
        }
    }
}

#[test]
fn parts_of_a_population_miss_as_rarely_as_they_say() {
    let mut often = 0;
    for (population, successes, points, confidence) in
        [(20, 10, 10, 0.8), (60, 57, 40, 0.9), (500, 250, 100, 0.8), (500, 490, 250, 0.95), (2000, 1800, 150, 0.9)]
    {
        for unknown in UNKNOWN {
            let share = successes as f64 / population as f64;
            let (world, mut kept) = (World { share, unknown }, Kept::new());
            let missed = repeat(points as u64, |random| {
                let (mut sample, mut left) = (NOTHING, successes);
                for drawn in 0..points {
                    let has = random.random_range(0..population - drawn) < left;
                    left -= usize::from(has);
                    count(&mut sample, world.outcome(has, random));
                }
                let key = (sample.certain, sample.refuted);
                misses(kept.get(key, |_| Coverage::of_population(sample, population, confidence)), share)
            });
            assert_rare(missed, 1.0 - confidence, &format!("{world:?}, {points} of {population} at {confidence}"));
            often += usize::from(missed as f64 > REPETITIONS as f64 * (1.0 - confidence) / 2.0);
        }
    }
    assert!(often >= 3, "the intervals are far too wide: only {often} settings come near their level");
}
