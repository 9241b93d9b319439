use super::ring::{Dated, Numbered};
use crate::model::{Bar, Seq, Timestamp};

/// A query for rows of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The earliest time, inclusive; a bar's time is its start.
    pub from: Timestamp,
    /// The latest time, inclusive.
    pub to: Timestamp,
    /// The order of the rows.
    pub order: Order,
    /// Only rows after this one in that order: the last row of the page before.
    pub after: Option<Place>,
    /// The maximum number of rows.
    pub limit: usize,
}

/// Whether bars are read whose interval is not over yet. Their values still change.
///
/// Days, weeks and months are read in any case: the latest is that of today so far, as at Alpaca.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenBars {
    /// Only closed bars.
    Excluded,
    /// The latest bar may be open.
    Included,
}

/// The order of the rows of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By rising time.
    OldestFirst,
    /// By falling time.
    NewestFirst,
}

/// The sort key of a row: its time, and for equal times its number. A bar has the number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The row's time.
    pub at: Timestamp,
    /// Its sequence number in its stream.
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
    /// All rows since 1970.
    #[cfg(test)]
    pub const ALL: Self = Self {
        from: Timestamp::from_nanos(0),
        to: Timestamp::from_nanos(i64::MAX),
        order: Order::OldestFirst,
        after: None,
        limit: usize::MAX,
    };

    /// The time range of the rows after the last page, both ends inclusive.
    pub(super) fn times(&self) -> (Timestamp, Timestamp) {
        match (self.order, self.after) {
            (Order::OldestFirst, Some(place)) => (self.from.max(place.at), self.to),
            (Order::NewestFirst, Some(place)) => (self.from, self.to.min(place.at)),
            (_, None) => (self.from, self.to),
        }
    }

    /// True when this row belongs to the result, apart from the limit.
    pub(super) fn matches(&self, place: Place) -> bool {
        let follows = match (self.order, self.after) {
            (_, None) => true,
            (Order::OldestFirst, Some(after)) => place > after,
            (Order::NewestFirst, Some(after)) => place < after,
        };
        follows && (self.from..=self.to).contains(&place.at)
    }

    /// Sorts the rows and cuts them to the limit.
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

    /// True when these rows are the whole page, given the time of the last row read and the greatest lateness of a row:
    /// every unread row comes after them.
    pub(super) fn is_complete<T: Dated>(
        &self,
        rows: &[Numbered<T>],
        last_read: Timestamp,
        lateness_ns: i64,
    ) -> bool {
        let certain = rows.iter().filter(|row| match self.order {
            Order::OldestFirst => row.value.at().nanos() < last_read.nanos().saturating_sub(lateness_ns),
            Order::NewestFirst => row.value.at().nanos() > last_read.nanos().saturating_add(lateness_ns),
        });
        rows.len() >= self.limit && certain.count() >= self.limit
    }
}
