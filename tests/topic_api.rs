//! The API of topics over HTTP, in Centrifugo's form.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tapecast::auth::{Entitlements, GeneratedKey, Network};
use tapecast::topics::{Namespace, Namespaces, PublishRight};
use test_support::{Client, Server, TempFolder, post, request};

/// The status and the body of a call.
fn call(address: SocketAddr, method: &str, headers: &str, body: &Value) -> (u16, Value) {
    let response = post(address, &format!("/api/{method}"), headers, &body.to_string());
    (response.status, response.json())
}

fn ok(server: &Server, method: &str, body: &Value) -> Value {
    let (status, answer) = call(server.address, method, "", body);
    assert_eq!(status, 200, "{answer}");
    answer["result"].clone()
}

fn code(server: &Server, method: &str, body: &Value) -> Value {
    call(server.address, method, "", body).1["error"]["code"].clone()
}

#[test]
fn a_program_on_this_machine_publishes_and_every_subscriber_gets_it() {
    let server = Server::without_trades(|_| {});
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","topics":["weather:london","chat:lobby"]}"#);

    let first = ok(&server, "publish", &json!({"channel": "weather:london", "data": {"rain": 1.5}}));
    let all = ok(
        &server,
        "broadcast",
        &json!({"channels": ["weather:london", "chat:lobby", "news:x"], "data": "hi"}),
    );
    let mut got = Vec::new();
    while got.len() < 3 {
        got.extend(client.next_objects());
    }

    assert_eq!(first["offset"], 1);
    assert_eq!(all["responses"][0]["result"], json!({"offset": 2, "epoch": first["epoch"]}));
    assert_eq!(all["responses"][1]["result"]["offset"], 1);
    assert_eq!(all["responses"][2]["error"]["code"], 102);
    assert_eq!((&got[0]["T"], &got[0]["d"]), (&json!("m"), &json!({"rain": 1.5})));
    assert!(got[0].get("by").is_none());
}

#[test]
fn a_message_that_is_sent_again_with_its_key_is_published_once() {
    let server = Server::without_trades(|_| {});
    let message = json!({"channel": "chat:lobby", "data": 1, "idempotency_key": "k"});

    let results: Vec<_> = (0..5).map(|_| ok(&server, "publish", &message)).collect();

    assert!(results.iter().all(|result| result == &results[0] && result["offset"] == 1), "{results:?}");
    let history = ok(&server, "history", &json!({"channel": "chat:lobby", "limit": -1}));
    assert_eq!(history["publications"], json!([{"data": 1, "offset": 1}]));
}

#[test]
fn history_is_read_from_a_position_and_in_reverse() {
    let server = Server::without_trades(|_| {});
    let empty = ok(&server, "history", &json!({"channel": "chat:lobby", "limit": 10}));
    for number in 1..=5 {
        ok(&server, "publish", &json!({"channel": "chat:lobby", "data": number}));
    }
    let epoch = empty["epoch"].clone();
    let read = |body: Value| {
        let mut request = json!({"channel": "chat:lobby"});
        request.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let history = ok(&server, "history", &request);
        assert_eq!((&history["offset"], &history["epoch"]), (&json!(5), &epoch));
        let offsets = history["publications"].as_array().unwrap().iter();
        offsets.map(|it| it["offset"].as_u64().unwrap()).collect::<Vec<_>>()
    };

    assert_eq!((&empty["offset"], &empty["publications"]), (&json!(0), &json!([])));
    assert_eq!(read(json!({})), [0; 0]);
    assert_eq!(read(json!({"limit": 2})), [1, 2]);
    assert_eq!(read(json!({"limit": -1, "since": {"offset": 3, "epoch": epoch}})), [4, 5]);
    assert_eq!(read(json!({"limit": 2, "reverse": true})), [5, 4]);
    assert_eq!(read(json!({"limit": 9, "reverse": true, "since": {"offset": 3, "epoch": epoch}})), [2, 1]);
    let other = json!({"channel": "chat:lobby", "since": {"offset": 1, "epoch": "other"}});
    assert_eq!(code(&server, "history", &other), 112);
}

