//! The log-in of another service: it signs JSON Web Tokens, and serves its keys.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// The seconds since the Unix epoch.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Signs tokens with one key.
pub struct TokenSigner {
    key: SigningKey,
    id: Option<String>,
}

enum SigningKey {
    Secret(Vec<u8>),
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl TokenSigner {
    /// HS256 with this secret.
    pub fn hs256(secret: &[u8]) -> Self {
        Self { key: SigningKey::Secret(secret.to_owned()), id: None }
    }

    /// RS256 with the key of the test data.
    pub fn rs256(id: &str) -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/jwt/rsa-2048.pkcs8.der");
        let key = RsaKeyPair::from_pkcs8(&std::fs::read(path).unwrap()).unwrap();
        Self { key: SigningKey::Rsa(Box::new(key)), id: Some(id.to_owned()) }
    }

    /// ES256 with a new key.
    pub fn es256(id: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        Self { key: SigningKey::P256(Box::new(key)), id: Some(id.to_owned()) }
    }

    /// The same key, with this id in headers.
    pub fn named(mut self, id: Option<&str>) -> Self {
        self.id = id.map(ToOwned::to_owned);
        self
    }

    /// The name of the algorithm.
    pub fn algorithm(&self) -> &'static str {
        match &self.key {
            SigningKey::Secret(_) => "HS256",
            SigningKey::Rsa(_) => "RS256",
            SigningKey::P256(_) => "ES256",
        }
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        let mut header = json!({"alg": self.algorithm(), "typ": "JWT"});
        if let Some(id) = &self.id {
            header["kid"] = json!(id);
        }
        self.sign(&header.to_string(), &claims.to_string())
    }

    /// A token for `sub`, valid for this time.
    pub fn token_of(&self, sub: &str, seconds: u64) -> String {
        self.token(&json!({"sub": sub, "exp": unix_seconds() + seconds}))
    }

    /// A token of this header and payload, whatever they say.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
        let signature = BASE64.encode(self.signature(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The signature of a text.
    pub fn signature(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            SigningKey::Secret(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text).as_ref().to_owned()
            }
            SigningKey::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).unwrap();
                signature
            }
            SigningKey::P256(key) => key.sign(&random, text).unwrap().as_ref().to_owned(),
        }
    }

    /// The public key, or the secret, as a JWK.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            SigningKey::Secret(secret) => json!({"kty": "oct", "k": BASE64.encode(secret)}),
            SigningKey::Rsa(key) => {
                let RsaPublicKeyComponents { n, e }: RsaPublicKeyComponents<Vec<u8>> = key.public().into();
                json!({"kty": "RSA", "n": BASE64.encode(n), "e": BASE64.encode(e)})
            }
            SigningKey::P256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y)})
            }
        };
        if let Some(id) = &self.id {
            jwk["kid"] = json!(id);
        }
        jwk
    }

    /// The JWK Set of these keys.
    pub fn set(signers: &[&Self]) -> String {
        json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()}).to_string()
    }
}

/// An HTTP server of a JWK Set, which can be changed, and ends with the test.
pub struct KeyServer {
    /// Where it listens.
    pub address: SocketAddr,
    answer: Arc<Mutex<String>>,
    requests: Arc<AtomicUsize>,
}

impl KeyServer {
    /// A server of this set.
    pub fn start(set: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(String::new()));
        let requests = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&requests));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(mut connection) = connection else { return };
                let mut request = Vec::new();
                let mut piece = [0; 1_024];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match connection.read(&mut piece) {
                        Ok(0) | Err(_) => break,
                        Ok(read) => request.extend_from_slice(&piece[..read]),
                    }
                }
                let answer = answers.lock().unwrap().clone();
                count.fetch_add(1, Ordering::SeqCst);
                let _ = connection.write_all(answer.as_bytes());
            }
        });
        let server = Self { address, answer, requests };
        server.serve(set);
        server
    }

    /// The URL of the set.
    pub fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    /// Serves another set from now on.
    pub fn serve(&self, set: &str) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=3600\r\nConnection: close";
        *self.answer.lock().unwrap() = format!("{head}\r\nContent-Length: {}\r\n\r\n{set}", set.len());
    }

    /// Answers with an error from now on.
    pub fn fail(&self) {
        let answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        *self.answer.lock().unwrap() = answer.to_owned();
    }

    /// The number of requests.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
