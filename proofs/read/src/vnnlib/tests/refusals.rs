//! Refused texts with their messages, and hostile texts.

use super::super::read_vnnlib;
use super::{BOUNDED, DECLARED, message};

/// Long phrases of the messages, by the names that stand for them in the tables.
const PHRASES: [(&str, &str); 5] = [
    ("{command}", "declare-const, declare-fun, assert, set-logic, set-info, check-sat, get-model or exit"),
    ("{formula}", "a comparison, and, or, not or =>"),
    ("{term}", "a number in the range of 64-bit floats, a variable or an arithmetic term"),
    ("{name}", "a variable named X_i or Y_i for an index i"),
    ("{end}", "the end of the file"),
];

fn assert_refused(table: &[(&str, &str)], head: &str) {
    for (text, expected) in table {
        let expected = PHRASES.iter().fold(expected.to_string(), |e, (name, phrase)| e.replace(name, phrase));
        assert_eq!(message(&format!("{head}{text}")), expected, "{text}");
    }
}

#[test]
fn formulas_that_are_not_vnnlib() {
    let table = [
        ("(assert (xor (<= Y_0 1)))", "line 3, column 10: expected {formula}, found `xor`"),
        ("(assert X_0)", "line 3, column 9: expected {formula}, found `X_0`"),
        ("(assert (and))", "line 3, column 13: expected {formula}, found `)`"),
        ("(assert (or))", "line 3, column 12: expected {formula}, found `)`"),
        ("(assert ())", "line 3, column 10: expected {formula}, found `)`"),
        ("(assert)", "line 3, column 8: expected {formula}, found `)`"),
        ("(assert (=> (<= Y_0 1)))", "line 3, column 23: expected {formula}, found `)`"),
        (
            "(assert (<= Y_0 1) (<= Y_1 1))",
            "line 3, column 20: expected `)` for the `(` at line 3, column 1, found `(`",
        ),
        (
            "(assert (not (<= Y_0 1) (<= Y_1 1)))",
            "line 3, column 25: expected `)` for the `(` at line 3, column 9, found `(`",
        ),
        ("assert", "line 3, column 1: expected `(` or {end}, found `assert`"),
        ("(define-fun f () Real 1)", "line 3, column 2: expected {command}, found `define-fun`"),
        (
            "(check-sat)\n(assert (<= Y_0 1))",
            "line 4, column 2: expected no declaration or assertion after check-sat or exit, found `assert`",
        ),
        ("(exit now)", "line 3, column 7: expected `)` for the `(` at line 3, column 1, found `now`"),
    ];
    assert_refused(&table, &format!("{DECLARED}{BOUNDED}"));
}

#[test]
fn terms_that_make_no_sense() {
    let table = [
        ("(assert (<= Y_0))", "line 3, column 16: expected {term}, found `)`"),
        ("(assert (<= Y_0 1e999))", "line 3, column 17: expected {term}, found `1e999`"),
        ("(assert (<= Y_0 inf))", "line 3, column 17: expected {term}, found `inf`"),
        ("(assert (<= Y_0 -nan))", "line 3, column 17: expected {term}, found `-nan`"),
        ("(assert (<= Y_0 8/255))", "line 3, column 17: expected {term}, found `8/255`"),
        ("(assert (<= Y_0 1.2.3))", "line 3, column 17: expected {term}, found `1.2.3`"),
        ("(assert (<= Y_00 1))", "line 3, column 13: expected {term}, found `Y_00`"),
        ("(assert (<= Y_+0 1))", "line 3, column 13: expected {term}, found `Y_+0`"),
        ("(assert (<= \"Y_0\" 1))", "line 3, column 13: expected {term}, found `\"Y_0\"`"),
        ("(assert (<= Z 1))", "line 3, column 13: expected {term}, found `Z`"),
        ("(assert (<= Y_2 1))", "line 3, column 13: expected a declared variable, found `Y_2`"),
        ("(assert (<= (abs q) 1))", "line 3, column 14: expected one of + - * /, found `abs`"),
        ("(assert (<= (+) 1))", "line 3, column 15: expected {term}, found `)`"),
        ("(assert (<= (/ Y_0) 1))", "line 3, column 19: expected {term}, found `)`"),
        (
            "(assert (<= (* Y_0 X_0) 1))",
            "line 3, column 14: expected a linear product: all factors but one constant, found \
             variables in two factors",
        ),
        ("(assert (<= (/ 1 Y_0) 1))", "line 3, column 14: expected a constant divisor, found one that holds variables"),
        ("(assert (<= (/ Y_0 0.0) 1))", "line 3, column 14: expected a divisor that is certainly not zero, found 0"),
        (
            "(assert (<= Y_0 (* 1e200 1e200)))",
            "line 3, column 13: expected numbers in the range of 64-bit floats, found a result beyond it",
        ),
        (
            "(assert (<= (* 1e-300 X_0) 1e300))",
            "line 3, column 13: expected numbers in the range of 64-bit floats, found a bound of X_0 beyond it",
        ),
        (
            "(assert (<= (* 1e-400 X_0) 1))",
            "line 3, column 13: expected a coefficient of X_0 that is certainly not zero, found between -5e-324 and \
             5e-324",
        ),
        (
            "(assert (<= 0.1 0.1))",
            "line 3, column 13: expected constants whose order is certain, found one between 0.09999999999999999 and \
             0.10000000000000002 and one between 0.09999999999999999 and 0.10000000000000002",
        ),
    ];
    assert_refused(&table, &format!("{DECLARED}{BOUNDED}"));
}

