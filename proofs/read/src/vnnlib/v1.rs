//! The grammar of VNN-LIB 1.0: the part of SMT-LIB that declares real constants and asserts linear formulas of them.
//!
//! Inputs are called `X_0`, `X_1`, ... and outputs `Y_0`, `Y_1`, ..., without gaps, and are declared before they are
//! used. Formulas are built of `and`, `or`, `not`, `=>` and comparisons; terms of numbers, variables and `+ - * /`.

use std::collections::BTreeSet;

use super::cases::{Cases, property};
use super::expression::Expression;
use super::linear::{Linear, ONE, ZERO};
use crate::arith::enclose_decimal;
use crate::error::ReadError;
use crate::property::{Property, Variable};

const COMMAND: &str = "declare-const, declare-fun, assert, set-logic, set-info, check-sat, get-model or exit";
const FORMULA: &str = "a comparison, and, or, not or =>";
const TERM: &str = "a number in the range of 64-bit floats, a variable or an arithmetic term";
const OPERATOR: &str = "one of + - * /";
const VARIABLE: &str = "a variable named X_i or Y_i for an index i";

/// What the commands so far say.
#[derive(Default)]
pub(super) struct Reader<'t> {
    declared: BTreeSet<Variable>,
    assertions: Vec<Cases<'t>>,
    /// Whether the file has asked for the answer, so that further assertions would belong to another query.
    answered: bool,
}

impl<'t> Reader<'t> {
    pub fn command(&mut self, command: &Expression<'t>) -> Result<(), ReadError> {
        if !command.is_list() {
            return Err(command.unexpected("`(` or the end of the file"));
        }
        let name = command.word(0, COMMAND)?;
        match name.text {
            "declare-const" | "declare-fun" | "assert" if self.answered => {
                Err(name.unexpected("no declaration or assertion after check-sat or exit"))
            }
            "declare-const" => self.declare(command, 2),
            "declare-fun" => self.declare(command, 3),
            "assert" => {
                self.assert(command.item(1, FORMULA, |text| text != ")")?)?;
                command.ends_after(2)
            }
            "set-logic" | "set-info" => Ok(()),
            "check-sat" | "exit" | "get-model" => {
                self.answered |= name.text != "get-model";
                command.ends_after(1)
            }
            "vnnlib-version" => {
                let version = command.word(1, "a version such as `<2.0>`")?;
                Err(version.unexpected("VNN-LIB 1.0, which names no version; version 2 is not supported yet"))
            }
            _ => Err(name.unexpected(COMMAND)),
        }
    }

    /// The sort stands at the given index.
    fn declare(&mut self, command: &Expression, sort: usize) -> Result<(), ReadError> {
        let name = command.item(1, VARIABLE, |text| variable(text).is_some())?;
        if !variable(name.text).is_some_and(|variable| self.declared.insert(variable)) {
            return Err(name.unexpected("a variable that is not declared yet"));
        }
        if sort == 3 {
            command.item(2, "`()`: a function without arguments", |text| text.starts_with('('))?.ends_after(0)?;
        }
        command.item(sort, "the sort Real", |text| text == "Real")?;
        command.ends_after(sort + 1)
    }

    /// Asserts the parts of a conjunction one by one.
    fn assert(&mut self, written: &Expression<'t>) -> Result<(), ReadError> {
        if written.items.first().is_none_or(|head| head.text != "and") {
            self.assertions.push(self.formula(written, true)?);
            return Ok(());
        }
        written.arguments(1, FORMULA)?.iter().try_for_each(|part| self.assert(part))
    }

    /// The property that the assertions never hold together.
    pub fn property(self) -> Result<Property, ReadError> {
        let inputs = self.count('X', "inputs", Variable::Input)?;
        let outputs = self.count('Y', "outputs", Variable::Output)?;
        if self.assertions.is_empty() {
            return Err(ReadError::part("assertions", "at least one", "none"));
        }
        property(self.assertions, (inputs, outputs))
    }

