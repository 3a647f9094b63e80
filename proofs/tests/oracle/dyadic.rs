//! Exact numbers `m 2^e`: every binary64 number is one, and so are their sums and products.

use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

use num_bigint::{BigInt, Sign};
use num_integer::Integer;

/// `mantissa * 2^exponent`; the mantissa is odd, or zero with exponent 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dyadic {
    mantissa: BigInt,
    exponent: i64,
}

impl Dyadic {
    pub fn zero() -> Self {
        Dyadic { mantissa: BigInt::ZERO, exponent: 0 }
    }

    /// A finite number, exactly.
    pub fn of(x: f64) -> Self {
        assert!(x.is_finite(), "{x} is no number");
        let bits = x.to_bits();
        let (stored, fraction) = ((bits >> 52) as i64 & 0x7ff, bits & ((1 << 52) - 1));
        let (size, exponent) = if stored == 0 { (fraction, -1074) } else { (fraction | 1 << 52, stored - 1075) };
        let size = BigInt::from(size);
        Self::normal(if x < 0.0 { -size } else { size }, exponent)
    }

    fn normal(mantissa: BigInt, exponent: i64) -> Self {
        match mantissa.trailing_zeros() {
            None => Self::zero(),
            Some(0) => Dyadic { mantissa, exponent },
            Some(zeros) => Dyadic { mantissa: mantissa >> zeros, exponent: exponent + zeros as i64 },
        }
    }

    /// `self * 2^power`.
    pub fn shifted(&self, power: i64) -> Self {
        if self.is_zero() { Self::zero() } else { Dyadic { exponent: self.exponent + power, ..self.clone() } }
    }

    pub fn is_zero(&self) -> bool {
        self.mantissa.sign() == Sign::NoSign
    }

    pub fn is_positive(&self) -> bool {
        self.mantissa.sign() == Sign::Plus
    }

    pub fn is_negative(&self) -> bool {
        self.mantissa.sign() == Sign::Minus
    }

    pub fn abs(&self) -> Self {
        if self.is_negative() { -self } else { self.clone() }
    }

    /// `self / by` rounded towards zero to about `bits` significant bits.
    pub fn divided_by(&self, by: &Dyadic, bits: u64) -> Self {
        let up = (bits + by.mantissa.bits()).saturating_sub(self.mantissa.bits());
        let quotient = (&self.mantissa << up) / &by.mantissa;
        Self::normal(quotient, self.exponent - by.exponent - up as i64)
    }

    /// Close to the number in binary64, for display and for measuring.
    pub fn about(&self) -> f64 {
        let extra = self.mantissa.bits().saturating_sub(60);
        let mut value = i64::try_from(&self.mantissa >> extra).unwrap() as f64;
        // In steps, because a power of two may be out of range where the product is not.
        let mut exponent = self.exponent + extra as i64;
        while exponent != 0 && value != 0.0 && value.is_finite() {
            let step = exponent.clamp(-500, 500);
            value *= 2f64.powi(step as i32);
            exponent -= step;
        }
        value
    }

    /// All numbers times the same positive factor, so that they are integers without a common divisor.
    pub fn reduce(numbers: &mut [Dyadic]) {
        let least = numbers.iter().filter(|n| !n.is_zero()).map(|n| n.exponent).min().unwrap_or(0);
        let whole = |n: &Dyadic| &n.mantissa << (n.exponent - least).max(0);
        let divisor = numbers.iter().fold(BigInt::ZERO, |divisor, n| divisor.gcd(&whole(n)));
        if divisor.sign() == Sign::Plus {
            numbers.iter_mut().for_each(|n| *n = Self::normal(whole(n) / &divisor, 0));
        }
    }
}

impl Add for &Dyadic {
    type Output = Dyadic;
    fn add(self, other: &Dyadic) -> Dyadic {
        if self.is_zero() {
            return other.clone();
        }
        if other.is_zero() {
            return self.clone();
        }
        let (low, high) = if self.exponent <= other.exponent { (self, other) } else { (other, self) };
        Dyadic::normal(&low.mantissa + (&high.mantissa << (high.exponent - low.exponent)), low.exponent)
    }
}

impl Neg for &Dyadic {
    type Output = Dyadic;
    fn neg(self) -> Dyadic {
        Dyadic { mantissa: -&self.mantissa, exponent: self.exponent }
    }
}

impl Sub for &Dyadic {
    type Output = Dyadic;
    fn sub(self, other: &Dyadic) -> Dyadic {
        self + &-other
    }
}

impl Mul for &Dyadic {
    type Output = Dyadic;
    fn mul(self, other: &Dyadic) -> Dyadic {
        let exponent = if self.is_zero() || other.is_zero() { 0 } else { self.exponent + other.exponent };
        Dyadic { mantissa: &self.mantissa * &other.mantissa, exponent }
    }
}

impl PartialOrd for Dyadic {
    fn partial_cmp(&self, other: &Dyadic) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dyadic {
    fn cmp(&self, other: &Dyadic) -> Ordering {
        match (self - other).mantissa.sign() {
            Sign::Minus => Ordering::Less,
            Sign::NoSign => Ordering::Equal,
            Sign::Plus => Ordering::Greater,
        }
    }
}

/// A quotient of two exact numbers.
#[derive(Clone, Debug)]
pub struct Ratio {
    pub over: Dyadic,
    /// Positive.
    pub under: Dyadic,
}

impl Ratio {
    pub fn cmp(&self, other: &Ratio) -> Ordering {
        (&self.over * &other.under).cmp(&(&other.over * &self.under))
    }

    /// The largest binary64 number that is not above; minus infinity where all finite ones are.
    pub fn floor(&self) -> f64 {
        let is_below = |x: f64| &Dyadic::of(x) * &self.under <= self.over;
        let (mut low, mut high) = (key(f64::NEG_INFINITY), key(f64::INFINITY));
        while low + 1 < high {
            let middle = i64::midpoint(low, high);
            if is_below(number(middle)) { low = middle } else { high = middle }
        }
        number(low)
    }
}

/// Numbers the binary64 numbers in their order.
fn key(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

fn number(key: i64) -> f64 {
    f64::from_bits(if key < 0 { i64::MIN - key } else { key } as u64)
}
