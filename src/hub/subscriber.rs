use super::{Pick, Turn, Vitals};
use crate::wire::Close;

/// Somebody on this thread who takes what he wants of each batch.
///
/// The hub calls these plainly in the middle of its turn, so they must be quick, must not wait, and
/// must not call the hub.
pub trait Subscriber {
    /// Takes these objects, in order.
    fn deliver(&self, turn: &Turn<'_>, picks: &[Pick]);

    /// How the far side is doing.
    fn vitals(&self) -> Vitals;

    /// Asks the far side whether it is there.
    fn ping(&self);

    /// Says goodbye, after what is already queued or instead of it, and ends.
    fn dismiss(&self, why: Close);

    /// Breaks the connection off: the far side took not even the goodbye.
    fn sever(&self);
}