#[test]
fn declarations_that_are_wrong() {
    let table = [
        (
            "(declare-const X_0 Real)\n  (declare-const X_0 Real)",
            "line 2, column 18: expected a variable that is not declared yet, found `X_0`",
        ),
        ("(declare-const X_0 Int)", "line 1, column 20: expected the sort Real, found `Int`"),
        ("(declare-const X_0)", "line 1, column 19: expected the sort Real, found `)`"),
        (
            "(declare-fun X_0 (Real) Real)",
            "line 1, column 19: expected `)` for the `(` at line 1, column 18, found `Real`",
        ),
        ("(declare-fun X_0 Real)", "line 1, column 18: expected `()`: a function without arguments, found `Real`"),
        ("(declare-const Z_0 Real)", "line 1, column 16: expected {name}, found `Z_0`"),
        ("(declare-const X_01 Real)", "line 1, column 16: expected {name}, found `X_01`"),
        ("(declare-const X_ Real)", "line 1, column 16: expected {name}, found `X_`"),
        (
            "(declare-const X_99999999999999999999 Real)",
            "line 1, column 16: expected {name}, found `X_99999999999999999999`",
        ),
        (
            "(declare-const X0123456789012345678901234567890123456789 Real)",
            "line 1, column 16: expected {name}, found `X012345678901234567890123456789012345678...`",
        ),
        ("", "declarations of inputs: expected at least one, found none"),
        ("(declare-const X_0 Real)", "declarations of outputs: expected at least one, found none"),
        (
            "(declare-const X_0 Real)(declare-const X_2 Real)",
            "declarations of inputs: expected X_1, as X_2 is declared, found no X_1",
        ),
        (
            "(declare-const X_0 Real)(declare-const Y_18446744073709551615 Real)",
            "declarations of outputs: expected Y_0, as Y_18446744073709551615 is declared, found no Y_0",
        ),
        (DECLARED, "assertions: expected at least one, found none"),
        (
            "(vnnlib-version <2.0>)",
            "line 1, column 17: expected VNN-LIB 1.0, which names no version; version 2 is not \
             supported yet, found `<2.0>`",
        ),
    ];
    assert_refused(&table, "");
}

#[test]
fn regions_that_are_unbounded_or_empty() {
    let table = [
        ("(assert (<= 0 X_0 1)) (assert (>= X_1 0))", "input X_1: expected an upper bound, found none"),
        ("(assert (<= X_0 1))", "input X_0: expected a lower bound, found none"),
        (
            "(assert (<= 0 X_0 1)) (assert (or (<= 0 X_1 1) (<= 0 Y_0) (= X_1 7)))",
            "input X_1: expected a lower bound, found none in case 2 of 3",
        ),
        (
            "(assert (<= 0.5 X_0 0.25))",
            "input X_0: expected a number that satisfies its bounds, found none between the \
             lower bound 0.5 and the upper bound 0.25",
        ),
        (
            "(assert (<= 0.1 X_0)) (assert (or (< X_0 0.1) (<= X_0 -1)))",
            "input X_0: expected a number that satisfies its bounds, found none between the \
             lower bound 0.1 and the upper bound 0.1 in case 1 of 2",
        ),
        (
            "(assert (< 1 0))",
            "assertions: expected assertions that can hold together, found a contradiction between constants",
        ),
    ];
    assert_refused(&table, DECLARED);
}

