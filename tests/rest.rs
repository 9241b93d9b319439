//! The REST API as the historical clients of existing SDKs use it.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tapecast::source::SimulationSettings;
use test_support::{Client, DEADLINE, Server, get, get_json, wait_for};

/// A market in which no trade is reported late, so that the past does not change.
fn start() -> Server {
    Server::start(|config| {
        config.simulation = SimulationSettings { trades_per_second: 500.0, ..SimulationSettings::UNEVENTFUL };
        config.retention.trades = 20_000;
    })
}

/// The status and the message of an error.
fn error(address: SocketAddr, path: &str) -> (u16, String) {
    let (status, body) = get(address, path);
    let body: Value = serde_json::from_str(&body).expect("an error is JSON");
    (status, body["message"].as_str().expect("an error has a message").to_owned())
}

/// All rows of a symbol, fetched page by page.
fn paged(address: SocketAddr, path: &str, series: &str, symbol: &str) -> Vec<Value> {
    let (mut rows, mut token) = (Vec::new(), String::new());
    loop {
        let page = get_json(address, &format!("{path}&page_token={token}"));
        rows.extend(page[series].get(symbol).into_iter().flat_map(|rows| rows.as_array().unwrap()).cloned());
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return rows,
        }
    }
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn times(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["t"].as_str().unwrap()).collect()
}

/// The times of two trades of NVDA that are more than `apart` from each other; waits for the second.
fn two_trades(server: &Server, apart: Duration) -> (String, String) {
    let newest = || {
        get_json(server.address, "/v2/stocks/NVDA/trades/latest")["trade"]["t"].as_str().map(str::to_owned)
    };
    let first = wait_for("a first trade", || {
        let (status, _) = get(server.address, "/v2/stocks/NVDA/trades/latest");
        (status == 200).then(newest).flatten()
    });
    let second = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let last = wait_for("a later trade", || {
        newest().filter(|at| second(at).duration_since(second(&first)).unsigned_abs() > apart)
    });
    (first, last)
}

#[test]
fn every_response_has_the_fields_that_sdks_read() {
    let server = start();
    two_trades(&server, Duration::ZERO);
    let bar = ["c", "h", "l", "n", "o", "t", "v", "vw"];
    let trade = ["c", "i", "p", "s", "t", "x", "z"];
    let quote = ["ap", "as", "ax", "bp", "bs", "bx", "c", "t", "z"];
    for (series, one, fields) in
        [("bars", "bar", &bar[..]), ("trades", "trade", &trade), ("quotes", "quote", &quote)]
    {
        let many = get_json(
            server.address,
            &format!("/v2/stocks/{series}?symbols=NVDA,ZZZZZ&timeframe=1Min&start=2020-01-01&limit=2"),
        );
        assert_eq!(many.as_object().unwrap().len(), 2);
        assert!(many["next_page_token"].is_string());
        assert_eq!(names(&many[series]), ["NVDA"]);
        assert_eq!(names(&many[series]["NVDA"][0]), fields);

        let single = get_json(
            server.address,
            &format!("/v2/stocks/NVDA/{series}?timeframe=1Min&start=2020-01-01&limit=2"),
        );
        assert_eq!(single["symbol"], "NVDA");
        assert_eq!(names(&single[series][0]), fields);
        assert!(single.get("next_page_token").is_some());

        let latest = get_json(server.address, &format!("/v2/stocks/{series}/latest?symbols=NVDA%2CZZZZZ"));
        assert_eq!(names(&latest[series]["NVDA"]), fields);
        assert_eq!(names(&latest[series]), ["NVDA"]);

        let latest = get_json(server.address, &format!("/v2/stocks/NVDA/{series}/latest"));
        assert_eq!((names(&latest[one]), &latest["symbol"]), (fields.to_vec(), &json!("NVDA")));
    }
    let parts = ["dailyBar", "latestQuote", "latestTrade", "minuteBar", "prevDailyBar"];
    let snapshots = get_json(server.address, "/v2/stocks/snapshots?symbols=NVDA");
    assert_eq!(names(&snapshots["NVDA"]), parts);
    let snapshot = get_json(server.address, "/v2/stocks/NVDA/snapshot");
    assert_eq!((names(&snapshot["dailyBar"]), &snapshot["symbol"]), (bar.to_vec(), &json!("NVDA")));
}

