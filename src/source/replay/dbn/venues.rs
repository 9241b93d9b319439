use dbn::{Publisher, publishers::Venue as DbnVenue};

use crate::model::Venue;

/// The letter that the consolidated tape has for the venue of a publisher; none for venues that are not on it.
pub(super) fn venue(publisher: u16) -> Venue {
    let Ok(publisher) = Publisher::try_from(publisher) else { return Venue::NONE };
    match publisher.venue() {
        DbnVenue::Xase => Venue(b'A'),
        DbnVenue::Xbos => Venue(b'B'),
        DbnVenue::Xcis => Venue(b'C'),
        DbnVenue::Finn | DbnVenue::Finc | DbnVenue::Finy | DbnVenue::Xadf => Venue(b'D'),
        DbnVenue::Eprl => Venue(b'H'),
        DbnVenue::Edga => Venue(b'J'),
        DbnVenue::Edgx => Venue(b'K'),
        DbnVenue::Ltse => Venue(b'L'),
        DbnVenue::Xchi => Venue(b'M'),
        DbnVenue::Xnys => Venue(b'N'),
        DbnVenue::Arcx => Venue(b'P'),
        DbnVenue::Xnas => Venue(b'Q'),
        DbnVenue::Memx => Venue(b'U'),
        DbnVenue::Iexg => Venue(b'V'),
        DbnVenue::Xpsx => Venue(b'X'),
        DbnVenue::Baty => Venue(b'Y'),
        DbnVenue::Bats => Venue(b'Z'),
        _ => Venue::NONE,
    }
}
