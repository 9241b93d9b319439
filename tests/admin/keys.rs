use serde_json::{Value, json};
use tapecast::auth::{Entitlements, GeneratedKey};
use test_support::{Client, TempFolder, wait_until};

use super::Administered;

/// A server with a key file, whose key `desk` has this secret.
struct Keyed {
    node: Administered,
    folder: TempFolder,
    secret: String,
}

impl Keyed {
    fn start() -> Self {
        let folder = TempFolder::new();
        let GeneratedKey { secret, line } = GeneratedKey::new("desk", Entitlements::default(), [1; 48]);
        std::fs::write(folder.file("keys"), format!("# the desk\n{line}\n\n# the end\n")).unwrap();
        let file = folder.file("keys");
        let node = Administered::start(|config| config.access.keys = Some(file));
        Self { node, folder, secret }
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.folder.file("keys")).unwrap()
    }

    /// A session that shows this key, and what it is answered.
    fn session(&self, id: &str, secret: &str) -> (Client, Value) {
        let mut client = Client::session(self.node.server.address);
        let answer = client.command(&json!({"action": "auth", "key": id, "secret": secret}).to_string());
        (client, answer)
    }
}

#[test]
fn keys_are_listed_with_their_sessions_and_without_secrets() {
    let keyed = Keyed::start();
    let (_client, answer) = keyed.session("desk", &keyed.secret);
    assert_eq!(answer["msg"], "authenticated");
    wait_until("the session of the key", || keyed.node.json("keys")["keys"][0]["sessions"] == 1);

    let answer = keyed.node.get("keys");

    assert_eq!(answer.json(), json!({"keys": [{"id": "desk", "control": false, "sessions": 1}]}));
    assert!(!answer.body.contains("sha256"));
    assert_eq!(keyed.node.json("overview")["keys"], 1);
    assert_eq!(keyed.node.sessions("key=desk")[0]["key"], "desk");
    assert!(keyed.node.sessions("key=other").is_empty());
}

#[test]
fn a_new_key_works_at_once_and_is_in_the_file() {
    let keyed = Keyed::start();
    let body = json!({"id": "bot", "feeds": ["iex"], "symbols": ["MSFT", "AAPL"], "max_sessions": 2, "max_symbols": 9});

    let answer = keyed.node.send("POST", "keys", &body.to_string());

    assert_eq!(answer.status, 201, "{}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["key"]["symbols"], json!(["AAPL", "MSFT"]));
    let secret = answer["secret"].as_str().unwrap();
    assert_eq!(keyed.session("bot", secret).1["msg"], "authenticated");
    let file = keyed.file();
    assert!(
        file.starts_with("# the desk\n{\"id\":\"desk\"") && file.contains("\n\n# the end\n{\"id\":\"bot\""),
        "{file}"
    );
    assert!(!file.contains(secret));
    let again = keyed.node.send("POST", "keys", r#"{"id":"bot"}"#);
    assert_eq!(again.status, 409, "{}", again.body);
    let unnamed = keyed.node.send("POST", "keys", "{}");
    assert!(unnamed.json()["key"]["id"].as_str().unwrap().starts_with("key-"), "{}", unnamed.body);
}

#[test]
fn a_rotated_key_has_another_secret_and_its_sessions_end() {
    let keyed = Keyed::start();
    let (mut client, _) = keyed.session("desk", &keyed.secret);

    let answer = keyed.node.send("POST", "keys/desk/rotate", "");

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(client.read_to_close().0, Some(1008));
    let secret = answer.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(keyed.session("desk", &keyed.secret).1["code"], 402);
    assert_eq!(keyed.session("desk", &secret).1["msg"], "authenticated");
    assert!(keyed.file().ends_with("\n\n# the end\n"));
}

#[test]
fn a_revoked_key_is_gone_and_its_sessions_end() {
    let keyed = Keyed::start();
    let (mut client, _) = keyed.session("desk", &keyed.secret);

    assert_eq!(keyed.node.delete("keys/desk").status, 204);

    assert_eq!(client.read_to_close().0, Some(1008));
    assert_eq!(keyed.file(), "# the desk\n\n# the end\n");
    assert_eq!(keyed.node.delete("keys/desk").status, 404);
    assert_eq!(keyed.node.send("POST", "keys/desk/rotate", "").status, 404);
}

#[test]
fn a_key_that_cannot_be_is_refused() {
    let keyed = Keyed::start();
    let before = keyed.file();

    for body in [
        r#"{"id":""}"#,
        r#"{"id":"a b"}"#,
        r#"{"id":"a\nb"}"#,
        r#"{"id":"a","feeds":["A/B"]}"#,
        r#"{"id":"a","symbols":["A B"]}"#,
        r#"{"id":"a","max_sessions":0}"#,
        r#"{"id":"a","max_sessions":-1}"#,
        r#"{"id":"a","symbol":["AAPL"]}"#,
        r#"{"id":1}"#,
    ] {
        let answer = keyed.node.send("POST", "keys", body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    assert_eq!(keyed.file(), before);
}

#[test]
fn a_key_file_that_was_edited_meanwhile_is_not_overwritten() {
    let keyed = Keyed::start();
    let edited = format!("{}# by hand\n", keyed.file());
    std::fs::write(keyed.folder.file("keys"), &edited).unwrap();

    let answer = keyed.node.send("POST", "keys", r#"{"id":"bot"}"#);

    assert_eq!(answer.status, 409);
    assert!(answer.body.contains("SIGHUP"), "{}", answer.body);
    assert_eq!(keyed.file(), edited);
    keyed.node.server.reload();
    assert_eq!(keyed.node.send("POST", "keys", r#"{"id":"bot"}"#).status, 201);
    assert!(keyed.file().contains("# by hand\n{\"id\":\"bot\""));
}

#[test]
fn a_server_without_a_key_file_says_so() {
    let node = Administered::start(|_| ());

    for (method, path) in
        [("GET", "keys"), ("POST", "keys"), ("POST", "keys/desk/rotate"), ("DELETE", "keys/desk")]
    {
        let answer = test_support::request(node.admin, method, &format!("/admin/api/{path}"), "");
        assert_eq!(answer.status, 409, "{method} {path}");
        assert!(answer.body.contains("--keys"), "{}", answer.body);
    }
}

#[test]
fn what_was_refused_to_clients_is_listed() {
    let keyed = Keyed::start();
    for _ in 0..3 {
        assert_eq!(keyed.session("desk", "wrong").1["code"], 402);
    }
    let foreign =
        Client::connect_with(keyed.node.server.address, "/v2/iex", "Origin: http://evil.example\r\n");
    assert!(!foreign.is_open());

    let refusals = keyed.node.json("refusals")["refusals"].as_array().unwrap().clone();
    let find = |kind: &str, reason: &str| {
        let is_meant = |refusal: &&Value| refusal["kind"] == kind && refusal["reason"] == reason;
        refusals.iter().find(is_meant).unwrap_or_else(|| panic!("{kind} {reason}: {refusals:?}"))
    };
    let wrong = find("auth", "wrong");
    assert_eq!(
        (&wrong["count"], &wrong["address"], &wrong["key"]),
        (&json!(3), &json!("127.0.0.1"), &json!("desk"))
    );
    assert_eq!(find("upgrade", "origin")["count"], 1);
    assert_eq!(keyed.node.json("refusals?limit=1")["refusals"].as_array().unwrap().len(), 1);
    assert_eq!(keyed.node.get("refusals?limit=0").status, 400);
}
