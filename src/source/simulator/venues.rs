use crate::model::{Tape, Venue};

use super::random::RandomStream;

/// Participant codes of the tape, as often in sixteen as their venues are at the best price: Nasdaq, Arca,
/// Cboe EDGX and BZX, NYSE, MEMX, IEX, EDGA, MIAX Pearl. The shares are estimates, their order is right.
///
/// Sixteen entries, so that four random bits choose one.
const QUOTING: [u8; 16] = *b"QQQPPPKKKZZNUVJH";

/// The FINRA facility to which dark pools and wholesalers report trades. It has no quotes.
pub(super) const OFF_EXCHANGE: Venue = Venue(b'D');

/// A random venue with the best price of an instrument of this tape.
pub(super) fn quoting(tape: Tape, random: &mut RandomStream) -> Venue {
    match QUOTING[(random.next_u64() >> 60) as usize] {
        // Nasdaq has the code T for trades in listings of other exchanges.
        b'Q' if tape != Tape::C => Venue(b'T'),
        // NYSE is first in its own listings, and rarely at the best price of others.
        b'P' if tape == Tape::A => Venue(b'N'),
        code => Venue(code),
    }
}