#[test]
fn pages_contain_each_bar_once_and_in_order() {
    let server = start();
    let whole = get_json(
        server.address,
        "/v2/stocks/bars?symbols=AAPL,BRK.B,MSFT&timeframe=1Day&start=2020-01-01&end=2100-01-01&limit=10000",
    );
    assert_eq!(whole["next_page_token"], Value::Null);
    for symbol in ["AAPL", "BRK.B", "MSFT"] {
        let whole = whole["bars"][symbol].as_array().unwrap();
        assert!((365..=367).contains(&whole.len()), "{}", whole.len());
        let mut expected = times(whole);
        assert!(expected.is_sorted_by(|one, next| one < next));
        for sort in ["asc", "desc"] {
            let path = format!(
                "/v2/stocks/bars?symbols=MSFT%2CBRK.B%2CAAPL&timeframe=1Day&start=2020-01-01&limit=100&sort={sort}"
            );
            assert_eq!(times(&paged(server.address, &path, "bars", symbol)), expected, "{symbol} {sort}");
            expected.reverse();
        }
    }
}

#[test]
fn pages_contain_each_trade_once_and_in_order_while_trading_continues() {
    let server = start();
    let (first, last) = two_trades(&server, Duration::from_secs(4));
    let window = format!("symbols=NVDA&start={first}&end={last}");
    let whole = get_json(server.address, &format!("/v2/stocks/trades?{window}&limit=10000"));
    let whole = whole["trades"]["NVDA"].as_array().unwrap();
    assert!(whole.len() > 10, "{}", whole.len());
    assert_eq!((whole[0]["t"].as_str(), whole[whole.len() - 1]["t"].as_str()), (Some(&*first), Some(&*last)));

    let ascending = paged(server.address, &format!("/v2/stocks/trades?{window}&limit=7"), "trades", "NVDA");
    let mut descending =
        paged(server.address, &format!("/v2/stocks/trades?{window}&limit=7&sort=desc"), "trades", "NVDA");

    assert_eq!(&ascending, whole);
    descending.reverse();
    assert_eq!(&descending, whole);
}

#[test]
fn the_latest_trade_is_the_last_one_streamed() {
    let server = start();
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","trades":["NVDA"]}"#);
    let before = client.next_objects().pop().unwrap();

    let latest = get_json(server.address, "/v2/stocks/NVDA/trades/latest")["trade"].clone();

    assert!(latest["i"].as_u64() >= before["i"].as_u64());
    let mut streamed = before;
    while streamed["i"] != latest["i"] {
        let objects = client.next_objects();
        streamed = objects.iter().find(|object| object["i"] == latest["i"]).unwrap_or(&objects[0]).clone();
    }
    for field in names(&latest) {
        assert_eq!(latest[field], streamed[field], "{field}");
    }
}

#[test]
fn bars_aggregate_the_streamed_trades_exactly() {
    let server = start();
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","trades":["NVDA"]}"#);
    let mut trades: Vec<Value> = Vec::new();
    let second = |trade: &Value| trade["t"].as_str().unwrap()[..19].to_owned();
    let seconds = |trades: &[Value]| {
        let mut seconds: Vec<_> = trades.iter().map(second).collect();
        seconds.dedup();
        seconds
    };
    while seconds(&trades).len() < 6 {
        trades.extend(client.next_objects());
    }

    // The first and the last second are incomplete.
    for start in &seconds(&trades)[1..5] {
        let path = format!("/v2/stocks/NVDA/bars?timeframe=1Sec&start={start}Z&end={start}Z");
        let bars = get_json(server.address, &path);
        let trades: Vec<_> = trades.iter().filter(|trade| second(trade) == *start).collect();
        let prices = || trades.iter().map(|trade| trade["p"].as_f64().unwrap());
        let shares: u64 = trades.iter().map(|trade| trade["s"].as_u64().unwrap()).sum();
        let [bar] = &bars["bars"].as_array().unwrap()[..] else { panic!("{bars}") };
        assert_eq!(bar["o"].as_f64(), prices().next());
        assert_eq!(bar["h"].as_f64(), prices().reduce(f64::max));
        assert_eq!(bar["l"].as_f64(), prices().reduce(f64::min));
        assert_eq!(bar["c"].as_f64(), prices().next_back());
        assert_eq!((bar["v"].as_u64(), bar["n"].as_u64()), (Some(shares), Some(trades.len() as u64)));
    }
}

