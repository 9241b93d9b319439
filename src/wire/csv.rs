use super::clock_text::rfc3339;
use super::json::{push_average, push_decimal_price};
use super::objects::{OBJECTS, write_body};
use super::schema::{FieldKey, FieldWriter};
use crate::model::{Channel, Conditions, Object, Price, Timestamp, Universe};

/// Appends the line of column names for a channel: the symbol, the keys of its fields, `sq`.
///
/// It is `symbol` and not `S`, and there is no `T`: names that differ in case alone are the same to many programs.
pub fn write_csv_header(out: &mut Vec<u8>, channel: Channel) {
    out.extend_from_slice(b"symbol");
    for field in OBJECTS[channel.index()].fields {
        out.push(b',');
        out.extend_from_slice(field.key.as_bytes());
    }
    out.extend_from_slice(b",sq\n");
}

/// Appends an object as a line. Conditions are one text without separators; text with a comma is in quotes (RFC 4180).
pub fn write_csv(out: &mut Vec<u8>, universe: &Universe, object: &Object) {
    let symbol = universe.instrument(object.body.symbol()).symbol;
    out.extend_from_slice(symbol.as_str().as_bytes());
    let mut fields = CsvFields(out);
    write_body(&mut fields, &object.body);
    fields.value(object.seq.0.to_string().as_bytes());
    out.push(b'\n');
}

struct CsvFields<'a>(&'a mut Vec<u8>);

impl CsvFields<'_> {
    /// No value has a quotation mark: no code may.
    fn value(&mut self, value: &[u8]) {
        self.0.push(b',');
        let needs_quotes = value.contains(&b',');
        self.0.extend(needs_quotes.then_some(b'"'));
        self.0.extend_from_slice(value);
        self.0.extend(needs_quotes.then_some(b'"'));
    }
}

impl FieldWriter for CsvFields<'_> {
    fn integer(&mut self, _: FieldKey, number: u64) {
        self.value(number.to_string().as_bytes());
    }

    fn letter(&mut self, _: FieldKey, letter: u8) {
        self.value(&[letter]);
    }

    fn text(&mut self, _: FieldKey, text: &str) {
        self.value(text.as_bytes());
    }

    fn price(&mut self, _: FieldKey, price: Price) {
        self.0.push(b',');
        push_decimal_price(self.0, price);
    }

    fn average_price(&mut self, _: FieldKey, micros: i64) {
        self.0.push(b',');
        push_average(self.0, micros);
    }

    fn letters(&mut self, _: FieldKey, letters: Conditions) {
        self.value(&letters.letters().collect::<Vec<_>>());
    }

    fn time(&mut self, _: FieldKey, at: Timestamp) {
        self.value(rfc3339(at).as_bytes());
    }

    fn is_true(&mut self, _: FieldKey) {
        self.value(b"true");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn a_line_has_a_value_for_each_column() {
        let universe = fixtures::universe();
        for object in fixtures::objects() {
            let mut out = Vec::new();
            write_csv_header(&mut out, object.stream().channel());
            write_csv(&mut out, &universe, &object);

            let text = String::from_utf8(out).unwrap();
            let columns: Vec<_> = text.lines().map(|line| line.split(',').count()).collect();
            assert!(columns.len() == 2 && columns[0] == columns[1], "{text}");
        }
    }

    #[test]
    fn a_trade_as_a_line() {
        let mut out = Vec::new();
        write_csv_header(&mut out, Channel::Trades);
        write_csv(&mut out, &fixtures::universe(), &fixtures::trade());

        let symbol = fixtures::universe().iter().next().unwrap().symbol;
        let seq = fixtures::trade().seq.0;
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(
                "symbol,i,x,p,s,c,z,t,sq\n{symbol},52983525029461,V,126.55,1,@I,C,2021-02-22T15:51:44.208000001Z,{seq}\n"
            )
        );
    }

    #[test]
    fn text_with_a_comma_is_quoted() {
        let mut out = Vec::new();
        CsvFields(&mut out).value(b"a,b");
        CsvFields(&mut out).value(b"c");

        assert_eq!(out, b",\"a,b\",c");
    }
}
