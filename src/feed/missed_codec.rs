use crate::model::{Channel, Missed, Seq, StreamId, SymbolId, Universe};
use crate::wire::InvalidRow;
use crate::wire::varint::{push_u64, take, take_u64};

/// Appends what was missed: the count, and for each the symbol, the channel and the range of numbers.
pub fn push_missed(out: &mut Vec<u8>, missed: &[Missed]) {
    push_u64(out, missed.len() as u64);
    for Missed { stream, from, to } in missed {
        push_u64(out, stream.symbol().0.into());
        out.push(stream.channel() as u8);
        push_u64(out, from.0);
        push_u64(out, to.0);
    }
}

/// Reads what [`push_missed`] appended.
///
/// # Errors
/// When the bytes are cut or name no channel.
pub fn take_missed(bytes: &mut &[u8]) -> Result<Vec<Missed>, InvalidRow> {
    let count = take_u64(bytes)?;
    let take_one = |_| {
        let symbol = SymbolId(take_u64(bytes)?.try_into().map_err(|_| InvalidRow)?);
        let channel = *Channel::ALL.get(usize::from(take(bytes, 1)?[0])).ok_or(InvalidRow)?;
        let stream = StreamId::new(channel, symbol);
        Ok(Missed { stream, from: Seq(take_u64(bytes)?), to: Seq(take_u64(bytes)?) })
    };
    (0..count).map(take_one).collect()
}

/// Whether all streams of what was missed are of these instruments and topics.
pub fn are_listed(missed: &[Missed], universe: &Universe) -> bool {
    let is_listed = |stream: StreamId| stream.symbol().index() < universe.len_of(stream.channel());
    missed.iter().all(|missed| is_listed(missed.stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    fn missed(channel: Channel, symbol: u32) -> Missed {
        Missed { stream: StreamId::new(channel, SymbolId(symbol)), from: Seq(3), to: Seq(9) }
    }

    #[test]
    fn what_is_appended_is_read() {
        let all = [missed(Channel::Trades, 2), missed(Channel::Messages, 300)];
        let mut bytes = Vec::new();
        push_missed(&mut bytes, &all);

        assert_eq!(take_missed(&mut &bytes[..]), Ok(all.to_vec()));
        assert_eq!(take_missed(&mut &bytes[..bytes.len() - 1]), Err(InvalidRow));
    }

    #[test]
    fn topics_are_listed_among_topics_and_instruments_among_instruments() {
        let (with_topics, without) = (fixtures::topics(), fixtures::universe());
        let (instruments, topics) = (with_topics.len() as u32, with_topics.topics().len() as u32);

        for (channel, count) in [(Channel::Trades, instruments), (Channel::States, topics)] {
            assert!(are_listed(&[missed(channel, count - 1)], &with_topics));
            assert!(!are_listed(&[missed(channel, 0), missed(channel, count)], &with_topics));
        }
        assert!(!are_listed(&[missed(Channel::States, 0)], &without));
    }
}
