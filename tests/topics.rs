//! Topics: what clients publish reaches the sessions that subscribe, and no other.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fs;
use std::num::NonZeroU32;
use std::process::Command;

use serde_json::{Value, json};
use tapecast::journal::{JournalRetention, JournalSettings};
use tapecast::limits::Rate;
use tapecast::model::TopicKind;
use tapecast::topics::{HistoryLimits, Namespace, Namespaces, PublishRight, TopicNames};
use test_support::{Client, Server, TempFolder, post, wait_for};

const FAST: Rate = Rate::per_second(100_000, 100_000);

/// Logs and states in which every subscriber may write without end, with a history of ten messages.
fn namespaces() -> Namespaces {
    let namespace = |name, kind| Namespace {
        names: TopicNames { any: true, ..TopicNames::default() },
        publish: PublishRight::Subscribers,
        history: HistoryLimits { messages: 10, ..HistoryLimits::default() },
        session_rate: FAST,
        topic_rate: FAST,
        ..Namespace::new(name, kind)
    };
    Namespaces::new(vec![namespace("log", TopicKind::Log), namespace("state", TopicKind::State)])
}

/// The options of a server that records in this folder.
fn recording(folder: &TempFolder) -> Server {
    Server::without_trades(|config| {
        config.topics = namespaces();
        config.journal = Some(JournalSettings {
            folder: folder.path().to_owned(),
            retention: JournalRetention { days: NonZeroU32::new(7).unwrap(), bytes: 1 << 30 },
        });
    })
}

/// With one worker the feed runs on its thread, with two on one of its own.
fn servers() -> [Server; 2] {
    [1, 2].map(|workers| {
        Server::without_trades(move |config| {
            config.workers = workers;
            config.topics = namespaces();
        })
    })
}

fn session(server: &Server, name: &str) -> Client {
    let mut client = Client::connect(server.address, &format!("/v2/iex?userId={name}"));
    client.next_frame().unwrap();
    client
}

fn subscribe(client: &mut Client, topics: &[&str], x: Value) -> Value {
    client.command(&json!({"action": "subscribe", "topics": topics, "x": x}).to_string())
}

/// The next message of a topic, or answer of this type.
fn next(client: &mut Client, kind: &str) -> Value {
    loop {
        let objects = client.next_objects();
        if let Some(object) = objects.into_iter().find(|object| object["T"] == kind) {
            return object;
        }
    }
}

/// The next messages of topics.
fn messages(client: &mut Client, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(client.next_objects().into_iter().filter(|object| object["T"] == "m"));
    }
    all
}

fn publish(client: &mut Client, topic: &str, data: &Value) -> Value {
    client.send_text(&json!({"action": "publish", "topic": topic, "data": data, "x": {"id": 9}}).to_string());
    next(client, "published")
}

fn numbers(messages: &[Value]) -> Vec<(u64, u64)> {
    let number = |message: &Value| (message["sq"].as_u64().unwrap(), message["cf"].as_u64().unwrap_or(0));
    messages.iter().map(number).collect()
}

#[test]
fn what_a_subscriber_publishes_reaches_all_subscribers_from_the_first_message_on() {
    for server in servers() {
        let [mut anna, mut ben] = ["anna", "ben"].map(|name| session(&server, name));
        for client in [&mut anna, &mut ben] {
            let acknowledged = subscribe(client, &["log:room", "news:x"], json!({"id": 1}));
            assert_eq!(acknowledged["topics"], json!(["log:room"]));
            assert_eq!(acknowledged["x"]["rejected"], json!({"topics": ["news:x"]}));
        }

        // Ben's session may learn of the topic after its first message.
        let published = publish(&mut anna, "log:room", &json!({"text": "hi", "by": "eve"}));
        let got = next(&mut ben, "m");

        assert_eq!((&published["sq"], &published["x"]), (&json!(1), &json!({"id": 9})));
        assert_eq!(got["S"], "log:room");
        assert_eq!(got["d"], json!({"text": "hi", "by": "eve"}));
        assert_eq!((&got["by"], &got["sq"]), (&json!("anna"), &json!(1)));
        for seq in 2..=30 {
            publish(&mut anna, "log:room", &json!(seq));
        }
        assert_eq!(numbers(&messages(&mut ben, 29)), (2..=30).map(|seq| (seq, 0)).collect::<Vec<_>>());
    }
}

