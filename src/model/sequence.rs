use std::fmt;
use std::str::FromStr;

/// The sequence number of an object in its stream: 1 for the first of an epoch, rising by 1.
///
/// 0 stands for the position before the first object. A missing number tells a client that it lost objects:
/// see [`StreamId`](super::StreamId).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// An epoch of the sequence numbers: numbers of different epochs must not be compared.
///
/// A new epoch begins whenever the server starts, and when a replay begins again or goes on elsewhere, so that a client that resumes with a number from before
/// a restart, or from another replica, is told so and does not get wrong objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch with this number, which must be random: a start time is shared by replicas that start
    /// together, and by a server that is killed and starts again. With 64 random bits, a million starts share
    /// one with a probability of 1 in 37 million.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of this epoch.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// How the numbers of an epoch relate to those of the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EpochNumbers {
    /// They go on: each stream continues after its last number.
    #[default]
    GoOn,
    /// They begin again: nothing of an earlier epoch says anything about them.
    Restart,
}

/// An epoch that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BegunEpoch {
    /// The epoch.
    pub epoch: Epoch,
    /// Its numbers.
    pub numbers: EpochNumbers,
}

/// Text that is no epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an epoch is a number in base 36")]
pub struct InvalidEpoch;

/// The text that [`Display`](fmt::Display) gives, and no other.
impl FromStr for Epoch {
    type Err = InvalidEpoch;

    fn from_str(text: &str) -> Result<Self, InvalidEpoch> {
        let epoch = u64::from_str_radix(text, 36).map(Self).map_err(|_| InvalidEpoch)?;
        if epoch.to_string() == text { Ok(epoch) } else { Err(InvalidEpoch) }
    }
}

/// Base 36 in lower case, as on the wire: 1 to 13 letters and digits, like `2v5jx0m1c8k3f`.
impl fmt::Display for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0u8; 13];
        let mut rest = self.0;
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        out.write_str(std::str::from_utf8(&digits[at..]).expect("base 36 digits are ASCII"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_prints_in_base_36() {
        assert_eq!(Epoch::new(0).to_string(), "0");
        assert_eq!(Epoch::new(35).to_string(), "z");
        assert_eq!(Epoch::new(36 * 36 + 1).to_string(), "101");
        assert_eq!(Epoch::new(u64::MAX).to_string(), "3w5e11264sgsf");
    }

    #[test]
    fn an_epoch_is_read_from_its_text_alone() {
        for epoch in [0, 35, 1_297, u64::MAX].map(Epoch::new) {
            assert_eq!(epoch.to_string().parse(), Ok(epoch));
        }
        for text in ["", "0k3f9", "K3F9", "+1", "3w5e11264sgsg", "k3-f9"] {
            assert_eq!(text.parse::<Epoch>(), Err(InvalidEpoch), "{text}");
        }
    }
}
