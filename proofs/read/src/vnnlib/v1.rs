//! The grammar of VNN-LIB 1.0: the part of SMT-LIB that declares real constants and asserts linear formulas of them.
//!
//! Inputs are called `X_0`, `X_1`, ... and outputs `Y_0`, `Y_1`, ..., without gaps, and are declared before they are
//! used. Formulas are built of `and`, `or`, `not`, `=>` and comparisons; terms of numbers, variables and `+ - * /`.

use std::collections::HashSet;
use std::ops::{Add, Neg};

use super::formula::Formula;
use super::lexer::{Kind, Lexer, Token};
use super::linear::{Linear, Unfit, at_most};
use super::lower::lower;
use crate::arith::{Interval, enclose_decimal};
use crate::error::ReadError;
use crate::property::{Property, Variable};

const COMMAND: &str = "declare-const, declare-fun, assert, set-logic, set-info, check-sat, get-model or exit";
const FORMULA: &str = "a comparison, and, or, not or =>";
const TERM: &str = "a number in the range of 64-bit floats, a variable or an arithmetic term";
const OPERATOR: &str = "one of + - * /";
const VARIABLE: &str = "a variable named X_i or Y_i for an index i";

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Property, ReadError> {
    let lexer = Lexer::new(text)?;
    let (inputs, outputs) = (HashSet::new(), HashSet::new());
    let mut reader = Reader { lexer, inputs, outputs, assertions: Vec::new(), answered: false };
    while reader.lexer.peek().kind != Kind::End {
        reader.command()?;
    }
    let sizes = (count('X', "input", &reader.inputs)?, count('Y', "output", &reader.outputs)?);
    if reader.assertions.is_empty() {
        return Err(ReadError::part("assertions", "at least one", "none"));
    }
    lower(Formula::all(reader.assertions), sizes)
}

/// The number of inputs or outputs, if there are any and their numbering has no gaps.
fn count(letter: char, what: &str, declared: &HashSet<usize>) -> Result<usize, ReadError> {
    let count = declared.len();
    match (0..count).find(|i| !declared.contains(i)) {
        Some(gap) => {
            let highest = declared.iter().max().copied().unwrap_or_default();
            let expected = format!("{letter}_{gap}, as {letter}_{highest} is declared");
            Err(ReadError::part(format!("declarations of {what}s"), expected, format!("no {letter}_{gap}")))
        }
        None if count == 0 => Err(ReadError::part(format!("declarations of {what}s"), "at least one", "none")),
        None => Ok(count),
    }
}

struct Reader<'t> {
    lexer: Lexer<'t>,
    inputs: HashSet<usize>,
    outputs: HashSet<usize>,
    assertions: Vec<Formula<'t>>,
    /// Whether the file has asked for the answer, so that further assertions would belong to another query.
    answered: bool,
}

/// A side of a comparison and where it stands.
struct Operand {
    value: Linear,
    at: usize,
    end: usize,
}

impl<'t> Reader<'t> {
    fn command(&mut self) -> Result<(), ReadError> {
        self.lexer.expect(Kind::Open, "`(` or the end of the file")?;
        let name = self.lexer.expect(Kind::Word, COMMAND)?;
        match name.text {
            "declare-const" | "declare-fun" | "assert" if self.answered => {
                return Err(self.lexer.unexpected(name, "no declaration or assertion after check-sat or exit"));
            }
            "declare-const" | "declare-fun" => self.declare(name.text == "declare-fun")?,
            "assert" => {
                let assertion = self.formula()?;
                self.assertions.push(assertion);
            }
            "set-logic" | "set-info" => self.lexer.skip_to_close()?,
            "check-sat" | "exit" => self.answered = true,
            "get-model" => {}
            "vnnlib-version" => {
                let version = self.lexer.expect(Kind::Word, "a version such as `<2.0>`")?;
                let expected = "VNN-LIB 1.0, which names no version; version 2 is not supported yet";
                return Err(self.lexer.unexpected(version, expected));
            }
            _ => return Err(self.lexer.unexpected(name, COMMAND)),
        }
        self.lexer.close()
    }

    fn declare(&mut self, function: bool) -> Result<(), ReadError> {
        let name = self.lexer.expect(Kind::Word, VARIABLE)?;
        let is_new = match variable(name.text) {
            Some(Variable::Input(i)) => self.inputs.insert(i),
            Some(Variable::Output(i)) => self.outputs.insert(i),
            None => return Err(self.lexer.unexpected(name, VARIABLE)),
        };
        if !is_new {
            return Err(self.lexer.unexpected(name, "a variable that is not declared yet"));
        }
        if function {
            self.lexer.expect(Kind::Open, "`()`: a function without arguments")?;
            self.lexer.close()?;
        }
        let sort = self.lexer.expect(Kind::Word, "the sort Real")?;
        if sort.text == "Real" { Ok(()) } else { Err(self.lexer.unexpected(sort, "the sort Real")) }
    }