#[test]
fn a_message_that_is_taken_back_is_gone_for_those_that_have_it_and_those_that_come_later() {
    let server = Server::without_trades(|_| {});
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","topics":["chat:lobby"],"x":{}}"#);
    let publish = |number: u64| ok(&server, "publish", &json!({"channel": "chat:lobby", "data": number}));
    let epoch = [1, 2, 3].map(publish)[0]["epoch"].clone();

    let taken_back = ok(&server, "take_back", &json!({"channel": "chat:lobby", "offset": 2}));
    let mut got = Vec::new();
    while got.len() < 4 {
        got.extend(client.next_objects());
    }

    assert_eq!(taken_back["offset"], 4);
    assert_eq!((&got[3]["del"], got[3].get("d")), (&json!(2), None));
    let history = ok(&server, "history", &json!({"channel": "chat:lobby", "limit": -1}));
    let data: Vec<_> =
        history["publications"].as_array().unwrap().iter().map(|it| it["data"].clone()).collect();
    assert_eq!(data, [json!(1), json!(3)]);
    let mut late = Client::session(server.address);
    let resume = json!({"epoch": epoch, "sq": {"topics": {"chat:lobby": 1}}});
    let command = json!({"action": "subscribe", "topics": ["chat:lobby"], "x": {"resume": resume}});
    late.command(&command.to_string());
    let mut missed = Vec::new();
    while missed.len() < 3 {
        missed.extend(late.next_objects());
    }
    let told: Vec<_> =
        missed.iter().map(|it| (it["sq"].clone(), it["del"].clone(), it["d"].clone())).collect();
    let expected = [(2, json!(2), Value::Null), (3, Value::Null, json!(3)), (4, json!(2), Value::Null)];
    assert_eq!(told, expected.map(|(seq, del, data)| (json!(seq), del, data)));
    for offset in [0, 2, 4, 9] {
        assert_eq!(code(&server, "take_back", &json!({"channel": "chat:lobby", "offset": offset})), 107);
    }
}

#[test]
fn the_empty_name_and_more_mutes_than_a_namespace_may_have_are_refused() {
    let server = Server::without_trades(|_| {});
    let mute = |channel: &str, name: &str| {
        code(&server, "mute", &json!({"channel": channel, "name": name, "seconds": 60}))
    };

    assert_eq!(mute("weather:london", ""), 107);
    assert_eq!(code(&server, "unmute", &json!({"namespace": "weather", "name": ""})), 107);
    ok(&server, "publish", &json!({"channel": "weather:london", "data": 1}));
    for number in 0..1_000 {
        assert_eq!(mute("chat:lobby", &number.to_string()), Value::Null);
    }
    assert_eq!(mute("chat:AAPL", "one"), 111);
    assert_eq!(mute("weather:london", "one"), Value::Null);
}

