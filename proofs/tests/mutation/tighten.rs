//! The first steps of a proof: intervals of the second layer and of the outputs, tightened in one of the ways that there are.

use bartizan_proof::certificate::{Item, Literal, Side, Slopes, Target, Targets, Witness};

use crate::facts::{Facts, Linear};
use crate::random::Random;
use crate::signs;
use crate::witness::improve;

/// One end of an element's interval.
type End = (usize, Side);

/// Tightens some bounds and says how.
pub fn tighten(facts: &mut Facts, random: &mut Random) -> Vec<Item> {
    let last = facts.bounds.len() - 1;
    match random.below(6) {
        0 => Vec::new(),
        1 => {
            // The first layer is exact in a box.
            let first = if facts.ground.constraints.is_empty() && facts.ground.ball.is_none() { 2 } else { 1 };
            (first..last).for_each(|place| by_default(facts, place, &undecided(facts, place)));
            vec![Item::TightenAll]
        }
        2 => {
            by_default(facts, last - 1, &undecided(facts, last - 1));
            vec![Item::Tighten(last - 1, Targets::Undecided)]
        }
        3 => {
            let ends: Vec<End> = undecided(facts, last - 1).into_iter().filter(|_| random.below(2) == 0).collect();
            by_default(facts, last - 1, &ends);
            let marks = |side| (0..facts.bounds[last - 1].len()).map(|i| ends.contains(&(i, side))).collect();
            vec![Item::Tighten(last - 1, Targets::Marked(marks(Side::Lower), marks(Side::Upper)))]
        }
        number => {
            let place = if number == 4 { last } else { last - 1 };
            let ends = both(facts, place);
            vec![Item::Tighten(place, Targets::Listed(listed(facts, place, &ends, random)))]
        }
    }
}

fn both(facts: &Facts, place: usize) -> Vec<End> {
    (0..facts.bounds[place].len()).flat_map(|element| [(element, Side::Lower), (element, Side::Upper)]).collect()
}

fn undecided(facts: &Facts, place: usize) -> Vec<End> {
    both(facts, place).into_iter().filter(|(element, _)| facts.is_undecided(place, *element)).collect()
}

/// What has to be bounded from below for one end.
fn goal(place: usize, (element, side): End) -> Linear {
    let sign = if side == Side::Lower { 1.0 } else { -1.0 };
    Linear { terms: vec![(place, element, sign)], at_most: 0.0 }
}

/// The bound of one end that slopes give.
fn bound(facts: &Facts, place: usize, end: End, slopes: &Slopes) -> Literal {
    literal(place, end, facts.lower(&[(1.0, &goal(place, end))], slopes))
}

/// What a lower bound of a goal says of its end.
fn literal(place: usize, (element, side): End, found: f64) -> Literal {
    Literal { place, element, side, at: if side == Side::Lower { found } else { -found } }
}

fn by_default(facts: &mut Facts, place: usize, ends: &[End]) {
    let found: Vec<Literal> = ends.iter().map(|end| bound(facts, place, *end, &Slopes::default())).collect();
    found.iter().for_each(|literal| facts.adopt(literal));
}

fn listed(facts: &mut Facts, place: usize, ends: &[End], random: &mut Random) -> Vec<Target> {
    let with_slopes = |end, slopes: Slopes| (bound(facts, place, end, &slopes), Witness::Own(slopes));
    let found = ends.iter().map(|end| {
        let aim = goal(place, *end);
        let own = || improve(facts, &[(1.0, &aim)]);
        match random.below(4) {
            0 => (bound(facts, place, *end, &Slopes::default()), Witness::Default),
            1 => with_slopes(*end, own().rounded()),
            2 => with_slopes(*end, own()),
            _ => {
                let (found, tree) = signs::bound(facts, &[(1.0, &aim)], random.below(4), random);
                (literal(place, *end, found), tree)
            }
        }
    });
    let (found, witnesses): (Vec<Literal>, Vec<Witness>) = found.collect();
    found.iter().for_each(|literal| facts.adopt(literal));
    let target = |((element, side), witness): (&End, Witness)| Target { element: *element, side: *side, witness };
    ends.iter().zip(witnesses).map(target).collect()
}
