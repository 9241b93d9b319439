use super::*;
use crate::model::SymbolId;
use crate::source::replay::record::{BarPeriod, RecordContent, SkipReason, bar};

/// A file of bars with these times and volumes; a negative time is a broken record.
struct Script {
    kind: RecordedKind,
    rows: std::vec::IntoIter<(i64, u64)>,
}

impl RecordingReader for Script {
    fn kind(&self) -> RecordedKind {
        self.kind
    }

    fn next(&mut self, _: &mut SymbolTable) -> Result<Option<Recorded>, Skipped> {
        let Some((at, volume)) = self.rows.next() else { return Ok(None) };
        if at < 0 {
            return Err(Skipped { reason: SkipReason::Broken, position: volume, detail: "".into() });
        }
        let at = Timestamp::from_nanos(at);
        let content = RecordContent::Bar(BarPeriod::Second, bar(SymbolId(0), at, [1; 4], volume));
        Ok(Some(Recorded { at, content }))
    }
}

fn merge(files: &[(RecordedKind, &[(i64, u64)])]) -> Merge {
    let script = |(kind, rows): &(RecordedKind, &[(i64, u64)])| -> Box<dyn RecordingReader> {
        Box::new(Script { kind: *kind, rows: Vec::from(*rows).into_iter() })
    };
    Merge::new(files.iter().map(script).collect())
}

#[test]
fn records_are_in_the_order_of_time_and_then_of_the_files() {
    let kind = RecordedKind::Events;
    let files = [
        (kind, &[(1, 10), (3, 11), (3, 12), (9, 13)][..]),
        (kind, &[(1, 20), (2, 21), (3, 22), (-1, 7), (4, 23)]),
    ];
    let (mut merge, mut symbols) = (merge(&files), SymbolTable::default());
    let (mut order, mut skipped) = (Vec::new(), Vec::new());

    loop {
        match merge.peek(&mut symbols) {
            Ok(None) => break,
            Ok(Some(_)) => {
                let (record, _) = merge.take().unwrap();
                let RecordContent::Bar(_, bar) = record.content else { unreachable!() };
                order.push(bar.volume);
            }
            Err(SkippedIn { file, skipped: record }) => skipped.push((file, record.position)),
        }
    }

    assert_eq!(order, [10, 20, 21, 11, 12, 22, 23, 13]);
    assert_eq!(skipped, [(1, 7)]);
    assert!(merge.take().is_none());
}

#[test]
fn the_finest_kind_is_that_of_a_file_with_records() {
    let [seconds, days] = [BarPeriod::Second, BarPeriod::Day].map(RecordedKind::Bars);
    let finest = |files: &[(RecordedKind, &[(i64, u64)])]| {
        let mut merge = merge(files);
        merge.peek(&mut SymbolTable::default()).unwrap();
        merge.finest_kind()
    };

    assert_eq!(finest(&[(days, &[(1, 1)]), (seconds, &[(1, 1)])]), Some(seconds));
    assert_eq!(finest(&[(days, &[(1, 1)]), (RecordedKind::Events, &[(2, 1)])]), Some(RecordedKind::Events));
    assert_eq!(finest(&[(days, &[(1, 1)]), (RecordedKind::Events, &[])]), Some(days));
    assert_eq!(finest(&[(days, &[])]), None);
}
