use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use test_support::TokenSigner;

use super::*;
use crate::auth::jwt::{KeySetError, KeySetOrigin};
use crate::model::{Feed, SECOND};

const SECRET: &[u8] = b"a secret of another log-in, 40 bytes long";

/// The time of all tests, in seconds.
const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * SECOND)
}

fn rules() -> TokenRules {
    TokenRules { leeway: Duration::from_secs(30), ..TokenRules::default() }
}

/// A verifier of the keys of these signers.
fn verifier(rules: TokenRules, signers: &[&TokenSigner]) -> TokenVerifier {
    let set = KeySet::of_jwks(TokenSigner::set(signers).as_bytes(), KeySetOrigin::File).unwrap();
    TokenVerifier::new(rules, KeySet::default(), set, TokenMetrics::default())
}

fn verify(verifier: &TokenVerifier, token: &str) -> Result<Claims, TokenFault> {
    verifier.verify(token, at(NOW))
}

fn claims() -> Value {
    json!({"sub": "anna", "exp": NOW + 60})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[test]
fn tokens_of_each_algorithm_are_verified_by_its_keys() {
    let signers = [TokenSigner::hs256(SECRET), TokenSigner::rs256("r"), TokenSigner::es256("e")];
    let verifier = verifier(rules(), &signers.each_ref());

    for signer in &signers {
        let claims = verify(&verifier, &signer.token(&claims())).unwrap();
        assert_eq!(
            (claims.subject.as_str(), claims.expires),
            ("anna", at(NOW + 90)),
            "{}",
            signer.algorithm()
        );
        assert_eq!(claims.entitlements, Default::default());
    }
}

/// The example of RFC 7515, appendix A.3: neither signer nor verifier of it is ours.
#[test]
fn the_signature_of_the_rfc_is_right_and_its_payload_lacks_our_claims() {
    let set = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    let set = KeySet::of_jwks(set.as_bytes(), KeySetOrigin::Server).unwrap();
    let verifier = TokenVerifier::new(
        TokenRules { issuer: Some("joe".into()), ..rules() },
        KeySet::default(),
        set,
        TokenMetrics::default(),
    );
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    assert_eq!(verify(&verifier, token), Err(TokenFault::Expired));
    assert_eq!(verifier.verify(token, at(1_300_819_000)), Err(TokenFault::Missing("sub")));
    let other = token.replace("NU1Q", "NU1A");
    assert_eq!(verify(&verifier, &other), Err(TokenFault::Signature));
}

/// The attacks of RFC 8725, and what else a token may not be.
#[test]
fn attacks_are_refused_each_for_its_reason() {
    let (secret, rsa, p256) = (TokenSigner::hs256(SECRET), TokenSigner::rs256("r"), TokenSigner::es256("e"));
    let verifier = verifier(rules(), &[&secret, &rsa, &p256]);
    let payload = claims().to_string();
    let good = secret.token(&claims());
    let [header, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let unsigned = |alg: &str| format!("{}.{body}.", BASE64.encode(json!({"alg": alg}).to_string()));
    let rsa_jwk = rsa.jwk();
    let modulus = BASE64.decode(rsa_jwk["n"].as_str().unwrap()).unwrap();
    // The public key in the forms in which programs read it, taken for the secret of an HMAC.
    let confused = |secret: &[u8]| TokenSigner::hs256(secret).named(Some("r")).token(&claims());
    let rsa_token = rsa.token(&claims());
    let signed_by_rsa = rsa_token.rsplit_once('.').unwrap().1;
    let p256_token = p256.token(&claims());
    let (signed, raw) = p256_token.rsplit_once('.').unwrap();
    let raw = BASE64.decode(raw).unwrap();
    let integer = |half: &[u8]| {
        let zero = if half[0] & 0x80 == 0 { vec![] } else { vec![0] };
        [&[2, (zero.len() + half.len()) as u8], &zero[..], half].concat()
    };
    let integers = [integer(&raw[..32]), integer(&raw[32..])].concat();
    let der = [&[0x30, integers.len() as u8], &integers[..]].concat();
    let p256_with = |signature: &[u8]| format!("{signed}.{}", BASE64.encode(signature));
    let stranger = TokenSigner::es256("e");
    let embedded = json!({"alg": "ES256", "jwk": stranger.jwk(), "kid": "e"}).to_string();
    let elsewhere =
        json!({"alg": "ES256", "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/", "kid": "s"});
    let nested = json!({"alg": "HS256", "cty": "JWT"}).to_string();
    let twice = r#"{"alg":"HS256","alg":"none"}"#;
    // The 43 letters of 32 bytes have two bits more, which are zero.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(&good[good.len() - 1..]).unwrap();
    let loose = format!("{}{}", &good[..good.len() - 1], &alphabet[last + 1..last + 2]);

    for (token, expected, what) in [
        (unsigned("none"), TokenFault::Algorithm, "alg none"),
        (unsigned("None"), TokenFault::Algorithm, "alg none in other case"),
        (unsigned("NONE"), TokenFault::Algorithm, "alg none in other case"),
        (unsigned("hs256"), TokenFault::Algorithm, "names have a case"),
        (unsigned("HS512"), TokenFault::Algorithm, "an algorithm that is not accepted"),
        (unsigned("PS256"), TokenFault::Algorithm, "an algorithm that is not accepted"),
        (unsigned("HS256"), TokenFault::Signature, "no signature"),
        (unsigned("RS256"), TokenFault::Signature, "no signature"),
        (unsigned("ES256"), TokenFault::Signature, "no signature"),
        (confused(&modulus), TokenFault::Signature, "the modulus as secret"),
        (confused(rsa_jwk.to_string().as_bytes()), TokenFault::Signature, "the JWK as secret"),
        (confused(b""), TokenFault::Signature, "an empty secret"),
        (format!("{header}.{body}.{signed_by_rsa}"), TokenFault::Signature, "a signature of another key"),
        (TokenSigner::hs256(&[0; 32]).token(&claims()), TokenFault::Signature, "another secret"),
        (stranger.token(&claims()), TokenFault::Signature, "another key of the same id"),
        (p256_with(&der), TokenFault::Signature, "the signature in DER"),
        (p256_with(&[0; 64]), TokenFault::Signature, "zeros (CVE-2022-21449)"),
        (p256_with(&raw[..63]), TokenFault::Signature, "too short"),
        (p256_with(&[&raw[..], &[0]].concat()), TokenFault::Signature, "too long"),
        (stranger.sign(&embedded, &payload), TokenFault::Signature, "its own key in the header"),
        (stranger.sign(&elsewhere.to_string(), &payload), TokenFault::UnknownKey, "its key elsewhere"),
        (
            p256.sign(r#"{"alg":"ES256","kid":"../../dev/null"}"#, &payload),
            TokenFault::UnknownKey,
            "a path as kid",
        ),
        (p256.sign(r#"{"alg":"ES256","kid":"e' OR 1=1"}"#, &payload), TokenFault::UnknownKey, "SQL as kid"),
        (p256.sign(r#"{"alg":"ES256","kid":7}"#, &payload), TokenFault::Header, "kid is no text"),
        (
            p256.sign(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "x".repeat(257)), &payload),
            TokenFault::Header,
            "a long kid",
        ),
        (
            p256.sign(r#"{"alg":"ES256","kid":"r"}"#, &payload),
            TokenFault::UnknownKey,
            "the id of a key of another kind",
        ),
        (secret.sign(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, &payload), TokenFault::Critical, "crit"),
        (secret.sign(r#"{"alg":"HS256","crit":[]}"#, &payload), TokenFault::Critical, "crit that is empty"),
        (secret.sign(r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#, &payload), TokenFault::Critical, "b64"),
        (secret.sign(&nested, &good), TokenFault::Kind, "nested"),
        (
            secret.sign(r#"{"alg":"HS256","typ":"logout+jwt"}"#, &payload),
            TokenFault::Kind,
            "for another purpose",
        ),
        (secret.sign(r#"{"alg":"HS256","typ":"JOSE+JSON"}"#, &payload), TokenFault::Kind, "of another kind"),
        (secret.sign(twice, &payload), TokenFault::Header, "alg twice"),
        (secret.sign("[]", &payload), TokenFault::Header, "a header that is no object"),
        (secret.sign("{}", &payload), TokenFault::Header, "no alg"),
        (secret.sign(r#"{"alg":["HS256"]}"#, &payload), TokenFault::Header, "alg is no text"),
        (
            secret.sign(r#"{"alg":"HS256"}"#, r#"{"sub":"anna","sub":"admin","exp":9e9}"#),
            TokenFault::Payload,
            "a claim twice",
        ),
        (
            secret.sign(
                r#"{"alg":"HS256"}"#,
                r#"{"sub":"anna","exp":9e9,"limits":{"max_symbols":1,"max_symbols":2}}"#,
            ),
            TokenFault::Payload,
            "a member of a claim twice",
        ),
        (secret.sign(r#"{"alg":"HS256"}"#, "[]"), TokenFault::Payload, "a payload that is no object"),
        (
            secret.sign(r#"{"alg":"HS256"}"#, r#"{"sub":"anna","exp":9e9,"limits":[1,2]}"#),
            TokenFault::Malformed("limits"),
            "limits in a list",
        ),
        (secret.sign(r#"{"alg":"HS256"}"#, "hello"), TokenFault::Payload, "a payload that is no JSON"),
        (format!("{good}="), TokenFault::Form, "padding"),
        (format!("{header}=.{body}.{signature}"), TokenFault::Form, "padding"),
        (good.replace('.', " ."), TokenFault::Form, "white space"),
        (format!("{good}\n"), TokenFault::Form, "a line end"),
        (loose, TokenFault::Form, "bits that decode to nothing"),
        (format!("{header}.{body}"), TokenFault::Form, "two parts"),
        (format!("{good}.AAAA"), TokenFault::Form, "four parts"),
        (format!("{header}..{signature}.{body}.AAAA"), TokenFault::Form, "five parts, encrypted"),
        (String::new(), TokenFault::Form, "nothing"),
        ("..".to_owned(), TokenFault::Header, "nothing in three parts"),
        (
            format!("{}.{body}.{signature}", STANDARD.encode("{\"alg\":\"HS256\",\"x\":\"??>>~~\"}")),
            TokenFault::Form,
            "another alphabet",
        ),
        (format!("{good}{}", "A".repeat(8_192)), TokenFault::TooLong, "8 KiB and more"),
    ] {
        assert_eq!(verify(&verifier, &token), Err(expected), "{what}: {token}");
    }
    assert!(URL_SAFE.decode(signature).is_err(), "the good one has no padding");
    assert!(verify(&verifier, &good).is_ok() && verify(&verifier, &p256_with(&raw)).is_ok());
}

#[test]
fn a_long_header_or_payload_is_refused_before_it_is_parsed() {
    let signer = TokenSigner::hs256(SECRET);
    let verifier = verifier(rules(), &[&signer]);
    let padded = |bytes: usize| signer.token(&with(claims(), "pad", json!("x".repeat(bytes))));

    assert!(verify(&verifier, &padded(5_900)).is_ok());
    assert_eq!(verify(&verifier, &padded(8_000)), Err(TokenFault::TooLong));
    let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
    let token = signer.sign(r#"{"alg":"HS256"}"#, &format!(r#"{{"a":{deep}}}"#));
    assert_eq!(verify(&verifier, &token), Err(TokenFault::Payload), "nested deeper than the parser goes");
}

#[test]
fn a_token_is_valid_from_its_start_to_its_end_with_a_leeway() {
    let signer = TokenSigner::hs256(SECRET);
    let verifier = verifier(rules(), &[&signer]);
    let result = |claims: Value| verify(&verifier, &signer.token(&claims)).map(|_| ());

    for (exp, expected) in [
        (json!(NOW + 1), Ok(())),
        (json!(NOW - 29), Ok(())),
        (json!(NOW - 30), Err(TokenFault::Expired)),
        (json!(NOW as f64 - 29.5), Ok(())),
        (json!(1e300), Ok(())),
        (json!(-1), Err(TokenFault::Expired)),
        (json!(-1e300), Err(TokenFault::Expired)),
        (json!("2027-01-01"), Err(TokenFault::Malformed("exp"))),
        (json!(null), Err(TokenFault::Malformed("exp"))),
    ] {
        assert_eq!(result(json!({"sub": "a", "exp": exp})), expected, "exp {exp}");
    }
    assert_eq!(result(json!({"sub": "a"})), Err(TokenFault::Missing("exp")));
    for claim in ["nbf", "iat"] {
        assert_eq!(result(with(claims(), claim, json!(NOW + 30))), Ok(()), "{claim}");
        assert_eq!(result(with(claims(), claim, json!(NOW + 31))), Err(TokenFault::NotYetValid), "{claim}");
        assert_eq!(result(with(claims(), claim, json!([]))), Err(TokenFault::Malformed(claim)), "{claim}");
    }
}

#[test]
fn audience_and_issuer_are_those_that_are_configured() {
    let signer = TokenSigner::hs256(SECRET);
    let rules = |audiences: &[&str], issuer: Option<&str>| TokenRules {
        audiences: audiences.iter().map(ToString::to_string).collect(),
        issuer: issuer.map(ToOwned::to_owned),
        ..rules()
    };
    let result = |rules: TokenRules, name: &str, value: Value| {
        let token = signer.token(&with(claims(), name, value));
        verify(&verifier(rules, &[&signer]), &token).map(|_| ())
    };

    for (aud, expected) in [
        (json!("tape"), Ok(())),
        (json!(["x", "tape"]), Ok(())),
        (json!("tape2"), Err(TokenFault::Audience)),
        (json!("Tape"), Err(TokenFault::Audience)),
        (json!([]), Err(TokenFault::Audience)),
        (json!([1]), Err(TokenFault::Malformed("aud"))),
        (json!(null), Err(TokenFault::Malformed("aud"))),
    ] {
        assert_eq!(result(rules(&["tape", "feed"], None), "aud", aud.clone()), expected, "{aud}");
    }
    assert_eq!(result(rules(&["tape"], None), "x", json!(1)), Err(TokenFault::Audience), "no audience");
    assert_eq!(result(rules(&[], None), "aud", json!("tape")), Err(TokenFault::Audience), "for another");

    assert_eq!(result(rules(&[], Some("https://a")), "iss", json!("https://a")), Ok(()));
    assert_eq!(result(rules(&[], Some("https://a")), "iss", json!("https://a/")), Err(TokenFault::Issuer));
    assert_eq!(result(rules(&[], Some("https://a")), "x", json!(1)), Err(TokenFault::Issuer), "no issuer");
    assert_eq!(result(rules(&[], None), "iss", json!("anyone")), Ok(()));
    assert_eq!(result(rules(&[], None), "iss", json!(["a"])), Err(TokenFault::Malformed("iss")));
}

#[test]
fn claims_become_what_a_key_allows_and_malformed_ones_refuse_the_token() {
    let signer = TokenSigner::hs256(SECRET);
    let verifier = verifier(rules(), &[&signer]);
    let all = json!({
        "sub": "auth0|anna", "exp": NOW + 60, "name": "Anna", "feeds": ["iex"], "symbols": ["MSFT", "AAPL"],
        "topics": {"subscribe": ["chat:*"], "publish": ["chat:AAPL"]},
        "limits": {"max_sessions": 2, "max_symbols": 50}, "control": true,
    });

    let claims_of = verify(&verifier, &signer.token(&all)).unwrap();
    assert_eq!(claims_of.entitlements.feeds, Some(vec![Feed::IEX]));
    assert_eq!(claims_of.entitlements.symbols.as_ref().map(Vec::len), Some(2));
    assert_eq!(
        (claims_of.entitlements.max_sessions, claims_of.entitlements.max_symbols),
        (Some(2), Some(50))
    );
    assert!(claims_of.entitlements.control && !claims_of.topics.allow_all_subscriptions());
    let key = crate::auth::Key::of_token(claims_of);
    assert_eq!(key.id(), "jwt:auth0|anna");
    assert!(key.allows_symbol(&"AAPL".parse().unwrap()) && !key.allows_symbol(&"KO".parse().unwrap()));

    for (name, value) in [
        ("sub", json!("")),
        ("sub", json!("a b")),
        ("sub", json!("Bücher")),
        ("sub", json!("x".repeat(129))),
        ("sub", json!(7)),
        ("feeds", json!("iex")),
        ("feeds", json!(["NASDAQ"])),
        ("feeds", json!(null)),
        ("symbols", json!(["A B"])),
        ("symbols", json!({"AAPL": true})),
        ("topics", json!(["chat:*"])),
        ("topics", json!({"read": ["chat:*"]})),
        ("topics", json!({"publish": ["chat"]})),
        ("limits", json!({"max_symbol": 5})),
        ("limits", json!({"max_sessions": -1})),
        ("control", json!("yes")),
    ] {
        let claim = name;
        let refused = verify(&verifier, &signer.token(&with(claims(), name, value.clone()))).unwrap_err();
        assert_eq!(refused, TokenFault::Malformed(claim), "{name} {value}");
    }
}

#[test]
fn a_key_is_selected_by_its_id_and_without_one_only_if_there_is_no_other() {
    let (old, new) = (TokenSigner::es256("old"), TokenSigner::es256("new"));
    let both = verifier(rules(), &[&old, &new]);
    assert!(verify(&both, &old.token(&claims())).is_ok() && verify(&both, &new.token(&claims())).is_ok());
    let new = new.named(None);
    assert_eq!(verify(&both, &new.token(&claims())), Err(TokenFault::UnknownKey), "which of two?");

    both.set_keys(KeySet::of_jwks(TokenSigner::set(&[&new]).as_bytes(), KeySetOrigin::Server).unwrap());
    assert_eq!(verify(&both, &old.token(&claims())), Err(TokenFault::Signature), "the old one is gone");
    assert!(verify(&both, &new.token(&claims())).is_ok());
    let named = new.named(Some("another name"));
    assert!(verify(&both, &named.token(&claims())).is_ok(), "the key has no id");
}

#[test]
fn a_set_holds_the_keys_that_can_be_used() {
    let (rsa, p256) = (TokenSigner::rs256("r"), TokenSigner::es256("e"));
    let parse = |keys: Value, origin| KeySet::of_jwks(json!({"keys": keys}).to_string().as_bytes(), origin);
    let count = |keys: Value| parse(keys, KeySetOrigin::File).map(|set| set.len());
    let changed = |signer: &TokenSigner, name: &str, value: Value| with(signer.jwk(), name, value);

    let for_others = json!([
        changed(&rsa, "use", json!("enc")),
        changed(&rsa, "alg", json!("RS512")),
        changed(&rsa, "alg", json!("HS256")),
        changed(&rsa, "key_ops", json!(["encrypt"])),
        changed(&rsa, "n", json!("AQAB")),
        changed(&rsa, "n", json!(7)),
        changed(&p256, "crv", json!("P-384")),
        changed(&p256, "x", json!("AQAB")),
        {"kty": "OKP", "crv": "Ed25519", "x": "AQAB"},
        {"kty": "oct", "k": BASE64.encode([7; 31])},
        "no key",
    ]);
    assert_eq!(count(for_others.clone()), Err(KeySetError::NoUsableKey));
    let mut mixed = for_others.as_array().unwrap().clone();
    mixed.extend([changed(&rsa, "use", json!("sig")), changed(&p256, "alg", json!("ES256"))]);
    assert_eq!(count(json!(mixed)), Ok(2));
    let zeros =
        BASE64.encode([&[0, 0], &BASE64.decode(rsa.jwk()["n"].as_str().unwrap()).unwrap()[..]].concat());
    let leading = TokenVerifier::new(
        rules(),
        KeySet::default(),
        parse(json!([changed(&rsa, "n", json!(zeros))]), KeySetOrigin::Server).unwrap(),
        TokenMetrics::default(),
    );
    assert!(verify(&leading, &rsa.token(&claims())).is_ok(), "zeros before the modulus");

    let secret = json!([TokenSigner::hs256(SECRET).jwk()]);
    assert_eq!(parse(secret.clone(), KeySetOrigin::File).map(|set| set.len()), Ok(1));
    assert_eq!(parse(secret, KeySetOrigin::Server).map(|set| set.len()), Err(KeySetError::NoUsableKey));
    assert_eq!(count(json!(vec![p256.jwk(); 257])), Err(KeySetError::TooMany));
    for text in ["", "[]", "{}", "{\"keys\":{}}", "<html>"] {
        let set = KeySet::of_jwks(text.as_bytes(), KeySetOrigin::File);
        assert_eq!(set.map(|set| set.len()), Err(KeySetError::NotASet), "{text}");
    }
}

#[test]
fn a_secret_is_the_bytes_of_its_file_without_the_line_end() {
    let token = TokenSigner::hs256(SECRET).token(&claims());
    for end in ["", "\n", "\r\n"] {
        let secret = KeySet::of_secret(&[SECRET, end.as_bytes()].concat()).unwrap();
        let verifier = TokenVerifier::new(rules(), secret, KeySet::default(), TokenMetrics::default());
        assert!(verify(&verifier, &token).is_ok(), "{end:?}");
    }
    assert_eq!(KeySet::of_secret(&[b'x'; 31]).map(|set| set.len()), Err(KeySetError::ShortSecret(31)));
    assert_eq!(KeySet::of_secret(b"12345678901234567890123456789012\n").map(|set| set.len()), Ok(1));
}

#[test]
fn tokens_wait_for_keys_that_are_fetched() {
    let (signer, start) = (TokenSigner::es256("e"), Instant::now());
    let verifier = TokenVerifier::fetching(rules(), KeySet::default(), TokenMetrics::default());
    let token = signer.token(&claims());
    assert_eq!(verify(&verifier, &token), Err(TokenFault::NoKeys));
    assert!(verifier.fetch_for(&token, start).is_some());
    assert!(verifier.fetch_for("no token", start).is_none());

    let fetches = verifier.fetches().unwrap();
    fetches.begin(start);
    verifier
        .set_keys(KeySet::of_jwks(TokenSigner::set(&[&signer]).as_bytes(), KeySetOrigin::Server).unwrap());
    fetches.end();

    assert!(verifier.fetch_for(&token, start).is_none() && verify(&verifier, &token).is_ok());
    let unknown = signer.named(Some("new")).token(&claims());
    assert!(verifier.fetch_for(&unknown, start).is_none(), "too early");
    assert!(verifier.fetch_for(&unknown, start + Duration::from_secs(10)).is_some());
}
