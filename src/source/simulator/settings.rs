/// How arrival times are distributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrivalProcess {
    /// A Poisson process, as in a market: often several events at once, then none.
    #[default]
    Poisson,
    /// Equal gaps, for measurements that bursts would hide.
    Even,
}

/// The settings of a simulated market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulationSettings {
    /// The seed of all random numbers. The same seed gives the same events.
    pub seed: u64,
    /// Mean number of trades per second over the whole market, at least 0; 0 is a silent market.
    ///
    /// Each trade and each quote costs about 0.15 µs of one core. The US market as a whole has some
    /// thousand trades per second on average and many times that number at the open.
    pub trades_per_second: f64,
    /// How trades and quotes arrive.
    pub arrivals: ArrivalProcess,
    /// Mean number of quotes per trade, at least 0.
    ///
    /// With 0 there are quotes only at the opening and after halts. The book still moves, and trade prices
    /// with it.
    pub quotes_per_trade: f64,
    /// Share of trades that are reported late, by 1 to 30 s. From 0 to 1; default 1 in 2,000.
    pub late_share: f64,
    /// Share of trades that are corrected after 1 to 8 s. Default 1 in 5,000.
    pub corrected_share: f64,
    /// Share of trades that are cancelled after 1 to 8 s. Default 1 in 5,000.
    ///
    /// The three shares exclude each other; their sum is at most 1.
    pub cancelled_share: f64,
    /// Mean number of halts per second over the whole market, at least 0, at any trade rate. Default one in
    /// three minutes. A silent market has none.
    pub halts_per_second: f64,
    /// Mean length of a halt in seconds, above 0. Halts last from 2/7 to 12/7 of it. Default 35: from 10 s to
    /// a minute.
    pub halt_seconds: f64,
    /// The relative price change at which the price bands are updated, above 0; infinite for never. Default
    /// 0.01, as in the plan. A smaller value updates more often. The bands are 5 % away, so keep it well
    /// below that.
    pub band_update_threshold: f64,
}

impl SimulationSettings {
    /// 1,000 trades and 3,000 quotes per second, with seed 1, and no other events after the opening.
    pub const UNEVENTFUL: Self = Self {
        seed: 1,
        trades_per_second: 1_000.0,
        arrivals: ArrivalProcess::Poisson,
        quotes_per_trade: 3.0,
        late_share: 0.0,
        corrected_share: 0.0,
        cancelled_share: 0.0,
        halts_per_second: 0.0,
        halt_seconds: 35.0,
        band_update_threshold: f64::INFINITY,
    };

    /// The same, with each kind of event at least once a second on average if there are several
    /// instruments: for tests that must not wait.
    pub const EVENTFUL: Self = Self {
        late_share: 0.01,
        corrected_share: 0.01,
        cancelled_share: 0.01,
        halts_per_second: 2.0,
        halt_seconds: 0.35,
        band_update_threshold: 0.000_2,
        ..Self::UNEVENTFUL
    };

    /// # Panics
    /// When a setting is outside the range its field allows.
    pub(super) fn check(&self) {
        for rate in [self.trades_per_second, self.quotes_per_trade, self.halts_per_second] {
            assert!(rate.is_finite() && rate >= 0.0, "{rate} is not a rate");
        }
        let shares = [self.late_share, self.corrected_share, self.cancelled_share];
        let is_valid = shares.iter().all(|share| *share >= 0.0) && shares.iter().sum::<f64>() <= 1.0;
        assert!(is_valid, "{shares:?} are not shares of a whole");
        assert!(
            self.halt_seconds > 0.0 && self.halt_seconds.is_finite(),
            "a halt of {} s",
            self.halt_seconds
        );
        assert!(
            self.band_update_threshold > 0.0,
            "a band update threshold of {}",
            self.band_update_threshold
        );
    }
}

impl Default for SimulationSettings {
    /// 1,000 trades and 3,000 quotes per second, with seed 1, and rare halts, late trades, corrections and
    /// cancels.
    fn default() -> Self {
        Self {
            late_share: 1.0 / 2_000.0,
            corrected_share: 1.0 / 5_000.0,
            cancelled_share: 1.0 / 5_000.0,
            halts_per_second: 1.0 / 180.0,
            band_update_threshold: 0.01,
            ..Self::UNEVENTFUL
        }
    }
}
