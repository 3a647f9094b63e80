//! S-expressions as trees with positions.
//!
//! Words are runs of visible ASCII; comments run from `;` to the end of the line and may hold any text. Nesting is
//! limited, so that recursion over a tree is limited, too.

use crate::error::ReadError;

/// How many parentheses may be open at once. Real files use six; a reader's stack holds some hundreds.
const DEEPEST: usize = 256;

/// How much of an unexpected word an error quotes.
const LONGEST_QUOTE: usize = 40;

/// A word, a text in double quotes, or a list in parentheses; also a lone `)`, and nothing at the end of the file.
pub(super) struct Expression<'t> {
    /// The file up to here.
    pub before: &'t str,
    /// Everything from the first character to the last, quotes and parentheses included.
    pub text: &'t str,
    /// The items of a list. The last is the parenthesis that closes it.
    pub items: Vec<Expression<'t>>,
}

impl<'t> Expression<'t> {
    /// Reads the expression at or after a byte of a file, inside of so many lists, and moves on to its end.
    pub fn read(file: &'t str, at: &mut usize, depth: usize) -> Result<Self, ReadError> {
        let mut is_comment = false;
        let is_blank = |byte: &u8| {
            is_comment = (is_comment || *byte == b';') && !matches!(byte, b'\n' | b'\r');
            is_comment || byte.is_ascii_whitespace()
        };
        let is_word = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b';' | b'"' | b'|');
        let start = *at + file.as_bytes().get(*at..).unwrap_or(&[]).iter().copied().take_while(is_blank).count();
        let (before, rest) = file.split_at_checked(start).unwrap_or((file, ""));
        let length = match rest.bytes().next() {
            Some(b'(' | b')') => 1,
            Some(b'"') => rest.match_indices('"').nth(1).map_or(0, |(end, _)| end + 1),
            _ => rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len()),
        };
        *at = start + length;
        let mut found = Expression { before, text: rest.get(..length).unwrap_or(rest), items: Vec::new() };
        match rest.chars().next() {
            Some('"') if length == 0 => return Err(found.refuse("a `\"` that closes this one", "the end of the file")),
            Some(other) if length == 0 => return Err(found.refuse("a parenthesis or a word", format!("{other:?}"))),
            Some('(') if depth >= DEEPEST => {
                return Err(found.refuse(format!("at most {DEEPEST} nested parentheses"), "one more"));
            }
            Some('(') => {}
            _ => return Ok(found),
        }
        while found.items.last().is_none_or(|item| item.text != ")") {
            found.items.push(Expression::read(file, at, depth + 1)?);
            if let Some(end) = found.items.last().filter(|item| item.text.is_empty()) {
                return Err(end.refuse(found.closing(), "the end of the file"));
            }
        }
        Ok(Expression { text: file.get(start..*at).unwrap_or(rest), ..found })
    }

    pub fn is_list(&self) -> bool {
        self.text.starts_with('(')
    }

    /// The item at an index of a list, whose text must be as expected.
    pub fn item(&self, index: usize, expected: &str, fits: impl Fn(&str) -> bool) -> Result<&Self, ReadError> {
        match self.items.get(index) {
            Some(item) if fits(item.text) => Ok(item),
            other => Err(other.unwrap_or(self).unexpected(expected)),
        }
    }

    /// The item at an index of a list, which must be a word.
    pub fn word(&self, index: usize, expected: &str) -> Result<&Self, ReadError> {
        self.item(index, expected, |text| !text.starts_with(['(', ')', '"']))
    }

    /// The items of a list after the first, at least so many.
    pub fn arguments(&self, least: usize, expected: &str) -> Result<&[Self], ReadError> {
        self.item(least, expected, |text| text != ")")?;
        Ok(self.items.split_last().and_then(|(_, items)| items.get(1..)).unwrap_or(&[]))
    }

    /// Checks that a list has just so many items.
    pub fn ends_after(&self, count: usize) -> Result<(), ReadError> {
        match self.items.get(count) {
            Some(item) if item.text != ")" => Err(item.unexpected(&self.closing())),
            _ => Ok(()),
        }
    }

    /// An error about this expression, which is something else than was expected.
    pub fn unexpected(&self, expected: &str) -> ReadError {
        let shown = if self.is_list() { "(" } else { self.text };
        let more = if shown.chars().nth(LONGEST_QUOTE).is_some() { "..." } else { "" };
        self.refuse(expected, format!("`{shown:.LONGEST_QUOTE$}{more}`"))
    }

    /// An error about this expression.
    pub fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> ReadError {
        ReadError::text(self.position(), expected, found)
    }

    fn closing(&self) -> String {
        let (line, column) = self.position();
        format!("`)` for the `(` at line {line}, column {column}")
    }

    /// Line and column, both from 1; columns count characters.
    fn position(&self) -> (usize, usize) {
        let line = self.before.rsplit('\n').next().unwrap_or("");
        (self.before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}
