/// How the events of a simulated market follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrivalProcess {
    /// At any time and independent of each other, as in a market: often several at once, then none.
    #[default]
    Poisson,
    /// Always the same time apart: to measure what a market's bursts would hide.
    Even,
}

/// What may be chosen about a simulated market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulation {
    /// Which of all possible days this is: the same seed gives the same events.
    pub seed: u64,
    /// Mean number of trades in a second over the whole market, at least 0; 0 is a silent market.
    ///
    /// Costs about 0.15 µs of one core for each trade and each quote. The US market as a whole makes
    /// some thousands on average and many times as many when it opens.
    pub trades_per_second: f64,
    /// How trades and quotes follow each other.
    pub rhythm: ArrivalProcess,
    /// Mean number of quotes for each trade, at least 0.
    ///
    /// With 0 there are no quotes but at the opening and after halts: the book still moves, unseen,
    /// and trades tell of it.
    pub quotes_per_trade: f64,
    /// How many of all trades are reported late, by 1 to 30 s: 0 none, 1 all. Default 1 in 2,000.
    pub late_share: f64,
    /// How many of all trades are corrected, some seconds later. Default 1 in 5,000.
    pub corrected_share: f64,
    /// How many of all trades are cancelled, some seconds later. Default 1 in 5,000.
    ///
    /// The three shares exclude each other; their sum is at most 1.
    pub cancelled_share: f64,
    /// Mean number of halts in a second over the whole market, at least 0, however much is traded.
    /// Default one in three minutes. A silent market has none.
    pub halts_per_second: f64,
    /// Mean length of a halt in seconds, above 0: they last from 2/7 to 12/7 of it. Default 35, so
    /// from 10 s to a minute.
    pub halt_seconds: f64,
    /// How far a price goes, in parts of itself, before its bands are set anew; infinite for never.
    /// Default 0.01, as in the plan. Less tells more often; bands are 5 % away, so keep it well below that.
    pub band_step: f64,
}

impl Simulation {
    /// A lively market of 1,000 trades and 3,000 quotes a second, with seed 1, and nothing but trades and
    /// quotes after the opening.
    pub const UNEVENTFUL: Self = Self {
        seed: 1,
        trades_per_second: 1_000.0,
        rhythm: ArrivalProcess::Poisson,
        quotes_per_trade: 3.0,
        late_share: 0.0,
        corrected_share: 0.0,
        cancelled_share: 0.0,
        halts_per_second: 0.0,
        halt_seconds: 35.0,
        band_step: f64::INFINITY,
    };

    /// The same with each kind of event at least once a second on average, where there are several
    /// instruments: for tests that shall not wait.
    pub const EVENTFUL: Self = Self {
        late_share: 0.01,
        corrected_share: 0.01,
        cancelled_share: 0.01,
        halts_per_second: 2.0,
        halt_seconds: 0.35,
        band_step: 0.000_2,
        ..Self::UNEVENTFUL
    };

    /// # Panics
    /// When a figure is not one that its field allows.
    pub(super) fn check(&self) {
        for rate in [self.trades_per_second, self.quotes_per_trade, self.halts_per_second] {
            assert!(rate.is_finite() && rate >= 0.0, "{rate} is not a rate");
        }
        let shares = [self.late_share, self.corrected_share, self.cancelled_share];
        let sane = shares.iter().all(|share| *share >= 0.0) && shares.iter().sum::<f64>() <= 1.0;
        assert!(sane, "{shares:?} are not shares of a whole");
        assert!(self.halt_seconds > 0.0 && self.halt_seconds.is_finite(), "{} s of halt", self.halt_seconds);
        assert!(self.band_step > 0.0, "bands set anew after {}", self.band_step);
    }
}

impl Default for Simulation {
    /// A lively market of 1,000 trades and 3,000 quotes a second, with seed 1, and now and then an incident.
    fn default() -> Self {
        Self {
            late_share: 1.0 / 2_000.0,
            corrected_share: 1.0 / 5_000.0,
            cancelled_share: 1.0 / 5_000.0,
            halts_per_second: 1.0 / 180.0,
            band_step: 0.01,
            ..Self::UNEVENTFUL
        }
    }
}
