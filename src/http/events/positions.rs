//! Where a client is in the streams that do not conflate, and the text of this that is the id of an event.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::{Channel, Epoch, Symbol};
use crate::wire::varint::{push_u64, take, take_u64};

/// The longest id. A browser sends it back in a header of at most 16 KiB together with all others.
const MAX_ID_BYTES: usize = 4 << 10;

/// The id of a stream whose positions do not fit into [`MAX_ID_BYTES`]: a client that comes back with it is told that
/// what was between is not known.
pub(super) const NO_POSITIONS: &str = "-";

/// The channels that a client subscribes to and whose positions are kept, with their tags in an id. Followers are in the
/// rows of their leader.
const LEADERS: [(Channel, u8); 4] =
    [(Channel::Trades, b't'), (Channel::Statuses, b's'), (Channel::Lulds, b'l'), (Channel::Messages, b'm')];

/// The most channels that one subscription brings and that do not conflate: trades, cancels and corrections.
const MAX_SERIES: usize = 3;

/// The last sequence number that a client has, of each stream that does not conflate and that it subscribes to.
///
/// The topics of both kinds are included, since a client does not know the kind of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Positions(BTreeMap<Channel, Streams>);

/// The streams of a leader and its followers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Streams {
    /// Whether every stream is subscribed to: those without a row are at 0.
    has_all: bool,
    rows: BTreeMap<Symbol, Row>,
}

/// The positions in the streams of a leader and its followers, for one name.
type Row = [u64; MAX_SERIES];

/// The channels whose positions are in the rows of this leader, in order.
pub(super) fn series(leader: Channel) -> impl Iterator<Item = Channel> {
    leader.with_followers().filter(|channel| !channel.conflates())
}

/// The leader of a channel whose positions are kept, and the place in its rows.
fn place(channel: Channel) -> Option<(Channel, usize)> {
    let leader = channel.leader();
    LEADERS.iter().find(|(known, _)| *known == leader)?;
    Some((leader, series(leader).position(|one| one == channel)?))
}

impl Positions {
    /// Whether positions of this channel are kept.
    pub(super) fn keep(channel: Channel) -> bool {
        place(channel).is_some()
    }

    /// Subscribes to every stream of a leader.
    pub(super) fn add_all(&mut self, leader: Channel) {
        self.0.entry(leader).or_default().has_all = true;
    }

    /// Subscribes to the streams of a name.
    pub(super) fn add(&mut self, leader: Channel, name: Symbol) {
        self.0.entry(leader).or_default().rows.entry(name).or_default();
    }

    /// The position in a stream: 0 before its first object; `None` if it is not subscribed to.
    pub(super) fn get(&self, channel: Channel, name: &Symbol) -> Option<u64> {
        let (leader, at) = place(channel)?;
        let streams = self.0.get(&leader)?;
        match streams.rows.get(name) {
            Some(row) => Some(row[at]),
            None => streams.has_all.then_some(0),
        }
    }

    /// Moves the position in a stream, if it is subscribed to.
    pub(super) fn set(&mut self, channel: Channel, name: Symbol, seq: u64) {
        let Some((leader, at)) = place(channel) else { return };
        let Some(streams) = self.0.get_mut(&leader) else { return };
        if let Some(row) = streams.rows.get_mut(&name) {
            row[at] = seq;
        } else if streams.has_all && seq > 0 {
            streams.rows.entry(name).or_default()[at] = seq;
        }
    }

    /// Puts every stream to its beginning.
    pub(super) fn restart(&mut self) {
        let rows = self.0.values_mut().flat_map(|streams| streams.rows.values_mut());
        rows.for_each(|row| *row = Row::default());
    }

    /// The id of an event behind these positions: `EPOCH.` and base64url (RFC 4648 section 5) without padding; `None` if
    /// it would be too long.
    pub(super) fn to_id(&self, epoch: Epoch) -> Option<String> {
        let mut bytes = Vec::new();
        for (leader, tag) in LEADERS {
            let Some(Streams { has_all, rows }) = self.0.get(&leader) else { continue };
            bytes.extend([tag, u8::from(*has_all)]);
            push_u64(&mut bytes, rows.len() as u64);
            for (name, row) in rows {
                bytes.push(name.as_str().len() as u8);
                bytes.extend_from_slice(name.as_str().as_bytes());
                row.iter().take(series(leader).count()).for_each(|seq| push_u64(&mut bytes, *seq));
                if bytes.len() > MAX_ID_BYTES {
                    return None;
                }
            }
        }
        let mut id = format!("{epoch}.");
        URL_SAFE_NO_PAD.encode_string(&bytes, &mut id);
        (id.len() <= MAX_ID_BYTES).then_some(id)
    }

