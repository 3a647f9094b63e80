//! Damage to slopes and multipliers.

use bartizan_proof::certificate::{Close, Item, Multipliers, Slopes, Targets, Witness};

use super::{Damage, in_items, in_slopes};
use crate::subject::Subject;

/// More literals than any path has.
const TOO_MANY: usize = 600;

pub fn all() -> Vec<Damage> {
    let slope: &[&str] = &["slope"];
    let multiplier: &[&str] = &["multiplier"];
    let count: &[&str] = &["multiplier_count"];
    vec![
        Damage { name: "slope above 1", announced: slope, make: |s| in_slopes(s, |x| set_alpha(x, 1.5)) },
        Damage {
            name: "slope just above 1",
            announced: slope,
            make: |s| in_slopes(s, |x| set_alpha(x, 1.0f32.next_up())),
        },
        Damage { name: "slope byte above 128", announced: slope, make: |s| in_slopes(s, short_alpha) },
        Damage { name: "negative slope", announced: slope, make: |s| in_slopes(s, |x| set_alpha(x, -0.25)) },
        Damage { name: "infinite slope", announced: slope, make: |s| in_slopes(s, |x| set_alpha(x, f32::INFINITY)) },
        Damage { name: "slope too many", announced: &["slope_count"], make: |s| in_slopes(s, longer_alpha) },
        Damage { name: "slope too few", announced: &["slope_count"], make: |s| in_slopes(s, shorter_alpha) },
        Damage { name: "mark too many", announced: &["slope_count"], make: longer_marks },
        Damage { name: "negative beta", announced: multiplier, make: |s| in_slopes(s, |x| set(&mut x.beta, -0.5)) },
        Damage {
            name: "infinite beta",
            announced: multiplier,
            make: |s| in_slopes(s, |x| set(&mut x.beta, f32::INFINITY)),
        },
        Damage { name: "NaN as beta", announced: multiplier, make: |s| in_slopes(s, |x| set(&mut x.beta, f32::NAN)) },
        Damage { name: "beta too many", announced: count, make: |s| in_slopes(s, |x| grow(&mut x.beta)) },
        Damage {
            name: "negative constraint",
            announced: multiplier,
            make: |s| in_slopes(s, |x| set(&mut x.constraints, -1.0)),
        },
        Damage {
            name: "infinite constraint",
            announced: multiplier,
            make: |s| in_slopes(s, |x| set(&mut x.constraints, f32::INFINITY)),
        },
        Damage {
            name: "NaN as constraint",
            announced: multiplier,
            make: |s| in_slopes(s, |x| set(&mut x.constraints, f32::NAN)),
        },
        Damage { name: "constraint too many", announced: count, make: |s| in_slopes(s, |x| grow(&mut x.constraints)) },
        Damage {
            name: "negative atom",
            announced: multiplier,
            make: |s| in_closes(s, |x| each(x, |list| set(list, -1.0))),
        },
        Damage {
            name: "infinite atom",
            announced: multiplier,
            make: |s| in_closes(s, |x| each(x, |list| set(list, f32::INFINITY))),
        },
        Damage {
            name: "NaN as atom",
            announced: multiplier,
            make: |s| in_closes(s, |x| each(x, |list| set(list, f32::NAN))),
        },
        Damage { name: "atom too many", announced: count, make: |s| in_closes(s, |x| each(x, grow)) },
        Damage { name: "unknown atom", announced: count, make: |s| in_closes(s, unknown_atom) },
        Damage { name: "zero for every atom", announced: &["not_refuted"], make: |s| in_closes(s, all_zero) },
    ]
}

fn alphas(slopes: &mut Slopes) -> Option<&mut Vec<f32>> {
    slopes.alpha.values_mut().next_back()
}

fn set_alpha(slopes: &mut Slopes, to: f32) -> bool {
    alphas(slopes).is_some_and(|list| set(list, to))
}

/// A slope of 129 / 128 among slopes that all take one byte.
fn short_alpha(slopes: &mut Slopes) -> bool {
    let is_short = format!("{slopes:?}") == format!("{:?}", slopes.clone().rounded());
    is_short && set_alpha(slopes, 129.0 / 128.0)
}

fn longer_alpha(slopes: &mut Slopes) -> bool {
    alphas(slopes).map(|list| list.push(0.5)).is_some()
}

fn shorter_alpha(slopes: &mut Slopes) -> bool {
    alphas(slopes).and_then(Vec::pop).is_some()
}

pub(super) fn set(list: &mut [f32], to: f32) -> bool {
    list.first_mut().map(|first| *first = to).is_some()
}

pub(super) fn grow(list: &mut Vec<f32>) -> bool {
    list.resize(TOO_MANY, 0.0);
    true
}

fn longer_marks(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Tighten(place, Targets::Marked(lower, upper)) => {
            let longer = |marks: &[bool]| [marks, &[true]].concat();
            Some(Item::Tighten(*place, Targets::Marked(longer(lower), longer(upper))))
        }
        _ => None,
    })
}

fn in_closes(subject: &Subject, change: fn(&mut Close) -> bool) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Close(list) => {
            let mut list = list.clone();
            list.iter_mut().any(change).then_some(Item::Close(list))
        }
        _ => None,
    })
}

fn each(close: &mut Close, change: impl Fn(&mut Vec<f32>) -> bool) -> bool {
    match &mut close.multipliers {
        Multipliers::Each(list) => change(list),
        Multipliers::Atom(_) => false,
    }
}

fn unknown_atom(close: &mut Close) -> bool {
    close.multipliers = Multipliers::Atom(TOO_MANY);
    true
}

/// Nothing is left of the goal; without literals nothing else is added, either.
fn all_zero(close: &mut Close) -> bool {
    let is_changed = each(close, |list| {
        list.fill(0.0);
        true
    });
    if is_changed {
        close.witness = Witness::Default;
    }
    is_changed
}