#[test]
fn presence_is_told_as_the_namespace_allows() {
    let server = Server::without_trades(|_| {});
    let sessions = ["anna", "anna", "ben"].map(|name| {
        let mut client = Client::connect(server.address, &format!("/v2/iex?userId={name}"));
        client.next_frame().unwrap();
        client.command(r#"{"action":"subscribe","topics":["chat:lobby"]}"#);
        client
    });

    let room = json!({"channel": "chat:lobby"});
    assert_eq!(ok(&server, "presence_stats", &room), json!({"num_clients": 3, "num_users": 2}));
    let present = ok(&server, "presence", &room);
    assert_eq!(present["presence"]["ben"], json!({"client": "ben", "user": "ben"}));
    assert_eq!(code(&server, "presence_stats", &json!({"channel": "weather:london"})), 108);
    drop(sessions);
}

#[test]
fn what_is_no_call_or_too_much_is_refused() {
    let server = Server::without_trades(|config| {
        let chat = Namespace {
            topic_rate: tapecast::limits::Rate::per_second(1, 1),
            ..Namespace::chat(PublishRight::Nobody)
        };
        config.topics = Namespaces::new(vec![chat]);
    });

    assert_eq!(code(&server, "publish", &json!({"channel": "chat:lobby"})), 107);
    assert_eq!(code(&server, "publish", &json!({"channel": "chat:lobby", "data": null})), 107);
    assert_eq!(code(&server, "publish", &json!({"channel": "chat:lobby", "data": "x".repeat(5_000)})), 107);
    assert_eq!(code(&server, "publish", &json!({"channel": "chat:lobby", "data": "\u{0}"})), 107);
    assert_eq!(code(&server, "publish", &json!({"channel": "a b", "data": 1})), 102);
    ok(&server, "publish", &json!({"channel": "chat:lobby", "data": 1}));
    assert_eq!(code(&server, "publish", &json!({"channel": "chat:lobby", "data": 1})), 111);
    let page = "Origin: https://elsewhere.example\r\n";
    let from_a_page = call(server.address, "publish", page, &json!({"channel": "chat:AAPL", "data": 1}));
    assert_eq!(from_a_page.1["error"]["code"], 103);
    let get = request(server.address, "GET", "/api/publish", "");
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    let long = json!({"channel": "chat:lobby", "data": "x".repeat(200_000)});
    assert_eq!(call(server.address, "publish", "", &long).0, 413);
}

#[test]
fn with_keys_one_publishes_where_the_namespace_names_it_and_one_that_controls_everywhere() {
    let folder = TempFolder::new();
    let key = |id: &str, control: bool| {
        let entitlements = Entitlements { control, ..Entitlements::default() };
        (id.to_owned(), GeneratedKey::new(id, entitlements, [7; 48]))
    };
    let keys = [key("station", false), key("reader", false), key("desk", true)];
    let lines: Vec<_> = keys.iter().map(|(_, key)| key.line.clone()).collect();
    let file = folder.file("keys.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let server = Server::without_trades(|config| {
        config.access.keys = Some(file.clone());
        let weather =
            Namespace { publish: PublishRight::Keys(vec!["station".into()]), ..Namespace::weather() };
        config.topics = Namespaces::new(vec![weather, Namespace::chat(PublishRight::Subscribers)]);
    });
    let message = json!({"channel": "weather:london", "data": "rain"});
    let publish = |(id, key): &(String, GeneratedKey)| {
        let header = format!("X-API-Key: {id}.{}\r\n", key.secret);
        call(server.address, "publish", &header, &message).1
    };

    assert_eq!(call(server.address, "publish", "", &message).0, 401);
    assert_eq!(call(server.address, "publish", "X-API-Key: station.wrong\r\n", &message).0, 401);
    assert_eq!(publish(&keys[1])["error"]["code"], 103);
    assert_eq!(publish(&keys[0])["result"]["offset"], 1);
    assert_eq!(publish(&keys[2])["result"]["offset"], 2);

    // A session is its key too, whatever it calls itself.
    let mut reader = Client::connect(server.address, "/v2/iex?userId=station");
    reader.next_frame().unwrap();
    let (id, GeneratedKey { secret, .. }) = &keys[1];
    reader.send_text(&json!({"action": "auth", "key": id, "secret": secret}).to_string());
    reader.command(r#"{"action":"subscribe","topics":["chat:lobby"]}"#);
    reader.send_text(r#"{"action":"publish","topic":"chat:lobby","data":"hi"}"#);
    let by = test_support::wait_for("the message", || {
        let message = reader.next_objects().into_iter().find(|object| object["T"] == "m")?;
        Some(message["by"].clone())
    });
    assert_eq!(by, "reader");
    reader.send_text(r#"{"action":"presence","topic":"chat:lobby"}"#);
    let present = test_support::wait_for("the presence", || {
        reader.next_objects().into_iter().find(|object| object["T"] == "presence")
    });
    assert_eq!(present["list"], json!(["reader"]));
}

/// Headers by which a proxy shows itself, whatever it says of the client.
const FORWARDED: [&str; 6] = [
    "X-Forwarded-For: 203.0.113.7",
    "X-Forwarded-For: 127.0.0.1",
    "Forwarded: for=127.0.0.1",
    "X-Real-IP: 127.0.0.1",
    "X-Forwarded-Proto: https",
    "Via: 1.1 proxy",
];

#[test]
fn a_request_over_a_proxy_on_this_machine_neither_publishes_nor_moderates() {
    for trusted in [Vec::<Network>::new(), vec!["127.0.0.1".parse().unwrap()]] {
        let server = Server::without_trades(move |config| config.access.proxies = trusted.into());
        let room = json!({"channel": "chat:lobby", "data": 1, "offset": 1, "name": "anna", "seconds": 9});
        ok(&server, "publish", &room);
        for header in FORWARDED {
            let header = format!("{header}\r\n");
            for method in ["publish", "take_back", "mute", "unmute", "slow"] {
                let answer = call(server.address, method, &header, &room).1;
                assert_eq!(answer["error"]["code"], 103, "{method} {header}: {answer}");
            }
            assert_eq!(call(server.address, "history", &header, &room).1["result"]["offset"], 1, "{header}");
        }
        for method in ["mute", "unmute", "slow", "take_back"] {
            ok(&server, method, &room);
        }
    }
}

#[test]
fn a_session_over_a_proxy_on_this_machine_does_not_write_where_only_this_machine_may() {
    let server = Server::without_trades(|config| {
        config.topics = Namespaces::new(vec![Namespace::chat(PublishRight::LocalSubscribers)]);
    });
    let answer = |headers: &str| {
        let mut client = Client::connect_with(server.address, "/v2/iex", headers);
        client.next_frame().unwrap();
        client.command(r#"{"action":"subscribe","topics":["chat:lobby"]}"#);
        client.send_text(r#"{"action":"publish","topic":"chat:lobby","data":"hi"}"#);
        let is_answer = |object: &Value| object["T"] == "published" || object["T"] == "error";
        test_support::wait_for("the answer", || client.next_objects().into_iter().find(is_answer))
    };

    for header in FORWARDED {
        assert_eq!(answer(&format!("{header}\r\n"))["code"], 431, "{header}");
    }
    assert_eq!(answer("")["T"], "published");
}

#[test]
fn a_call_that_does_not_exist_is_not_found_with_any_method() {
    let server = Server::without_trades(|_| {});

    for path in ["/api/info", "/api/disconnect", "/api/", "/api/publish/x"] {
        assert_eq!(post(server.address, path, "", "{}").status, 404, "{path}");
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            assert_eq!(request(server.address, method, path, "").status, 404, "{method} {path}");
        }
    }
}

#[test]
fn a_page_of_another_origin_reads_nothing() {
    let server = Server::without_trades(|_| {});
    let room = json!({"channel": "chat:lobby"});
    let port = server.address.port();

    for method in ["history", "presence", "presence_stats"] {
        for page in [
            "Origin: https://elsewhere.example\r\n".to_owned(),
            "Origin: null\r\n".to_owned(),
            format!("Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\n"),
        ] {
            assert_eq!(call(server.address, method, &page, &room).0, 403, "{method} {page}");
        }
        let own = format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n");
        let (status, answer) = call(server.address, method, &own, &room);
        assert_eq!((status, answer.get("error")), (200, None), "{method}");
    }
}

#[test]
fn a_key_for_other_feeds_reads_nothing() {
    let folder = TempFolder::new();
    let key = |id: &str, feed: &str| {
        let feeds = Some([feed.parse().unwrap()].into());
        GeneratedKey::new(id, Entitlements { feeds, ..Entitlements::default() }, [7; 48])
    };
    let (iex, sip) = (key("one", "iex"), key("two", "sip"));
    let file = folder.file("keys.jsonl");
    fs::write(&file, format!("{}\n{}", iex.line, sip.line)).unwrap();
    let server = Server::without_trades(|config| config.access.keys = Some(file.clone()));
    let room = json!({"channel": "chat:lobby"});
    let status = |path: &str, id: &str, key: &GeneratedKey| {
        let header = format!("X-API-Key: {id}.{}\r\n", key.secret);
        call(server.address, path, &header, &room).0
    };

    for method in ["history", "presence", "presence_stats"] {
        assert_eq!(status(method, "one", &iex), 200, "{method}");
        assert_eq!(status(method, "two", &sip), 403, "{method}");
        assert_eq!(status(&format!("{method}?feed=sip"), "two", &sip), 200, "{method}");
        assert_eq!(status(&format!("{method}?feed=sip"), "one", &iex), 403, "{method}");
    }
}

#[test]
fn a_body_that_does_not_come_keeps_no_other_client_waiting() {
    let server = Server::without_trades(|config| config.workers = 1);
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.write_all(b"POST /api/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n").unwrap();

    for path in ["/v2/clock", "/metrics", "/api/unknown", "/v2/clock"] {
        request(server.address, "GET", path, "");
    }

    // It was refused after all of these answers, and not before one of them.
    slow.set_nonblocking(true).unwrap();
    assert_eq!(slow.read(&mut [0; 64]).unwrap_err().kind(), ErrorKind::WouldBlock);
    slow.set_nonblocking(false).unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
}
