use crate::model::{Bar, BarOrigin, DayParts, Instrument, Timestamp, Trade, TradeEffect, TradingDay};

/// The bar of the day of an instrument whose source gives minutes, or the bars of days themselves.
///
/// The source has the last word on what it has told of; trades count for the rest, until it tells. So the figures of the
/// day follow each trade, and are those of the source at the end of each minute:
///
/// 1. `told` and the minute `latest` are what the source has told of the day.
/// 2. `past` and `current` are the trades of the minutes that it has not told yet, closed and not. They are dropped
///    when it tells of their minute, or of a later one.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenBars {
    minutes: BarOrigin,
    days: BarOrigin,
    parts: DayParts,
    told: Option<Bar>,
    latest: Option<Bar>,
    past: Option<Bar>,
    current: Option<Bar>,
    /// The sum of the four above.
    day: Option<Bar>,
    /// The day before, as far as it was told.
    yesterday: Option<Bar>,
    /// The end of the minutes that the source has told of.
    told_until: Timestamp,
}

impl GivenBars {
    /// No bars yet of this instrument; `None` if all its bars are folded from trades.
    pub(super) fn of(instrument: &Instrument) -> Option<Self> {
        let (minutes, days) = (instrument.bars, instrument.daily_bars);
        let is_given = minutes == BarOrigin::Source || days == BarOrigin::Source;
        let parts = DayParts::new(instrument.hours);
        is_given.then(|| Self { minutes, days, parts, told_until: BEFORE_ALL, ..Self::default() })
    }

    /// Whether the source gives minutes.
    pub(super) fn has_minutes(&self) -> bool {
        self.minutes == BarOrigin::Source
    }

    /// Whether the source gives the bars of days.
    pub(super) fn has_days(&self) -> bool {
        self.days == BarOrigin::Source
    }

    /// The bar of the day so far.
    pub(super) fn day(&self) -> Option<&Bar> {
        self.day.as_ref()
    }

    /// Whether the source has told anything of the day that starts at this time.
    pub(super) fn has_day(&self, start: Timestamp) -> bool {
        let told = self.told.or(self.latest);
        [told, self.yesterday].into_iter().flatten().any(|day| day.start == start)
    }

    /// Continues this bar of the day, in which all minutes up to the one that ends at `until` are.
    pub(super) fn resume(&mut self, day: Option<Bar>, until: Option<Timestamp>) {
        *self = Self {
            told: day,
            day,
            told_until: until.unwrap_or(BEFORE_ALL),
            minutes: self.minutes,
            days: self.days,
            parts: std::mem::take(&mut self.parts),
            ..Self::default()
        };
    }

    /// Begins the next minute: the trades of the last one wait for what the source tells of it.
    pub(super) fn begin_minute(&mut self) {
        self.past = sum(self.past, self.current.take());
    }

    /// Begins the next day.
    pub(super) fn begin_day(&mut self) {
        let yesterday = sum(self.told, self.latest);
        *self = Self {
            minutes: self.minutes,
            days: self.days,
            parts: std::mem::take(&mut self.parts),
            yesterday,
            told_until: self.told_until,
            ..Self::default()
        };
    }

    /// Takes in a trade of this day, with its effect on the bar of a day.
    pub(super) fn trade(&mut self, trade: &Trade, effect: TradeEffect, day: TradingDay, minute: Timestamp) {
        if trade.at < self.told_until {
            return;
        }
        let bar = if trade.at < minute { &mut self.past } else { &mut self.current };
        match bar {
            Some(bar) => bar.fold_by(trade, effect),
            None => *bar = Some(Bar::open_by(day.start, trade, effect)),
        }
        self.add_up();
    }

    /// Takes in a minute of the source, which ends at `end`, and returns the bar of its day so far as the source has
    /// told it.
    ///
    /// `minute` is the start of the minute that the time is in.
    pub(super) fn minute(
        &mut self,
        bar: &Bar,
        end: Timestamp,
        day: TradingDay,
        minute: Timestamp,
    ) -> Option<Bar> {
        let part = self.parts.of(bar);
        let of_day = |start| Bar { start, ..part };
        if bar.start < day.start {
            let before = TradingDay::of(bar.start).start;
            let yesterday = self.yesterday.filter(|yesterday| yesterday.start == before);
            self.yesterday = sum(yesterday, Some(of_day(before)));
            return self.yesterday;
        }
        let bar = of_day(day.start);
        if end <= self.told_until {
            // It was told before, or after later ones: the day has it already, or an unknown part of it.
            return sum(self.told, self.latest);
        }
        self.told = sum(self.told, self.latest.replace(bar));
        self.tell_until(end, minute);
        sum(self.told, self.latest)
    }

    /// Takes in a change of a minute of the source. Only the latest minute changes the day.
    pub(super) fn updated_minute(&mut self, bar: &Bar, end: Timestamp, day: TradingDay) {
        if end == self.told_until
            && let Some(latest) = &mut self.latest
        {
            *latest = Bar { start: day.start, ..self.parts.of(bar) };
            self.add_up();
        }
    }

    /// Takes in the bar of the day so far as the source has it, with all minutes before `minute`.
    pub(super) fn told_day(&mut self, bar: &Bar, minute: Timestamp) {
        self.told = Some(*bar);
        self.latest = None;
        self.tell_until(self.told_until.max(minute), minute);
    }

    fn tell_until(&mut self, end: Timestamp, minute: Timestamp) {
        self.told_until = end;
        if end >= minute {
            self.past = None;
        }
        if end > minute {
            self.current = None;
        }
        self.add_up();
    }

    fn add_up(&mut self) {
        let told = sum(self.told, self.latest);
        self.day = sum(told, sum(self.past, self.current));
    }
}

const BEFORE_ALL: Timestamp = Timestamp::from_nanos(i64::MIN);

/// Two parts of a day in one bar.
fn sum(first: Option<Bar>, next: Option<Bar>) -> Option<Bar> {
    match (first, next) {
        (Some(mut first), Some(next)) => {
            first.absorb(&next);
            Some(first)
        }
        (first, next) => first.or(next),
    }
}
