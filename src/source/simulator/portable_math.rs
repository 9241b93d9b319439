//! `exp` and `ln` with the same bits on every machine.
//!
//! They use additions, multiplications and divisions only. IEEE 754 defines those to the last bit; it does
//! not define the functions of the system's mathematical library, and the libraries of Linux and macOS
//! differ. A price that differs in its last bit rounds to another tick one day, and from then on two
//! machines with the same seed give different events. `f64::sqrt` is exact by the standard and may be used
//! freely.

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// The layout of an `f64`: the exponent is above the mantissa, with a bias.
const MANTISSA_BITS: u32 = 52;
const BIAS: i64 = 1023;

/// e to the power of `x`, with a relative error of 1e-11, for −700 ≤ x ≤ 700.
///
/// Splits x into k·ln 2 + r with |r| ≤ ½ ln 2 and sums the Taylor series of r. Even and odd powers are summed
/// separately, because the processor runs two dependency chains of five operations in parallel.
pub(super) fn exp(x: f64) -> f64 {
    debug_assert!(x.abs() <= 700.0, "exp of {x}");
    const EVEN: [f64; 5] = [1.0 / 40_320.0, 1.0 / 720.0, 1.0 / 24.0, 1.0 / 2.0, 1.0];
    const ODD: [f64; 5] = [1.0 / 362_880.0, 1.0 / 5_040.0, 1.0 / 120.0, 1.0 / 6.0, 1.0];

    // The offset keeps the argument of the truncating cast positive, so that the cast rounds.
    let k = (x * LOG2_E + (BIAS as f64 + 0.5)) as i64 - BIAS;
    let r = x - k as f64 * LN_2;
    let square = r * r;
    let power = polynomial(&EVEN, square) + r * polynomial(&ODD, square);
    power * f64::from_bits(((k + BIAS) as u64) << MANTISSA_BITS)
}

/// The natural logarithm of `x`, with an absolute error of 1e-10, for positive normal numbers.
///
/// Splits x into 2^k · m with m around 1 and sums the series of 2·artanh((m − 1) / (m + 1)).
pub(super) fn ln(x: f64) -> f64 {
    debug_assert!(x.is_normal() && x > 0.0, "ln of {x}");
    const SERIES: [f64; 6] = [1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];

    let bits = x.to_bits();
    let mut k = (bits >> MANTISSA_BITS) as i64 - BIAS;
    let mut m = f64::from_bits(bits & ((1 << MANTISSA_BITS) - 1) | (BIAS as u64) << MANTISSA_BITS);
    if m > SQRT_2 {
        m *= 0.5;
        k += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    k as f64 * LN_2 + 2.0 * s * polynomial(&SERIES, s * s)
}

/// A polynomial by Horner's rule; the coefficient of the highest power comes first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_standard_library() {
        for tenths in -6_999..=6_999 {
            let x = f64::from(tenths) / 10.0;

            let relative = exp(x) / x.exp() - 1.0;

            assert!(relative.abs() < 1e-11, "exp({x}) is off by {relative:e}");
        }
    }

    #[test]
    fn ln_agrees_with_the_standard_library() {
        for step in 1..20_000 {
            let x = f64::from(step) / 9_973.0;

            let difference = ln(x) - x.ln();

            assert!(difference.abs() < 1e-10, "ln({x}) is off by {difference:e}");
        }
        assert!((ln(1.0 / 9_007_199_254_740_992.0) + 53.0 * LN_2).abs() < 1e-10);
    }

    #[test]
    fn exp_of_zero_and_ln_of_one_are_exact_to_the_last_bit() {
        assert_eq!(exp(0.0).to_bits(), 1.0f64.to_bits());
        assert_eq!(ln(1.0).to_bits(), 0.0f64.to_bits());
    }
}
