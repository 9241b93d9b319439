use crate::model::{Channel, Object, Seq, Stream, Timestamp};

/// The newest object of each stream.
#[derive(Clone, Debug)]
pub struct Latest {
    newest: Vec<Option<Object>>,
    told_until: Timestamp,
}

impl Latest {
    /// Nothing yet, of so many symbols.
    pub fn new(symbols: usize) -> Self {
        Self { newest: vec![None; symbols * Channel::COUNT], told_until: Timestamp::default() }
    }

    /// The stream's newest object, unless there was none.
    pub fn of(&self, stream: Stream) -> Option<&Object> {
        self.newest[place(stream)].as_ref()
    }

    /// The stream's newest number; 0 before its first object.
    pub fn seq(&self, stream: Stream) -> Seq {
        self.of(stream).map_or(Seq::default(), |object| object.seq)
    }

    /// This object is now the newest of its stream.
    pub fn put(&mut self, object: Object) {
        self.newest[place(object.stream())] = Some(object);
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

fn place(stream: Stream) -> usize {
    stream.symbol.index() * Channel::COUNT + stream.channel.index()
}
