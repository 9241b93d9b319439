//! Numbers of text files, exact.

/// The decimal number of this text in units of 10^-`decimals`; digits beyond are rounded half away from zero. `None`
/// when it is no number, or outside the range.
///
/// Takes digits with an optional sign, point and exponent: `1674100`, `-0.25`, `1.5e3`.
pub(super) fn decimal(text: &[u8], decimals: i32) -> Option<i64> {
    let (is_negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let mut value: i128 = 0;
    let mut scale = decimals;
    let mut has_digits = false;
    let mut is_fraction = false;
    let mut rest = text;
    while let Some((&letter, after)) = rest.split_first() {
        match letter {
            b'0'..=b'9' => {
                has_digits = true;
                // More digits than the number has room for are below its precision, or make it too large.
                if value < 1 << 90 {
                    value = value * 10 + i128::from(letter - b'0');
                    scale -= i32::from(is_fraction);
                } else {
                    scale += i32::from(!is_fraction);
                }
            }
            b'.' if !is_fraction => is_fraction = true,
            b'e' | b'E' => {
                let exponent: i32 = std::str::from_utf8(after).ok()?.parse().ok()?;
                scale = scale.checked_add(exponent)?;
                break;
            }
            _ => return None,
        }
        rest = after;
    }
    if !has_digits {
        return None;
    }
    if value != 0 {
        while scale > 0 {
            value = value.checked_mul(10).filter(|value| *value < i128::from(u64::MAX))?;
            scale -= 1;
        }
    }
    if scale < 0 {
        let unit = 10i128.checked_pow(scale.unsigned_abs()).unwrap_or(i128::MAX);
        value = value / unit + i128::from(value % unit >= unit - unit / 2 && unit > 1);
    }
    i64::try_from(if is_negative { -value } else { value }).ok()
}

/// The whole number of this text, which may be written with a fraction of zeros. `None` when it is negative.
pub(super) fn whole(text: &[u8]) -> Option<u64> {
    decimal(text, 0).and_then(|value| u64::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_is_exact() {
        let nanos = |text: &str| decimal(text.as_bytes(), 9);

        assert_eq!(nanos("99.6459"), Some(99_645_900_000));
        assert_eq!(nanos("5462.25"), Some(5_462_250_000_000));
        assert_eq!(nanos("-37.63"), Some(-37_630_000_000));
        assert_eq!(nanos("+1"), Some(1_000_000_000));
        assert_eq!(nanos(".5"), Some(500_000_000));
        assert_eq!(nanos("5."), Some(5_000_000_000));
        assert_eq!(nanos("1.5e3"), Some(1_500_000_000_000));
        assert_eq!(nanos("1E-9"), Some(1));
        assert_eq!(nanos("0.0000000015"), Some(2));
        assert_eq!(nanos("0.0000000014"), Some(1));
        assert_eq!(nanos("-0.0000000015"), Some(-2));
        assert_eq!(nanos("0e99"), Some(0));
        assert_eq!(nanos("0.10000000000000000000000000000000000000001"), Some(100_000_000));
        assert_eq!(decimal(b"1674100", 5), Some(167_410_000_000));
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        for text in
            ["", "-", ".", "1,5", "1.2.3", "NaN", "1e", "e5", "9300000000", "1e30", "--1", "1 ", "0x1f"]
        {
            assert_eq!(decimal(text.as_bytes(), 9), None, "{text:?}");
        }
    }

    #[test]
    fn a_whole_number_is_not_negative() {
        assert_eq!(whole(b"1500"), Some(1_500));
        assert_eq!(whole(b"1500.0"), Some(1_500));
        assert_eq!(whole(b"-1"), None);
    }
}
