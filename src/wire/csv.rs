use super::TopicMessage;
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

/// Appends an object as a line. Conditions are one text without separators; text with a comma, a quotation mark or the
/// end of a line is in quotes (RFC 4180).
pub fn write_csv(out: &mut Vec<u8>, universe: &Universe, object: &Object) {
    let symbol = universe.instrument(object.body.symbol()).symbol;
    out.extend_from_slice(symbol.as_str().as_bytes());
    let mut fields = CsvFields(out);
    write_body(&mut fields, &object.body);
    fields.value(object.seq.0.to_string().as_bytes());
    out.push(b'\n');
}

/// Appends a message of a topic as a line: its data as compact JSON, or the number of the message that it takes back, and
/// its publisher. What it does not have is empty.
pub fn write_csv_message(out: &mut Vec<u8>, universe: &Universe, object: &Object, message: &TopicMessage) {
    out.extend_from_slice(universe.name_of(object.stream()).as_str().as_bytes());
    let mut fields = CsvFields(out);
    fields.value(message.data().unwrap_or_default().as_bytes());
    fields.value(message.deletes().map(|seq| seq.0.to_string()).unwrap_or_default().as_bytes());
    fields.value(message.by().unwrap_or_default().as_bytes());
    write_body(&mut fields, &object.body);
    fields.value(object.seq.0.to_string().as_bytes());
    out.push(b'\n');
}

struct CsvFields<'a>(&'a mut Vec<u8>);

impl CsvFields<'_> {
    fn value(&mut self, value: &[u8]) {
        self.0.push(b',');
        if !value.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
            return self.0.extend_from_slice(value);
        }
        self.0.push(b'"');
        for byte in value {
            self.0.extend((*byte == b'"').then_some(b'"'));
            self.0.push(*byte);
        }
        self.0.push(b'"');
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
        CsvFields(&mut out).value(b"\"d\"");
        CsvFields(&mut out).value(b"e\nf");

        assert_eq!(out, b",\"a,b\",c,\"\"\"d\"\"\",\"e\nf\"");
    }

    #[test]
    fn a_message_as_a_line() {
        let line = |message: &TopicMessage| {
            let mut out = Vec::new();
            write_csv_header(&mut out, Channel::Messages);
            write_csv_message(&mut out, &fixtures::topics(), &fixtures::chat_message(7), message);
            String::from_utf8(out).unwrap()
        };

        let said = line(&TopicMessage::new(&serde_json::json!({"text": "a, b"}), Some("anna")));
        assert_eq!(
            said,
            "symbol,d,del,by,t,sq\nchat:AAPL,\"{\"\"text\"\":\"\"a, b\"\"}\",,anna,2021-02-22T15:51:45.000000000Z,7\n"
        );
        let taken_back = line(&TopicMessage::deleting(crate::model::Seq(4), None));
        assert!(taken_back.ends_with("\nchat:AAPL,,4,,2021-02-22T15:51:45.000000000Z,7\n"), "{taken_back}");
    }
}
