//! What proxies report about the client: `X-Forwarded-For`, and `Forwarded` (RFC 7239).
//!
//! Each proxy appends at the right, so everything is read from the right, byte by byte: what a client made up
//! further left, including text that is not UTF-8 or quotes that are not closed, changes nothing.

use std::hash::{DefaultHasher, Hasher};
use std::net::{IpAddr, Ipv6Addr};

/// The sender of a request as a proxy reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// Its address.
    Address(IpAddr),
    /// Anything else: `unknown`, an obfuscated identifier such as `_hidden` (RFC 7239 section 6.3), or text
    /// that this version cannot read. The address stands for this text; see [`stand_in`].
    Identifier(IpAddr),
}

/// The hops of the `X-Forwarded-For` lines, the last one first. Empty list elements do not count (RFC 9110
/// section 5.6.1.2).
pub(super) fn forwarded_for<'a>(
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Option<Hop>> {
    let elements = lines.rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty()).map(|element| Some(hop(element)))
}

/// The hops of the `Forwarded` lines, the last one first; `None` for an element that reports no sender.
pub(super) fn forwarded<'a>(
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Option<Hop>> {
    let elements = lines.rev().flat_map(|line| QuotedSplit { rest: Some(line), separator: b',' });
    elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty()).map(sender)
}

/// The parameter `for` of one element of `Forwarded`; `None` if it is missing or given twice.
fn sender(element: &[u8]) -> Option<Hop> {
    let pairs = QuotedSplit { rest: Some(element), separator: b';' };
    let mut values = pairs.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&pair[..equals], &pair[equals + 1..]);
        name.trim_ascii().eq_ignore_ascii_case(b"for").then_some(value)
    });
    let value = values.next()?;
    values.next().is_none().then(|| hop(value))
}

/// Splits at a separator outside of quotes, from the right.
struct QuotedSplit<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for QuotedSplit<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let mut is_quoted = false;
        for place in (0..rest.len()).rev() {
            match rest[place] {
                b'"' if !is_escaped(&rest[..place]) => is_quoted = !is_quoted,
                byte if byte == self.separator && !is_quoted => {
                    self.rest = Some(&rest[..place]);
                    return Some(&rest[place + 1..]);
                }
                _ => {}
            }
        }
        self.rest.take()
    }
}

/// Whether the byte after this text is escaped: an odd number of backslashes precedes it.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

fn hop(text: &[u8]) -> Hop {
    let text = unquoted(text.trim_ascii());
    address(text).map_or_else(|| Hop::Identifier(stand_in(text)), Hop::Address)
}

fn unquoted(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    inner.unwrap_or(text).trim_ascii()
}

/// The address in any of its usual forms: `1.2.3.4`, `2001:db8::1`, each in brackets or not, with a port or
/// not, with a zone or not (`fe80::1%eth0`).
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (inner, after) = bracketed.split_once(']')?;
        return bare_address(inner)
            .filter(|_| after.is_empty() || after.strip_prefix(':').is_some_and(is_port));
    }
    let with_port = || {
        let (address, port) = text.rsplit_once(':')?;
        bare_address(address).filter(|_| is_port(port))
    };
    bare_address(text).or_else(with_port)
}