#[test]
fn text_that_is_no_text() {
    let bytes = |text: &[u8]| read_vnnlib(text).unwrap_err().to_string();
    assert_eq!(bytes(b"; \xc3\xa9\n; \xc3\xa9 \xff"), "line 2, column 5: expected text in UTF-8, found the byte 0xff");
    let table = [
        ("(assert \u{e9})", "line 2, column 9: expected a parenthesis or a word, found 'é'"),
        ("\0", "line 2, column 1: expected a parenthesis or a word, found '\\0'"),
        ("(assert (<= |X_0| 1))", "line 2, column 13: expected a parenthesis or a word, found '|'"),
        ("(set-info \"abc)", "line 2, column 11: expected a `\"` that closes this one, found {end}"),
        ("(assert (<= X_0 1)", "line 2, column 19: expected `)` for the `(` at line 2, column 1, found {end}"),
        ("(assert\n (<= X_0\n 1\n", "line 5, column 1: expected `)` for the `(` at line 3, column 2, found {end}"),
        ("(set-info (", "line 2, column 12: expected `)` for the `(` at line 2, column 11, found {end}"),
        ("(assert (<= X_0 1)))", "line 2, column 20: expected `(` or {end}, found `)`"),
    ];
    assert_refused(&table, DECLARED);
}

#[test]
fn too_much_is_refused_before_it_is_made() {
    let nest = |count: usize| format!("(assert (<= {}Y_0{} 1))", "(- ".repeat(count), ")".repeat(count));
    assert!(read_vnnlib(format!("{DECLARED}{BOUNDED}{}", nest(254)).as_bytes()).is_ok());
    let (deep, negations) = (nest(255), format!("(assert {}", "(not ".repeat(100_000)));
    let table = [
        (deep.as_str(), "line 2, column 775: expected at most 256 nested parentheses, found one more"),
        (negations.as_str(), "line 2, column 1284: expected at most 256 nested parentheses, found one more"),
    ];
    assert_refused(&table, DECLARED);
    let choice = "(assert (or (<= Y_0 1) (<= Y_1 1)))\n";
    let limit = "assertions: expected a disjunctive normal form of at most 1000000 cases with 8000000 terms and bounds";
    let doubled = format!("{BOUNDED}{}", choice.repeat(20));
    let found = "1048576 cases with 42991616 terms";
    assert_eq!(message(&format!("{DECLARED}{doubled}")), format!("{limit}, found {found}"));
    let doubled = format!("{BOUNDED}{}", choice.repeat(5000));
    let found = format!("{0} cases with {0} terms", usize::MAX);
    assert_eq!(message(&format!("{DECLARED}{doubled}")), format!("{limit}, found {found}"));
    let never = format!("{BOUNDED}(assert (and {} (< 1 0)))", choice.repeat(5000).replace("(assert", "(and"));
    assert!(message(&format!("{DECLARED}{never}")).ends_with("found a contradiction between constants"));
}

/// A file that uses everything.
fn sample() -> String {
    let output = "(assert (or (and (>= Y_0 Y_1) (< X_0 0.5)) (not (= (+ (* 2 Y_0) (- Y_1) (/ X_1 4)) -1e-3))))\n";
    let further = "(declare-fun Y_2 () Real)\n(assert (=> (> Y_2 (- 0.5)) (<= 0 Y_1 Y_2)))\n(check-sat)";
    format!("; sample\n(set-logic QF_LRA)\n{DECLARED}{BOUNDED}{output}{further}")
}

#[test]
fn damaged_files_are_refused_or_read() {
    let whole = sample();
    let whole = whole.as_bytes();
    assert!(read_vnnlib(whole).is_ok());
    let accepted = (0..whole.len()).filter(|end| read_vnnlib(&whole[..*end]).is_ok()).count();
    assert!(accepted < 10, "{accepted}");
    let mut random = super::formulas::Random(7);
    for _ in 0..20_000 {
        let mut damaged = whole.to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(damaged.len());
            match random.below(3) {
                0 => damaged[at] = b"() \n;\"-.e019XY_<>=*/+|\0\xff\xc3"[random.below(25)],
                1 => drop(damaged.remove(at)),
                _ => damaged[at] = damaged[random.below(damaged.len())],
            }
        }
        let _ = read_vnnlib(&damaged);
    }
}