    /// The number of inputs or outputs, if there are any and their numbering has no gaps.
    fn count(&self, letter: char, what: &str, variable: fn(usize) -> Variable) -> Result<usize, ReadError> {
        let refuse =
            |expected: &str, found: &str| Err(ReadError::part(format!("declarations of {what}"), expected, found));
        let gap = (0..).take_while(|index| self.declared.contains(&variable(*index))).count();
        match self.declared.range(variable(gap)..=variable(usize::MAX)).next_back() {
            Some(Variable::Input(i) | Variable::Output(i)) => {
                refuse(&format!("{letter}_{gap}, as {letter}_{i} is declared"), &format!("no {letter}_{gap}"))
            }
            None if gap == 0 => refuse("at least one", "none"),
            None => Ok(gap),
        }
    }

    /// The cases in which a written formula holds, or in which it does not.
    fn formula(&self, written: &Expression<'t>, holds: bool) -> Result<Cases<'t>, ReadError> {
        let head = written.word(0, FORMULA)?;
        let least = match head.text {
            "and" | "or" | "not" => 1,
            "=>" => 2,
            "<=" | "<" | ">=" | ">" | "=" => return self.comparison(written, head.text, holds),
            _ => return Err(head.unexpected(FORMULA)),
        };
        let parts = written.arguments(least, FORMULA)?;
        let all = matches!(head.text, "and" | "not") == holds;
        let mut cases = Cases::constant(all);
        for (index, part) in parts.iter().enumerate() {
            let is_negated = head.text == "not" || head.text == "=>" && index + 1 < parts.len();
            cases = cases.join(all, self.formula(part, holds != is_negated)?);
        }
        if head.text == "not" { written.ends_after(2).map(|()| cases) } else { Ok(cases) }
    }

    /// Each term is compared with the next. The opposite of `a <= b` is `b < a`.
    fn comparison(&self, written: &Expression<'t>, relation: &str, holds: bool) -> Result<Cases<'t>, ReadError> {
        let terms = written.arguments(2, TERM)?;
        let strict = relation.ends_with('=') != holds;
        let mut cases = Cases::constant(holds);
        for (left, right) in terms.iter().zip(terms.iter().skip(1)) {
            let (first, second) = (self.term(left)?, self.term(right)?);
            for (unless, lesser, greater) in [('>', &first, &second), ('<', &second, &first)] {
                if !relation.starts_with(unless) {
                    let (lesser, greater) = if holds { (lesser, greater) } else { (greater, lesser) };
                    cases = cases.join(holds, lesser.at_most(greater, strict, [left, right])?);
                }
            }
        }
        Ok(cases)
    }

    fn term(&self, written: &Expression) -> Result<Linear, ReadError> {
        if written.is_list() {
            return self.arithmetic(written);
        }
        let linear = |terms, constant| Ok(Linear { terms, constant });
        match variable(written.text) {
            Some(variable) if self.declared.contains(&variable) => linear(vec![(variable, ONE)], ZERO),
            Some(_) => Err(written.unexpected("a declared variable")),
            None if written.text.contains('/') => Err(written.unexpected(TERM)),
            None => linear(Vec::new(), enclose_decimal(written.text).ok_or_else(|| written.unexpected(TERM))?),
        }
    }

    fn arithmetic(&self, written: &Expression) -> Result<Linear, ReadError> {
        let operator = written.item(0, OPERATOR, |text| matches!(text, "+" | "-" | "*" | "/"))?;
        let terms = written.arguments(1 + usize::from(operator.text == "/"), TERM)?;
        // `(- a)` is `(- 0 a)`.
        let is_negation = operator.text == "-" && terms.len() == 1;
        let zero = is_negation.then_some(Ok(Linear { terms: Vec::new(), constant: ZERO }));
        let values = zero.into_iter().chain(terms.iter().map(|term| self.term(term)));
        let value = values.reduce(|value, next| value?.combine(operator, next?));
        value.unwrap_or_else(|| Err(written.unexpected(TERM)))
    }
}

/// `X_12` or `Y_3`; the index has no sign and no leading zeros.
fn variable(name: &str) -> Option<Variable> {
    let (letter, index) = name.split_once('_')?;
    let is_plain = index == "0" || index.starts_with(|c| matches!(c, '1'..='9'));
    let index = index.parse().ok().filter(|_| is_plain)?;
    match letter {
        "X" => Some(Variable::Input(index)),
        "Y" => Some(Variable::Output(index)),
        _ => None,
    }
}
