//! Tests of the simulator's returns against the stylised facts of real markets.
//!
//! The facts have the numbers of Cont (2001), "Empirical properties of asset returns: stylized facts and
//! statistical issues", Quantitative Finance 1, 223–236. They are measured on the simulator's output, the
//! mid-quote in whole and half ticks, not on the process behind it. The bounds hold for seeds 1 to 4, so
//! they test the model, not one seed.
//!
//! Not modelled: gain/loss asymmetry (fact 3), the leverage effect (9), and the correlation of volume and
//! volatility (10).

use std::sync::LazyLock;

use crate::model::{Event, Instrument, Timestamp};

use super::engine::Simulator;
use super::listings::{Listings, close_of};
use super::sector::Sector;
use super::settings::SimulationSettings;

/// Seconds between two samples.
const INTERVAL: usize = 10;

/// Ten trading days.
const SAMPLES: usize = 10 * 23_400 / INTERVAL;

const SECTORS: [Sector; 3] = [Sector::Technology, Sector::Financials, Sector::HealthCare];
const EACH: usize = 6;

/// Eighteen instruments of three sectors, above $60 so that the tick size matters little.
static LISTINGS: LazyLock<Listings> = LazyLock::new(|| {
    let all = Listings::new(2_000, 1);
    let is_above_60 = |instrument: &Instrument| close_of(instrument).to_dollars() > 60.0;
    let of = |wanted| {
        all.iter().filter(move |(instrument, sector)| *sector == wanted && is_above_60(instrument)).take(EACH)
    };
    Listings::of(SECTORS.into_iter().flat_map(of).map(|(instrument, sector)| (instrument.clone(), sector)))
});

/// The log mid-quotes of each instrument, one in every interval.
static PATHS: LazyLock<Vec<Vec<f64>>> = LazyLock::new(|| {
    let settings = SimulationSettings {
        seed: 2,
        trades_per_second: 6.0,
        quotes_per_trade: 5.0,
        ..SimulationSettings::UNEVENTFUL
    };
    let mut simulator = Simulator::new(&LISTINGS, settings);
    let mut out = Vec::new();
    simulator.opening(Timestamp::default(), &mut out);
    let mut mid = vec![0.0; LISTINGS.universe().len()];
    let mut paths = vec![Vec::with_capacity(SAMPLES); LISTINGS.universe().len()];
    for _ in 0..SAMPLES {
        for event in out.drain(..) {
            if let Event::Quote(quote) = event {
                mid[quote.symbol.index()] = (quote.bid + quote.ask).cents() as f64 / 2.0;
            }
        }
        for (path, mid) in paths.iter_mut().zip(&mid) {
            path.push(mid.ln());
        }
        for _ in 0..INTERVAL * 1_000 {
            simulator.step(Timestamp::default(), &mut out);
        }
    }
    paths
});

/// The returns of every instrument over this number of intervals.
fn returns(intervals: usize) -> Vec<Vec<f64>> {
    let differences = |path: &Vec<f64>| -> Vec<f64> {
        let points: Vec<f64> = path.iter().copied().step_by(intervals).collect();
        points.windows(2).map(|pair| pair[1] - pair[0]).collect()
    };
    PATHS.iter().map(differences).collect()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    sum / count
}

fn moment(values: &[f64], power: i32) -> f64 {
    let center = mean(values.iter().copied());
    mean(values.iter().map(|v| (v - center).powi(power)))
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let (a, b) = (mean(one.iter().copied()), mean(other.iter().copied()));
    let covariance = mean(one.iter().zip(other).map(|(x, y)| (x - a) * (y - b)));
    covariance / (moment(one, 2) * moment(other, 2)).sqrt()
}

/// The mean kurtosis of returns over this number of intervals.
fn kurtosis(intervals: usize) -> f64 {
    mean(returns(intervals).iter().map(|path| moment(path, 4) / moment(path, 2).powi(2)))
}

/// The mean autocorrelation, at this lag, of a function of the returns.
fn autocorrelation(intervals: usize, lag: usize, of: fn(f64) -> f64) -> f64 {
    let at_lag = |path: &Vec<f64>| {
        let values: Vec<f64> = path.iter().copied().map(of).collect();
        correlation(&values[lag..], &values[..values.len() - lag])
    };
    mean(returns(intervals).iter().map(at_lag))
}

/// The mean correlation of all pairs of instruments that match.
fn correlation_of_pairs(matches: fn(usize, usize) -> bool) -> f64 {
    let returns = returns(6);
    let pairs = (0..returns.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    mean(pairs.filter(|(i, j)| matches(*i, *j)).map(|(i, j)| correlation(&returns[i], &returns[j])))
}

/// Facts 2 and 4: heavy tails and aggregational normality. The kurtosis of a normal distribution is 3.
#[test]
fn returns_have_fat_tails_that_thin_out_over_longer_horizons() {
    let [ten_seconds, minute, five_minutes, half_hour] = [1, 6, 30, 180].map(kurtosis);

    assert!((60.0..170.0).contains(&ten_seconds), "{ten_seconds} at 10 s");
    assert!((14.0..32.0).contains(&minute), "{minute} at 1 min");
    assert!((6.0..13.0).contains(&five_minutes), "{five_minutes} at 5 min");
    assert!((3.6..7.0).contains(&half_hour), "{half_hour} at 30 min");
}

/// Fact 1. It holds at the shortest interval, too: unlike trade prices, mid-quotes have no bid-ask bounce
/// (Roll 1984).
#[test]
fn returns_are_not_autocorrelated() {
    let identity = |value| value;

    assert!(autocorrelation(1, 1, identity).abs() < 0.01);
    for minutes in [1, 2, 5, 10, 30, 60] {
        let found = autocorrelation(6, minutes, identity);
        assert!(found.abs() < 0.025, "{found} after {minutes} min");
    }
}

/// Facts 6 and 8: volatility clusters, and its autocorrelation decays more slowly than an exponential. An
/// exponential with the decay of the first ten minutes, a quarter, would leave 0.004 after two hours.
#[test]
fn absolute_returns_are_autocorrelated_for_hours() {
    let bounds = [(1, 0.11..0.22), (5, 0.10..0.19), (10, 0.08..0.17), (30, 0.05..0.13), (60, 0.03..0.08)];

    for (minutes, bounds) in bounds {
        let found = autocorrelation(6, minutes, f64::abs);
        assert!(bounds.contains(&found), "{found} after {minutes} min");
    }
    assert!(autocorrelation(6, 120, f64::abs) > 0.02);
}

#[test]
fn instruments_of_one_sector_are_more_correlated_than_others() {
    let within = correlation_of_pairs(|i, j| i / EACH == j / EACH);
    let across = correlation_of_pairs(|i, j| i / EACH != j / EACH);

    assert!((0.24..0.42).contains(&within), "{within} within a sector");
    assert!((0.07..0.30).contains(&across), "{across} across sectors");
    assert!(within > across + 0.05, "{within} within, {across} across");
}

#[test]
fn daily_volatility_is_a_few_percent() {
    const DAYS_PER_YEAR: f64 = 252.0;
    let minutes_per_year = DAYS_PER_YEAR * 390.0;

    for (path, instrument) in returns(6).iter().zip(LISTINGS.universe().iter()) {
        let annual = (moment(path, 2) * minutes_per_year).sqrt();
        assert!((0.13..0.75).contains(&annual), "{} has {annual} a year", instrument.symbol);
    }
    let daily = mean(returns(6).iter().map(|path| (moment(path, 2) * 390.0).sqrt()));
    assert!((0.012..0.024).contains(&daily), "{daily} a day");
}
