use std::ops::Range;
use std::sync::Arc;

use crate::model::{BarOrigin, Instrument, MarketHours, Price, SymbolId, Tape, Universe};

use super::company_names::CompanyNames;
use super::portable_math::{exp, ln};
use super::random::{Purpose, RandomStream};
use super::sector::Sector;

/// The most instruments of a simulated market: ten times the listings of the United States.
pub const MAX_LISTINGS: usize = 100_000;

/// A hundred well-known US listings, the most traded first.
const WELL_KNOWN: &str = include_str!("listings.csv");

/// Prices of invented companies in dollars, uniform on a logarithmic scale: half of them are below $39.
const PRICES: Range<f64> = 5.0..300.0;

/// Listing exchanges of invented companies, about as often as companies list there in the United States.
const EXCHANGES: [&str; 20] = [
    "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ",
    "NYSE", "NYSE", "NYSE", "NYSE", "NYSE", "NYSE", "NYSE", "ARCA", "ARCA", "BATS",
];

/// The instruments of a simulated market, with the sector of each, which only the simulator knows.
///
/// Their order is their rank by activity: a hundred well-known US listings first, invented ones after them.
/// The well-known are the same for every seed; names and exchanges are real, prices are only plausible. The
/// invented depend on the seed, and a larger market starts with the instruments of a smaller one of the
/// same seed.
#[derive(Clone, Debug)]
pub struct Listings {
    universe: Arc<Universe>,
    /// By id.
    sectors: Vec<Sector>,
    /// By id; those of the other instruments are the listed ones.
    opening_prices: Vec<Price>,
}

/// Where the past of an instrument ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastEnd {
    /// The close of the day before.
    pub previous_close: Price,
    /// The latest price.
    pub price: Price,
}

impl Listings {
    /// The first `count` listings of this seed.
    ///
    /// # Panics
    /// When `count` is above [`MAX_LISTINGS`].
    pub fn new(count: usize, seed: u64) -> Self {
        assert!(count <= MAX_LISTINGS, "{count} listings, with {MAX_LISTINGS} at most");
        let mut names = CompanyNames::default();
        let well_known: Vec<_> = well_known().collect();
        for (instrument, _) in &well_known {
            names.mark_taken(instrument.symbol.as_str());
        }
        let mut random = RandomStream::new(seed, Purpose::Listings);
        let invented = std::iter::repeat_with(|| invent(&mut names, &mut random));
        Self::of(well_known.into_iter().chain(invented).take(count))
    }

    /// A market of these listings, the most active first.
    pub(super) fn of(listings: impl Iterator<Item = (Instrument, Sector)>) -> Self {
        let (instruments, sectors) = listings.unzip();
        Self { universe: Arc::new(Universe::new(instruments)), sectors, opening_prices: Vec::new() }
    }

    /// The same listings, of which the first ones open where their past ends, in order. Without a past, an instrument opens
    /// at its listed price.
    #[must_use]
    pub fn following(self, past: &[PastEnd]) -> Self {
        let instruments = self.universe.iter().enumerate().map(|(index, instrument)| {
            let previous_close =
                past.get(index).map_or(instrument.previous_close, |past| Some(past.previous_close));
            Instrument { previous_close, ..instrument.clone() }
        });
        Self {
            universe: Arc::new(Universe::new(instruments.collect())),
            opening_prices: past.iter().map(|past| past.price).collect(),
            ..self
        }
    }

    /// The price at which a market of these listings opens.
    pub(super) fn opening_price(&self, instrument: &Instrument) -> Price {
        self.opening_prices.get(instrument.id.index()).copied().unwrap_or_else(|| close_of(instrument))
    }

    /// The instruments.
    pub fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// Instruments with their sectors, in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&Instrument, Sector)> {
        self.universe.iter().zip(self.sectors.iter().copied())
    }
}

/// The universe of [`Listings`], for those that need no simulator.
///
/// # Panics
/// When `count` is above [`MAX_LISTINGS`].
pub fn universe(count: usize, seed: u64) -> Universe {
    Arc::unwrap_or_clone(Listings::new(count, seed).universe)
}

fn well_known() -> impl Iterator<Item = (Instrument, Sector)> {
    WELL_KNOWN.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<&str> = line.split(';').collect();
        let [symbol, name, exchange, sector, dollars] = fields[..] else {
            panic!("`{line}` of listings.csv does not have five fields");
        };
        let dollars: f64 = dollars.parse().expect("prices in listings.csv are dollars");
        (instrument(symbol, name.to_owned(), exchange_named(exchange), dollars), sector_named(sector))
    })
}

