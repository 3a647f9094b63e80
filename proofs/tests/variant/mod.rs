//! Refusals by name.

use bartizan_proof::Refusal;

/// The name of a variant in snake case.
pub fn name_of(refusal: &Refusal) -> String {
    let debug = format!("{refusal:?}");
    let variant = debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let snake = variant.chars().flat_map(|c| [c.is_uppercase().then_some('_'), Some(c.to_ascii_lowercase())]);
    snake.flatten().skip(1).collect()
}
