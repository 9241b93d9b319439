//! The client side of MQTT 3.1.1, as far as publishing and subscribing with quality of service 0 need it.

use super::super::protocol::ProtocolError;
use super::{DecodedPacket, Packet};

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
/// With the flags that the standard demands (3.8.1).
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;

/// A return code of `SUBACK` from which a subscription has failed (3.9.3).
const SUBSCRIPTION_FAILED: u8 = 0x80;

/// Connects and subscribes. The server answers all topics in one `SUBACK`.
pub(crate) fn greeting(session: usize, symbols: &[&str]) -> Vec<u8> {
    let mut bytes = connect(&format!("load-{}-{session}", std::process::id()));
    // The packet identifier is not 0.
    let mut body = vec![0, 1];
    for symbol in symbols {
        push_string(&mut body, &format!("trades/{symbol}"));
        body.push(0);
    }
    push_packet(&mut bytes, SUBSCRIBE, &body);
    bytes
}

/// A clean session without keep-alive.
pub(crate) fn connect(client: &str) -> Vec<u8> {
    const CLEAN_SESSION: u8 = 2;
    let mut body = Vec::new();
    push_string(&mut body, "MQTT");
    body.extend_from_slice(&[4, CLEAN_SESSION, 0, 0]);
    push_string(&mut body, client);
    let mut bytes = Vec::new();
    push_packet(&mut bytes, CONNECT, &body);
    bytes
}

/// Appends the publication of a message to `out`.
pub(crate) fn publish(out: &mut Vec<u8>, topic: &str, message: &[u8]) {
    let mut body = Vec::with_capacity(2 + topic.len() + message.len());
    push_string(&mut body, topic);
    body.extend_from_slice(message);
    push_packet(out, PUBLISH, &body);
}

fn push_packet(out: &mut Vec<u8>, header: u8, body: &[u8]) {
    out.push(header);
    let mut rest = body.len();
    loop {
        let digit = (rest % 128) as u8;
        rest /= 128;
        out.push(if rest > 0 { digit | 0x80 } else { digit });
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Decodes the first packet of `bytes`.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> DecodedPacket<'_> {
    let Some((size, start)) = remaining_length(bytes)? else { return Ok(None) };
    let Some(body) = bytes.get(start..start + size) else { return Ok(None) };
    let packet = match bytes[0] & 0xF0 {
        PUBLISH => {
            let topic = body.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
            let message = topic.and_then(|topic| body.get(2 + topic..));
            Packet::Message(message.ok_or_else(|| invalid("a PUBLISH without a topic"))?)
        }
        CONNACK => match body {
            [_, 0] => Packet::Other,
            [_, code] => return Err(ProtocolError::Refused { code: (*code).into() }),
            _ => return Err(invalid("a CONNACK of the wrong length")),
        },
        SUBACK if body[2.min(size)..].iter().any(|code| *code >= SUBSCRIPTION_FAILED) => {
            return Err(invalid("a subscription failed"));
        }
        SUBACK => Packet::Subscribed,
        _ => Packet::Other,
    };
    Ok(Some((packet, start + size)))
}

/// The length of the body and where it starts (2.2.3).
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, ProtocolError> {
    const MAX_DIGITS: usize = 4;
    let mut size = 0;
    for (place, &byte) in bytes.iter().skip(1).take(MAX_DIGITS).enumerate() {
        size |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((size, place + 2)));
        }
    }
    if bytes.len() > MAX_DIGITS { Err(invalid("a length of more than four bytes")) } else { Ok(None) }
}

fn invalid(reason: &str) -> ProtocolError {
    ProtocolError::InvalidPacket(format!("MQTT: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_connects_and_subscribes_to_all_topics_at_once() {
        let bytes = greeting(7, &["S0001", "S0002"]);

        let length = 2 + usize::from(bytes[1]);
        assert_eq!((bytes[0], &bytes[4..8]), (CONNECT, b"MQTT".as_slice()));
        let subscribe = &bytes[length..];
        assert_eq!(subscribe[..6], [SUBSCRIBE, 32, 0, 1, 0, 12]);
        assert_eq!(subscribe.len(), 34);
    }

    #[test]
    fn a_refusal_is_an_error() {
        assert_eq!(decode(&[0x20, 2, 0, 5]), Err(ProtocolError::Refused { code: 5 }));
        assert!(decode(&[0x90, 3, 0, 1, 0x80]).is_err());
        assert!(decode(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1]).is_err());
        assert_eq!(decode(&[0x30, 0xFF]), Ok(None));
    }
}
