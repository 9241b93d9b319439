use ring::signature::Ed25519KeyPair;
use thiserror::Error;

/// The credentials of a NATS user: a token, and the key with which it signs what the server sends.
///
/// The file is the one that `nsc` writes (`.creds`). We read it ourselves: the client library would bring 24 more crates,
/// among them a second implementation of Ed25519 and of SHA-2.
#[derive(Debug)]
pub(super) struct NatsCredentials {
    token: String,
    key: Ed25519KeyPair,
}

/// The bytes with which the seed of a user begins: the letters `S` and `U`, five bits each.
const USER_SEED: [u8; 2] = [0b1001_0101, 0];

/// The file of credentials cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum CredentialsError {
    /// There is no token or no seed in it.
    #[error("it has no token (NATS USER JWT) or no seed (USER NKEY SEED)")]
    Incomplete,
    /// The seed is not one of a user.
    #[error("its seed is not one of a user")]
    Seed,
}

/// Checks that a file of credentials can be used.
///
/// # Errors
/// When it cannot be read, or its content not be used; the text says why.
pub fn check_credentials(path: &std::path::Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    NatsCredentials::parse(&text).map(|_| ()).map_err(|error| error.to_string())
}

impl NatsCredentials {
    /// Reads the text of a file.
    pub(super) fn parse(text: &str) -> Result<Self, CredentialsError> {
        let within = |name: &str| {
            let mut lines = text
                .lines()
                .map(str::trim)
                .skip_while(|line| !(line.starts_with("-----BEGIN") && line.contains(name)));
            lines.nth(1).filter(|line| !line.is_empty() && !line.starts_with('-'))
        };
        let token = within("NATS USER JWT").ok_or(CredentialsError::Incomplete)?;
        let seed = within("USER NKEY SEED").ok_or(CredentialsError::Incomplete)?;
        let seed = base32(seed).ok_or(CredentialsError::Seed)?;
        // Two bytes that say "seed of a user", the seed, and a checksum.
        let [first, second, seed @ .., low, high] = seed.as_slice() else {
            return Err(CredentialsError::Seed);
        };
        let is_user = [*first, *second] == USER_SEED;
        let checked = &[&[*first, *second], seed].concat();
        if !is_user || crc16(checked) != u16::from_le_bytes([*low, *high]) {
            return Err(CredentialsError::Seed);
        }
        let key = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| CredentialsError::Seed)?;
        Ok(Self { token: token.to_owned(), key })
    }

    /// The token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The signature of what the server sent.
    pub(super) fn sign(&self, nonce: &[u8]) -> Vec<u8> {
        self.key.sign(nonce).as_ref().to_vec()
    }
}

/// Decodes base 32 without padding (RFC 4648).
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

/// CRC-16 of XMODEM, which NATS' keys end with.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8)
            .fold(crc ^ u16::from(*byte) << 8, |crc, _| crc << 1 ^ if crc & 0x8000 != 0 { 0x1021 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of async-nats.
    const SEED: &str = "SUAIO3FHUX5PNV2LQIIP7TZ3N4L7TX3W53MQGEIVYFIGA635OZCKEYHFLM";

    #[test]
    fn a_file_of_credentials_is_read() {
        let file = |seed: &str| {
            format!(
                "-----BEGIN NATS USER JWT-----\neyJ0.abc.def\n------END NATS USER JWT------\n\nNKEY Seed\n\n\
                 -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            )
        };

        let credentials = NatsCredentials::parse(&file(SEED)).unwrap();

        assert_eq!((credentials.token(), credentials.sign(b"nonce").len()), ("eyJ0.abc.def", 64));
        let damaged = SEED.replace("PNV2", "PNV3");
        assert_eq!(NatsCredentials::parse(&file(&damaged)).unwrap_err(), CredentialsError::Seed);
        assert_eq!(NatsCredentials::parse(&file("-")).unwrap_err(), CredentialsError::Incomplete);
        assert_eq!(NatsCredentials::parse("").unwrap_err(), CredentialsError::Incomplete);
    }
}
