use super::Deflate;

/// The parameters of permessage-deflate that the handshake negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegotiatedDeflate {
    /// The limit that the client sets for our window, in bits.
    server_max_window_bits: Option<u8>,
}

/// The largest window of deflate.
const MAX_WINDOW: u8 = 15;

/// The smallest window with which zlib can compress; an offer of 8, which RFC 7692 allows, is declined.
const MIN_WINDOW: u8 = 9;

impl NegotiatedDeflate {
    /// Accepts the first offer that can be honoured (RFC 7692 section 5); without one, messages are not
    /// compressed. Each item is the value of one `Sec-WebSocket-Extensions` line.
    ///
    /// An offer with an unknown, repeated or invalid parameter is declined (section 7.1), and so is the rest of a
    /// line after a syntax error.
    pub fn from_offers<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        lines.into_iter().find_map(|line| {
            let mut rest = line;
            loop {
                let (extension, after) = extension(rest)?;
                if let Some(accepted) = Self::to(&extension) {
                    return Some(accepted);
                }
                rest = after?;
            }
        })
    }

    /// The response: the value of the server's `Sec-WebSocket-Extensions`.
    pub fn answer(self) -> String {
        let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        match self.server_max_window_bits {
            Some(bits) => format!("{plain}; server_max_window_bits={bits}"),
            None => plain.to_owned(),
        }
    }

    /// The compression of messages to this client.
    pub fn deflate(self) -> Deflate {
        Deflate::within(self.server_max_window_bits.unwrap_or(MAX_WINDOW))
    }

    fn to(offer: &Extension<'_>) -> Option<Self> {
        let mut accepted = Self { server_max_window_bits: None };
        let mut seen = Vec::with_capacity(offer.parameters.len());
        for (name, value) in &offer.parameters {
            match (*name, value.as_deref()) {
                // The response has both in any case (sections 7.1.1.1 and 7.1.1.2).
                ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
                ("server_max_window_bits", Some(bits)) => {
                    accepted.server_max_window_bits = Some(window(bits).filter(|bits| *bits >= MIN_WINDOW)?);
                }
                // Only a hint: the client's messages are inflated with the largest window.
                ("client_max_window_bits", None) => {}
                ("client_max_window_bits", Some(bits)) => {
                    window(bits)?;
                }
                _ => return None,
            }
            if seen.contains(name) {
                return None;
            }
            seen.push(*name);
        }
        offer.name.eq_ignore_ascii_case("permessage-deflate").then_some(accepted)
    }
}

/// A window in bits: 8 to 15, without a leading zero (section 7.1.2).
fn window(text: &str) -> Option<u8> {
    matches!(text, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15").then(|| text.parse().ok())?
}

/// One extension of the list, RFC 6455 section 9.1.
struct Extension<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, Option<String>)>,
}

/// Parses the first extension of a list; returns it and the rest after its comma, if there is one.
fn extension(list: &str) -> Option<(Extension<'_>, Option<&str>)> {
    // A list may have empty elements (RFC 7230 section 7).
    let (name, mut rest) = token(list.trim_start_matches([' ', '\t', ',']))?;
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            return Some((Extension { name, parameters }, Some(after)));
        }
        if rest.is_empty() {
            return Some((Extension { name, parameters }, None));
        }
        let (name, after) = token(rest.strip_prefix(';')?.trim_start())?;
        rest = after.trim_start();
        let value = match rest.strip_prefix('=').map(str::trim_start) {
            None => None,
            Some(quoted) if quoted.starts_with('"') => {
                let (value, after) = unquoted(&quoted[1..])?;
                rest = after;
                Some(value)
            }
            Some(plain) => {
                let (value, after) = token(plain)?;
                rest = after;
                Some(value.to_owned())
            }
        };
        parameters.push((name, value));
    }
}

/// The token at the beginning of the text (RFC 7230 section 3.2.6) and the rest.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The text up to the closing quote, unescaped, and the rest.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    loop {
        match characters.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(characters.next()?.1),
            (_, other) => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    fn answer(offers: &[&str]) -> Option<String> {
        NegotiatedDeflate::from_offers(offers.iter().copied()).map(NegotiatedDeflate::answer)
    }

    #[test]
    fn offers_of_clients_in_use_are_accepted_without_context_takeover() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate;client_max_window_bits=15",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "x-webkit-deflate-frame, Permessage-Deflate ; client_max_window_bits = \"1\\0\" ,",
            ",, permessage-deflate",
        ] {
            assert_eq!(answer(&[offer]).as_deref(), Some(BOTH), "{offer}");
        }
    }

    #[test]
    fn a_limited_window_is_accepted_and_echoed() {
        for bits in MIN_WINDOW..=MAX_WINDOW {
            let offer = format!("permessage-deflate; server_max_window_bits={bits}");
            assert_eq!(answer(&[&offer]), Some(format!("{BOTH}; server_max_window_bits={bits}")));
        }
    }

    #[test]
    fn an_offer_that_cannot_be_honoured_is_declined() {
        for offer in [
            "",
            ",",
            "permessage-bzip2",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=\"15",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
            "permessage-deflate; server_no_context_takeover=true",
            "permessage-deflate; unheard_of",
            "permessage-deflate; unheard_of=\"a, permessage-deflate\"",
            "permessage-deflate client_max_window_bits",
            "permessage-deflate;",
            "permessage-deflate=1",
            "permessage–deflate",
        ] {
            assert_eq!(answer(&[offer]), None, "{offer}");
        }
    }

    #[test]
    fn the_first_acceptable_offer_is_taken_even_from_a_later_line() {
        let narrow = "permessage-deflate; server_max_window_bits=8";
        let fallback = "permessage-deflate; server_max_window_bits=10, permessage-deflate";

        assert_eq!(answer(&[&format!("{narrow}, permessage-deflate")]).as_deref(), Some(BOTH));
        assert_eq!(answer(&[narrow, fallback]), Some(format!("{BOTH}; server_max_window_bits=10")));
        assert_eq!(answer(&["???", fallback]), Some(format!("{BOTH}; server_max_window_bits=10")));
    }
}
