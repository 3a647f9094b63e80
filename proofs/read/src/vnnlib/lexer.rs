//! S-expressions as a stream of tokens with positions.
//!
//! Words are runs of visible ASCII; comments run from `;` to the end of the line and may hold any text. The lexer keeps
//! track of the open parentheses, so that an error can name the one that is not closed, and limits how deeply they
//! nest, so that the recursion of a parser is limited, too.

use crate::error::ReadError;

/// How many parentheses may be open at once. Real files use six; a parser's stack holds some hundreds.
const DEEPEST: usize = 256;

/// How much of an unexpected word an error quotes.
const LONGEST_QUOTE: usize = 40;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    /// A name, number or operator.
    Word,
    /// Text in double quotes, with the quotes.
    Quoted,
    /// The end of the file.
    End,
}

/// A token and the byte at which it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    pub at: usize,
}

/// The tokens of a text, one ahead.
pub(super) struct Lexer<'t> {
    text: &'t str,
    next: Token<'t>,
    /// Where the last taken token ends.
    end: usize,
    /// Where the open parentheses are.
    open: Vec<usize>,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Result<Self, ReadError> {
        Ok(Lexer { text, next: scan(text, 0)?, end: 0, open: Vec::new() })
    }

    /// The token that [`Lexer::take`] will return.
    pub fn peek(&self) -> Token<'t> {
        self.next
    }

    /// Consumes a token.
    pub fn take(&mut self) -> Result<Token<'t>, ReadError> {
        let token = self.next;
        match token.kind {
            Kind::Open if self.open.len() >= DEEPEST => {
                let expected = format!("at most {DEEPEST} nested parentheses");
                return Err(self.error(token.at, &expected, "one more".to_owned()));
            }
            Kind::Open => self.open.push(token.at),
            Kind::Close => {
                self.open.pop();
            }
            Kind::Word | Kind::Quoted | Kind::End => {}
        }
        self.end = token.at + token.text.len();
        self.next = scan(self.text, self.end)?;
        Ok(token)
    }

    /// Consumes a token of the given kind.
    pub fn expect(&mut self, kind: Kind, expected: &str) -> Result<Token<'t>, ReadError> {
        if self.next.kind == kind { self.take() } else { Err(self.unexpected(self.next, expected)) }
    }

    /// Consumes the parenthesis that closes the innermost open one.
    pub fn close(&mut self) -> Result<(), ReadError> {
        if self.next.kind != Kind::Close {
            return Err(self.unexpected(self.next, &self.missing_close()));
        }
        self.take().map(|_| ())
    }

    /// Consumes everything up to the parenthesis that closes the innermost open one, but not that one.
    pub fn skip_to_close(&mut self) -> Result<(), ReadError> {
        let depth = self.open.len();
        while self.next.kind != Kind::Close || self.open.len() > depth {
            if self.next.kind == Kind::End {
                return Err(self.unexpected(self.next, ""));
            }
            self.take()?;
        }
        Ok(())
    }

    /// The byte at which the last token taken ends.
    pub fn end(&self) -> usize {
        self.end
    }

    /// The text between two bytes.
    pub fn between(&self, at: usize, end: usize) -> &'t str {
        self.text.get(at..end).unwrap_or("")
    }

    /// An error about a token. At the end of the file it is the open parenthesis that is reported.
    pub fn unexpected(&self, token: Token<'t>, expected: &str) -> ReadError {
        match token.kind {
            Kind::End if self.open.is_empty() => self.error(token.at, expected, "the end of the file".to_owned()),
            Kind::End => self.error(token.at, &self.missing_close(), "the end of the file".to_owned()),
            _ => self.error(token.at, expected, quote(token.text)),
        }
    }

    /// An error about something that starts at a byte.
    pub fn error(&self, at: usize, expected: &str, found: String) -> ReadError {
        ReadError::text(position(self.text, at), expected, found)
    }

    fn missing_close(&self) -> String {
        match self.open.last() {
            Some(at) => {
                let (line, column) = position(self.text, *at);
                format!("`)` for the `(` at line {line}, column {column}")
            }
            None => "`)`".to_owned(),
        }
    }
}

/// Line and column, both from 1, of a byte; columns count characters.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or("");
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn quote(word: &str) -> String {
    match word.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("`{}...`", word.get(..end).unwrap_or("")),
        None => format!("`{word}`"),
    }
}

/// The token at or after a byte.
fn scan(text: &str, from: usize) -> Result<Token<'_>, ReadError> {
    let mut rest = text.get(from..).unwrap_or("").trim_ascii_start();
    while rest.starts_with(';') {
        let comment = rest.find(['\n', '\r']).unwrap_or(rest.len());
        rest = rest.get(comment..).unwrap_or("").trim_ascii_start();
    }
    let at = text.len() - rest.len();
    let token = |kind, length| Ok(Token { kind, text: rest.get(..length).unwrap_or(""), at });
    let refuse = |expected: &str, found: String| Err(ReadError::text(position(text, at), expected, found));
    match rest.bytes().next() {
        None => token(Kind::End, 0),
        Some(b'(') => token(Kind::Open, 1),
        Some(b')') => token(Kind::Close, 1),
        Some(b'"') => match rest.bytes().skip(1).position(|b| b == b'"') {
            Some(inside) => token(Kind::Quoted, inside + 2),
            None => refuse("a `\"` that closes this one", "the end of the file".to_owned()),
        },
        Some(first) if is_word(first) => {
            token(Kind::Word, rest.bytes().position(|b| !is_word(b)).unwrap_or(rest.len()))
        }
        Some(_) => refuse("a parenthesis or a word", format!("{:?}", rest.chars().next().unwrap_or_default())),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b';' | b'"' | b'|')
}
