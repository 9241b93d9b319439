//! TradingView's Universal Data Feed: every documented answer, and bars that are those of REST.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tapecast::auth::{Entitlements, GeneratedKey};
use tapecast::model::Feed;
use tapecast::source::{ReplayClock, ReplaySettings, SimulationSettings};
use test_support::{Server, TempFolder, get, get_json, get_with, metric, request, wait_for, wait_until};

/// The status and the message of an error of UDF.
fn error(address: SocketAddr, path: &str) -> (u16, String) {
    let (status, body) = get(address, path);
    let body: Value = serde_json::from_str(&body).expect("an error is JSON");
    assert_eq!((&body["s"], body.as_object().unwrap().len()), (&json!("error"), 2), "{path}: {body}");
    (status, body["errmsg"].as_str().expect("an error has a message").to_owned())
}

/// Unix seconds of a time in RFC 3339.
fn seconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// A time in RFC 3339.
fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

/// Unix seconds of a date's midnight in UTC.
fn midnight(date: &str) -> i64 {
    seconds(&format!("{date}T00:00:00Z"))
}

fn times(history: &Value) -> Vec<i64> {
    history["t"]
        .as_array()
        .unwrap_or_else(|| panic!("{history}"))
        .iter()
        .map(|it| it.as_i64().unwrap())
        .collect()
}

/// The dates of bars of days.
fn dates(history: &Value) -> Vec<String> {
    times(history).iter().map(|time| rfc3339(*time).strip_suffix("T00:00:00Z").unwrap().to_owned()).collect()
}

