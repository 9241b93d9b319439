//! Numbers in as few bytes as they need: seven bits in each byte, lowest first, the eighth says that more follow
//! (LEB128). Signed numbers are folded first, so that small negative ones are short as well (zigzag).

use super::binary_row::InvalidRow;

/// Appends a number, 1 to 10 bytes.
pub(crate) fn push_u64(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number, 1 to 10 bytes.
pub(crate) fn push_i64(out: &mut Vec<u8>, number: i64) {
    push_u64(out, zigzag(number));
}

/// A signed number folded: 0, −1, 1, −2 become 0, 1, 2, 3.
pub(super) const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The number that was folded.
pub(super) const fn unzigzag(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

/// Appends a signed number of up to 128 bits: both halves, 2 to 20 bytes.
pub(crate) fn push_i128(out: &mut Vec<u8>, number: i128) {
    let folded = ((number << 1) ^ (number >> 127)) as u128;
    push_u64(out, folded as u64);
    push_u64(out, (folded >> 64) as u64);
}

/// Takes a number from the front.
pub(crate) fn take_u64(bytes: &mut &[u8]) -> Result<u64, InvalidRow> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        let bits = u64::from(byte & 0x7F);
        // The tenth byte has room for one bit.
        if bits << shift >> shift != bits {
            return Err(InvalidRow);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(InvalidRow)
}

/// Takes a signed number from the front.
pub(crate) fn take_i64(bytes: &mut &[u8]) -> Result<i64, InvalidRow> {
    take_u64(bytes).map(unzigzag)
}

/// Takes a signed number of up to 128 bits from the front.
pub(crate) fn take_i128(bytes: &mut &[u8]) -> Result<i128, InvalidRow> {
    let folded = u128::from(take_u64(bytes)?) | u128::from(take_u64(bytes)?) << 64;
    Ok((folded >> 1) as i128 ^ -((folded & 1) as i128))
}

/// Takes this number of bytes from the front.
pub(crate) fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], InvalidRow> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(InvalidRow)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            push_u64(&mut out, number);
            push_i64(&mut out, number as i64);
            push_i64(&mut out, -(number as i64 / 2));
            let wide = i128::from(number) * -i128::from(u64::MAX / 3);
            push_i128(&mut out, wide);

            let bytes = &mut &*out;
            assert_eq!(take_u64(bytes), Ok(number));
            assert_eq!(take_i64(bytes), Ok(number as i64));
            assert_eq!(take_i64(bytes), Ok(-(number as i64 / 2)));
            assert_eq!(take_i128(bytes), Ok(wide));
            assert!(bytes.is_empty());
        }
        for number in [i128::MIN, i128::MAX] {
            let mut out = Vec::new();
            push_i128(&mut out, number);
            assert_eq!(take_i128(&mut &*out), Ok(number));
        }
    }

    #[test]
    fn a_number_that_is_cut_or_too_large_is_refused() {
        for bytes in
            [&b""[..], &[0x80], &[0xFF; 9], &[0xFF; 10], &[255, 255, 255, 255, 255, 255, 255, 255, 255, 2]]
        {
            assert_eq!(take_u64(&mut &*bytes), Err(InvalidRow), "{bytes:?}");
        }
    }
}
