use crate::model::{Tape, Venue};

use super::random::RandomStream;

/// Participant codes about as often as their venues are at the best price, in sixteenths: Nasdaq, Arca,
/// Cboe EDGX and BZX, NYSE, MEMX, IEX, EDGA, MIAX Pearl. Estimates, in the right order.
///
/// Sixteen places, so that four random bits choose one.
const QUOTING: [u8; 16] = *b"QQQPPPKKKZZNUVJH";

/// Off-exchange: dark pools and wholesalers report to a FINRA facility. Nobody quotes there.
pub(super) const OFF_EXCHANGE: Venue = Venue(b'D');

/// A venue that shows orders in instruments of this tape.
pub(super) fn quoting(tape: Tape, random: &mut RandomStream) -> Venue {
    match QUOTING[(random.next_u64() >> 60) as usize] {
        // Nasdaq goes by T where it trades the listings of others.
        b'Q' if tape != Tape::C => Venue(b'T'),
        // NYSE quotes its own listings more than anybody, and those of others hardly.
        b'P' if tape == Tape::A => Venue(b'N'),
        code => Venue(code),
    }
}
