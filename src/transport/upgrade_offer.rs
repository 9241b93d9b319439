//! Upgrade offers in the one form that actix-http understands.

/// Simplifies the offer of a complete request head, in place:
///
/// - of a list that contains `websocket` (newer nginx sends `websocket, websocket`), only that is left, because
///   actix-http 3.20 upgrades a connection only for this exact value;
/// - `Upgrade` in `Connection` is blanked beside `HTTP2-Settings`, the offer of HTTP/2 that some HTTP clients send with
///   their first request (RFC 7540 section 3.2), because actix-http closes the connection after the response to any
///   other offer.
///
/// A server may ignore an offer (RFC 9110 section 7.8). Nothing changes the length of a head or the end of a line.
pub(super) fn simplify_offer(head: &mut [u8]) {
    let mut is_websocket = false;
    for_each_value(head, b"upgrade", |value| is_websocket |= leave_only(value, b"websocket"));
    if !is_websocket {
        for_each_value(head, b"connection", blank_http2_offer);
    }
}

/// Visits the values of the fields of this name.
fn for_each_value(head: &mut [u8], name: &[u8], mut visit: impl FnMut(&mut [u8])) {
    for line in head.split_mut(|byte| *byte == b'\n').skip(1) {
        let len = line.trim_ascii_end().len();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if line[..colon].eq_ignore_ascii_case(name) {
            visit(&mut line[colon + 1..len]);
        }
    }
}

fn is(item: &[u8], token: &[u8]) -> bool {
    item.trim_ascii().eq_ignore_ascii_case(token)
}

/// Blanks all of a comma-separated list but the first item that is the token; false, and nothing changes, if
/// there is none.
fn leave_only(list: &mut [u8], token: &[u8]) -> bool {
    let mut start = 0;
    for item in list.split(|byte| *byte == b',') {
        let end = start + item.len();
        if is(item, token) {
            list[..start].fill(b' ');
            list[end..].fill(b' ');
            return true;
        }
        start = end + 1;
    }
    false
}

/// Blanks the items of an offer of HTTP/2 in the value of `Connection`. An empty item has no meaning
/// (RFC 9110 section 5.6.1.2).
fn blank_http2_offer(list: &mut [u8]) {
    const SETTINGS: &[u8] = b"http2-settings";
    if list.split(|byte| *byte == b',').any(|item| is(item, SETTINGS)) {
        let items = list.split_mut(|byte| *byte == b',');
        items.filter(|item| is(item, SETTINGS) || is(item, b"upgrade")).for_each(|item| item.fill(b' '));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simplified(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        simplify_offer(&mut bytes);
        assert_eq!(bytes.len(), text.len());
        String::from_utf8(bytes).unwrap()
    }

    /// The value of `Upgrade` after this one was simplified.
    fn upgrade(value: &str) -> String {
        let head = simplified(&format!("GET / HTTP/1.1\r\nUPGRADE: {value}\r\nHost: a,b\r\n\r\n"));
        assert!(head.ends_with("\r\nHost: a,b\r\n\r\n"), "{head}");
        head.lines().nth(1).unwrap()["UPGRADE:".len()..].trim().to_owned()
    }

    #[test]
    fn of_a_list_with_websocket_only_that_is_left() {
        for list in
            ["websocket", "websocket, websocket", "websocket,websocket", "h2c, websocket", "websocket,"]
        {
            assert_eq!(upgrade(list), "websocket", "{list}");
        }
        for other in ["", "h2c", "websockets", "websocket/13, h2c", "h2c,,"] {
            assert_eq!(upgrade(other), other);
        }
    }

    #[test]
    fn an_offer_of_http2_no_longer_asks_for_an_upgrade() {
        let head = |connection: &str| {
            let head =
                simplified(&format!("GET / HTTP/1.1\r\nConnection:{connection}\r\nUpgrade: h2c\r\n\r\n"));
            head.lines().nth(1).unwrap().to_owned()
        };

        assert_eq!(head("Upgrade, HTTP2-Settings").trim_end(), "Connection:       ,");
        assert_eq!(head("keep-alive, Upgrade, HTTP2-Settings").replace(' ', ""), "Connection:keep-alive,,");
        for other in ["Upgrade", "keep-alive, Upgrade", "close", ""] {
            assert_eq!(head(other), format!("Connection:{other}"));
        }
    }

    #[test]
    fn a_head_without_fields_or_names_stays_as_it_is() {
        for head in ["\r\n\r\n", ":\n:\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
            assert_eq!(simplified(head), head);
        }
    }

    #[test]
    fn beside_an_offer_of_websocket_the_connection_still_asks_for_an_upgrade() {
        let head = "GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c, websocket\r\n\r\n";
        assert!(simplified(head).contains("Connection: Upgrade, HTTP2-Settings"), "{}", simplified(head));
    }
}
