//! The client side of the NATS protocol, as far as publishing and subscribing need it.

use super::super::protocol::ProtocolError;
use super::{DecodedPacket, Packet};

/// The answer to `PING`.
pub(crate) const PONG: &[u8] = b"PONG\r\n";

/// Identifies a client; errors are reported, successes are not.
pub(crate) const CONNECT: &str =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"load\",\"version\":\"1\",\"protocol\":1}\r\n";

/// The longest accepted line, in bytes; `INFO` is the longest one.
const LINE_LIMIT: usize = 16 << 10;

/// Connects and subscribes. The server answers the `PING` when all subscriptions are in force.
pub(crate) fn greeting(symbols: &[&str]) -> Vec<u8> {
    let mut text = CONNECT.to_owned();
    for (number, symbol) in symbols.iter().enumerate() {
        text += &format!("SUB trades.{symbol} {}\r\n", number + 1);
    }
    (text + "PING\r\n").into_bytes()
}

/// Appends the publication of a message to `out`.
pub(crate) fn publish(out: &mut Vec<u8>, symbol: &str, message: &[u8]) {
    out.extend_from_slice(format!("PUB trades.{symbol} {}\r\n", message.len()).as_bytes());
    out.extend_from_slice(message);
    out.extend_from_slice(b"\r\n");
}

/// Decodes the first line of `bytes`, with the message that follows it.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> DecodedPacket<'_> {
    let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else {
        return if bytes.len() > LINE_LIMIT { Err(invalid(bytes)) } else { Ok(None) };
    };
    let (line, length) = (&bytes[..end], end + 2);
    if line.starts_with(b"MSG ") {
        let size = line.rsplit(|byte| *byte == b' ').next().and_then(number).ok_or_else(|| invalid(line))?;
        let message = bytes.get(length..length + size);
        let is_complete = bytes.len() >= length + size + 2;
        return Ok(message
            .filter(|_| is_complete)
            .map(|message| (Packet::Message(message), length + size + 2)));
    }
    let packet = match line {
        b"PING" => Packet::Ping,
        b"PONG" => Packet::Subscribed,
        b"+OK" => Packet::Other,
        _ if line.starts_with(b"INFO ") => Packet::Other,
        _ => return Err(invalid(line)),
    };
    Ok(Some((packet, length)))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// An error of the server (`-ERR 'reason'`), or a line that is not of the protocol.
fn invalid(line: &[u8]) -> ProtocolError {
    let start = &line[..line.len().min(80)];
    ProtocolError::InvalidPacket(format!("NATS: {}", String::from_utf8_lossy(start)))
}

/// The message as a subscriber gets it.
#[cfg(test)]
pub(crate) fn publish_as_message(subject: &str, message: &[u8]) -> Vec<u8> {
    [format!("MSG {subject} 1 {}\r\n", message.len()).as_bytes(), message, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_subscribes_before_it_asks_for_the_pong() {
        let text = String::from_utf8(greeting(&["S0001", "S0007"])).unwrap();

        assert!(text.ends_with("SUB trades.S0001 1\r\nSUB trades.S0007 2\r\nPING\r\n"));
    }

    #[test]
    fn an_error_of_the_server_is_reported() {
        let error = decode(b"-ERR 'Slow Consumer'\r\n").unwrap_err();

        assert!(error.to_string().contains("Slow Consumer"));
        assert!(decode(b"MSG trades.S0001 1 x\r\n").is_err());
    }
}
