use crate::model::{Channel, Object, Seq, Stream};

/// The newest object of each stream.
#[derive(Clone, Debug)]
pub struct Latest {
    newest: Vec<Option<Object>>,
}

impl Latest {
    /// Nothing yet, of so many symbols.
    pub fn new(symbols: usize) -> Self {
        Self { newest: vec![None; symbols * Channel::COUNT] }
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

    /// The newest objects of all streams that have one.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.newest.iter().flatten()
    }
}

fn place(stream: Stream) -> usize {
    stream.symbol.index() * Channel::COUNT + stream.channel.index()
}