    fn formula(&mut self) -> Result<Formula<'t>, ReadError> {
        self.lexer.expect(Kind::Open, FORMULA)?;
        let head = self.lexer.expect(Kind::Word, FORMULA)?;
        let formula = match head.text {
            "and" => Formula::all(self.list(1, Self::formula)?),
            "or" => Formula::any(self.list(1, Self::formula)?),
            "not" => self.formula()?.negated(),
            "=>" => {
                let mut parts = self.list(2, Self::formula)?;
                let conclusion = parts.pop();
                Formula::any(parts.into_iter().map(Formula::negated).chain(conclusion))
            }
            "<=" | "<" | ">=" | ">" | "=" => self.comparison(head.text)?,
            _ => return Err(self.lexer.unexpected(head, FORMULA)),
        };
        self.lexer.close()?;
        Ok(formula)
    }

    /// Items up to the closing parenthesis, at least so many.
    fn list<T>(&mut self, least: usize, item: impl Fn(&mut Self) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
        let mut items = Vec::new();
        while items.len() < least || self.lexer.peek().kind != Kind::Close {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// The operands of a comparison; with more than two, each is compared with the next.
    fn comparison(&mut self, relation: &str) -> Result<Formula<'t>, ReadError> {
        let operands = self.list(2, Self::operand)?;
        let pairs = operands.iter().zip(operands.iter().skip(1));
        let parts = pairs.map(|(left, right)| self.compare(relation, left, right)).collect::<Result<Vec<_>, _>>()?;
        Ok(Formula::all(parts))
    }

    fn operand(&mut self) -> Result<Operand, ReadError> {
        let at = self.lexer.peek().at;
        let value = self.term()?;
        Ok(Operand { value, at, end: self.lexer.end() })
    }

    fn compare(&self, relation: &str, left: &Operand, right: &Operand) -> Result<Formula<'t>, ReadError> {
        // The number at which both sides are equal is the constant itself, if that is compared with a variable.
        let source = match (&left.value, &right.value) {
            (a, b) if a.is_variable() && b.is_constant() => self.lexer.between(right.at, right.end),
            (a, b) if a.is_constant() && b.is_variable() => self.lexer.between(left.at, left.end),
            _ => self.lexer.between(left.at, right.end),
        };
        let strict = matches!(relation, "<" | ">");
        let below = || at_most(&left.value, &right.value, strict, source);
        let above = || at_most(&right.value, &left.value, strict, source);
        let formula = match relation {
            "<=" | "<" => below(),
            ">=" | ">" => above(),
            _ => below().and_then(|below| Ok(Formula::all([below, above()?]))),
        };
        formula.map_err(|unfit| self.unfit(left.at, unfit))
    }

    fn term(&mut self) -> Result<Linear, ReadError> {
        if self.lexer.peek().kind == Kind::Open {
            return self.arithmetic();
        }
        let word = self.lexer.expect(Kind::Word, TERM)?;
        let Some(variable) = variable(word.text) else {
            return self.number(word).map(Linear::constant);
        };
        let is_declared = match variable {
            Variable::Input(i) => self.inputs.contains(&i),
            Variable::Output(i) => self.outputs.contains(&i),
        };
        if is_declared {
            Ok(Linear::variable(variable))
        } else {
            Err(self.lexer.unexpected(word, "a declared variable"))
        }
    }

    fn number(&self, word: Token<'t>) -> Result<Interval, ReadError> {
        let is_literal = !word.text.contains('/');
        enclose_decimal(word.text).filter(|_| is_literal).ok_or_else(|| self.lexer.unexpected(word, TERM))
    }

    fn arithmetic(&mut self) -> Result<Linear, ReadError> {
        self.lexer.expect(Kind::Open, TERM)?;
        let operator = self.lexer.expect(Kind::Word, OPERATOR)?;
        let least = match operator.text {
            "+" | "-" | "*" => 1,
            "/" => 2,
            _ => return Err(self.lexer.unexpected(operator, OPERATOR)),
        };
        let first = self.term()?;
        let rest = self.list(least - 1, Self::term)?;
        self.lexer.close()?;
        let mut rest = rest.into_iter();
        let value = match operator.text {
            "+" => Ok(rest.fold(first, Linear::add)),
            "-" if rest.len() == 0 => Ok(-first),
            "-" => Ok(rest.map(Linear::neg).fold(first, Linear::add)),
            "*" => rest.try_fold(first, Linear::times),
            _ => rest.try_fold(first, Linear::over),
        };
        value.map_err(|unfit| self.unfit(operator.at, unfit))
    }

    fn unfit(&self, at: usize, unfit: Unfit) -> ReadError {
        self.lexer.error(at, &unfit.expected, unfit.found)
    }
}

/// `X_12` or `Y_3`; the index has no sign and no leading zeros.
fn variable(name: &str) -> Option<Variable> {
    let (letter, index) = name.split_once('_')?;
    let is_plain = index.bytes().all(|b| b.is_ascii_digit()) && (index == "0" || !index.starts_with('0'));
    let index = index.parse().ok().filter(|_| is_plain)?;
    match letter {
        "X" => Some(Variable::Input(index)),
        "Y" => Some(Variable::Output(index)),
        _ => None,
    }
}
