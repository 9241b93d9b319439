use super::settings::{ReplayClock, ReplaySpeed};
use crate::clock::{Clock, ClockRate};
use crate::model::{SECOND, Timestamp};

/// How the time of a recording and the time of the service belong together: decides, and sets no clock.
///
/// With `--clock shift` the time of the recording is moved by whole minutes, so that its minutes are minutes of the
/// service. The time of the service never goes back then: after a jump the recording goes on at the same second of the
/// next minute, and the clock with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplayTimeline {
    clock: ReplayClock,
    speed: ReplaySpeed,
    is_paused: bool,
    /// From the time of the recording to that of the service.
    shift_nanos: i64,
}

/// What the clock of the service shows from now on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClockSetting {
    /// The time of the system's clock.
    System,
    /// This time, which passes at this rate.
    Running(Timestamp, ClockRate),
    /// This time, which stands still.
    Held(Timestamp),
}

impl ClockSetting {
    /// Sets a clock.
    pub fn apply(self, clock: &Clock) {
        match self {
            Self::System => clock.follow_system(),
            Self::Running(from, rate) => clock.run(from, rate),
            Self::Held(at) => clock.hold(at),
        }
    }
}

const MINUTE: i64 = 60 * SECOND;

/// A time that is further from the system's clock than this follows it: the clock was set.
const MAX_OFF_NANOS: i64 = 2 * SECOND;

impl ReplayTimeline {
    /// The timeline of a recording that starts with this time, begun now.
    pub fn begin(
        clock: ReplayClock,
        speed: ReplaySpeed,
        start: Timestamp,
        now: Timestamp,
    ) -> (Self, ClockSetting) {
        let shift_nanos = match clock {
            ReplayClock::Original => 0,
            ReplayClock::Shift => whole_minutes(now.nanos_since(start)),
        };
        let timeline = Self { clock, speed, is_paused: false, shift_nanos };
        let setting = match (clock, speed) {
            (_, ReplaySpeed::Max) => ClockSetting::Held(timeline.moved(start)),
            (ReplayClock::Shift, ReplaySpeed::Times(ClockRate::ONE)) => ClockSetting::System,
            (ReplayClock::Shift, ReplaySpeed::Times(rate)) => ClockSetting::Running(now, rate),
            (ReplayClock::Original, ReplaySpeed::Times(rate)) => ClockSetting::Running(start, rate),
        };
        (timeline, setting)
    }

    /// The time of the service at this time of the recording.
    pub fn moved(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_nanos(at.nanos().saturating_add(self.shift_nanos))
    }

    /// The stamp of what is published again after a jump, for this moved stamp. `latest` is the watermark before the
    /// jump: moved stamps never go back.
    pub fn republished(&self, stamp: Timestamp, latest: Timestamp) -> Timestamp {
        match self.clock {
            ReplayClock::Shift => stamp.max(latest),
            ReplayClock::Original => stamp,
        }
    }

    /// The time of the recording at this time of the service.
    pub fn position(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_nanos(at.nanos().saturating_sub(self.shift_nanos))
    }

    /// From the time of the recording to that of the service.
    pub const fn shift_nanos(&self) -> i64 {
        self.shift_nanos
    }

    /// The speed while it is not paused.
    pub const fn speed(&self) -> ReplaySpeed {
        self.speed
    }

    /// Whether time stands still.
    pub const fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Whether the time is that of the batches, and what is read is due.
    pub fn is_max(&self) -> bool {
        self.speed == ReplaySpeed::Max
    }

    /// Lets time stand still now.
    pub const fn pause(&mut self, now: Timestamp) -> ClockSetting {
        self.is_paused = true;
        ClockSetting::Held(now)
    }

    /// Lets time go on from now.
    pub fn resume(&mut self, now: Timestamp) -> ClockSetting {
        self.is_paused = false;
        self.running_from(now)
    }

    /// Changes the speed from now on.
    pub fn set_speed(&mut self, speed: ReplaySpeed, now: Timestamp) -> ClockSetting {
        self.speed = speed;
        self.running_from(now)
    }

