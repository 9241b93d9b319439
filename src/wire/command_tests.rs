use rand::{RngExt, SeedableRng, rngs::StdRng};
use rmpv::Value as Packed;

use super::*;
use crate::wire::{FieldsRequest, RequestId, ResumeRequest, TickerFields};

fn json(text: &str) -> Result<Command, CommandFault> {
    Command::read(Codec::Json, text.as_bytes()).map_err(|invalid| invalid.fault)
}

fn packed(value: &Packed) -> Result<Command, CommandFault> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).unwrap();
    Command::read(Codec::MsgPack, &bytes).map_err(|invalid| invalid.fault)
}

fn subscribed(text: &str) -> SymbolsByChannel {
    match json(text) {
        Ok(Command::Subscribe(selection, None)) => selection,
        other => panic!("not a subscribe without `x`: {other:?}"),
    }
}

fn extended(text: &str) -> (SymbolsByChannel, Extensions) {
    match json(text) {
        Ok(Command::Subscribe(selection, Some(extensions))) => (selection, extensions),
        other => panic!("not a subscribe with `x`: {other:?}"),
    }
}

fn names(names: RejectedNames) -> Vec<String> {
    names.into_names().collect()
}

#[test]
fn keys_come_in_any_order_and_unknown_ones_are_ignored() {
    let selection =
        subscribed(r#"{"quotes":["AMD","CLDR"],"orderbooks":["X"],"action":"subscribe","bars":["*"]}"#);

    assert!(selection.of(Channel::Quotes).names().eq(["AMD", "CLDR"]));
    assert!(selection.of(Channel::Bars).names().eq(["*"]));
    assert!(selection.of(Channel::Trades).is_empty());
    assert_eq!(selection.len(), 3);
}

#[test]
fn a_channel_that_follows_another_has_no_subscription_of_its_own() {
    assert!(subscribed(r#"{"action":"subscribe","corrections":["AAPL"],"cancelErrors":"?"}"#).is_empty());
}

#[test]
fn null_is_absent_for_every_key() {
    let channels = Channel::ALL.map(|channel| format!(r#","{}":null"#, channel.name())).concat();
    let options =
        r#"{"id":null,"conflate_ms":null,"snapshot":null,"heartbeat_ms":null,"resume":null,"later":null}"#;

    let plain =
        json(&format!(r#"{{"action":"subscribe","key":null,"secret":null,"news":null,"x":null{channels}}}"#));
    let opted_in = json(&format!(r#"{{"action":"subscribe","x":{options}}}"#));
    let resume = json(
        r#"{"action":"subscribe","x":{"resume":{"epoch":"e","sq":{"trades":null,"quotes":{"A":null}}}}}"#,
    );
    let auth = json(r#"{"action":"auth","key":null,"secret":null}"#);

    assert_eq!(plain, Ok(Command::Subscribe(SymbolsByChannel::default(), None)));
    assert_eq!(opted_in, Ok(Command::Subscribe(SymbolsByChannel::default(), Some(Extensions::default()))));
    let request = ResumeRequest { epoch: "e".into(), last: vec![] };
    let extensions = Extensions { resume: Some(request), ..Extensions::default() };
    assert_eq!(resume, Ok(Command::Subscribe(SymbolsByChannel::default(), Some(extensions))));
    assert_eq!(auth, Ok(Command::Auth { key: String::new(), secret: String::new() }));
    assert_eq!(subscribed(r#"{"action":"subscribe","trades":[null,"A",null]}"#).len(), 1);
}

#[test]
fn whole_floats_are_integers_in_every_option() {
    let (_, x) = extended(
        r#"{"action":"subscribe","x":{"id":7.0,"conflate_ms":250.0,"heartbeat_ms":2.5e2,
            "resume":{"epoch":"e","sq":{"trades":{"AAPL":8841.0}}}}}"#,
    );

    assert_eq!((x.id, x.conflate_ms, x.heartbeat_ms), (Some(RequestId::Number(7)), Some(250), Some(250)));
    assert_eq!(x.resume.unwrap().last, [(Channel::Trades, "AAPL".parse().unwrap(), 8841)]);
    assert!(x.rejected.options.is_empty());
}

#[test]
fn a_byte_order_mark_and_white_space_around_a_command_are_ignored() {
    for text in [
        "\u{feff}{\"action\":\"subscribe\"}",
        "\r\n\t {\"action\":\"subscribe\"} \n",
        " \u{feff} {\"action\":\"subscribe\"}",
    ] {
        assert!(json(text).is_ok(), "{text:?}");
    }
    assert!(json("{\"action\":\"subscribe\"} {}").is_err(), "two values are not one command");
}

#[test]
fn the_last_of_several_values_of_a_key_counts() {
    let (selection, x) = extended(
        r#"{"action":"buy","trades":"?","action":"subscribe","trades":["AAPL"],"news":["X"],"news":[],
            "x":{"id":[],"id":1,"id":2,"later":1,"later":null,"resume":[],
                 "resume":{"epoch":1,"epoch":"e","sq":{"trades":{"AAPL":1,"AAPL":2,"MSFT":1,"MSFT":null}}}}}"#,
    );

    assert!(selection.of(Channel::Trades).names().eq(["AAPL"]));
    assert_eq!(x.id, Some(RequestId::Number(2)));
    let last = vec![(Channel::Trades, "AAPL".parse().unwrap(), 2)];
    assert_eq!(x.resume, Some(ResumeRequest { epoch: "e".into(), last }));
    assert_eq!(x.rejected, crate::wire::Rejected::default());
}

#[test]
fn a_malformed_name_costs_no_other_name() {
    let odd = r#"["AAPL","A B","",7,7.5,-1,true,["A"],{"A":1},"MSFT ","ÄPFEL","*"]"#;

    let (selection, x) = extended(&format!(r#"{{"action":"subscribe","trades":{odd},"x":{{}}}}"#));

    assert!(selection.of(Channel::Trades).names().eq(["*", "AAPL"]));
    assert_eq!(subscribed(&format!(r#"{{"action":"subscribe","trades":{odd}}}"#)), selection);
    let [(Channel::Trades, malformed)] = &x.rejected.symbols[..] else { panic!("{:?}", x.rejected) };
    assert_eq!(
        names(malformed.clone()),
        ["", "-1", "7", "7.5", "A B", "MSFT ", "[…]", "true", "{…}", "ÄPFEL"]
    );
}

#[test]
fn unknown_channels_and_options_are_named_unless_they_ask_for_nothing() {
    let (_, x) = extended(
        r#"{"action":"subscribe","trade":["AAPL"],"news":[],"pricing":null,"subjects":["a"],"corrections":["A"],
            "key":"K","x":{"conflat_ms":250,"field":{"tickers":["p"]}}}"#,
    );

    assert_eq!(names(x.rejected.channels), ["subjects", "trade"]);
    assert_eq!(names(x.rejected.options), ["conflat_ms", "field"]);
}

/// Names by channel.
type ByChannel = Vec<(String, Vec<String>)>;

/// The request in `x.fields`, and what of it is rejected: fields by channel, and options.
fn fields(value: &str) -> (FieldsRequest, ByChannel, Vec<String>) {
    let (_, x) = extended(&format!(r#"{{"action":"subscribe","x":{{"fields":{value}}}}}"#));
    let by_channel = x.rejected.fields.into_iter().map(|(channel, rejected)| (channel, names(rejected)));
    (x.fields, by_channel.collect(), names(x.rejected.options))
}

fn tickers(keys: &[&str]) -> FieldsRequest {
    let known = keys.iter().map(|key| TickerFields::named(key).unwrap());
    FieldsRequest::Tickers(known.fold(TickerFields::TIME, TickerFields::with))
}

#[test]
fn fields_select_known_keys_of_tickers_and_name_the_others() {
    let rejected = |channel: &str, names: &[&str]| {
        vec![(channel.to_owned(), names.iter().map(ToString::to_string).collect::<Vec<_>>())]
    };
    let none = Vec::<String>::new;

    assert_eq!(fields(r#"{"tickers":["p","bp","p",null]}"#), (tickers(&["p", "bp"]), vec![], none()));
    assert_eq!(fields(r#"{"tickers":["T","S","sq","cf","t"]}"#), (tickers(&[]), vec![], none()));
    assert_eq!(fields(r#"{"tickers":[]}"#), (tickers(&[]), vec![], none()));
    let without_time = FieldsRequest::Tickers(TickerFields::named("p").unwrap());
    assert_eq!(fields(r#"{"tickers":["-t","p","t"]}"#), (without_time, vec![], none()));
    assert_eq!(
        fields(r#"{"tickers":["zz","p",7]}"#),
        (tickers(&["p"]), rejected("tickers", &["?", "zz"]), none())
    );
    assert_eq!(
        fields(r#"{"tickers":["p"],"trades":["p"],"quotes":null}"#),
        (tickers(&["p"]), rejected("trades", &["p"]), none())
    );
    for nothing in ["null", "{}", r#"{"tickers":null}"#] {
        assert_eq!(fields(nothing), (FieldsRequest::All, vec![], none()), "{nothing}");
    }
    for wrong in ["true", "7", r#"["p"]"#, r#""p""#] {
        assert_eq!(fields(wrong), (FieldsRequest::Unchanged, vec![], vec!["fields".to_owned()]), "{wrong}");
    }
    let wrong = fields(r#"{"tickers":"p","bars":{}}"#);
    assert_eq!(
        wrong,
        (FieldsRequest::Unchanged, vec![], vec!["fields.bars".to_owned(), "fields.tickers".to_owned()])
    );
}

#[test]
fn the_last_fields_of_a_command_count() {
    let (_, x) = extended(
        r#"{"action":"subscribe","x":{"fields":{"tickers":3,"bars":["o"]},"fields":{"tickers":["zz"]},"fields":{},
            "delta":1,"delta":true}}"#,
    );

    assert_eq!((x.fields, x.delta), (FieldsRequest::All, Some(true)));
    assert_eq!(x.rejected, crate::wire::Rejected::default());
}

#[test]
fn what_is_rejected_of_fields_is_bounded() {
    let channels: Vec<_> = (0..10_000).map(|n| format!(r#""c{n}":["a"]"#)).collect();
    let (_, rejected, _) = fields(&format!("{{{}}}", channels.join(",")));
    assert_eq!(rejected.len(), 16);
}

#[test]
fn a_subscribe_that_asks_only_for_channels_of_another_stream_is_one_of_its_own() {
    for (text, is_other) in [
        (r#"{"action":"subscribe","orderbooks":["AAPL"]}"#, true),
        (r#"{"action":"subscribe","trades":[],"bars":null,"news":["*"]}"#, true),
        (r#"{"action":"subscribe","orderbooks":["AAPL"],"trades":["AAPL"]}"#, false),
        (r#"{"action":"subscribe","orderbooks":[],"news":null,"pricing":[]}"#, false),
        (r#"{"action":"unsubscribe","orderbooks":["AAPL"]}"#, false),
        (r#"{"action":"subscribe","orderbooks":["AAPL"],"x":{"id":1}}"#, false),
        (r#"{"action":"subscribe","topics":["a"]}"#, false),
    ] {
        assert_eq!(json(text) == Ok(Command::OtherStream), is_other, "{text}");
    }
}

#[test]
fn an_option_without_a_valid_value_is_named_and_costs_no_other_option() {
    for (key, values) in [
        ("id", &["true", "[]", "{}", "1.5", r#""\u0061""#][..4]),
        ("conflate_ms", &[r#""250""#, "-1", "250.5", "true", "[]", "{}"]),
        ("heartbeat_ms", &[r#""250""#, "-1", "1e-3", "false", "[250]"]),
        ("snapshot", &["1", r#""yes""#, "[]"]),
        ("delta", &["1", r#""yes""#, "[]", "{}"]),
        ("resume", &["true", r#"["e",{}]"#, r#""e""#]),
    ] {
        for value in values {
            let other = if key == "id" { r#""snapshot":true"# } else { r#""id":7"# };
            let (selection, x) = extended(&format!(
                r#"{{"action":"subscribe","trades":["A"],"x":{{"{key}":{value},{other}}}}}"#
            ));

            assert_eq!(names(x.rejected.options), [key], "{value}");
            assert!(x.id == Some(RequestId::Number(7)) || x.snapshot, "{key} {value}");
            assert_eq!((selection.len(), x.conflate_ms, x.heartbeat_ms, x.resume), (1, None, None, None));
        }
    }
    let (_, x) = extended(&format!(r#"{{"action":"subscribe","x":{{"id":"{}"}}}}"#, "i".repeat(129)));
    assert_eq!((x.id, names(x.rejected.options)), (None, vec!["id".to_owned()]));
    let (_, x) = extended(r#"{"action":"subscribe","x":{"conflate_ms":1e15}}"#);
    assert!(x.conflate_ms > Some(60_000), "longer than any that is granted");
}

#[test]
fn a_resume_without_an_epoch_is_one_of_an_unknown_epoch() {
    let (_, x) = extended(r#"{"action":"subscribe","x":{"resume":{"sq":{"trades":{"AAPL":5}}}}}"#);

    assert_eq!(names(x.rejected.options), ["resume.epoch"]);
    let resume = x.resume.unwrap();
    assert_eq!((resume.epoch.as_str(), resume.last.len()), ("", 1));
}

#[test]
fn a_malformed_entry_of_a_resume_costs_no_other_entry() {
    let (_, x) = extended(
        r#"{"action":"subscribe","x":{"resume":{"epoch":"e","at":1,"sq":{"trades":{"AAPL":"5","MSFT":6,"A B":1},
            "quotes":[8],"trade":{"AAPL":1},"bars":{"AAPL":-1,"MSFT":1.5}}}}}"#,
    );

    assert_eq!(
        names(x.rejected.options),
        [
            "resume.at",
            "resume.sq.bars.AAPL",
            "resume.sq.bars.MSFT",
            "resume.sq.quotes",
            "resume.sq.trade",
            "resume.sq.trades.AAPL"
        ]
    );
    assert_eq!(x.resume.unwrap().last, [(Channel::Trades, "MSFT".parse().unwrap(), 6)]);
}

#[test]
fn credentials_are_read() {
    let command = json(r#"{"secret":"S","action":"auth","key":"K"}"#);

    assert_eq!(command, Ok(Command::Auth { key: "K".into(), secret: "S".into() }));
    let token = json(r#"{"action":"auth","token":"a.b.c","key":"K","secret":"S"}"#);
    assert_eq!(token, Ok(Command::Auth { key: "jwt".into(), secret: "a.b.c".into() }), "a token precedes");
}

#[test]
fn bytes_are_text_in_messagepack() {
    let bin = |text: &str| Packed::Binary(text.as_bytes().to_vec());
    let command = Packed::Map(vec![
        (bin("action"), bin("subscribe")),
        (bin("trades"), Packed::Array(vec![bin("AAPL"), bin("*"), Packed::Binary(vec![0xFF])])),
        (bin("x"), Packed::Map(vec![(bin("id"), bin("a"))])),
    ]);

    let Ok(Command::Subscribe(selection, Some(x))) = packed(&command) else { panic!("refused") };

    assert!(selection.of(Channel::Trades).names().eq(["*", "AAPL"]));
    assert_eq!(x.id, Some(RequestId::Text("a".into())));
    assert_eq!(x.rejected.symbols.len(), 1);
}

#[test]
fn positions_and_integers_are_no_keys_in_messagepack() {
    let with = |x: Packed| packed(&Packed::Map(vec![("action".into(), "subscribe".into()), ("x".into(), x)]));
    let extensions = |x: Packed| match with(x) {
        Ok(Command::Subscribe(_, Some(extensions))) => extensions,
        other => panic!("{other:?}"),
    };
    let list = || Packed::Array(vec![7.into(), 250.into()]);
    let integers = || Packed::Map(vec![(0.into(), "e".into()), (Packed::Nil, 1.into())]);

    assert_eq!(with(list()), Err(CommandFault::WrongType { key: "x", expected: "a map" }));
    let x = extensions(integers());
    assert_eq!((x.id, names(x.rejected.options)), (None, vec!["#0".to_owned(), "?".to_owned()]));
    let x = extensions(Packed::Map(vec![("resume".into(), list())]));
    assert_eq!((x.resume, names(x.rejected.options)), (None, vec!["resume".to_owned()]));
    let x = extensions(Packed::Map(vec![("resume".into(), integers())]));
    assert_eq!(x.resume, Some(ResumeRequest::default()));
    let extension = Packed::Ext(-1, vec![0; 4]);
    let x = extensions(Packed::Map(vec![("id".into(), extension), ("snapshot".into(), true.into())]));
    assert!(x.snapshot && names(x.rejected.options) == ["id"]);
}

/// Any value that a client might send at any place, with the names that mean something.
fn value(random: &mut StdRng, depth: u32) -> serde_json::Value {
    const WORDS: [&str; 12] =
        ["AAPL", "*", "", "A B", "trades", "resume", "epoch", "sq", "id", "snapshot", "subscribe", "ä"];
    let word = |random: &mut StdRng| WORDS[random.random_range(0..WORDS.len())];
    match random.random_range(0..if depth == 0 { 7 } else { 12 }) {
        0 => serde_json::Value::Null,
        1 => random.random::<bool>().into(),
        2 => random.random_range(-3..300_i64).into(),
        3 => (f64::from(random.random_range(-6..600)) / 2.0).into(),
        4 => random.random::<u64>().into(),
        5 | 6 => word(random).into(),
        7 | 8 => (0..random.random_range(0..4)).map(|_| value(random, depth - 1)).collect(),
        _ => map(random, &WORDS, depth - 1),
    }
}

fn map(random: &mut StdRng, keys: &[&str], depth: u32) -> serde_json::Value {
    let count = random.random_range(0..6);
    let entries = (0..count).map(|_| {
        let key = keys[random.random_range(0..keys.len())];
        let value = match key {
            "action" => ["subscribe", "unsubscribe", "auth"][random.random_range(0..3)].into(),
            "x" => map(
                random,
                &[
                    "id",
                    "conflate_ms",
                    "snapshot",
                    "heartbeat_ms",
                    "fields",
                    "delta",
                    "resume",
                    "resume",
                    "later",
                ],
                4,
            ),
            "resume" => map(random, &["epoch", "sq", "sq", "later"], 3),
            "fields" => map(random, &["tickers", "tickers", "trades"], 2),
            "sq" => map(random, &["trades", "quotes", "news"], 2),
            "trades" | "quotes" if depth == 2 => map(random, &["AAPL", "MSFT", "A B"], 1),
            _ => value(random, depth),
        };
        (key.to_owned(), value)
    });
    serde_json::Value::Object(entries.collect())
}

#[test]
fn any_command_means_the_same_in_either_codec() {
    let keys =
        ["action", "action", "action", "key", "secret", "trades", "quotes", "corrections", "news", "x", "x"];
    let (mut commands, mut resumed, mut rejected) = (0, 0, 0);
    for seed in 0..30_000 {
        let value = map(&mut StdRng::seed_from_u64(seed), &keys, 3);

        let command = Command::read(Codec::Json, value.to_string().as_bytes());

        match (&command, Command::read(Codec::MsgPack, &rmp_serde::to_vec_named(&value).unwrap())) {
            (Err(error), same) => assert_eq!(same.as_ref(), Err(error), "{value}"),
            (Ok(command), same) => assert_eq!(same.as_ref(), Ok(command), "{value}"),
        }
        commands += u32::from(command.is_ok());
        if let Ok(Command::Subscribe(_, Some(x)) | Command::Unsubscribe(_, Some(x))) = &command {
            resumed += x.resume.as_ref().map_or(0, |resume| resume.last.len());
            rejected += u32::from(!x.rejected.options.is_empty());
        }
    }
    assert!(commands > 3_000 && resumed > 100 && rejected > 1_000, "{commands} {resumed} {rejected}");
}

#[test]
fn a_deeply_nested_value_of_an_unknown_key_costs_no_command() {
    let value = (0..100).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]));
    let value = serde_json::json!({ "action": "subscribe", "anything": value });

    assert!(json(&value.to_string()).is_ok());
    assert!(Command::read(Codec::MsgPack, &rmp_serde::to_vec_named(&value).unwrap()).is_ok());
}

#[test]
fn anything_else_is_refused_with_what_is_expected() {
    use CommandFault::*;
    let list = "a list of symbols, `*` for all";
    for (text, error) in [
        ("[]", NotAMap),
        ("null", NotAMap),
        ("\"subscribe\"", NotAMap),
        (r#"["subscribe"]"#, NotAMap),
        ("{}", NoAction),
        (r#"{"action":null}"#, NoAction),
        (r#"{"action":1}"#, WrongType { key: "action", expected: "text" }),
        (r#"{"action":"buy"}"#, UnknownAction("buy".into())),
        (r#"{"action":"auth","key":1}"#, WrongType { key: "key", expected: "text" }),
        (r#"{"action":"auth","secret":[]}"#, WrongType { key: "secret", expected: "text" }),
        (r#"{"action":"auth","token":7}"#, WrongType { key: "token", expected: "text" }),
        (r#"{"action":"subscribe","trades":"AAPL"}"#, WrongType { key: "trades", expected: list }),
        (r#"{"action":"subscribe","bars":{"AAPL":1}}"#, WrongType { key: "bars", expected: list }),
        (r#"{"action":"subscribe","x":true}"#, WrongType { key: "x", expected: "a map" }),
        (r#"{"action":"subscribe","x":[7]}"#, WrongType { key: "x", expected: "a map" }),
    ] {
        assert_eq!(json(text), Err(error), "{text}");
    }
    for text in ["", "{", "{\"action\":\"subscribe\"", "subscribe", r#"{"action":"subscribe"}{}"#, "\u{feff}"]
    {
        assert!(matches!(json(text), Err(Json(_))), "{text}");
    }
    for bytes in
        [&b""[..], &[0xC1], &[0x93], &[0x81, 0xA1], &[0xDF, 0xFF, 0xFF, 0xFF, 0xFF], &[0x91; 400], b"{}"]
    {
        assert_eq!(Command::read(Codec::MsgPack, bytes), Err(MsgPack.into()), "{bytes:?}");
    }
}

#[test]
fn a_publication_and_a_presence_query_name_a_topic() {
    let id = Some(RequestId::Number(9));
    let topic: crate::model::Symbol = "chat:AAPL".parse().unwrap();
    let data = serde_json::json!({"text": "hi", "list": [1, 2.5, null]});

    let published = format!(r#"{{"action":"publish","topic":"chat:AAPL","data":{data},"x":{{"id":9}}}}"#);
    let expected = PublishCommand { topic, data: data.clone(), id: id.clone() };
    assert_eq!(json(&published), Ok(Command::Publish(expected.clone())));
    let packed = rmp_serde::to_vec_named(&serde_json::from_str::<serde_json::Value>(&published).unwrap());
    assert_eq!(Command::read(Codec::MsgPack, &packed.unwrap()), Ok(Command::Publish(expected)));
    let query = json(r#"{"action":"presence","topic":"chat:AAPL","x":{"id":9}}"#);
    assert_eq!(query, Ok(Command::Presence(PresenceQuery { topic, id })));
    for bad in [
        r#"{"action":"publish","data":1}"#,
        r#"{"action":"publish","topic":"a b","data":1}"#,
        r#"{"action":"publish","topic":"chat:AAPL"}"#,
        r#"{"action":"publish","topic":"chat:AAPL","data":null}"#,
        r#"{"action":"presence","topic":7}"#,
    ] {
        assert!(matches!(json(bad), Err(CommandFault::WrongType { .. })), "{bad}");
    }
}

#[test]
fn a_command_that_is_refused_keeps_its_id() {
    let id_of = |text: &str| Command::read(Codec::Json, text.as_bytes()).unwrap_err().id;

    for command in [
        r#""action":"publish","topic":"chat:AAPL""#,
        r#""action":"presence","topic":"a b""#,
        r#""action":"alert","S":"AAPL""#,
        r#""action":"unalert""#,
        r#""action":"subscribe","trades":"AAPL""#,
        r#""action":"buy""#,
        r#""topic":"chat:AAPL""#,
    ] {
        assert_eq!(
            id_of(&format!(r#"{{{command},"x":{{"id":9}}}}"#)),
            Some(RequestId::Number(9)),
            "{command}"
        );
        assert_eq!(id_of(&format!(r#"{{{command},"x":{{"id":[9]}}}}"#)), None, "{command}");
        assert_eq!(id_of(&format!("{{{command}}}")), None, "{command}");
    }
    assert_eq!(id_of(r#"{"action":"publish","x":{"id":9}"#), None, "what cannot be read has none");
}

#[test]
fn data_that_nests_too_deep_or_has_half_a_character_is_no_command() {
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    for data in [deep.as_str(), r#""\ud800""#, "\"\u{1}\""] {
        let command = format!(r#"{{"action":"publish","topic":"chat:AAPL","data":{data}}}"#);
        assert!(matches!(json(&command), Err(CommandFault::Json(_))), "{data}");
    }
}

#[test]
fn topics_are_a_list_like_the_others() {
    let command = json(
        r#"{"action":"subscribe","topics":["chat:AAPL"],"x":{"resume":{"epoch":"e","sq":{"topics":{"chat:AAPL":41}}}}}"#,
    );

    let Ok(Command::Subscribe(named, Some(extensions))) = command else { panic!("{command:?}") };
    assert!(named.of(Channel::Messages).names().eq(["chat:AAPL"]));
    assert!(named.of(Channel::States).is_empty());
    let last = extensions.resume.unwrap().last;
    assert_eq!(last, [(Channel::Messages, "chat:AAPL".parse().unwrap(), 41)]);
}
