use crate::model::{Object, Seq, StreamId, Timestamp};

/// The newest object of each stream.
///
/// Its number stands apart as well: who compares numbers, as the tape does for each object and a board
/// for each row, touches eight bytes and not the two cache lines of an object.
#[derive(Clone, Debug)]
pub struct LastValues {
    seqs: Vec<Seq>,
    newest: Vec<Option<Object>>,
    told_until: Timestamp,
}

impl LastValues {
    /// Nothing yet, of so many symbols.
    pub fn new(symbols: usize) -> Self {
        let streams = StreamId::table_len(symbols);
        Self {
            seqs: vec![Seq::default(); streams],
            newest: vec![None; streams],
            told_until: Timestamp::default(),
        }
    }

    /// The stream's newest object, unless there was none.
    pub fn of(&self, stream: StreamId) -> Option<&Object> {
        self.newest[stream.index()].as_ref()
    }

    /// The stream's newest number; 0 before its first object.
    pub fn seq(&self, stream: StreamId) -> Seq {
        self.seqs[stream.index()]
    }

    /// This object is now the newest of its stream.
    pub fn put(&mut self, object: Object) {
        let place = object.stream().index();
        self.seqs[place] = object.seq;
        self.newest[place] = Some(object);
    }

    /// Up to when the market has told everything.
    pub const fn newest(&self) -> Timestamp {
        self.told_until
    }

    /// The market has told everything up to this time.
    pub fn told_until(&mut self, time: Timestamp) {
        self.told_until = time;
    }

    /// The newest objects of all streams that have one.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.newest.iter().flatten()
    }
}