    /// Goes on at this time of the recording. `latest` is the latest time that was told.
    pub fn jump(&mut self, to: Timestamp, latest: Timestamp) -> ClockSetting {
        if self.clock == ReplayClock::Shift {
            self.shift_nanos = whole_minutes(latest.nanos_since(to).saturating_add(MINUTE - 1));
        }
        self.running_from(self.moved(to))
    }

    /// Begins again at this start after the end. The clock goes on where the stamps do, and is set where these are not
    /// moved.
    pub fn repeat(&mut self, start: Timestamp, latest: Timestamp) -> Option<ClockSetting> {
        let setting = self.jump(start, latest);
        match self.clock {
            ReplayClock::Original => Some(setting),
            ReplayClock::Shift => self.is_max().then_some(setting),
        }
    }

    /// Follows the system's clock after it was set: the recording goes on where it is, at the new time. Returns the
    /// watermark after that.
    pub fn follow(&mut self, now: Timestamp, watermark: Timestamp) -> Timestamp {
        if now.nanos_since(watermark).abs() <= MAX_OFF_NANOS {
            return watermark;
        }
        let position = self.position(watermark);
        self.shift_nanos = whole_minutes(now.nanos_since(position));
        self.moved(position)
    }

    fn running_from(&self, at: Timestamp) -> ClockSetting {
        match self.speed {
            _ if self.is_paused => ClockSetting::Held(at),
            ReplaySpeed::Max => ClockSetting::Held(at),
            ReplaySpeed::Times(rate) => ClockSetting::Running(at, rate),
        }
    }
}

fn whole_minutes(nanos: i64) -> i64 {
    nanos - nanos.rem_euclid(MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(1_800_000_007 * SECOND);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos((1_381_152_600 + seconds) * SECOND)
    }

    fn rate(rate: f64) -> ReplaySpeed {
        ReplaySpeed::Times(ClockRate::new(rate).unwrap())
    }

    #[test]
    fn a_pause_holds_the_time_and_the_end_of_it_goes_on_from_there() {
        for clock in [ReplayClock::Shift, ReplayClock::Original] {
            let (mut timeline, _) = ReplayTimeline::begin(clock, rate(1.0), at(0), NOW);

            assert_eq!(timeline.pause(NOW), ClockSetting::Held(NOW));
            assert_eq!(timeline.set_speed(rate(10.0), NOW), ClockSetting::Held(NOW));

            let ten = ClockRate::new(10.0).unwrap();
            assert_eq!(timeline.resume(NOW), ClockSetting::Running(NOW, ten), "no time is jumped over");
        }
    }

    #[test]
    fn stamps_of_a_moved_replay_never_go_back_and_keep_their_second_of_the_minute() {
        for to in [-3_600, -1, 0, 1, 59, 60, 7_201] {
            let (mut timeline, _) = ReplayTimeline::begin(ReplayClock::Shift, rate(1.0), at(0), NOW);
            let latest = timeline.moved(at(100));

            let setting = timeline.jump(at(to), latest);

            let moved = timeline.moved(at(to));
            assert!((0..MINUTE).contains(&moved.nanos_since(latest)), "{to}");
            assert_eq!(timeline.shift_nanos().rem_euclid(MINUTE), 0);
            assert_eq!(setting, ClockSetting::Running(moved, ClockRate::ONE), "nothing is waited for");
            assert_eq!(timeline.position(moved), at(to));
        }
    }

    #[test]
    fn the_time_of_an_unmoved_replay_is_that_of_the_recording_after_a_jump_too() {
        let (mut timeline, _) = ReplayTimeline::begin(ReplayClock::Original, ReplaySpeed::Max, at(0), NOW);

        assert_eq!(timeline.jump(at(-5), at(100)), ClockSetting::Held(at(-5)));
        assert_eq!(timeline.jump(at(500), at(100)), ClockSetting::Held(at(500)));
    }

    #[test]
    fn a_jump_during_a_pause_stands_still_at_its_end() {
        let (mut timeline, _) = ReplayTimeline::begin(ReplayClock::Original, rate(1.0), at(0), NOW);
        timeline.pause(at(3));

        assert_eq!(timeline.jump(at(60), at(3)), ClockSetting::Held(at(60)));
        assert_eq!(timeline.resume(at(60)), ClockSetting::Running(at(60), ClockRate::ONE));
    }
}