    /// The epoch and the positions of an id; `None` if it is not one of these.
    pub(super) fn of_id(id: &str) -> Option<(Epoch, Self)> {
        let (epoch, text) = id.split_once('.').filter(|_| id.len() <= MAX_ID_BYTES)?;
        let epoch = epoch.parse().ok()?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let mut rest = &bytes[..];
        let mut positions = Self::default();
        while !rest.is_empty() {
            let tag = take(&mut rest, 1).ok()?[0];
            let (leader, _) = *LEADERS.iter().find(|(_, known)| *known == tag)?;
            let streams = positions.0.entry(leader).or_default();
            streams.has_all = match take(&mut rest, 1).ok()? {
                [0] => false,
                [1] => true,
                _ => return None,
            };
            for _ in 0..take_u64(&mut rest).ok()? {
                let len = take(&mut rest, 1).ok()?[0];
                let name = str::from_utf8(take(&mut rest, len.into()).ok()?).ok()?.parse().ok()?;
                let mut row = Row::default();
                for seq in row.iter_mut().take(series(leader).count()) {
                    *seq = take_u64(&mut rest).ok()?;
                }
                streams.rows.insert(name, row);
            }
        }
        Some((epoch, positions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str) -> Symbol {
        name.parse().unwrap()
    }

    fn epoch() -> Epoch {
        "th5oso".parse().unwrap()
    }

    fn some() -> Positions {
        let mut positions = Positions::default();
        positions.add(Channel::Trades, symbol("AAPL"));
        positions.add(Channel::Messages, symbol("chat:lobby"));
        positions.add_all(Channel::Statuses);
        positions.set(Channel::Trades, symbol("AAPL"), 8_841);
        positions.set(Channel::Corrections, symbol("AAPL"), 3);
        positions.set(Channel::Messages, symbol("chat:lobby"), u64::MAX);
        positions.set(Channel::Statuses, symbol("MSFT"), 2);
        positions
    }

    #[test]
    fn an_id_holds_the_epoch_and_all_positions() {
        let id = some().to_id(epoch()).unwrap();

        assert!(id.starts_with("th5oso."), "{id}");
        assert_eq!(Positions::of_id(&id), Some((epoch(), some())));
        assert_eq!(Positions::of_id("th5oso."), Some((epoch(), Positions::default())));
    }

    #[test]
    fn streams_that_are_not_subscribed_to_have_no_position() {
        let mut positions = some();
        positions.set(Channel::Trades, symbol("MSFT"), 7);
        positions.set(Channel::Quotes, symbol("AAPL"), 7);

        assert_eq!(positions, some());
        assert_eq!(positions.get(Channel::Trades, &symbol("MSFT")), None);
        assert_eq!(positions.get(Channel::CancelErrors, &symbol("AAPL")), Some(0));
        assert_eq!(positions.get(Channel::Statuses, &symbol("NEW")), Some(0), "all are subscribed to");
        assert_eq!(positions.get(Channel::Quotes, &symbol("AAPL")), None);
    }

    #[test]
    fn what_is_no_id_is_refused_and_never_read_in_part() {
        let id = some().to_id(epoch()).unwrap();
        for cut in 8..id.len() {
            let read = Positions::of_id(&id[..cut]);
            assert!(read.is_none_or(|(_, read)| read.to_id(epoch()).unwrap() == id[..cut]), "{cut}");
        }
        for text in
            ["", "-", ".", "7", "th5oso", "th5oso.!", "TOO LONG AN EPOCH.dAA", "th5oso.enp6", "th5oso.dAL_"]
        {
            assert_eq!(Positions::of_id(text), None, "{text}");
        }
        assert_eq!(Positions::of_id(&format!("th5oso.{}", "A".repeat(MAX_ID_BYTES))), None);
    }

    #[test]
    fn positions_of_too_many_streams_have_no_id() {
        let mut positions = Positions::default();
        let fits = (0..2_000).take_while(|number| {
            positions.add(Channel::Trades, symbol(&format!("N{number}")));
            positions.to_id(epoch()).is_some_and(|id| id.len() <= MAX_ID_BYTES)
        });

        let fits = fits.count();
        assert!((200..2_000).contains(&fits), "{fits}");
    }
}