#[test]
fn a_longer_bar_has_the_volume_of_its_parts() {
    let server = start();
    let bars = |timeframe: &str| {
        let path =
            format!("/v2/stocks/AAPL/bars?timeframe={timeframe}&start=2020-01-01&end=2100-01-01&limit=10000");
        get_json(server.address, &path)["bars"].as_array().unwrap().clone()
    };
    let yesterday = |bars: Vec<Value>| bars[..bars.len() - 1].to_vec();
    let sum = |bars: &[Value]| bars.iter().map(|bar| bar["v"].as_u64().unwrap()).sum::<u64>();

    let days = yesterday(bars("1Day"));
    let months = bars("1Month");
    let this_month = months[months.len() - 1]["t"].as_str().unwrap();
    let before: Vec<_> = days.iter().filter(|day| day["t"].as_str().unwrap() < this_month).cloned().collect();

    assert_eq!(sum(&before), sum(&yesterday(months.clone())));
    assert!((12..=14).contains(&months.len()), "{}", months.len());
    assert!((52..=54).contains(&bars("1Week").len()));
    assert_eq!(bars("4H").len(), bars("4Hour").len());
}

#[test]
fn every_time_format_that_sdks_send_is_accepted() {
    let server = start();
    two_trades(&server, Duration::ZERO);
    for start in [
        "2020-11-20T14%3A30%3A00%2B00%3A00",
        "2020-11-20T14:30:00.000Z",
        "2020-11-20T14:30:34.460671931Z",
        "2020-11-20",
    ] {
        let path =
            format!("/v2/stocks/trades?symbols=NVDA&start={start}&feed=iex&asof=-&currency=USD&limit=1");
        assert_eq!(get_json(server.address, &path)["trades"]["NVDA"].as_array().unwrap().len(), 1, "{start}");
    }
}

#[test]
fn invalid_requests_are_refused_with_a_message_that_names_the_fault() {
    let server = start();
    for (path, status, word) in [
        ("/v2/stocks/bars?symbols=AAPL", 400, "timeframe"),
        ("/v2/stocks/bars?symbols=AAPL&timeframe=7Year", 400, "timeframe"),
        ("/v2/stocks/trades", 400, "symbols"),
        ("/v2/stocks/trades?symbols=A%22B", 400, "symbols"),
        ("/v2/stocks/trades?symbols=AAPL&start=noon", 400, "start"),
        ("/v2/stocks/quotes?symbols=AAPL&limit=20000", 400, "limit"),
        ("/v2/stocks/quotes?symbols=AAPL&page_token=%00", 400, "page_token"),
        ("/v2/stocks/quotes?symbols=AAPL&sort=sideways", 400, "sort"),
        ("/v2/stocks/snapshots", 400, "symbols"),
        ("/v2/stocks/ZZZZZ/bars?timeframe=1Min", 404, "ZZZZZ"),
        ("/v2/stocks/ZZZZZ/trades/latest", 404, "ZZZZZ"),
        ("/v2/stocks/ZZZZZ/snapshot", 404, "ZZZZZ"),
        ("/v2/assets/ZZZZZ", 404, "ZZZZZ"),
        ("/v2/stocks/auctions?symbols=AAPL", 404, "not found"),
        ("/v2/stocks/AAPL/auctions", 404, "not found"),
        ("/v2/news/and/more", 404, "not found"),
        ("/v2/crypto", 404, "not found"),
    ] {
        let (actual, message) = error(server.address, path);
        assert_eq!(actual, status, "{path}: {message}");
        assert!(message.contains(word), "{path}: {message}");
    }
}

#[test]
fn unknown_symbols_of_a_list_are_absent_from_the_response() {
    let server = start();

    let bars = get_json(server.address, "/v2/stocks/bars?symbols=ZZZZZ&timeframe=1Day&start=2020-01-01");
    let snapshots = get_json(server.address, "/v2/stocks/snapshots?symbols=ZZZZZ");

    assert_eq!(bars, json!({"bars": {}, "next_page_token": null}));
    assert_eq!(snapshots, json!({}));
}

#[test]
fn the_clock_is_open_until_the_next_close() {
    let server = start();

    let clock = get_json(server.address, "/v2/clock");

    assert_eq!(clock["is_open"], true);
    assert!(clock["timestamp"].as_str() < clock["next_close"].as_str());
}

/// The end of the latest row of a symbol's bars, in seconds.
fn end_of_last(bars: &Value, seconds: i64) -> Option<i64> {
    let start = bars.as_array()?.last()?["t"].as_str()?;
    Some(start.parse::<jiff::Timestamp>().unwrap().as_second() + seconds)
}

