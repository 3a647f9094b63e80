//! Tables of accepted and of refused texts, and hostile ones. Formulas are compared with their meaning in
//! [`formulas`].

mod formulas;
mod refusals;

use super::read_vnnlib;
use crate::arith::Interval;
use crate::property::{Atom, Property, Variable};

/// Two inputs and two outputs, on the first line.
const DECLARED: &str =
    "(declare-const X_0 Real) (declare-const X_1 Real) (declare-const Y_0 Real) (declare-const Y_1 Real)\n";

/// Bounds of both inputs, on the second line.
const BOUNDED: &str = "(assert (<= 0 X_0 1)) (assert (<= -1 X_1 1))\n";

fn read(text: &str) -> Property {
    read_vnnlib(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn message(text: &str) -> String {
    read_vnnlib(text.as_bytes()).map(|property| show(&property)).expect_err(text).to_string()
}

/// Inexact numbers are shown as `~0.1`.
fn number(i: Interval) -> String {
    if i.is_point() { format!("{}", i.lo) } else { format!("~{}", i.middle()) }
}

fn show_atom(atom: &Atom) -> String {
    let term = |(variable, c): &(Variable, Interval)| match variable {
        Variable::Input(i) => format!("{} X_{i}", number(*c)),
        Variable::Output(i) => format!("{} Y_{i}", number(*c)),
    };
    let terms: Vec<String> = atom.terms.iter().map(term).collect();
    format!("{} {} {}", terms.join(" + "), if atom.strict { "<" } else { "<=" }, number(atom.at_most))
}

/// One case a line: the region's bounds, then the atoms.
fn show(property: &Property) -> String {
    let mut lines = Vec::new();
    for case in property.cases() {
        let bounds = &property.regions()[case.region].bounds;
        let mut parts: Vec<String> =
            bounds.iter().map(|b| format!("[{}, {}]", number(b.lower), number(b.upper))).collect();
        parts.extend(case.atoms.iter().map(show_atom));
        lines.push(format!("{}: {}", case.region, parts.join("; ")));
    }
    lines.join("\n")
}

fn assert_reads_as(table: &[(&str, &[&str])], head: &str) {
    for (text, expected) in table {
        assert_eq!(show(&read(&format!("{head}{text}"))), expected.join("\n"), "{text}");
    }
}

#[test]
fn comparisons_become_bounds_or_atoms() {
    let table: &[(&str, &[&str])] = &[
        ("(assert (<= Y_0 Y_1))", &["0: [0, 1]; [-1, 1]; 1 Y_0 + -1 Y_1 <= 0"]),
        ("(assert (>= Y_0 Y_1))", &["0: [0, 1]; [-1, 1]; -1 Y_0 + 1 Y_1 <= 0"]),
        ("(assert (< Y_0 0.1))", &["0: [0, 1]; [-1, 1]; 1 Y_0 < ~0.1"]),
        ("(assert (> 3 Y_0))", &["0: [0, 1]; [-1, 1]; 1 Y_0 < 3"]),
        ("(assert (>= Y_0 -2.5e-1))", &["0: [0, 1]; [-1, 1]; -1 Y_0 <= 0.25"]),
        ("(assert (= Y_0 2))", &["0: [0, 1]; [-1, 1]; 1 Y_0 <= 2; -1 Y_0 <= -2"]),
        ("(assert (<= 1 Y_0 Y_1))", &["0: [0, 1]; [-1, 1]; -1 Y_0 <= -1; 1 Y_0 + -1 Y_1 <= 0"]),
        ("(assert (<= X_0 0.5))", &["0: [0, 0.5]; [-1, 1]"]),
        ("(assert (<= X_0 2))", &["0: [0, 1]; [-1, 1]"]),
        ("(assert (>= X_1 0))(assert (>= X_1 -0.5))", &["0: [0, 1]; [0, 1]"]),
        ("(assert (= X_1 (- 0.5)))", &["0: [0, 1]; [-0.5, -0.5]"]),
        ("(assert (<= X_0 X_1))", &["0: [0, 1]; [-1, 1]; 1 X_0 + -1 X_1 <= 0"]),
        ("(assert (<= X_0 Y_1))", &["0: [0, 1]; [-1, 1]; 1 X_0 + -1 Y_1 <= 0"]),
        ("(assert (<= Y_0 Y_0)) (assert (< 0 1))", &["0: [0, 1]; [-1, 1]"]),
    ];
    assert_reads_as(table, &format!("{DECLARED}{BOUNDED}"));
}

#[test]
fn terms_are_linear() {
    let table: &[(&str, &[&str])] = &[
        ("(assert (<= (+ (* 2 Y_0) (* X_1 -3)) 4))", &["0: [0, 1]; [-1, 1]; -3 X_1 + 2 Y_0 <= 4"]),
        ("(assert (<= 4 (- Y_0 Y_1 X_0)))", &["0: [0, 1]; [-1, 1]; 1 X_0 + -1 Y_0 + 1 Y_1 <= -4"]),
        ("(assert (<= (- Y_0) (- (- 5))))", &["0: [0, 1]; [-1, 1]; -1 Y_0 <= 5"]),
        ("(assert (<= (* (+ 1 0.5) Y_0) 0))", &["0: [0, 1]; [-1, 1]; ~1.5 Y_0 <= 0"]),
        ("(assert (<= (/ Y_0 4) (/ 1 4)))", &["0: [0, 1]; [-1, 1]; ~0.25 Y_0 <= ~0.25"]),
        ("(assert (<= (+ Y_0 Y_0) 1))", &["0: [0, 1]; [-1, 1]; 1 Y_0 + 1 Y_0 <= 1"]),
        ("(assert (<= (+ Y_0 (* 0 X_0 7) Y_1) Y_0))", &["0: [0, 1]; [-1, 1]; 1 Y_1 <= 0"]),
        ("(assert (>= (* -2 X_1) 1))", &["0: [0, 1]; [-1, ~-0.5]"]),
        ("(assert (<= (- 1 X_0) 0.5))", &["0: [~0.5, 1]; [-1, 1]"]),
        ("(assert (<= (+ X_0 X_0) X_0))", &["0: [0, 0]; [-1, 1]"]),
    ];
    assert_reads_as(table, &format!("{DECLARED}{BOUNDED}"));
}

#[test]
fn formulas_become_cases() {
    let (a, b) = ("0: [0, 1]; [-1, 1]; 1 Y_0 <= 0", "0: [0, 1]; [-1, 1]; 1 Y_1 <= 0");
    let table: &[(&str, &[&str])] = &[
        ("(assert (or (and (<= Y_0 0)) (<= Y_1 0)))", &[a, b]),
        ("(assert (or (or (<= Y_0 0)) (and (or (<= Y_1 0)))))", &[a, b]),
        ("(assert (not (and (> Y_0 0) (not (<= Y_1 0)))))", &[a, b]),
        ("(assert (=> (> Y_0 0) (<= Y_1 0)))", &[a, b]),
        ("(assert (or (< 1 0) (<= Y_0 0) (< 1 1) (not (<= 0 0))))", &[a]),
        ("(assert (or (< 0 1) (<= Y_0 0))) (assert (<= Y_1 0))", &[b]),
        (
            "(assert (not (= Y_0 Y_1)))",
            &["0: [0, 1]; [-1, 1]; -1 Y_0 + 1 Y_1 < 0", "0: [0, 1]; [-1, 1]; 1 Y_0 + -1 Y_1 < 0"],
        ),
        (
            "(assert (or (<= X_0 0.5) (>= X_0 0.5) (<= X_0 7) (<= 0 X_0)))(assert (<= Y_0 0))",
            &[
                "0: [0, 0.5]; [-1, 1]; 1 Y_0 <= 0",
                "1: [0.5, 1]; [-1, 1]; 1 Y_0 <= 0",
                &a.replace("0: ", "2: "),
                &a.replace("0: ", "2: "),
            ],
        ),
        // A case without points is dropped.
        ("(assert (or (and (<= X_0 0.25) (>= X_0 0.5)) (<= Y_0 0)))", &[a]),
        ("(assert (or (< X_0 0) (<= Y_0 0)))", &[a]),
        (
            "(assert (or (<= X_0 0.25) (>= X_0 0.75))) (assert (or (<= X_0 0.5) (<= Y_0 0)))",
            &["0: [0, 0.25]; [-1, 1]", "0: [0, 0.25]; [-1, 1]; 1 Y_0 <= 0", "1: [0.75, 1]; [-1, 1]; 1 Y_0 <= 0"],
        ),
    ];
    assert_reads_as(table, &format!("{DECLARED}{BOUNDED}"));
}

#[test]
fn harmless_commands_and_layout_do_not_matter() {
    let text = "; caf\u{e9} (\r(set-logic QF_LRA)(set-info :source (b \"c)\"))\r(declare-fun Y_0 () Real)\n\
                (declare-const X_1 Real)(declare-const X_0 Real)(assert(and(<=\tX_0 1)(>= ; lower\n X_0 0)))\n\
                (assert (= X_1 0.1))(check-sat)(get-model)(exit)";
    assert_eq!(show(&read(text)), "0: [0, 1]; [~0.1, ~0.1]");
}

#[test]
fn bounds_given_per_case_need_no_shared_ones() {
    let text = format!(
        "{DECLARED}(assert (>= X_0 0))\n(assert (or (and (<= X_0 1) (<= 0 X_1 1)) (and (<= X_0 2) (<= 0 X_1 1)) \
         (and (<= 0 X_1 1) (<= X_0 1.0))))"
    );
    assert_eq!(show(&read(&text)), "0: [0, 1]; [0, 1]\n1: [0, 2]; [0, 1]\n0: [0, 1]; [0, 1]");
}

/// Enclosures of the only input's bounds.
fn bound(assertions: &str) -> crate::property::Bound {
    let text = format!("(declare-const X_0 Real)(declare-const Y_0 Real){assertions}");
    read(&text).regions()[0].bounds[0]
}

#[test]
fn one_number_on_both_ends_stays_one_number() {
    for text in [
        "(assert (= X_0 0.1))",
        "(assert (<= X_0 0.1))(assert (>= X_0 0.1))",
        "(assert (<= 0.1 X_0))(assert (not (> X_0 0.1)))(assert (<= 0.1 X_0 5))",
        "(assert (= X_0 (/ 1 3)))",
        "(assert (= (* 3 X_0) 1))",
    ] {
        let bound = bound(text);
        assert!(bound.lower == bound.upper && !bound.lower.is_point(), "{text}: {bound:?}");
    }
}

#[test]
fn two_numbers_never_look_like_one() {
    // All these decimals have the same enclosure; replay would take them for one number.
    for text in [
        "(assert (<= X_0 0.1))(assert (>= X_0 0.10000000000000000001))",
        "(assert (<= X_0 0.1))(assert (>= X_0 0.1))(assert (>= X_0 0.10000000000000000001))",
        "(assert (= X_0 0.1))(assert (= X_0 0.10000000000000000001))",
        "(assert (= X_0 0.1))(assert (<= (* 3 X_0) 0.3))(assert (<= (* 30 X_0) 3))",
    ] {
        let bound = bound(text);
        assert!(bound.lower != bound.upper && bound.inner().is_none(), "{text}: {bound:?}");
        assert!(bound.outer().lo < 0.1 && bound.outer().hi > 0.1, "{text}: {bound:?}");
    }
}

#[test]
fn strict_bounds_exclude_their_number_from_counterexamples_only() {
    let open = bound("(assert (< 0 X_0 1))");
    assert_eq!(open.outer(), Interval { lo: 0.0, hi: 1.0 });
    assert_eq!(open.inner(), Interval::new(0f64.next_up(), 1f64.next_down()));
    // No float lies between, and widened by one both ends would have the same enclosure.
    let (lower, upper) = (4_503_599_627_370_496.0, 4_503_599_627_370_497.0);
    let gap = bound(&format!("(assert (< {lower} X_0 {upper}))"));
    assert_eq!(gap.outer(), Interval { lo: lower, hi: upper });
    assert!(gap.lower != gap.upper && gap.inner().is_none());
}

#[test]
fn several_bounds_intersect_end_by_end() {
    let (narrow, wide) = (bound("(assert (= X_0 0.1))").lower, bound("(assert (= (* 3 X_0) 0.3))").lower);
    assert!(wide.lo < narrow.lo && narrow.hi < wide.hi);
    let both = bound("(assert (<= 0.1 X_0 1))(assert (<= 0.3 (* 3 X_0)))");
    assert_eq!(both.lower, Interval { lo: narrow.lo, hi: wide.hi });
    let both = bound("(assert (<= 0 X_0 0.1))(assert (<= (* 3 X_0) 0.3))");
    assert_eq!(both.upper, Interval { lo: wide.lo, hi: narrow.hi });
    // A strict limit is narrowed before it is merged.
    let strict = bound("(assert (< 0.1 X_0 1))(assert (<= 0.10000000000000000001 X_0))");
    assert_eq!(strict.lower, Interval { lo: narrow.lo, hi: narrow.hi.next_up() });
}

#[test]
fn thousands_of_inputs_share_one_region() {
    let mut text = String::new();
    for i in 0..3072 {
        text += &format!("(declare-const X_{i} Real)\n(assert (<= X_{i} 0.{i}))\n(assert (>= X_{i} -0.5))\n");
    }
    (0..10).for_each(|i| text += &format!("(declare-const Y_{i} Real)\n"));
    let rivals: Vec<String> = (1..10).map(|i| format!("(and (>= Y_{i} Y_0))")).collect();
    let property = read(&format!("{text}(assert (or {}))", rivals.join("\n")));
    assert_eq!((property.inputs(), property.regions().len(), property.cases().len()), (3072, 1, 9));
    assert!(property.compares_outputs_only());
}
