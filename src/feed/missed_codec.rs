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

/// Whether all streams of what was missed are of these instruments.
pub fn are_listed(missed: &[Missed], universe: &Universe) -> bool {
    missed.iter().all(|missed| missed.stream.symbol().index() < universe.len())
}
