use std::str::FromStr;

use ::csv::ByteRecord;

use super::time_text::TimeFormat;
use crate::source::replay::record::BarPeriod;

/// Which column of a CSV file is what: `lean`, or pairs such as `time=ts,price=px,symbol=sym`.
///
/// A column is a name of the header or a number from 1. Without a map, columns are found by their usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap {
    /// `lean`: the layout of QuantConnect's files.
    is_lean: bool,
    pairs: Vec<(ColumnRole, String)>,
    kind: Option<RowKind>,
    time_format: TimeFormat,
    ticker: Option<String>,
    decimals: i32,
    delimiter: Option<u8>,
    bar: Option<BarPeriod>,
}

/// Text that is no map of columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnMapError {
    /// A part is no pair.
    #[error("`{0}` is no pair such as price=px")]
    NoPair(String),
    /// The key of a pair is unknown.
    #[error("`{0}` is neither the name of a field nor an option")]
    UnknownKey(String),
    /// The value of an option is unknown.
    #[error("`{0}` is no value of {1}")]
    UnknownValue(String, &'static str),
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    Trade,
    Quote,
    Bar(BarPeriod),
}

macro_rules! column_roles {
    ($($role:ident $key:literal [$($alias:literal),*],)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum ColumnRole {
            $($role,)*
        }

        impl ColumnRole {
            const ALL: &[Self] = &[$(Self::$role),*];

            /// The key in a map, and the usual names in headers, in lower case and without `_`, `-` and spaces.
            const fn names(self) -> (&'static str, &'static [&'static str]) {
                match self {
                    $(Self::$role => ($key, &[$($alias),*]),)*
                }
            }
        }
    };
}

column_roles! {
    Time "time" ["time", "timestamp", "t", "ts", "datetime", "date", "tsrecv", "tsevent", "participanttimestamp", "siptimestamp"],
    Symbol "symbol" ["symbol", "S", "ticker", "sym", "symbolroot", "instrument"],
    Price "price" ["price", "p", "px", "tradeprice", "last"],
    Size "size" ["size", "s", "qty", "quantity", "amount", "tradesize", "v", "shares"],
    Bid "bid" ["bid", "bidprice", "bp", "bidpx", "bestbid", "bidpx00"],
    BidSize "bid_size" ["bidsize", "bs", "bidsz", "bidqty", "bestbidsize", "bidsz00"],
    Ask "ask" ["ask", "askprice", "ap", "askpx", "offer", "bestask", "askpx00"],
    AskSize "ask_size" ["asksize", "as", "asksz", "askqty", "offersize", "bestasksize", "asksz00"],
    Open "open" ["open", "o"],
    High "high" ["high", "h"],
    Low "low" ["low", "l"],
    Close "close" ["close", "c"],
    Volume "volume" ["volume", "v", "vol"],
    Trades "trades" ["trades", "n", "tradecount", "transactions", "count"],
    Venue "venue" ["venue", "exchange", "x", "ex"],
    BidVenue "bid_venue" ["bidvenue", "bidexchange", "bx"],
    AskVenue "ask_venue" ["askvenue", "askexchange", "ax"],
    Conditions "conditions" ["conditions", "c", "cond", "salecondition", "trscond"],
    Id "id" ["id", "i", "tradeid"],
    Tape "tape" ["tape", "z"],
}

impl ColumnMap {
    /// Whether files have the layout of QuantConnect's.
    pub(in crate::source::replay) fn is_lean(&self) -> bool {
        self.is_lean
    }

    /// A map whose columns are all numbers is for a file without a header.
    pub(super) fn has_header(&self) -> bool {
        self.pairs.is_empty() || self.pairs.iter().any(|(_, column)| column.parse::<usize>().is_err())
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter.unwrap_or(b',')
    }
}

impl FromStr for ColumnMap {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        if text.eq_ignore_ascii_case("lean") {
            return Ok(Self { is_lean: true, ..Self::default() });
        }
        let mut map = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| ColumnMapError::NoPair(part.to_owned()))?;
            let (key, value) = (key.trim(), value.trim());
            let unknown = |option| ColumnMapError::UnknownValue(value.to_owned(), option);
            match key {
                "kind" => {
                    map.kind = Some(match value {
                        "trade" | "trades" => RowKind::Trade,
                        "quote" | "quotes" => RowKind::Quote,
                        "bar" | "bars" => RowKind::Bar(BarPeriod::Minute),
                        _ => return Err(unknown("kind: trade, quote or bar")),
                    });
                }
                "bar" => {
                    map.bar = Some(match value {
                        "1s" => BarPeriod::Second,
                        "1m" => BarPeriod::Minute,
                        "1h" => BarPeriod::Hour,
                        "1d" => BarPeriod::Day,
                        _ => return Err(unknown("bar: 1s, 1m, 1h or 1d")),
                    });
                }
                "unit" => map.time_format.set_unit(value).ok_or_else(|| unknown("unit: s, ms, us or ns"))?,
                "zone" => {
                    map.time_format
                        .set_zone(value)
                        .ok_or_else(|| unknown("zone: America/New_York or UTC"))?;
                }
                "ticker" => map.ticker = Some(value.to_owned()),
                "decimals" => {
                    let decimals = value.parse().ok().filter(|decimals| (0..=9).contains(decimals));
                    map.decimals = decimals.ok_or_else(|| unknown("decimals: 0 to 9"))?;
                }
                "delimiter" => {
                    map.delimiter = Some(match value {
                        "tab" => b'\t',
                        "semicolon" => b';',
                        "comma" => b',',
                        "pipe" => b'|',
                        _ => return Err(unknown("delimiter: comma, semicolon, tab or pipe")),
                    });
                }
                _ => {
                    let role = ColumnRole::ALL.iter().find(|role| role.names().0 == key);
                    let role = role.ok_or_else(|| ColumnMapError::UnknownKey(key.to_owned()))?;
                    map.pairs.push((*role, value.to_owned()));
                }
            }
        }
        Ok(map)
    }
}

