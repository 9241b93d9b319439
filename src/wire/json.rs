use super::clock_text::ClockText;
use super::codec::{DeliveryKind, kind_letter};
use crate::model::{
    Bar, Body, Cancel, Conditions, Correction, Luld, Object, Price, Quote, Seq, Status, Ticker, Timestamp,
    Trade, Universe,
};

/// Writes objects as JSON: `T` first, then every field of its kind, then `sq`, then a comma.
///
/// Hand-written, because it runs once for every event of the market: digits go straight into the
/// buffer, and the text of a second is made once for all the events within it.
#[derive(Debug, Default)]
pub(super) struct JsonWriter {
    clock: ClockText,
}

/// How each object ends, ready for the next.
const END: &[u8] = b"},";

/// Appends an object with a mark, given how it is written without one.
pub(super) fn marked(out: &mut Vec<u8>, live: &[u8], mark: DeliveryKind) -> bool {
    let Some(fields) = live.strip_suffix(END) else { return false };
    out.extend_from_slice(fields);
    write_mark(out, mark);
    out.extend_from_slice(END);
    true
}

fn write_mark(out: &mut Vec<u8>, mark: DeliveryKind) {
    match mark {
        DeliveryKind::Live => {}
        DeliveryKind::Conflated(objects) => integer(out, "cf", objects),
        DeliveryKind::Snapshot => out.extend_from_slice(b",\"sn\":true"),
    }
}

impl JsonWriter {
    /// Appends one object with its mark, and its comma.
    pub(super) fn object(
        &mut self,
        out: &mut Vec<u8>,
        universe: &Universe,
        object: &Object,
        mark: DeliveryKind,
    ) {
        let symbol = &universe.instrument(object.body.symbol()).symbol;
        out.extend_from_slice(b"{\"T\":\"");
        out.push(kind_letter(&object.body));
        out.extend_from_slice(b"\",\"S\":\"");
        out.extend_from_slice(symbol.as_str().as_bytes());
        out.push(b'"');
        match &object.body {
            Body::Trade(trade) => self.trade(out, trade),
            Body::Quote(quote) => self.quote(out, quote),
            Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => self.bar(out, bar),
            Body::Status(status) => self.status(out, status),
            Body::Luld(luld) => self.luld(out, luld),
            Body::Cancel(cancel) => self.cancel(out, cancel),
            Body::Correction(correction) => self.correction(out, correction),
            Body::Ticker(ticker) => self.ticker(out, ticker),
        }
        let Seq(seq) = object.seq;
        integer(out, "sq", seq);
        write_mark(out, mark);
        out.extend_from_slice(END);
    }

    pub(super) fn trade(&mut self, out: &mut Vec<u8>, trade: &Trade) {
        integer(out, "i", trade.id);
        letter(out, "x", trade.venue.0);
        price(out, "p", trade.price);
        integer(out, "s", trade.size);
        conditions(out, "c", trade.conditions);
        letter(out, "z", trade.tape.letter());
        self.time(out, trade.at);
    }

    pub(super) fn quote(&mut self, out: &mut Vec<u8>, quote: &Quote) {
        letter(out, "bx", quote.bid_venue.0);
        price(out, "bp", quote.bid);
        integer(out, "bs", quote.bid_size);
        letter(out, "ax", quote.ask_venue.0);
        price(out, "ap", quote.ask);
        integer(out, "as", quote.ask_size);
        conditions(out, "c", quote.conditions);
        letter(out, "z", quote.tape.letter());
        self.time(out, quote.at);
    }

    pub(super) fn bar(&mut self, out: &mut Vec<u8>, bar: &Bar) {
        price(out, "o", bar.open);
        price(out, "h", bar.high);
        price(out, "l", bar.low);
        price(out, "c", bar.close);
        integer(out, "v", bar.volume);
        integer(out, "n", bar.trades);
        micros(out, "vw", bar.vwap_micros());
        self.time(out, bar.start);
    }

    fn status(&mut self, out: &mut Vec<u8>, status: &Status) {
        text(out, "sc", status.status.code());
        text(out, "sm", status.status.message());
        text(out, "rc", status.reason.code());
        text(out, "rm", status.reason.message());
        letter(out, "z", status.tape.letter());
        self.time(out, status.at);
    }

    fn luld(&mut self, out: &mut Vec<u8>, luld: &Luld) {
        price(out, "u", luld.up);
        price(out, "d", luld.down);
        letter(out, "i", luld.indicator);
        letter(out, "z", luld.tape.letter());
        self.time(out, luld.at);
    }

    fn cancel(&mut self, out: &mut Vec<u8>, cancel: &Cancel) {
        integer(out, "i", cancel.id);
        letter(out, "x", cancel.venue.0);
        price(out, "p", cancel.price);
        integer(out, "s", cancel.size);
        letter(out, "a", cancel.action.letter());
        letter(out, "z", cancel.tape.letter());
        self.time(out, cancel.at);
    }

    fn correction(&mut self, out: &mut Vec<u8>, correction: &Correction) {
        letter(out, "x", correction.venue.0);
        let original = &correction.original;
        integer(out, "oi", original.id);
        price(out, "op", original.price);
        integer(out, "os", original.size);
        conditions(out, "oc", original.conditions);
        let corrected = &correction.corrected;
        integer(out, "ci", corrected.id);
        price(out, "cp", corrected.price);
        integer(out, "cs", corrected.size);
        conditions(out, "cc", corrected.conditions);
        letter(out, "z", correction.tape.letter());
        self.time(out, correction.at);
    }

    fn ticker(&mut self, out: &mut Vec<u8>, ticker: &Ticker) {
        price(out, "p", ticker.price);
        integer(out, "s", ticker.size);
        price(out, "bp", ticker.bid);
        integer(out, "bs", ticker.bid_size);
        price(out, "ap", ticker.ask);
        integer(out, "as", ticker.ask_size);
        price(out, "o", ticker.open);
        price(out, "h", ticker.high);
        price(out, "l", ticker.low);
        price(out, "pc", ticker.previous_close);
        integer(out, "v", ticker.volume);
        integer(out, "n", ticker.trades);
        micros(out, "vw", ticker.vwap_micros);
        self.time(out, ticker.at);
    }

    fn time(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        key(out, "t");
        self.instant(out, at);
    }

    pub(super) fn instant(&mut self, out: &mut Vec<u8>, at: Timestamp) {
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

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Text that needs no escapes.
fn text(out: &mut Vec<u8>, name: &str, text: &str) {
    key(out, name);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
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

fn conditions(out: &mut Vec<u8>, name: &str, conditions: Conditions) {
    key(out, name);
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
        JsonWriter::default().object(&mut out, &fixtures::universe(), object, DeliveryKind::Live);
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

        JsonWriter::default().object(
            &mut out,
            &fixtures::universe(),
            &fixtures::quote(),
            DeliveryKind::Conflated(12),
        );

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
}