#[test]
fn a_client_that_resumes_gets_what_it_missed_and_is_told_of_what_is_gone() {
    for server in servers() {
        let mut writer = session(&server, "anna");
        subscribe(&mut writer, &["log:room"], json!({}));
        let epoch = (1..=20).map(|seq| publish(&mut writer, "log:room", &json!(seq))).last().unwrap();
        let resume = |last: u64| {
            let mut reader = session(&server, "ben");
            let sq = json!({"topics": {"log:room": last}});
            subscribe(&mut reader, &["log:room"], json!({"resume": {"epoch": epoch["epoch"], "sq": sq}}));
            reader
        };

        let recent = messages(&mut resume(17), 3);
        let mut late = resume(5);
        let gap = next(&mut late, "gap");

        assert_eq!(
            recent.iter().map(|it| it["d"].clone()).collect::<Vec<_>>(),
            [18, 19, 20].map(Value::from)
        );
        assert_eq!(gap, json!({"T": "gap", "S": "log:room", "ch": "topics", "from": 6, "to": 10}));
        assert_eq!(numbers(&messages(&mut late, 10)).first(), Some(&(11, 0)));
    }
}

#[test]
fn of_a_state_the_newest_message_counts_and_the_others_are_accounted_for() {
    for server in servers() {
        let mut writer = session(&server, "anna");
        subscribe(&mut writer, &["state:a", "log:room"], json!({}));
        publish(&mut writer, "state:a", &json!("old"));
        publish(&mut writer, "state:a", &json!("new"));

        let mut reader = session(&server, "ben");
        subscribe(&mut reader, &["state:a", "state:b"], json!({"snapshot": true, "conflate_ms": 100}));
        let snapshot = next(&mut reader, "m");
        assert_eq!((&snapshot["d"], &snapshot["sn"]), (&json!("new"), &json!(true)));
        for value in 0..500 {
            writer.send_text(&json!({"action": "publish", "topic": "state:a", "data": value}).to_string());
        }
        let mut last = 2;
        while last < 502 {
            for (sq, cf) in numbers(&messages(&mut reader, 1)) {
                assert_eq!(sq - last, cf + 1);
                last = sq;
            }
        }
    }
}

#[test]
fn with_a_journal_numbers_and_history_go_on_after_a_restart() {
    let folder = TempFolder::new();
    let server = recording(&folder);
    let mut writer = session(&server, "anna");
    subscribe(&mut writer, &["log:room", "state:a"], json!({}));
    publish(&mut writer, "state:a", &json!("rain"));
    let before = (1..=3).map(|seq| publish(&mut writer, "log:room", &json!(seq))).last().unwrap();
    drop(server);

    let server = recording(&folder);
    let mut reader = session(&server, "ben");
    let resume = json!({"epoch": before["epoch"], "sq": {"topics": {"log:room": 1}}});
    subscribe(&mut reader, &["log:room", "state:a"], json!({"snapshot": true, "resume": resume}));
    let mut missed = messages(&mut reader, 3);
    missed.sort_by_key(|message| message["S"].to_string());
    let after = publish(&mut reader, "log:room", &json!(4));

    assert_eq!(
        missed.iter().map(|it| it["d"].clone()).collect::<Vec<_>>(),
        [json!(2), json!(3), json!("rain")]
    );
    assert_eq!((&after["sq"], &after["epoch"]), (&json!(4), &before["epoch"]));
}