#[test]
fn bars_are_closed_unless_partial_ones_are_asked_for() {
    let server = start();
    let clock = || {
        get_json(server.address, "/v2/clock")["timestamp"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    let page = |timeframe: &str, more: &str| {
        let of_all = "start=2020-01-01&limit=100&sort=desc";
        let path = format!("/v2/stocks/NVDA/bars?timeframe={timeframe}&{of_all}{more}");
        let mut bars = get_json(server.address, &path)["bars"].clone();
        bars.as_array_mut().unwrap().reverse();
        bars
    };
    for (timeframe, seconds) in [("1Sec", 1), ("5Sec", 5), ("1Min", 60), ("5Min", 300), ("1Hour", 3_600)] {
        wait_for("an open bar", || {
            let closed = end_of_last(&page(timeframe, ""), seconds);
            let both = end_of_last(&page(timeframe, "&partial=true"), seconds);
            let now = clock().as_second();
            assert!(closed <= Some(now), "{timeframe}: a bar that ends at {closed:?} is closed at {now}");
            (both > closed && both > Some(now)).then_some(())
        });
    }
    let latest = |more: &str| {
        let minutes = [
            get_json(server.address, &format!("/v2/stocks/NVDA/bars/latest?feed=iex{more}"))["bar"].clone(),
            get_json(server.address, &format!("/v2/stocks/bars/latest?symbols=NVDA{more}"))["bars"]["NVDA"].clone(),
            get_json(server.address, &format!("/v2/stocks/NVDA/snapshot?feed=iex{more}"))["minuteBar"].clone(),
            get_json(server.address, &format!("/v2/stocks/snapshots?symbols=NVDA{more}"))["NVDA"]["minuteBar"]
                .clone(),
        ];
        minutes.map(|bar| end_of_last(&json!([bar]), 60))
    };
    wait_for("all answers within one minute", || {
        let (closed, both, now) = (latest("&partial=false"), latest("&partial=true"), clock().as_second());
        assert!(closed.iter().all(|end| *end <= Some(now)), "{closed:?} at {now}");
        both.iter().all(|end| *end > Some(now)).then_some(())
    });
    let today = page("1Day", "");
    assert!(end_of_last(&today, 86_400) > Some(clock().as_second()), "the day's bar is that of today so far");
    assert_eq!(error(server.address, "/v2/stocks/NVDA/snapshot?partial=1").0, 400);
}

#[test]
fn pairs_are_the_same_market_in_the_api_for_coins() {
    let server = start();
    two_trades(&server, Duration::ZERO);
    let crypto = |path: &str| get_json(server.address, &format!("/v1beta3/crypto/us/{path}"));

    for series in ["trades", "quotes", "bars"] {
        let query = "symbols=NVDA%2FUSD,ZZZZZ/USD,MSFT/EUR&timeframe=1Day&start=2020-01-01&limit=2";
        let page = crypto(&format!("{series}?{query}"));
        assert_eq!(names(&page[series]), ["NVDA/USD"]);
        let rest = paged(server.address, &format!("/v1beta3/crypto/us/{series}?{query}"), series, "NVDA/USD");
        assert!(rest.len() >= 2, "{series}");
        assert_eq!(names(&crypto(&format!("latest/{series}?symbols=NVDA/USD"))[series]), ["NVDA/USD"]);
    }
    let days = "timeframe=1Day&start=2020-01-01&end=2020-12-31";
    let stocks = get_json(server.address, &format!("/v2/stocks/bars?symbols=NVDA&{days}"));
    assert_eq!(crypto(&format!("bars?symbols=NVDA/USD&{days}"))["bars"]["NVDA/USD"], stocks["bars"]["NVDA"]);
    let snapshots = crypto("snapshots?symbols=NVDA/USD,AAPL");
    assert_eq!(names(&snapshots["snapshots"]), ["AAPL", "NVDA/USD"], "the names of the request");
    let book = crypto("latest/orderbooks?symbols=NVDA/USD")["orderbooks"]["NVDA/USD"].clone();
    assert!(book["b"][0]["p"].as_f64() < book["a"][0]["p"].as_f64(), "{book}");
    for (path, status) in [
        ("bars?symbols=NVDA/USD", 400),
        ("trades", 400),
        ("auctions?symbols=NVDA", 404),
        ("latest/x?symbols=A", 404),
    ] {
        assert_eq!(error(server.address, &format!("/v1beta3/crypto/us/{path}")).0, status, "{path}");
    }
    assert_eq!(error(server.address, "/v1beta3/news").0, 404);
}

/// The headers and the bytes of the body of a GET.
fn raw(address: SocketAddr, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let end = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let body = response.split_off(end + 4);
    (String::from_utf8(response).unwrap().to_ascii_lowercase(), body)
}

#[test]
fn answers_are_compressed_for_clients_that_accept_it() {
    let server = Server::without_trades(|_| {});

    for path in [
        "/v2/assets",
        "/v2/stocks/bars?symbols=NVDA,AAPL&timeframe=1Day&start=2020-01-01&end=2026-01-01&limit=10000",
        "/openapi.json",
        "/asyncapi.json",
    ] {
        let (plain_head, plain) = raw(server.address, path, "");
        assert!(!plain_head.contains("content-encoding"), "{path}: {plain_head}");
        assert!(plain_head.contains("vary: accept-encoding"), "{path}: {plain_head}");
        for accepted in ["gzip, deflate, br", "*", "identity;q=0.1, GZIP;q=0.2"] {
            let (head, compressed) = raw(server.address, path, &format!("Accept-Encoding: {accepted}\r\n"));
            assert!(head.contains("content-encoding: gzip"), "{path}: {head}");
            assert!(head.contains("vary: accept-encoding"), "{path}: {head}");
            assert!(
                compressed.len() * 3 < plain.len() * 2,
                "{path}: {} of {}",
                compressed.len(),
                plain.len()
            );
            let mut text = Vec::new();
            GzDecoder::new(&compressed[..]).read_to_end(&mut text).unwrap();
            assert_eq!(text, plain, "{path}");
        }
        let (head, refused) = raw(server.address, path, "Accept-Encoding: gzip;q=0\r\n");
        assert!(!head.contains("content-encoding") && refused == plain, "{path}: {head}");
    }
    let (head, _) = raw(server.address, "/v2/clock", "Accept-Encoding: gzip\r\n");
    assert!(!head.contains("content-encoding"), "a short answer is sent as it is: {head}");
}

#[test]
fn the_end_of_the_calendar_is_a_date() {
    let server = start();
    for range in
        ["end=9999-12-31", "start=0001-01-01&end=9999-12-31T23:59:59Z", "start=2020-01-01&end=2300-01-01"]
    {
        let days = get_json(server.address, &format!("/v2/stocks/NVDA/bars?timeframe=1Day&{range}"));
        assert!(!days["bars"].as_array().unwrap().is_empty(), "{range}");
    }
}

#[test]
fn assets_are_filtered_and_an_empty_filter_is_none() {
    let server = Server::without_trades(|_| {});
    let count =
        |query: &str| get_json(server.address, &format!("/v2/assets?{query}")).as_array().unwrap().len();

    let (nasdaq, nyse) = (count("exchange=NASDAQ"), count("exchange=NYSE&status=active"));
    assert!(nasdaq > 0 && nyse > 0 && nasdaq + nyse <= 100, "{nasdaq} {nyse}");
    assert_eq!(count("exchange=&status=&asset_class="), 100);
    assert_eq!((count("exchange=LSE"), count("status=inactive")), (0, 0));
    for repeated in ["exchange=NYSE&exchange=NASDAQ", "status=active&status=active"] {
        let (status, message) = error(server.address, &format!("/v2/assets?{repeated}"));
        assert_eq!(status, 400, "{message}");
        assert!(message.contains(repeated.split('=').next().unwrap()), "{message}");
    }
}

#[test]
fn assets_are_listed_and_found_by_symbol_and_by_id() {
    let server = Server::without_trades(|config| config.symbols = 120);

    let all = get_json(server.address, "/v2/assets?status=active&asset_class=us_equity");
    let asset = get_json(server.address, "/v2/assets/BRK.B");

    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 120);
    assert!(all.iter().any(|asset| asset["symbol"] == "AAPL" && asset["exchange"] == "NASDAQ"));
    assert_eq!((&asset["symbol"], &asset["class"]), (&json!("BRK.B"), &json!("us_equity")));
    let by_id = get_json(server.address, &format!("/v2/assets/{}", asset["id"].as_str().unwrap()));
    assert_eq!(by_id, asset);
    assert_eq!(get_json(server.address, "/v2/assets?asset_class=crypto"), json!([]));
}