/// The positions of the columns of a file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) kind: RowKind,
    pub(super) time: usize,
    pub(super) time_format: TimeFormat,
    pub(super) symbol: Option<usize>,
    /// The symbol of all rows where there is no column.
    pub(super) ticker: String,
    /// Decimals that prices have without a point.
    pub(super) decimals: i32,
    pub(super) price: Option<usize>,
    pub(super) size: Option<usize>,
    pub(super) bid: Option<usize>,
    pub(super) bid_size: Option<usize>,
    pub(super) ask: Option<usize>,
    pub(super) ask_size: Option<usize>,
    pub(super) open: Option<usize>,
    pub(super) high: Option<usize>,
    pub(super) low: Option<usize>,
    pub(super) close: Option<usize>,
    pub(super) volume: Option<usize>,
    pub(super) trades: Option<usize>,
    pub(super) venue: Option<usize>,
    pub(super) bid_venue: Option<usize>,
    pub(super) ask_venue: Option<usize>,
    pub(super) conditions: Option<usize>,
    pub(super) id: Option<usize>,
    pub(super) tape: Option<usize>,
}

impl Columns {
    /// The columns of a file with this header, or why they cannot be found.
    pub(super) fn find(map: &ColumnMap, header: &ByteRecord, file_stem: &str) -> Result<Self, String> {
        let plain = |name: &[u8]| -> String {
            // Alpaca's symbol; `s` is the size.
            if name.trim_ascii() == b"S" {
                return "S".to_owned();
            }
            let letters = String::from_utf8_lossy(name).trim_start_matches('\u{feff}').to_lowercase();
            letters.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ' | '.')).collect()
        };
        let names: Vec<String> = header.iter().map(plain).collect();
        let position = |column: &str| {
            let number = column.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            number.or_else(|| names.iter().position(|name| *name == plain(column.as_bytes())))
        };
        let mut found = [None; ColumnRole::ALL.len()];
        for (role, column) in &map.pairs {
            let place = position(column).ok_or_else(|| format!("there is no column {column}"))?;
            found[*role as usize] = Some(place);
        }
        for role in ColumnRole::ALL {
            if found[*role as usize].is_none() {
                let usual = |name: &&str| names.iter().position(|known| known == name);
                let free =
                    |place: &usize| !map.pairs.iter().any(|(_, column)| position(column) == Some(*place));
                found[*role as usize] = role.names().1.iter().find_map(usual).filter(free);
            }
        }
        let column = |role: ColumnRole| found[role as usize];
        let has = |roles: &[ColumnRole]| roles.iter().all(|role| column(*role).is_some());
        let has_trade = has(&[ColumnRole::Price, ColumnRole::Size]);
        let has_quote = column(ColumnRole::Bid).is_some() || column(ColumnRole::Ask).is_some();
        let has_bar = has(&[ColumnRole::Open, ColumnRole::High, ColumnRole::Low, ColumnRole::Close]);
        let kind = match map.kind {
            Some(kind) => kind,
            None if has_bar => RowKind::Bar(BarPeriod::Minute),
            None if has_trade && has_quote => {
                return Err(
                    "the columns are those of trades and of quotes: add kind=trade or kind=quote to \
                            --csv-map"
                        .to_owned(),
                );
            }
            None if has_trade => RowKind::Trade,
            None if has_quote => RowKind::Quote,
            None => {
                let header =
                    String::from_utf8_lossy(&header.iter().collect::<Vec<_>>().join(&b","[..])).into_owned();
                return Err(format!(
                    "neither trades (price, size), quotes (bid, ask) nor bars (open, high, low, close) are among the columns {header}: name them with --csv-map"
                ));
            }
        };
        let kind = match kind {
            // A column of dates without times is that of daily bars.
            RowKind::Bar(_) => RowKind::Bar(map.bar.unwrap_or_else(|| {
                let time = column(ColumnRole::Time).and_then(|time| names.get(time));
                if time.is_some_and(|name| name == "date") { BarPeriod::Day } else { BarPeriod::Minute }
            })),
            kind => kind,
        };
        let is_complete = match kind {
            RowKind::Trade => has_trade,
            RowKind::Quote => has_quote,
            RowKind::Bar(_) => has_bar,
        };
        let Some(time) = column(ColumnRole::Time).filter(|_| is_complete) else {
            return Err("a column of times, prices or sizes is missing: name it with --csv-map".to_owned());
        };
        let symbol = column(ColumnRole::Symbol).filter(|_| map.ticker.is_none());
        Ok(Self {
            kind,
            time,
            time_format: map.time_format.clone(),
            symbol,
            ticker: map.ticker.clone().unwrap_or_else(|| file_stem.to_ascii_uppercase()),
            decimals: map.decimals,
            price: column(ColumnRole::Price),
            size: column(ColumnRole::Size),
            bid: column(ColumnRole::Bid),
            bid_size: column(ColumnRole::BidSize),
            ask: column(ColumnRole::Ask),
            ask_size: column(ColumnRole::AskSize),
            open: column(ColumnRole::Open),
            high: column(ColumnRole::High),
            low: column(ColumnRole::Low),
            close: column(ColumnRole::Close),
            volume: column(ColumnRole::Volume),
            trades: column(ColumnRole::Trades),
            venue: column(ColumnRole::Venue),
            bid_venue: column(ColumnRole::BidVenue),
            ask_venue: column(ColumnRole::AskVenue),
            conditions: column(ColumnRole::Conditions),
            id: column(ColumnRole::Id),
            tape: column(ColumnRole::Tape),
        })
    }
}
