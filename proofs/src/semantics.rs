//! What a claim about a network's outputs means.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use serde::Serialize;

/// Which computations of the network a claim speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Semantics {
    /// Real arithmetic on the weights that the model stores.
    #[default]
    Real,
    /// Every execution of the model in binary32, whatever the order in which it adds: see [`Semantics::assumptions`].
    Float32,
}

impl Semantics {
    /// Both, in the order of their numbers in a certificate.
    pub const ALL: [Semantics; 2] = [Semantics::Real, Semantics::Float32];

    /// The number that stands for it in a certificate.
    pub fn number(self) -> u8 {
        match self {
            Semantics::Real => 0,
            Semantics::Float32 => 1,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Semantics::Real => "real",
            Semantics::Float32 => "float32",
        }
    }

    /// Where a claim holds, as the end of a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Semantics::Real => "in real arithmetic on the stored weights",
            Semantics::Float32 => "in every binary32 execution of the network, whatever the order in which it adds",
        }
    }

    /// What a claim takes for granted of the machine that executes the network, one sentence each.
    pub fn assumptions(self) -> &'static [&'static str] {
        match self {
            Semantics::Real => {
                &["Real arithmetic on the stored weights: an execution in floating point may differ by its rounding."]
            }
            Semantics::Float32 => &[
                "Every operation rounds to the nearest binary32 number or more precisely (no TF32, bfloat16 or float16), in any order of \
                 summation, with or without fused multiply-add; results and operands below the normal range may be flushed to zero.",
                "Sums of products are computed as such (no Winograd or Fourier transforms); an affine operator may be folded into the only one that reads it.",
                "Inputs are numbers in the region, taken as they are; outputs are compared in exact arithmetic.",
            ],
        }
    }
}

impl FromStr for Semantics {
    type Err = String;

    fn from_str(name: &str) -> Result<Semantics, String> {
        let found = Semantics::ALL.into_iter().find(|semantics| semantics.name() == name);
        found.ok_or_else(|| format!("expected `real` or `float32`, found `{name}`"))
    }
}

impl Display for Semantics {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
