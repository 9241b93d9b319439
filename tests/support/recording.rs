//! A recording to be replayed.

use std::fmt::Write;

/// Two minutes of trades of AAPL, as a client would capture them: four times a second the last price rises from $10.50 to
/// $12.50, and an odd lot in between costs $15.
pub fn odd_lots() -> String {
    let mut lines = String::new();
    let pattern = [(10.5, "@"), (15.0, "I"), (10.5, "@"), (12.5, "@"), (10.4, "@")];
    for (number, (price, condition)) in (0..4 * 120).flat_map(|_| pattern).enumerate() {
        let millis = number * 50;
        let (minute, second, milli) = (millis / 60_000, millis / 1_000 % 60, millis % 1_000);
        let time = format!("2021-02-22T15:{:02}:{second:02}.{milli:03}Z", 30 + minute);
        let trade = format!(r#""i":{number},"x":"V","p":{price},"s":5,"c":["{condition}"],"z":"C""#);
        writeln!(lines, r#"{{"T":"t","S":"AAPL",{trade},"t":"{time}"}}"#).unwrap();
    }
    lines
}
