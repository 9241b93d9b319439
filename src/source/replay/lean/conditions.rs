//! AlgoSeek's condition flags as the letters of the consolidated tapes.

use crate::model::Conditions;

/// Flags of trades in the order in which the tape writes their letters: settlement, the reason of an exemption from
/// the trade-through rule, extended hours and lateness, other detail.
///
/// The flags are those of Lean's `TradeConditionFlags`, the letters those of the UTP plan's sale conditions. Regular
/// is `@`, which also stands where no other settlement does.
const TRADES: [(u32, u8); 22] = [
    (1, b'C'),
    (2, b'N'),
    (3, b'R'),
    (5, b'F'),
    (6, b'O'),
    (7, b'6'),
    (8, b'5'),
    (9, b'4'),
    (12, b'1'),
    (10, b'T'),
    (13, b'T'),
    (11, b'L'),
    (14, b'Z'),
    (24, b'M'),
    (26, b'Q'),
    (25, b'P'),
    (20, b'W'),
    (21, b'X'),
    (16, b'A'),
    (17, b'B'),
    (19, b'D'),
    (31, b'I'),
];

/// Less usual letters, which are left out where four stand already.
const RARE_TRADES: [(u32, u8); 5] = [(4, b'Y'), (15, b'S'), (18, b'V'), (22, b'H'), (23, b'K')];

/// Flags of quotes, which are Lean's `QuoteConditionFlags`: regular, closing, opening, non-firm.
const QUOTES: [(u32, u8); 4] = [(0, b'R'), (3, b'C'), (11, b'O'), (10, b'N')];

/// The conditions of a trade.
pub(super) fn of_trade(flags: u64) -> Conditions {
    let has = |bit: u32| flags & 1 << bit != 0;
    let mut letters = [0; TRADES.len() + RARE_TRADES.len() + 1];
    let mut count = 0;
    let mut push = |letter| {
        if !letters[..count].contains(&letter) {
            letters[count] = letter;
            count += 1;
        }
    };
    if ![1, 2, 3].into_iter().any(has) {
        push(b'@');
    }
    // Both at once are one condition: sold out of sequence, outside the regular session or in it.
    let is_out_of_sequence = has(14);
    let is_extended = has(10) || has(13);
    for (bit, letter) in TRADES.into_iter().chain(RARE_TRADES) {
        let letter = match bit {
            11 if is_out_of_sequence => continue,
            10 | 13 if is_out_of_sequence => b'U',
            14 if is_extended => b'U',
            _ => letter,
        };
        if has(bit) {
            push(letter);
        }
    }
    Conditions::new(&letters[..count])
}

/// The conditions of a quote.
pub(super) fn of_quote(flags: u64) -> Conditions {
    let letters = QUOTES.into_iter().filter(|(bit, _)| flags & 1 << bit != 0).map(|(_, letter)| letter);
    Conditions::new(&letters.collect::<smallvec::SmallVec<[u8; 4]>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(flags: u64) -> String {
        of_trade(flags).letters().map(char::from).collect()
    }

    /// The flags that occur in a day of SPY and IBM.
    #[test]
    fn flags_are_the_letters_of_the_tape() {
        for (flags, expected) in [
            (0x1, "@"),
            (0x2000_0020, "@F"),
            (0x20, "@F"),
            (0x2000, "@T"),
            (0x2000_2020, "@FT"),
            (0x2000_0040, "@O"),
            (0x2000_0080, "@6"),
            (0x2010_0200, "@4W"),
            (0x4800, "@Z"),
            (0x6004, "NU"),
            (0x400_0000, "@Q"),
            (0x100_0000, "@M"),
            (0x2000_0002, "C"),
            (0x8000_0001, "@I"),
            (0x2000_0000, "@"),
        ] {
            assert_eq!(letters(flags), expected, "{flags:#x}");
        }
        assert_eq!(letters(u64::MAX).len(), 4);
    }

    #[test]
    fn a_regular_quote_has_the_letter_r() {
        assert_eq!(of_quote(1), Conditions::REGULAR_QUOTE);
        assert_eq!(of_quote(0), Conditions::default());
    }
}
