use crate::model::{Bar, Body, Conditions, Object, Price, Quote, SECOND, Seq, Timestamp, Trade, Universe};

/// Writes objects as JSON: `T` first, then every field of its kind, then `sq`, then a comma.
///
/// Hand-written, because it runs once for every event of the market: digits go straight into the
/// buffer, and the text of a second is made once for all the events within it.
#[derive(Debug, Default)]
pub(super) struct JsonWriter {
    clock: ClockText,
}

impl JsonWriter {
    /// Appends one object, into which so many earlier ones were merged, and its comma.
    pub(super) fn object(&mut self, out: &mut Vec<u8>, universe: &Universe, object: &Object, merged: u64) {
        let symbol = &universe.instrument(object.body.symbol()).symbol;
        let kind = match &object.body {
            Body::Trade(_) => b't',
            Body::Quote(_) => b'q',
            Body::Bar(_) => b'b',
            Body::UpdatedBar(_) => b'u',
            Body::DailyBar(_) => b'd',
        };
        out.extend_from_slice(b"{\"T\":\"");
        out.push(kind);
        out.extend_from_slice(b"\",\"S\":\"");
        out.extend_from_slice(symbol.as_str().as_bytes());
        out.push(b'"');
        match &object.body {
            Body::Trade(trade) => self.trade(out, trade),
            Body::Quote(quote) => self.quote(out, quote),
            Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => self.bar(out, bar),
        }
        let Seq(seq) = object.seq;
        integer(out, "sq", seq);
        if merged > 0 {
            integer(out, "cf", merged);
        }
        out.extend_from_slice(b"},");
    }

    fn trade(&mut self, out: &mut Vec<u8>, trade: &Trade) {
        integer(out, "i", trade.id);
        letter(out, "x", trade.venue.0);
        price(out, "p", trade.price);
        integer(out, "s", trade.size);
        conditions(out, trade.conditions);
        letter(out, "z", trade.tape.letter());
        self.time(out, trade.at);
    }

    fn quote(&mut self, out: &mut Vec<u8>, quote: &Quote) {
        letter(out, "bx", quote.bid_venue.0);
        price(out, "bp", quote.bid);
        integer(out, "bs", quote.bid_size);
        letter(out, "ax", quote.ask_venue.0);
        price(out, "ap", quote.ask);
        integer(out, "as", quote.ask_size);
        conditions(out, quote.conditions);
        letter(out, "z", quote.tape.letter());
        self.time(out, quote.at);
    }

    fn bar(&mut self, out: &mut Vec<u8>, bar: &Bar) {
        price(out, "o", bar.open);
        price(out, "h", bar.high);
        price(out, "l", bar.low);
        price(out, "c", bar.close);
        integer(out, "v", bar.volume);
        integer(out, "n", bar.trades);
        micros(out, "vw", bar.vwap_micros());
        self.time(out, bar.start);
    }

    fn time(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        key(out, "t");
        out.push(b'"');
        out.extend_from_slice(self.clock.second(at));
        let nanos = at.subsec_nanos();
        if nanos > 0 {
            out.push(b'.');
            fraction(out, nanos, 9);
        }
        out.extend_from_slice(b"Z\"");
    }
}

/// RFC 3339 text of the latest second asked for: `2026-11-20T14:30:00`.
#[derive(Debug)]
struct ClockText {
    second: i64,
    text: [u8; 19],
}

impl Default for ClockText {
    fn default() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00" }
    }
}

impl ClockText {
    fn second(&mut self, at: Timestamp) -> &[u8] {
        let second = at.seconds();
        if second != self.second {
            self.second = second;
            let within_day = second.rem_euclid(86_400) as u32;
            let (year, month, day) = civil_date(at.floor_to(86_400 * SECOND).seconds() / 86_400);
            let places = [
                (2, year / 100),
                (4, year % 100),
                (7, month),
                (10, day),
                (13, within_day / 3600),
                (16, within_day / 60 % 60),
                (19, within_day % 60),
            ];
            for (end, number) in places {
                self.text[end - 2] = b'0' + (number / 10) as u8;
                self.text[end - 1] = b'0' + (number % 10) as u8;
            }
        }
        &self.text
    }
}

