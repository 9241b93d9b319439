use super::ring::{Dated, Numbered};
use crate::model::{Bar, Seq, Timestamp};

/// Which rows of an instrument are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Not before this; a bar's time is its start.
    pub from: Timestamp,
    /// Not after this.
    pub to: Timestamp,
    /// Which come first.
    pub order: Order,
    /// Only what follows on this in that order: where the last page ended.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: usize,
}

/// In which order rows are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By rising time.
    OldestFirst,
    /// By falling time.
    NewestFirst,
}

/// Where a row stands among those of its instrument: by its time, and where times are equal by its
/// number. A bar has the number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The row's time.
    pub at: Timestamp,
    /// Its number in its stream.
    pub seq: Seq,
}

impl<T: Dated> From<&Numbered<T>> for Place {
    fn from(row: &Numbered<T>) -> Self {
        Self { at: row.value.at(), seq: row.seq }
    }
}

impl From<&Bar> for Place {
    fn from(bar: &Bar) -> Self {
        Self { at: bar.start, seq: Seq(0) }
    }
}

impl Query {
    /// The times that remain to be looked at, both included.
    pub(super) fn times(&self) -> (Timestamp, Timestamp) {
        match (self.order, self.after) {
            (Order::OldestFirst, Some(place)) => (self.from.max(place.at), self.to),
            (Order::NewestFirst, Some(place)) => (self.from, self.to.min(place.at)),
            (_, None) => (self.from, self.to),
        }
    }

    /// Whether this row is wanted, the limit aside.
    pub(super) fn wants(&self, place: Place) -> bool {
        let follows = match (self.order, self.after) {
            (_, None) => true,
            (Order::OldestFirst, Some(after)) => place > after,
            (Order::NewestFirst, Some(after)) => place < after,
        };
        follows && (self.from..=self.to).contains(&place.at)
    }

    /// Brings rows in order and keeps as many as are wanted.
    pub(super) fn arrange<R>(&self, rows: &mut Vec<R>)
    where
        for<'r> Place: From<&'r R>,
    {
        match self.order {
            Order::OldestFirst => rows.sort_by_key(|row| Place::from(row)),
            Order::NewestFirst => rows.sort_by_key(|row| std::cmp::Reverse(Place::from(row))),
        }
        rows.truncate(self.limit);
    }

    /// Whether these rows hold all that are wanted, when the last one looked at was of this time and
    /// none is later than `lateness_ns`: then nothing that was not looked at comes before them.
    pub(super) fn is_settled<T: Dated>(
        &self,
        rows: &[Numbered<T>],
        looked_at: Timestamp,
        lateness_ns: i64,
    ) -> bool {
        let settled = rows.iter().filter(|row| match self.order {
            Order::OldestFirst => row.value.at().nanos() < looked_at.nanos().saturating_sub(lateness_ns),
            Order::NewestFirst => row.value.at().nanos() > looked_at.nanos().saturating_add(lateness_ns),
        });
        rows.len() >= self.limit && settled.count() >= self.limit
    }
}
