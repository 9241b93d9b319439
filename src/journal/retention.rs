use std::num::NonZeroU32;

/// How much of the journal is kept. Whichever limit is reached first counts; the segment that is being written always
/// stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalRetention {
    /// Days: a segment is deleted when its UTC day is this many days before that of the newest. More days cost disk
    /// space only. Default 7: enough to investigate an incident of the past week.
    pub days: NonZeroU32,
    /// Bytes of all files of the journal. Default 16 GiB: a day and a half at the simulator's default rates, which
    /// write 10 GB a day after compression.
    pub bytes: u64,
}

/// A segment on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentSize {
    /// The number of its UTC day.
    pub(super) day: i64,
    /// The bytes of its files.
    pub(super) bytes: u64,
}

impl JournalRetention {
    /// The number of segments to delete from the front of this list, which is in the order of writing and ends with the
    /// segment that is being written.
    pub(super) fn excess(&self, segments: &[SegmentSize]) -> usize {
        let Some((current, closed)) = segments.split_last() else { return 0 };
        let oldest_day = current.day.saturating_sub(i64::from(self.days.get()));
        let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let mut excess = 0;
        for segment in closed {
            if segment.day > oldest_day && bytes <= self.bytes {
                break;
            }
            bytes -= segment.bytes;
            excess += 1;
        }
        excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(days: u32, bytes: u64) -> JournalRetention {
        JournalRetention { days: NonZeroU32::new(days).unwrap(), bytes }
    }

    fn segments(list: &[(i64, u64)]) -> Vec<SegmentSize> {
        list.iter().map(|(day, bytes)| SegmentSize { day: *day, bytes: *bytes }).collect()
    }

    #[test]
    fn segments_go_after_the_days_of_retention() {
        let list = segments(&[(1, 1), (1, 1), (2, 1), (4, 1), (5, 1)]);

        assert_eq!(retention(3, 100).excess(&list), 3);
        assert_eq!(retention(4, 100).excess(&list), 2);
        assert_eq!(retention(5, 100).excess(&list), 0);
    }

    #[test]
    fn the_oldest_segments_go_when_there_are_too_many_bytes() {
        let list = segments(&[(5, 10), (5, 20), (5, 30), (5, 40)]);

        assert_eq!(
            [100, 99, 90, 89, 70, 69, 0].map(|bytes| retention(1, bytes).excess(&list)),
            [0, 1, 1, 2, 2, 3, 3]
        );
    }

    #[test]
    fn the_segment_that_is_being_written_stays() {
        assert_eq!(retention(1, 0).excess(&segments(&[(5, 10)])), 0);
        assert_eq!(retention(1, 0).excess(&[]), 0);
    }
}
