//! Which features of a data set's points vary, and which are held fixed.

use std::collections::BTreeSet;
use std::ops::Range;

use super::BatchError;

/// What `fix` and `vary` take.
const EXPECTED: &str = "features such as 3,7..9";

/// The features that are held fixed, in ascending order: those that `fix` names, and those that hold integers only, unless `vary`
/// names them or all. `columns` are the names of a table's features, if there are any; `integer` says of each feature whether all points
/// hold integers there, and is all false where points are no rows of a table.
///
/// # Errors
///
/// A feature that does not exist, or one that is named in both; all features hold integers only and neither setting is given; nothing
/// is left that varies.
pub fn held_fixed(
    columns: Option<&[String]>,
    integer: &[bool],
    fix: Option<&str>,
    vary: Option<&str>,
) -> Result<Vec<usize>, BatchError> {
    let named = |setting: &str, text: Option<&str>| {
        text.map_or(Ok(BTreeSet::new()), |text| parse(setting, text, (columns, integer.len())))
    };
    let (fixed, varying) = (named("fix", fix)?, named("vary", vary.filter(|text| !is_all(text)))?);
    if let Some(both) = fixed.intersection(&varying).next() {
        let expected = "features that `vary` does not name";
        return Err(BatchError::setting("fix", expected, format!("`{}`", name(columns, *both))));
    }
    let all_integers = !integer.is_empty() && integer.iter().all(|is_integer| *is_integer);
    if all_integers && fix.is_none() && vary.is_none() {
        let expected = "`vary` all or the features to hold fixed, because all of them hold integers only";
        return Err(BatchError::setting("fix", expected, "neither"));
    }
    // Where everything is an integer, integers are no exception: only what is named counts.
    let by_default = vary.map_or(!(all_integers && fix.is_some()), |text| !is_all(text));
    let is_fixed = |i: &usize| fixed.contains(i) || (by_default && integer[*i] && !varying.contains(i));
    let fixed: Vec<usize> = (0..integer.len()).filter(is_fixed).collect();
    if fixed.len() == integer.len() {
        return Err(BatchError::setting(
            "fix",
            "at least one feature that varies",
            format!("all {} fixed", fixed.len()),
        ));
    }
    Ok(fixed)
}

/// The names of the fixed features that hold integers only, of which the user should know.
pub fn integers_among(columns: Option<&[String]>, integer: &[bool], fixed: &[usize]) -> Vec<String> {
    fixed.iter().filter(|i| integer[**i]).map(|i| name(columns, *i)).collect()
}

/// The features that indices and ranges name, in ascending order.
///
/// # Errors
///
/// Something else than numbers and ranges of features that exist.
pub fn indices(text: &str, features: usize) -> Result<Vec<usize>, BatchError> {
    Ok(parse("fix", text, (None, features))?.into_iter().collect())
}

fn parse(setting: &str, text: &str, of: (Option<&[String]>, usize)) -> Result<BTreeSet<usize>, BatchError> {
    let mut found = BTreeSet::new();
    for item in text.split(',').map(str::trim) {
        found.extend(range(setting, item, of)?);
    }
    Ok(found)
}

/// What one item names: a column, or else an index or a range, which excludes its end.
fn range(
    setting: &str,
    item: &str,
    (columns, features): (Option<&[String]>, usize),
) -> Result<Range<usize>, BatchError> {
    if let Some(place) = columns.and_then(|columns| columns.iter().position(|column| column == item)) {
        return Ok(place..place + 1);
    }
    let found = match item.split_once("..") {
        Some((start, end)) => start.parse().ok().zip(end.parse().ok()).map(|(start, end)| start..end),
        None => item.parse().ok().map(|place: usize| place..place.saturating_add(1)),
    };
    let refused = |expected: String| BatchError::setting(setting, expected, format!("`{item}`"));
    let range = found.filter(|range| range.start < range.end).ok_or_else(|| {
        let names = columns.map_or(String::new(), |_| ", or names of columns".to_owned());
        refused(format!("{EXPECTED}{names}"))
    })?;
    if range.end > features {
        return Err(refused(format!("features from 0 to {}", features.saturating_sub(1))));
    }
    Ok(range)
}

fn is_all(text: &str) -> bool {
    text.trim() == "all"
}

fn name(columns: Option<&[String]>, feature: usize) -> String {
    columns.and_then(|columns| columns.get(feature)).cloned().unwrap_or_else(|| feature.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: [bool; 4] = [true, false, true, false];

    fn columns() -> Vec<String> {
        ["age", "income", "sex", "3"].map(str::to_owned).to_vec()
    }

    fn fixed(integer: &[bool], fix: Option<&str>, vary: Option<&str>) -> Vec<usize> {
        held_fixed(Some(&columns()), integer, fix, vary).unwrap()
    }

    #[test]
    fn integers_are_fixed_unless_they_are_to_vary() {
        assert_eq!(fixed(&MIXED, None, None), [0, 2]);
        assert_eq!(fixed(&MIXED, None, Some("age")), [2]);
        assert_eq!(fixed(&MIXED, None, Some("all")), [0_usize; 0]);
        assert_eq!(fixed(&MIXED, Some("income"), None), [0, 1, 2]);
        assert_eq!(fixed(&MIXED, Some("income, 2..4"), Some("all")), [1, 2, 3]);
        assert_eq!(fixed(&[true; 4], Some("sex,1"), None), [1, 2]);
        assert_eq!(fixed(&[true; 4], None, Some("sex,1")), [0, 3]);
        assert_eq!(held_fixed(None, &[false; 9], Some("3,7..9"), None).unwrap(), [3, 7, 8]);
        assert_eq!(held_fixed(None, &[false; 9], None, None).unwrap(), [0_usize; 0]);
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let message =
            |integer: &[bool], fix, vary| held_fixed(Some(&columns()), integer, fix, vary).unwrap_err().to_string();
        assert_eq!(
            message(&[true; 4], None, None),
            "fix: expected `vary` all or the features to hold fixed, because all of them hold integers only, found neither"
        );
        assert_eq!(
            message(&MIXED, Some("height"), None),
            "fix: expected features such as 3,7..9, or names of columns, found `height`"
        );
        assert_eq!(message(&MIXED, None, Some("4")), "vary: expected features from 0 to 3, found `4`");
        assert_eq!(
            message(&MIXED, Some("age"), Some("0..2")),
            "fix: expected features that `vary` does not name, found `age`"
        );
        assert_eq!(
            message(&MIXED, Some("1,3"), None),
            "fix: expected at least one feature that varies, found all 4 fixed"
        );
        let without_names = held_fixed(None, &MIXED, Some("3..1"), None).unwrap_err().to_string();
        assert_eq!(without_names, "fix: expected features such as 3,7..9, found `3..1`");
    }

    #[test]
    fn integers_are_named() {
        assert_eq!(integers_among(Some(&columns()), &MIXED, &[0, 1, 2]), ["age", "sex"]);
        assert_eq!(integers_among(None, &MIXED, &[1, 2]), ["2"]);
    }
}
