use std::ops::Range;

use crate::model::{Instrument, Price, Sector, SymbolId, Tape, Universe};

use super::company_names::CompanyNames;
use super::portable_math::{exp, ln};
use super::random::{Purpose, RandomStream};

/// The most instruments that [`universe`] makes: ten times what is listed in the United States.
pub const MAX_LISTINGS: usize = 100_000;

/// The hundred that everybody knows, the most traded first.
const WELL_KNOWN: &str = include_str!("listings.csv");

/// Prices of invented companies in dollars, even on a logarithmic scale: half of them below $39.
const PRICES: Range<f64> = 5.0..300.0;

/// Listing exchanges of invented companies, about as often as they list in the United States.
const EXCHANGES: [&str; 20] = [
    "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ", "NASDAQ",
    "NYSE", "NYSE", "NYSE", "NYSE", "NYSE", "NYSE", "NYSE", "ARCA", "ARCA", "BATS",
];

/// A universe of so many instruments: well-known US listings first, invented ones from the 101st.
///
/// Their order is that of their activity. The well-known are the same for every seed; the
/// invented follow from it, and a larger universe begins with the smaller one of the same seed. Names and
/// listings of the well-known are true, prices only plausible.
///
/// # Panics
/// When `count` is above [`MAX_LISTINGS`].
pub fn universe(count: usize, seed: u64) -> Universe {
    assert!(count <= MAX_LISTINGS, "a universe of {count} instruments, with {MAX_LISTINGS} at most");
    let mut names = CompanyNames::default();
    let well_known: Vec<Instrument> = well_known().collect();
    for instrument in &well_known {
        names.mark_taken(instrument.symbol.as_str());
    }
    let mut random = RandomStream::new(seed, Purpose::Listings);
    let invented = std::iter::repeat_with(|| invent(&mut names, &mut random));
    Universe::new(well_known.into_iter().chain(invented).take(count).collect())
}

fn well_known() -> impl Iterator<Item = Instrument> {
    WELL_KNOWN.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<&str> = line.split(';').collect();
        let [symbol, name, exchange, sector, dollars] = fields[..] else {
            panic!("`{line}` of listings.csv has not five fields");
        };
        let dollars: f64 = dollars.parse().expect("listings.csv gives prices in dollars");
        listing(symbol, name.to_owned(), exchange_named(exchange), sector_named(sector), dollars)
    })
}

fn invent(names: &mut CompanyNames, random: &mut RandomStream) -> Instrument {
    let sector = SECTORS[random.uniform_below(Sector::COUNT as u32) as usize];
    let exchange = EXCHANGES[random.uniform_below(EXCHANGES.len() as u32) as usize];
    let dollars = exp(random.uniform_in(ln(PRICES.start), ln(PRICES.end)));
    let named = names.generate(sector, random);
    listing(&named.symbol, named.name, exchange, sector, dollars)
}

fn listing(symbol: &str, name: String, exchange: &'static str, sector: Sector, dollars: f64) -> Instrument {
    let tape = match exchange {
        "NASDAQ" => Tape::C,
        "NYSE" => Tape::A,
        _ => Tape::B,
    };
    Instrument {
        // Its place; the universe sets it.
        id: SymbolId(0),
        symbol: symbol.parse().expect("a listing has a symbol of letters"),
        name,
        exchange,
        tape,
        sector,
        previous_close: Price::from_dollars(dollars),
    }
}

fn exchange_named(name: &str) -> &'static str {
    let known = EXCHANGES.iter().find(|exchange| **exchange == name);
    known.expect("listings.csv names an exchange that invented companies use, too")
}

fn sector_named(name: &str) -> Sector {
    let known = SECTORS.into_iter().find(|sector| format!("{sector:?}") == name);
    known.expect("listings.csv names a sector of the model")
}

const SECTORS: [Sector; Sector::COUNT] = [
    Sector::Technology,
    Sector::Communication,
    Sector::Discretionary,
    Sector::Staples,
    Sector::Financials,
    Sector::HealthCare,
    Sector::Industrials,
    Sector::Energy,
    Sector::Materials,
    Sector::Utilities,
    Sector::RealEstate,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(universe: &Universe) -> Vec<String> {
        universe.iter().map(|instrument| format!("{instrument:?}")).collect()
    }

    #[test]
    fn the_first_hundred_are_well_known() {
        let universe = universe(100, 1);

        let find = |symbol: &str| {
            let id = universe.find(&symbol.parse().unwrap()).expect(symbol);
            universe.instrument(id)
        };
        assert_eq!(well_known().count(), 100);
        assert_eq!(find("AAPL").name, "Apple Inc.");
        assert_eq!((find("BRK.B").exchange, find("BRK.B").tape), ("NYSE", Tape::A));
        assert_eq!((find("SPY").exchange, find("SPY").tape), ("ARCA", Tape::B));
        assert_eq!(find("XOM").sector, Sector::Energy);
        assert_eq!(find("NVDA").id, SymbolId(0));
    }

    #[test]
    fn every_count_is_kept() {
        for count in [0, 1, 99, 100, 101, 20_000] {
            assert_eq!(universe(count, 1).len(), count);
        }
    }

    /// That no symbol is there twice is [`Universe::new`]'s to check.
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

        let mut prices: Vec<f64> = universe.iter().skip(100).map(|i| i.previous_close.to_dollars()).collect();
        prices.sort_by(f64::total_cmp);
        assert!(prices[0] >= 5.0 && prices[prices.len() - 1] <= 300.0);
        assert!((35.0..43.0).contains(&prices[prices.len() / 2]), "{}", prices[prices.len() / 2]);
    }

    #[test]
    fn a_larger_universe_begins_with_the_smaller_one() {
        let smaller = lines(&universe(700, 5));
        let larger = lines(&universe(3_000, 5));

        assert_eq!(smaller, larger[..700]);
    }

    #[test]
    fn another_seed_invents_others() {
        let one = lines(&universe(300, 1));
        let other = lines(&universe(300, 2));

        assert_eq!(one[..100], other[..100]);
        assert_ne!(one[100..], other[100..]);
    }
}