/// Year, month and day of this many days since 1970-01-01, in the Gregorian calendar.
///
/// Counts in eras of 400 years from a 1st of March, so that leap days come last: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil_date(days: i64) -> (u32, u32, u32) {
    const DAYS_PER_ERA: i64 = 146_097;
    let since_era_0 = days + 719_468;
    let era = since_era_0.div_euclid(DAYS_PER_ERA);
    let day_of_era = since_era_0.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn letter(out: &mut Vec<u8>, name: &str, letter: u8) {
    key(out, name);
    out.extend_from_slice(&[b'"', letter, b'"']);
}

fn integer(out: &mut Vec<u8>, name: &str, number: impl itoa::Integer) {
    key(out, name);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Dollars with two decimals: exact, and always a JSON number.
fn price(out: &mut Vec<u8>, name: &str, price: Price) {
    key(out, name);
    let ticks = price.ticks();
    if ticks < 0 {
        out.push(b'-');
    }
    let ticks = ticks.unsigned_abs();
    let per_dollar = Price::TICKS_PER_DOLLAR as u64;
    out.extend_from_slice(itoa::Buffer::new().format(ticks / per_dollar).as_bytes());
    out.push(b'.');
    fraction(out, (ticks % per_dollar) as u32, 2);
}

/// Dollars with six decimals.
fn micros(out: &mut Vec<u8>, name: &str, micros: u64) {
    key(out, name);
    out.extend_from_slice(itoa::Buffer::new().format(micros / 1_000_000).as_bytes());
    out.push(b'.');
    fraction(out, (micros % 1_000_000) as u32, 6);
}

fn conditions(out: &mut Vec<u8>, conditions: Conditions) {
    key(out, "c");
    out.push(b'[');
    for (place, condition) in conditions.letters().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&[b'"', condition, b'"']);
    }
    out.push(b']');
}

/// A number with leading zeros, in exactly so many digits (at most 9).
fn fraction(out: &mut Vec<u8>, mut number: u32, digits: usize) {
    let mut text = [b'0'; 9];
    for place in text[..digits].iter_mut().rev() {
        *place += (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&text[..digits]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    fn written(object: &Object) -> String {
        let mut out = Vec::new();
        JsonWriter::default().object(&mut out, &fixtures::universe(), object, 0);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_trade_has_every_field_and_t_first() {
        assert_eq!(
            written(&fixtures::trade()),
            r#"{"T":"t","S":"AAPL","i":52983525029461,"x":"V","p":126.55,"s":1,"c":["@","I"],"z":"C","t":"2021-02-22T15:51:44.208000001Z","sq":8841},"#,
        );
    }

    #[test]
    fn a_quote_has_every_field_and_t_first() {
        assert_eq!(
            written(&fixtures::quote()),
            r#"{"T":"q","S":"AAPL","bx":"V","bp":126.50,"bs":100,"ax":"Q","ap":126.56,"as":300,"c":["R"],"z":"C","t":"2021-02-22T15:51:45Z","sq":7},"#,
        );
    }

    #[test]
    fn a_bar_begins_at_its_start_and_has_its_average_price() {
        assert_eq!(
            written(&fixtures::bar()),
            r#"{"T":"b","S":"MSFT","o":240.00,"h":240.10,"l":239.98,"c":240.04,"v":1200,"n":3,"vw":240.051666,"t":"2021-02-22T15:51:00Z","sq":1},"#,
        );
    }

    #[test]
    fn what_was_merged_is_counted_and_nothing_is_not() {
        let mut out = Vec::new();

        JsonWriter::default().object(&mut out, &fixtures::universe(), &fixtures::quote(), 12);

        assert!(out.ends_with(br#","sq":7,"cf":12},"#));
    }

    #[test]
    fn what_is_written_is_json() {
        for object in [fixtures::trade(), fixtures::quote(), fixtures::bar()] {
            let text = written(&object);

            let value: serde_json::Value = serde_json::from_str(text.trim_end_matches(',')).unwrap();

            assert_eq!(value["sq"], object.seq.0);
        }
    }

    #[test]
    fn dates_agree_with_an_independent_calendar() {
        for second in [-86_401, -1, 0, 951_782_399, 951_782_400, 1_709_251_199, 4_107_542_400, 7_258_118_399]
        {
            let mut clock = ClockText::default();

            let text = clock.second(Timestamp::from_nanos(second * SECOND)).to_vec();

            let other = jiff::Timestamp::from_second(second).unwrap().to_string();
            assert_eq!(format!("{}Z", String::from_utf8(text).unwrap()), other);
        }
    }
}
