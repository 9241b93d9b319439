use std::collections::HashSet;

use super::random::RandomStream;
use super::sector::Sector;

/// Generates unique names and symbols of companies that do not exist.
///
/// A name is a word of two or three syllables and a suffix of the sector: `Halerton Therapeutics Inc.`. The
/// symbol has 3 to 5 letters of the name in order, as real ones do: `HALT`, `HRTN`.
#[derive(Debug, Default)]
pub(super) struct CompanyNames {
    symbols: HashSet<String>,
    names: HashSet<String>,
}

#[derive(Debug)]
pub(super) struct CompanyName {
    pub(super) symbol: String,
    pub(super) name: String,
}

const FIRST_SYLLABLES: [&str; 40] = [
    "Al", "Ar", "Bel", "Bran", "Cal", "Cas", "Cor", "Dal", "Del", "Dor", "El", "Fal", "Fen", "Gal", "Gran",
    "Hal", "Har", "Is", "Jor", "Kel", "Kin", "Lan", "Lor", "Mar", "Mer", "Nor", "Or", "Pal", "Quin", "Ren",
    "Ros", "Sal", "Sol", "Tal", "Tor", "Val", "Ver", "Wes", "Yar", "Zen",
];
const MIDDLE_SYLLABLES: [&str; 10] = ["", "a", "e", "i", "o", "an", "ar", "en", "er", "ov"];
const LAST_SYLLABLES: [&str; 32] = [
    "bridge", "cast", "core", "cross", "dale", "dex", "don", "field", "ford", "gate", "gen", "grove", "ham",
    "lane", "light", "line", "mark", "mont", "nex", "point", "port", "quest", "ridge", "shire", "span",
    "star", "stone", "ton", "vale", "via", "view", "wick",
];

/// After this number of taken symbols, the letters need not be from the name.
const MAX_ATTEMPTS: usize = 12;

impl CompanyNames {
    /// Marks a symbol as taken.
    pub(super) fn mark_taken(&mut self, symbol: &str) {
        self.symbols.insert(symbol.to_owned());
    }

    /// A new company of this sector.
    pub(super) fn generate(&mut self, sector: Sector, random: &mut RandomStream) -> CompanyName {
        let name = loop {
            let [head, middle, tail] =
                [&FIRST_SYLLABLES[..], &MIDDLE_SYLLABLES, &LAST_SYLLABLES].map(|part| random.choose(part));
            let candidate = format!("{head}{middle}{tail} {}", random.choose(suffixes(sector)));
            if self.names.insert(candidate.clone()) {
                break candidate;
            }
        };
        CompanyName { symbol: self.symbol(&name, random), name }
    }

    /// A free symbol, of letters of the name if one is found.
    fn symbol(&mut self, name: &str, random: &mut RandomStream) -> String {
        for attempt in 0.. {
            let length = if random.bernoulli(0.3) { 3 } else { 4 } + usize::from(attempt > MAX_ATTEMPTS / 2);
            let candidate = match attempt {
                ..MAX_ATTEMPTS => letters_of(name, length, random),
                _ => random_letters(length, random),
            };
            if self.symbols.insert(candidate.clone()) {
                return candidate;
            }
        }
        unreachable!("there are more symbols of 5 letters than listings are allowed")
    }
}

/// The first letter of the name and `length` − 1 others of it, in order.
fn letters_of(name: &str, length: usize, random: &mut RandomStream) -> String {
    let letters: Vec<u8> = name.bytes().filter(u8::is_ascii_alphabetic).collect();
    let mut symbol = String::with_capacity(length);
    let mut at = 0;
    while symbol.len() < length {
        symbol.push(char::from(letters[at].to_ascii_uppercase()));
        // Leaves enough letters for the rest of the symbol.
        let spare = letters.len() - at - (length - symbol.len());
        at += 1 + random.uniform_below(spare.min(4) as u32) as usize;
    }
    symbol
}

fn random_letters(length: usize, random: &mut RandomStream) -> String {
    (0..length).map(|_| char::from(b'A' + random.uniform_below(26) as u8)).collect()
}

/// Suffixes of company names of this sector.
fn suffixes(sector: Sector) -> &'static [&'static str] {
    match sector {
        Sector::Technology => {
            &["Systems Inc.", "Software Inc.", "Semiconductor Corp.", "Technologies Inc.", "Networks Inc."]
        }
        Sector::Communication => {
            &["Media Group Inc.", "Wireless Corp.", "Entertainment Inc.", "Telecom Holdings"]
        }
        Sector::Discretionary => {
            &["Motors Inc.", "Outfitters Inc.", "Resorts Corp.", "Restaurants Inc.", "Stores Inc."]
        }
        Sector::Staples => &["Foods Inc.", "Brands Inc.", "Beverage Co.", "Household Products Co."],
        Sector::Financials => {
            &["Bancorp", "Financial Corp.", "Insurance Group", "Capital Management", "Bancshares Inc."]
        }
        Sector::HealthCare => {
            &["Therapeutics Inc.", "Pharma Inc.", "Medical Corp.", "Biosciences Inc.", "Health Inc."]
        }
        Sector::Industrials => {
            &["Industries Inc.", "Aerospace Corp.", "Logistics Inc.", "Machinery Co.", "Air Lines Inc."]
        }
        Sector::Energy => {
            &["Petroleum Corp.", "Energy Partners LP", "Drilling Inc.", "Midstream Partners LP"]
        }
        Sector::Materials => &["Mining Corp.", "Chemical Co.", "Steel Corp.", "Packaging Inc.", "Gold Inc."],
        Sector::Utilities => &["Power Co.", "Water Works Inc.", "Gas & Electric Co.", "Utilities Inc."],
        Sector::RealEstate => &["Realty Trust", "Properties Inc.", "Residential REIT", "Storage Trust"],
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    #[test]
    fn a_symbol_has_the_first_letter_of_the_name_and_others_in_order() {
        let mut random = RandomStream::new(1, Purpose::Listings);

        for length in [3, 4, 5] {
            for _ in 0..1_000 {
                let symbol = letters_of("Alia Co.", length, &mut random);

                assert!(symbol.starts_with('A'));
                let mut rest = "ALIACO".chars();
                assert!(symbol.chars().all(|letter| rest.any(|other| other == letter)), "{symbol}");
            }
        }
    }

    #[test]
    fn a_taken_symbol_is_not_generated() {
        let mut random = RandomStream::new(1, Purpose::Listings);
        let mut names = CompanyNames::default();
        let first = CompanyNames::default().generate(Sector::Energy, &mut random.clone());
        names.mark_taken(&first.symbol);

        let other = names.generate(Sector::Energy, &mut random);

        assert_eq!(other.name, first.name);
        assert_ne!(other.symbol, first.symbol);
    }
}
