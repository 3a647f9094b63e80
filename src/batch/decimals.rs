//! Settings that are numbers of a property: decimal texts or fractions, enclosed and never rounded.

use std::path::Path;

use bartizan_proof::Interval;
use bartizan_read::enclose_decimal;

use super::{BatchError, files};

/// Encloses one number.
pub fn number(setting: &str, text: &str) -> Result<Interval, BatchError> {
    let enclosed = enclose_decimal(text.trim());
    enclosed.ok_or_else(|| BatchError::setting(setting, "a number such as 0.02 or 8/255", format!("`{text}`")))
}

/// Encloses the ends of a range, written as `LO,HI`.
pub fn range(setting: &str, text: &str) -> Result<(Interval, Interval), BatchError> {
    let wrong = |expected: &str| BatchError::setting(setting, expected, format!("`{text}`"));
    let (lowest, highest) = text.split_once(',').ok_or_else(|| wrong("two numbers such as 0,1"))?;
    let (lowest, highest) = (number(setting, lowest)?, number(setting, highest)?);
    if lowest.hi >= highest.lo {
        return Err(wrong("a lower end below the upper end"));
    }
    Ok((lowest, highest))
}

/// Encloses one number for each of the elements of an input of some shape, from as many numbers, or one for each channel (the
/// first of several dimensions), or one for all. The text is the numbers, separated by commas, or the path of a text file of
/// numbers separated by commas or white space.
pub fn per_element(setting: &str, text: &str, shape: &[usize]) -> Result<Vec<Interval>, BatchError> {
    let numbers = list(setting, text)?;
    let elements: usize = shape.iter().product();
    let channels = shape.first().copied().filter(|_| shape.len() > 1).unwrap_or(1);
    let repeated = match numbers.len() {
        count if count == elements => 1,
        1 => elements,
        count if count == channels => elements / channels,
        count => {
            let channels = if channels > 1 { format!(" {channels} (channels)") } else { String::new() };
            let expected = format!("1,{channels} or {elements} numbers for the network's input {shape:?}");
            return Err(BatchError::setting(setting, expected.replace(", or", " or"), count.to_string()));
        }
    };
    Ok(numbers.iter().flat_map(|number| std::iter::repeat_n(*number, repeated)).collect())
}

/// The same of numbers that are not negative.
pub fn non_negative(setting: &str, text: &str, shape: &[usize]) -> Result<Vec<Interval>, BatchError> {
    let numbers = per_element(setting, text, shape)?;
    if numbers.iter().any(|number| number.lo < 0.0) {
        return Err(BatchError::setting(setting, "only numbers that are not negative", format!("`{text}`")));
    }
    Ok(numbers)
}

/// The text of a list with the numbers themselves, where it is the path of a file of them.
pub fn inlined(setting: &str, text: &str) -> Result<String, BatchError> {
    if is_inline(text) {
        return Ok(text.to_owned());
    }
    let wrong = |place: &str, found: String| Err(BatchError::content(Path::new(text), place, "a number", found));
    let items = items_of_file(setting, text)?;
    if items.is_empty() {
        return wrong("file", "nothing".to_owned());
    }
    match items.iter().position(|item| enclose_decimal(item).is_none()) {
        Some(i) => wrong(&format!("number {i}"), format!("`{}`", items[i])),
        None => Ok(items.join(",")),
    }
}

fn list(setting: &str, text: &str) -> Result<Vec<Interval>, BatchError> {
    inlined(setting, text)?.split(',').map(|item| number(setting, item)).collect()
}

/// Whether a text is numbers, not the path of a file of them.
pub fn is_inline(text: &str) -> bool {
    text.split(',').next().is_some_and(|first| enclose_decimal(first.trim()).is_some())
}

fn items_of_file(setting: &str, text: &str) -> Result<Vec<String>, BatchError> {
    let path = Path::new(text);
    if !path.exists() {
        let expected = "numbers such as 0.02 or 0.1,0.2,0.3, or a text file of numbers";
        return Err(BatchError::setting(setting, expected, format!("`{text}`")));
    }
    let bytes = files::read_bytes(path)?;
    let content = String::from_utf8_lossy(&bytes);
    let items = content.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty());
    Ok(items.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_enclosed_not_rounded() {
        let radii = non_negative("radius", "8/255", &[2]).unwrap();
        assert!(radii.len() == 2 && radii.iter().all(|r| r.lo < 8.0 / 255.0 && r.hi > 8.0 / 255.0));
        let (lowest, highest) = range("clip", "-0.5, 0.1").unwrap();
        assert_eq!(lowest, Interval::point(-0.5));
        assert!(highest.lo < 0.1 && highest.hi > 0.1);
    }

    #[test]
    fn one_number_for_all_for_each_channel_or_for_each_element() {
        let ends = |text: &str, shape: &[usize]| -> Vec<f64> {
            per_element("mean", text, shape).unwrap().iter().map(|i| i.middle()).collect()
        };
        assert_eq!(ends("2", &[3]), [2.0; 3]);
        assert_eq!(ends("1,2", &[2, 1, 2]), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(ends("1,2,3,4", &[2, 1, 2]), [1.0, 2.0, 3.0, 4.0]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mean.txt");
        std::fs::write(&path, "1, 2\n3\n").unwrap();
        assert_eq!(ends(&path.to_string_lossy(), &[3]), [1.0, 2.0, 3.0]);
        assert_eq!(inlined("mean", &path.to_string_lossy()).unwrap(), "1,2,3");
        assert_eq!(inlined("mean", "0.5, 8/255").unwrap(), "0.5, 8/255");
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let mean = |text: &str, shape: &[usize]| per_element("mean", text, shape).unwrap_err().to_string();
        assert_eq!(
            mean("1,2", &[3, 2, 2]),
            "mean: expected 1, 3 (channels) or 12 numbers for the network's input [3, 2, 2], found 2"
        );
        assert_eq!(mean("1,2", &[5]), "mean: expected 1 or 5 numbers for the network's input [5], found 2");
        assert_eq!(mean("1,b", &[2]), "mean: expected a number such as 0.02 or 8/255, found `b`");
        assert_eq!(
            mean("gone.txt", &[2]),
            "mean: expected numbers such as 0.02 or 0.1,0.2,0.3, or a text file of numbers, found `gone.txt`"
        );
        let clip = |text: &str| range("clip", text).unwrap_err().to_string();
        assert_eq!(clip("1"), "clip: expected two numbers such as 0,1, found `1`");
        assert_eq!(clip("1,0"), "clip: expected a lower end below the upper end, found `1,0`");
        assert_eq!(
            non_negative("radius", "0.1,-0.1", &[2]).unwrap_err().to_string(),
            "radius: expected only numbers that are not negative, found `0.1,-0.1`"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("std.txt");
        std::fs::write(&path, "1 x").unwrap();
        let message = mean(&path.to_string_lossy(), &[2]);
        assert!(message.ends_with("std.txt: number 1: expected a number, found `x`"), "{message}");
        std::fs::write(&path, " \n").unwrap();
        let message = mean(&path.to_string_lossy(), &[2]);
        assert!(message.ends_with("std.txt: file: expected a number, found nothing"), "{message}");
    }
}