fn bare_address(text: &str) -> Option<IpAddr> {
    let without_zone = text.split_once('%').map_or(text, |(address, _)| address);
    without_zone.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A port, which may be obfuscated (RFC 7239 section 6).
fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// An address that stands for an identifier in limits per address and in logs, so that clients whose address
/// a proxy hides do not share one limit.
///
/// It is in 100::/8, which is reserved (RFC 4291 section 2.4): no host has such an address. The identifier is
/// in the first 64 bits, which [`rate_limit_key`](crate::limits::rate_limit_key) keeps.
fn stand_in(text: &[u8]) -> IpAddr {
    const RESERVED: u64 = 0x01 << 56;
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    let prefix = RESERVED | hasher.finish() >> 8;
    IpAddr::V6(Ipv6Addr::from(u128::from(prefix) << 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<Hop> {
        Some(Hop::Address(text.parse().unwrap()))
    }

    fn is_identifier(hop: Option<Hop>) -> bool {
        matches!(hop, Some(Hop::Identifier(_)))
    }

    fn of_forwarded_for(lines: &[&[u8]]) -> Vec<Option<Hop>> {
        forwarded_for(lines.iter().copied()).collect()
    }

    fn of_forwarded(lines: &[&[u8]]) -> Vec<Option<Hop>> {
        forwarded(lines.iter().copied()).collect()
    }

    #[test]
    fn an_address_is_read_in_all_of_its_usual_forms() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7:4711\t", "203.0.113.7"),
            ("\"203.0.113.7:4711\"", "203.0.113.7"),
            ("[203.0.113.7]", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:_obfuscated", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1:443", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
        ] {
            assert_eq!(of_forwarded_for(&[text.as_bytes()]), [ip(address)], "{text}");
        }
    }

    #[test]
    fn text_that_is_no_address_stands_for_itself() {
        let texts: [&[u8]; 9] = [
            b"unknown",
            b"_hidden",
            b"_hidden2",
            b"unix:",
            b"\xff\xfe",
            b"[2001:db8::1",
            b"[2001:db8::1]x",
            b"1.2.3.4:",
            b"300.1.1.1",
        ];
        let found: Vec<_> = texts.iter().map(|text| of_forwarded_for(&[text])[0]).collect();

        assert!(found.iter().copied().all(is_identifier), "{found:?}");
        for (place, one) in found.iter().enumerate() {
            assert!(!found[..place].contains(one), "{place}");
        }
        assert_eq!(of_forwarded_for(&[b" \"_hidden\" "])[0], found[1]);
        let Some(Hop::Identifier(address)) = found[0] else { unreachable!() };
        assert_eq!(crate::limits::rate_limit_key(address), address, "limits tell identifiers apart");
    }

    #[test]
    fn lists_and_lines_are_read_from_the_right() {
        let lines: [&[u8]; 3] = [b"1.1.1.1, \xc3\xa4", b"", b"2.2.2.2 ,, [::2]:1 ,"];

        let hops = of_forwarded_for(&lines);

        assert_eq!(hops[..2], [ip("::2"), ip("2.2.2.2")]);
        assert!(is_identifier(hops[2]));
        assert_eq!(hops[3..], [ip("1.1.1.1")]);
    }

    #[test]
    fn the_sender_of_a_forwarded_element_is_its_parameter_for() {
        for (text, sender) in [
            ("for=203.0.113.7", ip("203.0.113.7")),
            ("For=\"[2001:db8:cafe::17]:4711\"", ip("2001:db8:cafe::17")),
            ("proto=https; by=203.0.113.43 ;FOR = 203.0.113.7;host=a", ip("203.0.113.7")),
            ("by=203.0.113.43", None),
            ("for", None),
            ("for=1.1.1.1;for=2.2.2.2", None),
            ("host=\"a;for=6.6.6.6\";for=203.0.113.7", ip("203.0.113.7")),
            ("for=203.0.113.7;host=\"a, for=6.6.6.6\"", ip("203.0.113.7")),
            (r#"for=203.0.113.7;host="a\", for=6.6.6.6""#, ip("203.0.113.7")),
        ] {
            assert_eq!(of_forwarded(&[text.as_bytes()]), [sender], "{text}");
        }
        assert!(is_identifier(of_forwarded(&[b"for=unknown"])[0]));
        assert!(is_identifier(of_forwarded(&[b"for=_mdn"])[0]));
    }

    #[test]
    fn a_quote_that_a_client_left_open_does_not_hide_what_the_proxy_added() {
        let one_line = of_forwarded(&[b"for=\"6.6.6.6, for=203.0.113.7"]);
        let two_lines = of_forwarded(&[b"for=\"6.6.6.6;\xff", b"for=203.0.113.7, for=10.1.1.1"]);

        assert_eq!(one_line[0], ip("203.0.113.7"));
        assert_eq!(two_lines[..2], [ip("10.1.1.1"), ip("203.0.113.7")]);
    }
}
