//! What a certificate says about itself: how long it is valid, and for which names (RFC 5280).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::civil;
use jiff::tz::TimeZone;

use crate::model::Timestamp;

/// What operators want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// When it begins to be valid.
    pub not_before: Timestamp,
    /// When it ends to be valid.
    pub not_after: Timestamp,
    /// The host names and addresses that it is for.
    pub names: Vec<String>,
}

/// The tags of DER (X.690) that are read.
mod tag {
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const OCTETS: u8 = 0x04;
    pub(super) const OBJECT_ID: u8 = 0x06;
    pub(super) const UTC_TIME: u8 = 0x17;
    pub(super) const GENERALIZED_TIME: u8 = 0x18;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const VERSION: u8 = 0xA0;
    pub(super) const EXTENSIONS: u8 = 0xA3;
    pub(super) const DNS_NAME: u8 = 0x82;
    pub(super) const ADDRESS: u8 = 0x87;
}

/// The id of the extension `subjectAltName`, 2.5.29.17.
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1D, 0x11];

impl CertificateFacts {
    /// Reads a certificate in DER; `None` if it is none.
    pub fn of(der: &[u8]) -> Option<Self> {
        let mut certificate = Reader(Reader(der).expect(tag::SEQUENCE)?);
        let mut fields = Reader(certificate.expect(tag::SEQUENCE)?);
        fields.optional(tag::VERSION);
        // Serial number, algorithm of the signature, issuer.
        (0..3).try_for_each(|_| fields.next().map(|_| ()))?;
        let mut validity = Reader(fields.expect(tag::SEQUENCE)?);
        let (not_before, not_after) = (time(validity.next()?)?, time(validity.next()?)?);
        let names = loop {
            match fields.next() {
                Some((tag::EXTENSIONS, content)) => break names_in(content).unwrap_or_default(),
                Some(_) => {}
                None => break Vec::new(),
            }
        };
        Some(Self { not_before, not_after, names })
    }

    /// Whether it is valid beyond the range of time stamps.
    pub fn is_endless(&self) -> bool {
        self.not_after == Timestamp::from_nanos(i64::MAX)
    }

    /// Whole days from `now` to the end; negative after it.
    pub const fn days_left(&self, now: Timestamp) -> i64 {
        const DAY_SECONDS: i64 = 86_400;
        (self.not_after.seconds() - now.seconds()).div_euclid(DAY_SECONDS)
    }
}

/// Reads one element of DER after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The tag and the content of the next element.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, length], mut rest) = self.0.split_first_chunk::<2>()?;
        let mut size = usize::from(length);
        if length >= 0x80 {
            let (octets, behind) =
                rest.split_at_checked(usize::from(length & 0x7F)).filter(|(o, _)| o.len() <= 4)?;
            size = octets.iter().fold(0, |size, octet| size << 8 | usize::from(*octet));
            rest = behind;
        }
        let (content, rest) = rest.split_at_checked(size)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element, which has this tag.
    fn expect(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().and_then(|(tag, content)| (tag == wanted).then_some(content))
    }

    /// The content of the next element if it has this tag.
    fn optional(&mut self, wanted: u8) -> Option<&'a [u8]> {
        if self.0.first() == Some(&wanted) { self.expect(wanted) } else { None }
    }
}

/// A time, which has a year of two digits up to 2049 and of four from then on.
fn time((tag, content): (u8, &[u8])) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        tag::UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2_000 + year } else { 1_900 + year }, rest)
        }
        tag::GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let field = |index: usize| rest.get(2 * index..2 * index + 2)?.parse::<i8>().ok();
    let date = civil::DateTime::new(year, field(0)?, field(1)?, field(2)?, field(3)?, field(4)?, 0).ok()?;
    // The end of the year 9999 stands for no end, and is beyond all ranges.
    let seconds = date.to_zoned(TimeZone::UTC).map_or(i64::MAX, |time| time.timestamp().as_second());
    Some(Timestamp::from_nanos(seconds.saturating_mul(1_000_000_000)))
}