fn invent(names: &mut CompanyNames, random: &mut RandomStream) -> (Instrument, Sector) {
    let sector = Sector::ALL[random.uniform_below(Sector::COUNT as u32) as usize];
    let exchange = EXCHANGES[random.uniform_below(EXCHANGES.len() as u32) as usize];
    let dollars = exp(random.uniform_in(ln(PRICES.start), ln(PRICES.end)));
    let company = names.generate(sector, random);
    (instrument(&company.symbol, company.name, exchange, dollars), sector)
}

fn instrument(symbol: &str, name: String, exchange: &'static str, dollars: f64) -> Instrument {
    let tape = match exchange {
        "NASDAQ" => Tape::C,
        "NYSE" => Tape::A,
        _ => Tape::B,
    };
    Instrument {
        // The universe sets the id.
        id: SymbolId(0),
        symbol: symbol.parse().expect("symbols of listings are letters"),
        name: Some(name.into()),
        exchange: Some(exchange.into()),
        tape,
        previous_close: Some(Price::from_cents((dollars * 100.0).round() as i64)),
        bars: BarOrigin::Folded,
        daily_bars: BarOrigin::Folded,
        hours: MarketHours::Continuous,
    }
}

/// The previous close of a listing, at which its simulated price begins.
pub(super) fn close_of(listing: &Instrument) -> Price {
    listing.previous_close.expect("listings have a previous close")
}

fn exchange_named(name: &str) -> &'static str {
    let known = EXCHANGES.iter().find(|exchange| **exchange == name);
    known.expect("exchanges in listings.csv are those of invented companies")
}

fn sector_named(name: &str) -> Sector {
    let known = Sector::ALL.into_iter().find(|sector| format!("{sector:?}") == name);
    known.expect("sectors in listings.csv are those of the simulator")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(listings: &Listings) -> Vec<String> {
        listings.iter().map(|listing| format!("{listing:?}")).collect()
    }

    #[test]
    fn the_first_hundred_are_well_known() {
        let listings = Listings::new(100, 1);

        let find = |symbol: &str| {
            let id = listings.universe().find(&symbol.parse().unwrap()).expect(symbol);
            listings.universe().instrument(id)
        };
        assert_eq!(well_known().count(), 100);
        assert_eq!(find("AAPL").name.as_deref(), Some("Apple Inc."));
        assert_eq!((find("BRK.B").exchange.as_deref(), find("BRK.B").tape), (Some("NYSE"), Tape::A));
        assert_eq!((find("SPY").exchange.as_deref(), find("SPY").tape), (Some("ARCA"), Tape::B));
        assert_eq!(listings.sectors[find("XOM").id.index()], Sector::Energy);
        assert_eq!(find("NVDA").id, SymbolId(0));
    }

    #[test]
    fn a_market_has_as_many_listings_as_asked_for() {
        for count in [0, 1, 99, 100, 101, 20_000] {
            assert_eq!(universe(count, 1).len(), count);
        }
    }

    /// [`Universe::new`] checks that symbols are unique.
    #[test]
    fn invented_symbols_have_three_to_five_letters_and_most_have_four_at_most() {
        let universe = universe(20_000, 1);

        let invented = || universe.iter().skip(100).map(|instrument| instrument.symbol);
        assert!(invented().all(|symbol| (3..=5).contains(&symbol.as_str().len())));
        assert!(invented().all(|symbol| symbol.as_str().bytes().all(|b| b.is_ascii_uppercase())));
        assert!(invented().filter(|symbol| symbol.as_str().len() < 5).count() > 15_000);
    }

    #[test]
    fn invented_prices_are_those_of_ordinary_stocks() {
        let universe = universe(5_000, 1);

        let mut prices: Vec<f64> = universe.iter().skip(100).map(|i| close_of(i).to_dollars()).collect();
        prices.sort_by(f64::total_cmp);
        assert!(prices[0] >= 5.0 && prices[prices.len() - 1] <= 300.0);
        assert!((35.0..43.0).contains(&prices[prices.len() / 2]), "{}", prices[prices.len() / 2]);
    }

    #[test]
    fn a_larger_market_starts_with_the_listings_of_a_smaller_one() {
        let smaller = lines(&Listings::new(700, 5));
        let larger = lines(&Listings::new(3_000, 5));

        assert_eq!(smaller, larger[..700]);
    }

    #[test]
    fn another_seed_invents_other_companies() {
        let one = lines(&Listings::new(300, 1));
        let other = lines(&Listings::new(300, 2));

        assert_eq!(one[..100], other[..100]);
        assert_ne!(one[100..], other[100..]);
    }
}
