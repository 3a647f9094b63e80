//! Which points of a data set are meant: `0..200`, `0,5,9` or a mixture.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::BatchError;

/// The chosen points of a data set with `points` points, in ascending order. Ranges exclude their end, as in Rust and Python; an
/// end that is left out is the data set's.
///
/// # Errors
///
/// Something else than indices and ranges, an index that does not exist or is named twice, or nothing at all.
pub fn parse(text: &str, points: usize) -> Result<Vec<usize>, BatchError> {
    let mut chosen = BTreeSet::new();
    for item in text.split(',').map(str::trim) {
        let range = range(item, points).ok_or_else(|| refused("indices and ranges such as 0..200 or 0,5,9", item))?;
        if range.end > points {
            return Err(refused(&format!("indices below {points}, the number of points"), item));
        }
        for index in range {
            if !chosen.insert(index) {
                return Err(refused("every point once", &format!("{index} twice")));
            }
        }
    }
    if chosen.is_empty() {
        return Err(refused("at least one point", text));
    }
    Ok(chosen.into_iter().collect())
}

fn range(item: &str, points: usize) -> Option<Range<usize>> {
    let end_or = |text: &str, default: usize| if text.is_empty() { Some(default) } else { text.parse().ok() };
    match item.split_once("..") {
        Some((start, end)) => Some(end_or(start, 0)?..end_or(end, points)?).filter(|range| range.start <= range.end),
        None => item.parse().ok().and_then(|index: usize| Some(index..index.checked_add(1)?)),
    }
}

/// Indices in ascending order as text, which [`parse`] reads back.
pub fn format(indices: &[usize]) -> String {
    let is_next = |a: &usize, b: &usize| a + 1 == *b;
    let item = |run: &[usize]| match run {
        [one] => one.to_string(),
        _ => format!("{}..{}", run[0], run[run.len() - 1] + 1),
    };
    indices.chunk_by(is_next).map(item).collect::<Vec<_>>().join(",")
}

/// One of several parts of a selection: every `of`-th point from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    pub part: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Shard {
    /// A part as it is typed: `3/16`.
    pub fn parse(text: &str) -> Option<Shard> {
        let (part, of) = text.split_once('/')?;
        let shard = Shard { part: part.trim().parse().ok()?, of: of.trim().parse().ok()? };
        (1..=shard.of).contains(&shard.part).then_some(shard)
    }

    /// The points of the part.
    pub fn of(self, selection: &[usize]) -> Vec<usize> {
        selection.iter().skip(self.part - 1).step_by(self.of).copied().collect()
    }

    /// How many of so many points belong to the part.
    pub fn count(self, selected: usize) -> usize {
        selected.saturating_sub(self.part - 1).div_ceil(self.of)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

fn refused(expected: &str, found: &str) -> BatchError {
    let found = if found.contains(' ') { found.to_owned() } else { format!("`{found}`") };
    BatchError::Selection { expected: expected.to_owned(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_and_ranges() {
        assert_eq!(parse("0..3", 10).unwrap(), [0, 1, 2]);
        assert_eq!(parse("9, 0,5..7", 10).unwrap(), [0, 5, 6, 9]);
        assert_eq!(parse("8..", 10).unwrap(), [8, 9]);
        assert_eq!(parse("..2", 10).unwrap(), [0, 1]);
    }

    #[test]
    fn text_comes_back() {
        for text in ["0..3", "5", "0,5..7,9", "3..5,6..10"] {
            assert_eq!(format(&parse(text, 10).unwrap()), text);
        }
        assert_eq!(format(&parse("2,0..2,4,3", 10).unwrap()), "0..5");
    }

    #[test]
    fn shards_share_all_points_out() {
        for (points, parts) in [(10, 3), (3, 5), (7, 1)] {
            let selection: Vec<usize> = (0..points).map(|i| i * i).collect();
            let shards: Vec<Shard> = (1..=parts).map(|i| Shard::parse(&format!("{i}/{parts}")).unwrap()).collect();
            let mut all: Vec<usize> = shards.iter().flat_map(|shard| shard.of(&selection)).collect();
            all.sort_unstable();
            assert_eq!(all, selection);
            assert!(shards.iter().all(|shard| shard.of(&selection).len() == shard.count(points)));
        }
        assert!(["0/3", "4/3", "1/0", "1", "a/b"].iter().all(|text| Shard::parse(text).is_none()));
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let message = |text: &str| parse(text, 10).unwrap_err().to_string();
        assert_eq!(message("0..11"), "selection: expected indices below 10, the number of points, found `0..11`");
        assert_eq!(message("10"), "selection: expected indices below 10, the number of points, found `10`");
        assert_eq!(message("5,3..6"), "selection: expected every point once, found 5 twice");
        assert_eq!(message("5..5"), "selection: expected at least one point, found `5..5`");
        for text in ["", "a", "1..b", "-1", "1,,2", "0..5..9", "5..3"] {
            let item = text.split(',').find(|item| item.trim().parse::<usize>().is_err()).unwrap();
            let expected = format!("selection: expected indices and ranges such as 0..200 or 0,5,9, found `{item}`");
            assert_eq!(message(text), expected, "{text}");
        }
        assert!(parse("0..18446744073709551615", 10).is_err());
    }
}
