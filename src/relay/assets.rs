use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::model::Symbol;

/// What the upstream's REST tells of an instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AssetDetails {
    /// The company's name.
    pub(super) name: Option<Box<str>>,
    /// The listing exchange.
    pub(super) exchange: Option<Box<str>>,
}

/// The details of all instruments of the upstream, by symbol, for those that are listed from now on. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct AssetDirectory(Arc<Mutex<Assets>>);

#[derive(Debug, Default)]
struct Assets {
    by_symbol: FxHashMap<Symbol, AssetDetails>,
    /// Whether the upstream has answered, if only that it has no assets.
    is_settled: bool,
}

/// A row of `/v2/assets`. Alpaca's have more keys.
#[derive(Debug, Deserialize)]
struct AssetRow {
    symbol: String,
    #[serde(default)]
    name: Option<Box<str>>,
    #[serde(default)]
    exchange: Option<Box<str>>,
}

impl AssetDirectory {
    /// Takes in the answer of `/v2/assets`; the number of instruments. Symbols that this server cannot have are left
    /// out.
    pub(super) fn learn(&self, json: &[u8]) -> serde_json::Result<usize> {
        let rows: Vec<AssetRow> = serde_json::from_slice(json)?;
        let given = |text: Option<Box<str>>| text.filter(|text| !text.is_empty());
        let details = rows.into_iter().filter_map(|row| {
            let details = AssetDetails { name: given(row.name), exchange: given(row.exchange) };
            Some((row.symbol.parse().ok()?, details))
        });
        let details: FxHashMap<_, _> = details.collect();
        let count = details.len();
        *self.lock() = Assets { by_symbol: details, is_settled: true };
        Ok(count)
    }

    /// The upstream tells no assets.
    pub(super) fn settle_without(&self) {
        self.lock().is_settled = true;
    }

    /// Whether the upstream has answered, if only that it has no assets.
    pub(super) fn is_settled(&self) -> bool {
        self.lock().is_settled
    }

    /// What is known of this instrument.
    pub(super) fn of(&self, symbol: &Symbol) -> AssetDetails {
        self.lock().by_symbol.get(symbol).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Assets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_of_an_asset_are_found_by_its_symbol() {
        let directory = AssetDirectory::default();
        let json = br#"[{"symbol":"AAPL","name":"Apple Inc.","exchange":"NASDAQ","tradable":true},
            {"symbol":"X","name":"","exchange":null},{"symbol":"not a symbol","name":"y"}]"#;

        assert_eq!(directory.learn(json).unwrap(), 2);

        let of = |symbol: &str| directory.of(&symbol.parse().unwrap());
        assert_eq!(
            of("AAPL"),
            AssetDetails { name: Some("Apple Inc.".into()), exchange: Some("NASDAQ".into()) }
        );
        assert_eq!((of("X"), of("MSFT")), (AssetDetails::default(), AssetDetails::default()));
        assert!(directory.learn(b"<html>").is_err());
        assert_eq!(of("AAPL").exchange.as_deref(), Some("NASDAQ"), "an answer that is none changes nothing");
    }
}
