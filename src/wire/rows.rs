use super::json::{JsonEncoder, push_decimal_price};
use crate::model::{Bar, Price, Quote, Timestamp, Trade};

/// Writes trades, quotes and bars as REST returns them: JSON objects with the fields of the stream's objects,
/// but without `T`, symbol and sequence number, which an answer has once for all rows.
#[derive(Debug, Default)]
pub struct JsonRowWriter {
    json: JsonEncoder,
}

impl JsonRowWriter {
    /// Appends a trade.
    pub fn trade(&mut self, out: &mut Vec<u8>, trade: &Trade) {
        self.json.row(out, trade);
    }

    /// Appends a quote.
    pub fn quote(&mut self, out: &mut Vec<u8>, quote: &Quote) {
        self.json.row(out, quote);
    }

    /// Appends a bar.
    pub fn bar(&mut self, out: &mut Vec<u8>, bar: &Bar) {
        self.json.row(out, bar);
    }

    /// Appends a price in dollars.
    pub fn price(&mut self, out: &mut Vec<u8>, price: Price) {
        push_decimal_price(out, price);
    }

    /// Appends a time as text in quotes.
    pub fn time(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        self.json.time(out, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::fixtures;

    #[test]
    fn a_row_has_the_fields_of_its_object_but_no_letter_and_no_symbol() {
        let mut out = Vec::new();
        for object in [fixtures::trade(), fixtures::quote(), fixtures::bar()] {
            match object.body {
                Body::Trade(trade) => JsonRowWriter::default().trade(&mut out, &trade),
                Body::Quote(quote) => JsonRowWriter::default().quote(&mut out, &quote),
                Body::Bar(bar) => JsonRowWriter::default().bar(&mut out, &bar),
                _ => unreachable!(),
            }
            out.push(b'\n');
        }

        assert_eq!(
            String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(),
            [
                r#"{"i":52983525029461,"x":"V","p":126.55,"s":1,"c":["@","I"],"z":"C","t":"2021-02-22T15:51:44.208000001Z"}"#,
                r#"{"bx":"V","bp":126.50,"bs":100,"ax":"Q","ap":126.56,"as":300,"c":["R"],"z":"C","t":"2021-02-22T15:51:45Z"}"#,
                r#"{"o":240.00,"h":240.10,"l":239.98,"c":240.04,"v":1200,"n":3,"vw":240.051666,"t":"2021-02-22T15:51:00Z"}"#,
            ]
        );
    }
}