#[test]
fn the_configuration_offers_search_and_resolutions_but_no_groups_and_marks() {
    let server = Server::without_trades(|_| {});

    let config = get_json(server.address, "/udf/config");
    let before = jiff::Timestamp::now().as_second();
    let time = get_json(server.address, "/udf/time").as_i64().unwrap();

    assert_eq!(
        (&config["supports_search"], &config["supports_time"], &config["supports_group_request"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(
        (&config["supports_marks"], &config["supports_timescale_marks"]),
        (&json!(false), &json!(false))
    );
    for resolution in ["1S", "1", "5", "15", "60", "1D", "1W", "1M"] {
        assert!(config["supported_resolutions"].as_array().unwrap().contains(&json!(resolution)), "{config}");
    }
    assert_eq!(config["exchanges"][0]["value"], "", "a filter of all");
    assert!((before..=before + 60).contains(&time), "{time} at {before}");
}

#[test]
fn a_symbol_is_resolved_alone_and_with_its_exchange() {
    let server = Server::without_trades(|_| {});

    let apple = get_json(server.address, "/udf/symbols?symbol=AAPL");

    let asset = get_json(server.address, "/v2/assets/AAPL");
    let exchange = asset["exchange"].as_str().unwrap();
    assert_eq!((&apple["name"], &apple["ticker"]), (&json!("AAPL"), &json!("AAPL")));
    assert_eq!((&apple["description"], &apple["exchange"]), (&asset["name"], &asset["exchange"]));
    assert_eq!(apple["full_name"], format!("{exchange}:AAPL"));
    assert_eq!((&apple["timezone"], &apple["session"]), (&json!("America/New_York"), &json!("24x7")));
    assert_eq!(
        (&apple["pricescale"], &apple["minmov"], &apple["type"]),
        (&json!(100), &json!(1), &json!("stock"))
    );
    assert_eq!(
        (&apple["has_seconds"], &apple["has_intraday"], &apple["has_daily"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert!(apple["intraday_multipliers"].as_array().unwrap().contains(&json!("60")));
    assert_eq!(get_json(server.address, &format!("/udf/symbols?symbol={exchange}%3AAAPL")), apple);
    assert_eq!(get_json(server.address, "/udf/iex/symbols?symbol=AAPL"), apple, "the feed is in the path");
    assert_eq!(error(server.address, "/udf/symbols?symbol=ZZZZZ").0, 404);
    assert_eq!(error(server.address, "/udf/symbols?symbol=XETRA:AAPL").0, 404);
    assert_eq!(error(server.address, "/udf/symbols"), (400, "symbol is required".to_owned()));
}

#[test]
fn a_search_finds_symbols_and_names_the_best_first() {
    let server = Server::without_trades(|_| {});
    let symbols = |query: &str| {
        let found = get_json(server.address, &format!("/udf/search?{query}"));
        let symbol = |found: &Value| found["symbol"].as_str().unwrap().to_owned();
        found.as_array().unwrap().iter().map(symbol).collect::<Vec<_>>()
    };

    assert_eq!(symbols("query=aapl&type=stock&exchange=&limit=30")[0], "AAPL");
    assert_eq!(symbols("query=apple")[0], "AAPL", "by the name");
    let some = symbols("query=A&limit=3");
    assert!(some.len() == 3 && some.iter().all(|symbol| symbol.starts_with('A')), "{some:?}");
    assert_eq!(symbols("").len(), 30, "the first ones");
    assert_eq!(symbols("query=NASDAQ:AAPL"), ["AAPL"]);
    for nothing in ["query=aapl&type=forex", "query=aapl&exchange=NYSE", "query=%C3%A4%C3%B6"] {
        assert_eq!(symbols(nothing), [""; 0], "{nothing}");
    }
    let found = get_json(server.address, "/udf/search?query=AAPL&limit=1");
    let info = get_json(server.address, "/udf/symbols?symbol=AAPL");
    for field in ["symbol", "ticker", "full_name", "description", "exchange", "type"] {
        let expected = if field == "symbol" { "name" } else { field };
        assert_eq!(found[0][field], info[expected], "{field}");
    }
    assert_eq!(error(server.address, "/udf/search?query=A&limit=0").0, 400);
}

/// Asserts that the columns of UDF are these rows of REST, and returns how many there are.
fn assert_same(history: &Value, bars: &Value, time: impl Fn(&str) -> i64) -> usize {
    let bars = bars["bars"].as_array().unwrap();
    assert_eq!(history["s"], "ok", "{history}");
    let column = |field: &str| bars.iter().map(|bar| bar[field].clone()).collect::<Value>();
    for field in ["o", "h", "l", "c", "v"] {
        assert_eq!(history[field], column(field), "{field}");
    }
    let expected: Vec<_> = bars.iter().map(|bar| time(bar["t"].as_str().unwrap())).collect();
    assert_eq!(times(history), expected);
    bars.len()
}

#[test]
fn bars_are_those_of_rest_in_the_same_range() {
    let server = Server::without_trades(|_| {});
    let now = get_json(server.address, "/udf/time").as_i64().unwrap();
    for (resolution, timeframe, length) in [
        ("1S", "1Sec", 1),
        ("5S", "5Sec", 5),
        ("1", "1Min", 60),
        ("5", "5Min", 300),
        ("15", "15Min", 900),
        ("60", "1Hour", 3_600),
        ("240", "4Hour", 14_400),
    ] {
        let (from, to) = (now - 120 * length, now - 3 * length);
        // UDF's end is not in the range, and that of REST is.
        let (start, end) = (rfc3339(from), rfc3339(to - 1));
        let rest = format!(
            "/v2/stocks/NVDA/bars?timeframe={timeframe}&start={start}&end={end}&limit=10000&partial=true"
        );
        let rest = get_json(server.address, &rest);

        let history = get_json(
            server.address,
            &format!("/udf/history?symbol=NVDA&resolution={resolution}&from={from}&to={to}"),
        );

        let count = assert_same(&history, &rest, seconds);
        assert!(count > 20, "{resolution}: {count}");
        let path = format!("/udf/history?symbol=NVDA&resolution={resolution}&to={to}&countback={count}");
        assert_eq!(get_json(server.address, &path), history, "{resolution}");
    }
}

#[test]
fn bars_of_days_weeks_and_months_are_those_of_rest_at_midnight_in_utc() {
    let server = Server::without_trades(|_| {});
    for (resolution, timeframe) in
        [("1D", "1Day"), ("D", "1Day"), ("1W", "1Week"), ("1M", "1Month"), ("3M", "3Month")]
    {
        let rest = get_json(
            server.address,
            &format!("/v2/stocks/NVDA/bars?timeframe={timeframe}&start=2020-01-01&limit=10000"),
        );

        let path = format!("/udf/history?symbol=NVDA&resolution={resolution}&from=0&to=4102444800");
        let history = get_json(server.address, &path);

        let date = |time: &str| midnight(&time[..10]);
        assert!(assert_same(&history, &rest, date) >= 5, "{resolution}");
    }
}

#[test]
fn the_open_bar_is_the_last_one() {
    let server = Server::start(|config| {
        config.simulation = SimulationSettings { trades_per_second: 500.0, ..SimulationSettings::UNEVENTFUL };
    });

    wait_until("a bar of the minute that is not over", || {
        let path = "/udf/history?symbol=NVDA&resolution=1&from=0&to=4102444800&countback=2";
        let history = get_json(server.address, path);
        let now = get_json(server.address, "/udf/time").as_i64().unwrap();
        let times = times(&history);
        times.len() == 2 && times[1] + 60 > now
    });
}

#[test]
fn a_range_without_bars_tells_where_the_latest_bar_before_it_is() {
    let server = Server::without_trades(|_| {});
    let history =
        |range: &str| get_json(server.address, &format!("/udf/history?symbol=NVDA&resolution=1&{range}"));
    let last = *times(&history("to=4102444800&countback=1")).last().unwrap();

    let beyond = history("from=4102441200&to=4102444800");
    assert_eq!(beyond, json!({"s": "no_data", "nextTime": last * 1_000}));
    assert_eq!(history(&format!("from={}&to={}", last + 1, last + 1))["nextTime"], last * 1_000);
    for before in ["from=0&to=86400", "from=0&to=86400&countback=300", "to=-86400&countback=1"] {
        assert_eq!(history(before), json!({"s": "no_data"}), "{before}");
    }
}

#[test]
fn a_count_is_of_the_latest_bars_and_has_a_limit() {
    let server = Server::without_trades(|_| {});
    let history = |range: &str| {
        times(&get_json(server.address, &format!("/udf/history?symbol=NVDA&resolution=1&{range}")))
    };
    let all = history("from=0&to=4102444800");

    assert!((1_000..=10_000).contains(&all.len()), "{}", all.len());
    assert!(all.is_sorted_by(|one, next| one < next));
    assert_eq!(history("from=4102444700&to=4102444800&countback=7"), all[all.len() - 7..]);
    assert_eq!(history(&format!("to={}&countback=3", all[9])), all[6..9], "the end is not in the range");
    assert_eq!(history("to=4102444800&countback=4294967295"), all, "as many as there are");
}

#[test]
fn a_request_that_is_refused_says_why_in_the_form_of_udf() {
    let server = Server::without_trades(|_| {});
    let range = "from=0&to=9";
    for (path, status, word) in [
        ("/udf/history?symbol=AAPL&resolution=1&from=9&to=8".to_owned(), 400, "before from"),
        (format!("/udf/history?resolution=1&{range}"), 400, "symbol"),
        (format!("/udf/history?symbol=AAPL&{range}"), 400, "resolution"),
        (format!("/udf/history?symbol=AAPL&resolution=1H&{range}"), 400, "resolution"),
        (format!("/udf/history?symbol=AAPL&resolution=7&{range}&countback=x"), 400, "countback"),
        ("/udf/history?symbol=AAPL&resolution=1&to=9".to_owned(), 400, "from"),
        ("/udf/history?symbol=AAPL&resolution=1&from=0".to_owned(), 400, "to"),
        ("/udf/history?symbol=AAPL&resolution=1&from=now&to=9".to_owned(), 400, "from"),
        (format!("/udf/history?symbol=AAPL&symbol=KO&resolution=1&{range}"), 400, "symbol"),
        (format!("/udf/history?symbol=ZZZZZ&resolution=1&{range}"), 404, "ZZZZZ"),
        ("/udf/quotes".to_owned(), 400, "symbols"),
        ("/udf/quotes?symbols=A%20B".to_owned(), 400, "symbols"),
        ("/udf/symbol_info?group=NYSE".to_owned(), 404, "not found"),
        ("/udf/marks".to_owned(), 404, "not found"),
        ("/udf/nowhere/config".to_owned(), 404, "not found"),
    ] {
        let (actual, message) = error(server.address, &path);
        assert_eq!(actual, status, "{path}: {message}");
        assert!(message.contains(word), "{path}: {message}");
    }
    assert_eq!(request(server.address, "POST", "/udf/history", "").status, 405);
    assert_eq!(request(server.address, "HEAD", "/udf/config", "").status, 200);
}

#[test]
fn quotes_are_the_values_of_a_snapshot() {
    let server = Server::without_trades(|_| {});

    let quotes = get_json(server.address, "/udf/quotes?symbols=NVDA,ZZZZZ,NASDAQ%3AAAPL");

    assert_eq!(quotes["s"], "ok");
    let names: Vec<_> =
        quotes["d"].as_array().unwrap().iter().map(|quote| (&quote["n"], &quote["s"])).collect();
    let [name, good, bad] = [json!("NVDA"), json!("ok"), json!("error")];
    assert_eq!(names, [(&json!("NASDAQ:AAPL"), &good), (&name, &good), (&json!("ZZZZZ"), &bad)]);
    assert_eq!((&quotes["d"][2]["v"], quotes["d"][2]["errmsg"].is_string()), (&json!({}), true));
    let snapshot = get_json(server.address, "/v2/stocks/NVDA/snapshot");
    let values = &quotes["d"][1]["v"];
    let (day, previous) = (&snapshot["dailyBar"], &snapshot["prevDailyBar"]);
    for (value, expected) in [
        ("open_price", &day["o"]),
        ("high_price", &day["h"]),
        ("low_price", &day["l"]),
        ("lp", &day["c"]),
        ("volume", &day["v"]),
        ("prev_close_price", &previous["c"]),
        ("bid", &snapshot["latestQuote"]["bp"]),
        ("ask", &snapshot["latestQuote"]["ap"]),
    ] {
        assert_eq!(values.get(value).unwrap_or(&Value::Null), expected, "{value}: {quotes}");
    }
    let (last, close) = (values["lp"].as_f64().unwrap(), previous["c"].as_f64().unwrap());
    assert!((values["ch"].as_f64().unwrap() - (last - close)).abs() < 1e-9);
    assert!((values["chp"].as_f64().unwrap() - 100.0 * (last - close) / close).abs() < 0.0051);
}

#[test]
fn keys_permit_what_they_permit_of_rest() {
    let entitlements = Entitlements {
        feeds: Some(vec![Feed::IEX]),
        symbols: Some(vec!["AAPL".parse().unwrap()]),
        ..Entitlements::default()
    };
    let key = GeneratedKey::new("desk", entitlements, [3; 48]);
    let folder = TempFolder::new();
    std::fs::write(folder.file("keys"), &key.line).unwrap();
    let server = Server::without_trades(|config| config.access.keys = Some(folder.file("keys")));
    let headers = format!("APCA-API-KEY-ID: desk\r\nAPCA-API-SECRET-KEY: {}\r\n", key.secret);
    let ask = |path: &str| get_with(server.address, path, &headers);

    for path in
        ["config", "time", "symbols?symbol=AAPL", "search", "history?symbol=AAPL", "quotes?symbols=AAPL"]
    {
        let refusal = get_with(server.address, &format!("/udf/{path}"), "");
        assert_eq!((refusal.status, &refusal.json()["s"]), (401, &json!("error")), "{path}");
        assert!(refusal.header("www-authenticate").is_some(), "{path}");
        assert_ne!(ask(&format!("/udf/{path}")).status, 401, "{path}");
    }
    let history = "history?resolution=1D&from=0&to=4102444800&symbol";
    for (path, status) in [
        (format!("/udf/{history}=AAPL"), 200),
        (format!("/udf/iex/{history}=AAPL"), 200),
        (format!("/udf/{history}=KO"), 403),
        (format!("/udf/sip/{history}=AAPL"), 403),
        (format!("/udf/{history}=AAPL&feed=sip"), 403),
        ("/udf/symbols?symbol=KO".to_owned(), 200),
    ] {
        let response = ask(&path);
        assert_eq!(response.status, status, "{path}: {}", response.body);
    }
    let quotes = ask("/udf/quotes?symbols=AAPL,KO").json();
    assert_eq!((&quotes["d"][0]["s"], &quotes["d"][1]["s"]), (&json!("ok"), &json!("error")));
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A recording of SPY in its own time: the minutes of one day, and the days before it.
#[test]
fn a_market_with_hours_has_a_session_and_no_bars_on_weekends() {
    let files = vec![data("lean/daily/spy.zip"), data("lean/minute/spy/20131007_trade.zip")];
    let replay = ReplaySettings { clock: ReplayClock::Original, ..ReplaySettings::reproducible(files) };
    let from = tapecast::model::market_time("2013-10-07");
    let server = Server::start(|config| config.replay = Some(ReplaySettings { from, ..replay }));
    wait_for("the end", || (metric(server.address, "tapecast_replay_ended ") == 1.0).then_some(()));
    let history = |query: &str| get_json(server.address, &format!("/udf/history?symbol=SPY&{query}"));

    let info = get_json(server.address, "/udf/symbols?symbol=SPY");
    assert_eq!(info["session"], "0930-1600");
    assert!(info["session_holidays"].as_str().unwrap().contains("20131128"), "{info}");
    assert!(info["corrections"].as_str().unwrap().contains("20131129"), "{info}");

    let monday = midnight("2013-10-07");
    let week = dates(&history(&format!("resolution=1D&to={monday}&countback=6")));
    assert_eq!(week, ["2013-09-27", "2013-09-30", "2013-10-01", "2013-10-02", "2013-10-03", "2013-10-04"]);
    let weekend = history(&format!("resolution=1D&from={}&to={monday}", midnight("2013-10-05")));
    assert_eq!(weekend, json!({"s": "no_data", "nextTime": midnight("2013-10-04") * 1_000}));
    let months = dates(&history(&format!("resolution=1M&to={monday}&countback=3")));
    assert_eq!(months, ["2013-08-01", "2013-09-03", "2013-10-01"], "the first trading days");
    let open = seconds("2013-10-07T13:30:00Z");
    let minutes = times(&history(&format!("resolution=1&from={open}&to={}", open + 390 * 60)));
    assert_eq!(minutes, (0..390).map(|minute| open + 60 * minute).collect::<Vec<_>>());
}