fn names_in(extensions: &[u8]) -> Option<Vec<String>> {
    let mut extensions = Reader(Reader(extensions).expect(tag::SEQUENCE)?);
    while let Some(extension) = extensions.expect(tag::SEQUENCE) {
        let mut extension = Reader(extension);
        if extension.expect(tag::OBJECT_ID)? != SUBJECT_ALT_NAME {
            continue;
        }
        extension.optional(tag::BOOLEAN);
        let mut names = Reader(Reader(extension.expect(tag::OCTETS)?).expect(tag::SEQUENCE)?);
        let names = std::iter::from_fn(|| names.next());
        return Some(names.filter_map(|(tag, content)| name(tag, content)).collect());
    }
    None
}

fn name(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        tag::DNS_NAME => Some(String::from_utf8_lossy(content).into_owned()),
        tag::ADDRESS => {
            let v4 = content.try_into().ok().map(|octets: [u8; 4]| IpAddr::from(Ipv4Addr::from(octets)));
            let v6 = || content.try_into().ok().map(|octets: [u8; 16]| IpAddr::from(Ipv6Addr::from(octets)));
            v4.or_else(v6).map(|address| address.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    /// By `openssl req -x509 -newkey ec -days 20000 -addext subjectAltName=…`.
    const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBuzCCAWGgAwIBAgIUVw5f16zXb+9OttLDaLBe6RIP544wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGFwZTAgFw0yNjExMzAxMjUyMDJaGA8yMDgxMDkwMjEyNTIw
MlowDzENMAsGA1UEAwwEdGFwZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAUU
MWls9K4DRm3vdR5Jls2IGaoA+DH5j5SUcaqSHkw5vOjLxto5TAzzGSzz6z6fwlZK
0QwWlEIgVil1qlFTaFKjgZgwgZUwHQYDVR0OBBYEFHpAtxvVsVjLEBx4BAvsNf4e
q9O1MB8GA1UdIwQYMBaAFHpAtxvVsVjLEBx4BAvsNf4eq9O1MA8GA1UdEwEB/wQF
MAMBAf8wQgYDVR0RBDswOYIQdGFwZS5leGFtcGxlLm9yZ4INKi5leGFtcGxlLm9y
Z4cEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAKBggqhkjOPQQDAgNIADBFAiBOFwAt
cG62riq6m2zQpB81UMiXyFuRbJZ0Ves30tnVUgIhALbl7fDomcmkB917GVtZsJOx
F4hThez2D3AgaayGKnyN
-----END CERTIFICATE-----";

    /// The end of its validity.
    const END: i64 = 3_524_043_122;

    fn der() -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(PEM.as_bytes()).unwrap()
    }

    #[test]
    fn a_certificate_tells_its_end_and_its_names() {
        let facts = CertificateFacts::of(&der()).unwrap();

        assert_eq!(facts.names, ["tape.example.org", "*.example.org", "127.0.0.1", "::1"]);
        assert_eq!((facts.not_before.seconds(), facts.not_after.seconds()), (1_796_043_122, END));
        let at = |seconds: i64| facts.days_left(Timestamp::from_nanos(seconds * 1_000_000_000));
        assert_eq!((at(END), at(END - 86_400), at(END + 1)), (0, 1, -1));
    }

    #[test]
    fn what_is_cut_off_is_no_certificate() {
        let der = der();
        for len in 0..der.len() {
            assert!(CertificateFacts::of(&der[..len]).is_none(), "{len} bytes");
        }
    }

    #[test]
    fn times_have_two_forms() {
        let seconds = |tag, text: &str| time((tag, text.as_bytes())).map(Timestamp::seconds);

        assert_eq!(seconds(tag::UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(tag::GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert!(seconds(tag::GENERALIZED_TIME, "99991231235959Z").is_some(), "no end");
        for wrong in ["", "Z", "701301000000Z", "7001010000Z", "700101000000", "\u{e9}00101000000Z"] {
            assert_eq!(seconds(tag::UTC_TIME, wrong), None, "{wrong}");
        }
    }
}