#[test]
fn a_session_that_named_no_topic_gets_no_message() {
    for server in servers() {
        let [mut writer, mut other] = ["anna", "ben"].map(|name| session(&server, name));
        subscribe(&mut writer, &["log:room", "state:a"], json!({}));
        let everything = json!({
            "action": "subscribe", "trades": ["*"], "quotes": ["*"], "bars": ["*"], "updatedBars": ["*"],
            "dailyBars": ["*"], "statuses": ["*"], "lulds": ["*"], "tickers": ["*"],
            "x": {"snapshot": true, "resume": {"epoch": "k", "sq": {"topics": {"log:room": 1}}}},
        });
        let acknowledged = other.command(&everything.to_string());
        assert!(acknowledged.get("topics").is_none(), "{acknowledged}");

        publish(&mut writer, "log:room", &json!(1));
        publish(&mut writer, "state:a", &json!(1));
        // The answer comes behind everything that was published before.
        other.send_text(r#"{"action":"nonsense"}"#);
        loop {
            let objects = other.next_objects();
            assert!(objects.iter().all(|object| object["T"] != "m"), "{objects:?}");
            if objects[0]["T"] == "error" {
                break;
            }
        }
    }
}

#[test]
fn a_client_that_floods_or_may_not_publish_is_told_so_and_stays() {
    let server = Server::without_trades(|_| {});
    let mut client = session(&server, "anna");
    subscribe(&mut client, &["chat:lobby", "weather:london"], json!({}));
    let mut refused = |topic: &str, data: Value| {
        client.send_text(
            &json!({"action": "publish", "topic": topic, "data": data, "x": {"id": 3}}).to_string(),
        );
        loop {
            let object = client.next_objects().remove(0);
            if object["T"] != "m" {
                return object;
            }
        }
    };

    assert_eq!(refused("weather:london", json!(1))["code"], 431);
    assert_eq!(refused("chat:ZZZZ", json!(1))["code"], 430);
    assert_eq!(refused("chat:lobby", json!("x".repeat(5_000)))["code"], 432);
    assert_eq!(refused("chat:lobby", json!("\u{1b}"))["code"], 400);
    let malformed = [refused("a b", json!(1)), refused("chat:lobby", Value::Null)];
    assert!(malformed.iter().all(|it| it["code"] == 400 && it["x"] == json!({"id": 3})), "{malformed:?}");
    let answers: Vec<_> = (0..20).map(|seq| refused("chat:lobby", json!(seq))).collect();
    let too_fast: Vec<_> = answers.iter().filter(|answer| answer["code"] == 433).collect();
    assert!(answers[0]["T"] == "published" && !too_fast.is_empty(), "{answers:?}");
    assert!(too_fast.iter().all(|it| it["retry_ms"].as_u64() > Some(0) && it["x"] == json!({"id": 3})));
}

#[test]
fn a_client_of_an_earlier_run_gets_the_newest_of_a_state_and_by_resuming_from_0_the_history_of_a_log() {
    for server in servers() {
        let mut writer = session(&server, "anna");
        subscribe(&mut writer, &["state:london", "log:room"], json!({}));
        for number in 1..=3 {
            publish(&mut writer, "state:london", &json!(number));
            publish(&mut writer, "log:room", &json!(number));
        }
        let resumed = |x: Value, topic: &str, count: usize| {
            let mut reader = session(&server, "ben");
            subscribe(&mut reader, &[topic], x);
            let mut all = Vec::new();
            while all.len() < count {
                all.extend(reader.next_objects().into_iter().filter(|it| it["T"] == "gap" || it["T"] == "m"));
            }
            all
        };
        let of_other = |topic: &str, last: u64| json!({"resume": {"epoch": "2v5jx0m1c8k3f", "sq": {"topics": {topic: last}}}});

        // Without an interval at once, and with one too: the next message may be long in coming.
        for conflate_ms in [0, 60_000] {
            let mut x = of_other("state:london", 41);
            x["conflate_ms"] = conflate_ms.into();
            let got = resumed(x, "state:london", 2);
            let gap = json!({"T": "gap", "S": "state:london", "ch": "topics", "from": 1, "to": 2});
            assert_eq!((&got[0], &got[1]["d"], &got[1]["sq"]), (&gap, &json!(3), &json!(3)));
            assert_eq!((got[1].get("cf"), got[1].get("sn")), (None, None));
        }
        let gap = resumed(of_other("log:room", 41), "log:room", 1);
        assert_eq!((&gap[0]["from"], &gap[0]["to"]), (&json!(1), &json!(3)));
        let beginning = json!({"resume": {"sq": {"topics": {"log:room": 0}}}});
        for x in [beginning, of_other("log:room", 0)] {
            assert_eq!(numbers(&resumed(x, "log:room", 3)), [(1, 0), (2, 0), (3, 0)]);
        }
    }
}

#[test]
fn a_client_that_may_only_read_is_told_what_would_allow_it_to_write() {
    let server = Server::without_trades(|config| {
        config.topics = Namespaces::new(vec![Namespace::weather(), Namespace::chat(PublishRight::Nobody)]);
    });
    let mut client = session(&server, "anna");
    subscribe(&mut client, &["chat:lobby"], json!({}));

    client.send_text(r#"{"action":"publish","topic":"chat:lobby","data":1}"#);

    let refused = next(&mut client, "error");
    assert_eq!(refused["code"], 431);
    let why = refused["why"].as_str().unwrap();
    assert!(why.contains("read") && why.contains("--open-chat") && why.contains("--keys"), "{why}");
}

/// What is sent through the connection as it is, for what the library does not make into JSON text.
fn refused_by_connection(server: &Server, data: &str) -> Value {
    let mut client = session(server, "mallory");
    subscribe(&mut client, &["chat:lobby"], json!({}));
    client.send_text(&format!(r#"{{"action":"publish","topic":"chat:lobby","data":{data}}}"#));
    loop {
        match client.next_frame() {
            Some(frame) if frame.opcode == 1 => return frame.json().remove(0)["code"].clone(),
            Some(frame) if frame.opcode == 8 => return frame.close_code().into(),
            Some(_) => {}
            None => panic!("an answer or a Close"),
        }
    }
}

#[test]
fn hostile_data_is_refused_at_both_doors_and_markup_is_a_text_like_any_other() {
    let server = Server::without_trades(|_| {});
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let publish_over_http = |data: &str| {
        let body = format!(r#"{{"channel":"chat:lobby","data":{data}}}"#);
        let answer = post(server.address, "/api/publish", "", &body);
        (
            answer.status,
            serde_json::from_str::<Value>(&answer.body).map(|body| body["error"]["code"].clone()).ok(),
        )
    };

    for (data, code, answer) in [
        (deep.as_str(), json!(400), (200, Some(json!(107)))),
        (&long, json!(1009), (413, None)),
        (r#""\ud800""#, json!(400), (200, Some(json!(107)))),
        (r#""\u0007""#, json!(400), (200, Some(json!(107)))),
    ] {
        let start = &data[..data.len().min(12)];
        assert_eq!(refused_by_connection(&server, data), code, "{start}");
        let of_post = publish_over_http(data);
        assert_eq!(of_post.0, answer.0, "{start}");
        assert!(answer.1.is_none() || of_post.1 == answer.1, "{start}: {of_post:?}");
    }
    let mut client = session(&server, "anna");
    subscribe(&mut client, &["chat:lobby"], json!({}));
    let markup = json!({"text": "<script>alert(1)</script><img src=x onerror=alert(2)>"});
    publish(&mut client, "chat:lobby", &markup);
    assert_eq!(messages(&mut client, 1)[0]["d"], markup);
}

#[test]
fn the_presence_of_a_room_counts_sessions_and_tells_names() {
    for workers in [1, 2] {
        let server = Server::without_trades(|config| config.workers = workers);
        let mut all = ["anna", "anna", "ben"].map(|name| session(&server, name));
        for client in &mut all {
            subscribe(client, &["chat:lobby"], json!({}));
        }
        let presence = |client: &mut Client| {
            client.send_text(r#"{"action":"presence","topic":"chat:lobby","x":{"id":4}}"#);
            next(client, "presence")
        };

        let expected = json!({
            "T": "presence", "topic": "chat:lobby", "sessions": 3, "names": 2, "list": ["anna", "ben"], "x": {"id": 4},
        });
        assert_eq!(presence(&mut all[0]), expected);
        all[2].command(r#"{"action":"unsubscribe","topics":["chat:lobby"]}"#);
        assert_eq!(presence(&mut all[0])["list"], json!(["anna"]));
    }
}

#[test]
fn the_weather_of_cities_is_there_from_the_start_by_seed() {
    let weather_of = |seed| {
        let server = Server::without_trades(|config| {
            config.simulates_weather = true;
            config.simulation.seed = seed;
        });
        let mut client = session(&server, "anna");
        subscribe(&mut client, &["weather:new-york"], json!({"snapshot": true}));
        next(&mut client, "m")["d"].clone()
    };

    let [of_one, of_two] = [1, 2].map(weather_of);

    for weather in [&of_one, &of_two] {
        assert!(weather["temp_c"].is_number() && weather["simulated"] == true, "{weather}");
    }
    assert_ne!(of_one, of_two);
}

/// The output of the program with these arguments, one line each.
fn lines_of(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_tapecast")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_messages_of_a_journal_are_exported_and_a_client_is_verified_against_them() {
    let (journal, files) = (TempFolder::new(), TempFolder::new());
    let server = recording(&journal);
    let [mut anna, mut client] = ["anna", "ben"].map(|name| session(&server, name));
    subscribe(&mut anna, &["log:room", "state:x"], json!({}));
    let mut received = vec![subscribe(&mut client, &["log:room", "state:x"], json!({}))];
    let data = [json!({"text": "a, \"b\""}), json!([1.5, null]), json!("é\nü")];
    for data in &data {
        for topic in ["log:room", "state:x"] {
            publish(&mut anna, topic, data);
        }
    }
    let take_back = json!({"channel": "log:room", "offset": 1}).to_string();
    assert_eq!(post(server.address, "/api/take_back", "", &take_back).json()["result"]["offset"], 4);
    while received.last().is_none_or(|it| it["del"] != 1) {
        received.extend(client.next_objects());
    }
    let folder = journal.path().to_str().unwrap();
    let export = |more: &[&str]| lines_of(&[&["journal", "export", folder], more].concat());

    let objects = wait_for("the messages to be recorded", || {
        let lines = export(&["--channel", "topics"]);
        (lines.len() == 7).then_some(lines)
    });
    let objects: Vec<Value> = objects.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = export(&["--channel", "topics", "--format", "csv", "--symbol", "log:room"]);

    let of_room: Vec<_> = objects.iter().filter(|object| object["S"] == "log:room").collect();
    assert!(of_room.iter().zip(&data).all(|(object, data)| object["d"] == *data && object["by"] == "anna"));
    assert_eq!((&of_room[3]["del"], &of_room[3]["sq"]), (&json!(1), &json!(4)));
    assert_eq!((rows.len(), &*rows[0]), (5, "symbol,d,del,by,t,sq"));
    assert!(rows[1].starts_with(r#"log:room,"{""text"":""a, \""b\""""}",,anna,"#), "{}", rows[1]);
    assert!(rows[4].starts_with("log:room,,1,,") && rows[4].ends_with(",4"), "{}", rows[4]);
    let verify = |received: &[Value]| {
        let file = files.file("client.ndjson");
        fs::write(&file, received.iter().map(|it| format!("{it}\n")).collect::<String>()).unwrap();
        let arguments = ["verify", "--journal", folder, "--client", file.to_str().unwrap()];
        let output = Command::new(env!("CARGO_BIN_EXE_tapecast")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (whole, report) = verify(&received);
    assert!(whole == Some(0) && report.starts_with("2 streams: 7 published, "), "{report}");
    let lost = received.iter().position(|it| it["S"] == "log:room" && it["sq"] == 2).unwrap();
    received.remove(lost);
    let (code, report) = verify(&received);
    assert!(code == Some(1) && report.contains("lost     topics/log:room 2 to 2\n"), "{report}");
}
