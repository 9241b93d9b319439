//! Metrics as Prometheus and its tools read them: the exposition, the alert rules and the dashboard of `docs/ops`.
#![cfg(all(unix, feature = "nats", feature = "relay"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;
use tapecast::auth::{Entitlements, GeneratedKey};
use tapecast::limits::raise_open_file_limit;
use test_support::{
    Client, DEADLINE, NatsServer, Program, TempFolder, TlsFiles, get, get_with, metric, wait_until,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapecast");

/// The file of this name in the tree.
fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(tree(path)).unwrap()
}

/// The program of this name from `make .tools/bin/NAME`, unless there is none.
fn tool(name: &str) -> Option<PathBuf> {
    let tool = [tree(".tools/bin").join(name), Path::new("/usr/bin").join(name)];
    let tool = tool.into_iter().find(|program| program.exists());
    if tool.is_none() {
        eprintln!("skipped: there is no {name}; `make .tools/bin/{name}` fetches it");
    }
    tool
}

/// Servers that together have every part: a simulated market with journal, keys and TLS; an open one, and its relay;
/// the feed and a gateway of a cluster.
struct Servers {
    full: Program,
    origin: Program,
    relay: Program,
    cluster: Vec<Program>,
    key: GeneratedKey,
    _nats: Option<NatsServer>,
    _files: (TempFolder, TlsFiles),
}

impl Servers {
    fn start() -> Self {
        let (folder, (tls, _)) = (TempFolder::new(), TlsFiles::generate());
        tls.expire();
        let key = GeneratedKey::new("desk", Entitlements::default(), [1; 48]);
        std::fs::write(folder.file("keys"), format!("{}\n", key.line)).unwrap();
        let [keys, journal, certificate, private] =
            [folder.file("keys"), folder.file("journal"), tls.certificate(), tls.key()]
                .map(|path| path.display().to_string());
        let full = start(&[
            "--journal",
            &journal,
            "--keys",
            &keys,
            "--tls-cert",
            &certificate,
            "--tls-key",
            &private,
            "--tls-listen",
            "127.0.0.1:0",
            "--workers",
            "2",
        ]);
        let origin = start(&["--workers", "1", "--max-sessions-per-address", "1000"]);
        let upstream = format!("ws://{}/v2/iex", origin.address);
        let relay = start(&["--upstream", &upstream]);
        let nats = NatsServer::start();
        let node =
            |nats: &NatsServer, role| start(&["--nats", &nats.url(), "--role", role, "--workers", "1"]);
        let cluster = nats.iter().flat_map(|nats| [node(nats, "feed"), node(nats, "gateway")]).collect();
        let servers = Self { full, origin, relay, cluster, key, _nats: nats, _files: (folder, tls) };
        for server in servers.all() {
            wait_until("a server to be ready", || get(server.address, "/readyz").0 == 200);
        }
        servers
    }

    fn all(&self) -> impl Iterator<Item = &Program> {
        [&self.full, &self.origin, &self.relay].into_iter().chain(&self.cluster)
    }

    /// The headers of the key, which open servers do not ask for.
    fn credentials(&self) -> String {
        format!("APCA-API-KEY-ID: desk\r\nAPCA-API-SECRET-KEY: {}\r\n", self.key.secret)
    }

    /// What every server exposes in this format.
    fn expositions(&self, accept: &str) -> Vec<String> {
        let accept = format!("Accept: {accept}\r\n");
        self.all().map(|server| get_with(server.address, "/metrics", &accept).body).collect()
    }

    /// The names of all families and samples, and of those that appear with their first event.
    fn names(&self) -> BTreeSet<String> {
        const EVENTUAL: [&str; 2] = ["tapecast_upstream_refused_total", "tapecast_replay_skipped_total"];
        let name = |line: &str| match line.strip_prefix("# TYPE ") {
            Some(family) => family.split(' ').next().unwrap().to_owned(),
            None => line.split([' ', '{']).next().unwrap().to_owned(),
        };
        let texts = self.expositions("text/plain");
        let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with("# HELP"));
        lines.map(name).chain(EVENTUAL.map(str::to_owned)).collect()
    }

    /// Begins to use all servers in every way that has a metric.
    fn load(&self) -> Load {
        let is_over = Arc::new(AtomicBool::new(false));
        let work = |address: SocketAddr| {
            let (is_over, credentials) = (Arc::clone(&is_over), self.credentials());
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    if use_once(address, &credentials).is_none() {
                        return;
                    }
                }
            })
        };
        let threads = self.all().map(|server| work(server.address)).collect();
        Load { is_over, threads }
    }
}

/// Starts a server with these options.
fn start(options: &[&str]) -> Program {
    let market = ["--symbols", "20", "--rate", "500"];
    let market = if options.contains(&"--upstream") { &[][..] } else { &market };
    Program::start(&[PROGRAM], &[market, options].concat(), &[])
}

/// Sessions in both codecs, a wrong command, requests and refusals, at a server that may be gone.
fn use_once(address: SocketAddr, credentials: &str) -> Option<()> {
    let subscribe = |path: &str| {
        std::net::TcpStream::connect(address).ok()?;
        let mut client = Client::connect_with(address, path, credentials);
        client.is_open().then(|| {
            client.send_text("no command");
            client.send_text(r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#);
            client
        })
    };
    let mut clients = [subscribe("/v2/iex")?, subscribe("/v2/iex?codec=msgpack")?];
    for path in [
        "/v2/stocks/bars?symbols=AAPL&timeframe=1Min",
        "/v2/stocks/bars?symbols=",
        "/nowhere",
        "/v2/nowhere/x",
    ] {
        std::net::TcpStream::connect(address).ok()?;
        get_with(address, path, credentials);
    }
    for client in &mut clients {
        for _ in 0..20 {
            client.next_frame()?;
        }
    }
    Some(())
}

/// Uses the servers until it is dropped.
struct Load {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // One whose server was stopped may have panicked.
            let _ = thread.join();
        }
    }
}

/// The words in a text that begin like a metric.
fn metric_names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !is_part(c));
    let is_metric = |word: &&str| {
        ["tapecast_", "process_"].iter().any(|prefix| word.starts_with(prefix)) && !word.ends_with('_')
    };
    words.filter(is_metric).map(str::to_owned).collect()
}

#[test]
fn promtool_has_no_complaint_about_the_exposition() {
    let Some(promtool) = tool("promtool") else { return };
    let servers = Servers::start();
    use_once(servers.origin.address, "").unwrap();

    for text in servers.expositions("text/plain") {
        let mut check = Command::new(&promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        check.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = check.wait_with_output().unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    }
    // That command does not read OpenMetrics. This one does, with a time behind each sample.
    for text in servers.expositions("application/openmetrics-text") {
        let folder = TempFolder::new();
        let timed = |line: &str| match line.starts_with('#') {
            true => format!("{line}\n"),
            false => format!("{line} 1700000000\n"),
        };
        std::fs::write(folder.file("metrics"), text.lines().map(timed).collect::<String>()).unwrap();
        let output = Command::new(&promtool)
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([folder.file("metrics"), folder.file("blocks")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn promtool_passes_the_alert_rules_and_their_tests() {
    let Some(promtool) = tool("promtool") else { return };
    for arguments in
        [["check", "rules", "docs/ops/alerts.yml"], ["test", "rules", "docs/ops/alerts_test.yml"]]
    {
        let output = Command::new(&promtool).args(arguments).current_dir(tree("")).output().unwrap();
        let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "{}", told.concat());
    }
    let (rules, tests) = (read("docs/ops/alerts.yml"), read("docs/ops/alerts_test.yml"));
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} has a test");
    }
}

#[test]
fn rules_dashboard_and_documents_name_the_metrics_that_there_are() {
    let servers = Servers::start();
    use_once(servers.origin.address, "").unwrap();
    let known = servers.names();

    for path in ["docs/ops/alerts.yml", "docs/ops/alerts_test.yml", "docs/ops/grafana-dashboard.json"] {
        let unknown: Vec<_> = metric_names(&read(path)).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{path} names what is not there: {unknown:?}");
    }

    let documented = metric_names(&[read("docs/OPERATIONS.md"), read("docs/CLUSTER.md")].concat());
    let families: BTreeSet<_> = servers
        .expositions("text/plain")
        .iter()
        .flat_map(|text| text.lines().filter_map(|line| line.strip_prefix("# TYPE ")))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    let missing: Vec<_> = families.difference(&documented).collect();
    assert!(missing.is_empty(), "not in OPERATIONS or CLUSTER: {missing:?}");
    let wrong: Vec<_> = documented.iter().filter(|name| !known.contains(*name)).collect();
    assert!(wrong.is_empty(), "documented and not there: {wrong:?}");
}

#[test]
fn the_number_of_series_is_bounded_whatever_clients_send() {
    let folder = TempFolder::new();
    let keys: Vec<_> = (0..60u8)
        .map(|number| GeneratedKey::new(&format!("key-{number}"), Entitlements::default(), [number; 48]))
        .collect();
    let lines: Vec<_> = keys.iter().map(|key| format!("{}\n", key.line)).collect();
    std::fs::write(folder.file("keys"), lines.concat()).unwrap();
    let file = folder.file("keys").display().to_string();
    let server = start(&["--keys", &file, "--workers", "1"]);
    let headers = |number: usize| {
        let secret = &keys[number].secret;
        format!("APCA-API-KEY-ID: key-{number}\r\nAPCA-API-SECRET-KEY: {secret}\r\n")
    };
    let clients: Vec<_> =
        (0..60).map(|number| Client::connect_with(server.address, "/v2/iex", &headers(number))).collect();
    assert!(clients.iter().all(Client::is_open));

    for number in 0..60 {
        for path in [format!("/v2/nowhere-{number}"), format!("/{number}"), format!("/v2/assets/S{number}")] {
            get_with(server.address, &path, &headers(number));
        }
        get_with(server.address, "/v2/assets", &format!("APCA-API-KEY-ID: stranger-{number}\r\n"));
    }

    let text = get(server.address, "/metrics").1;
    let series = |prefix: &str| text.lines().filter(|line| line.starts_with(prefix)).count();
    assert_eq!(series("tapecast_key_sessions{"), 51, "50 keys, and all others together");
    assert_eq!(metric(server.address, "tapecast_key_sessions{"), 60.0);
    let routes = series("tapecast_http_request_seconds_count{");
    assert!((1..20).contains(&routes), "{routes}");
    assert!(!text.contains("nowhere-") && !text.contains("stranger-"), "nothing that clients name");
}

/// Prometheus, which reads these servers every second.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: TempFolder,
}

impl Prometheus {
    fn start(program: &Path, targets: &[SocketAddr]) -> Self {
        let folder = TempFolder::new();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let targets: Vec<_> = targets.iter().map(|target| format!("'{target}'")).collect();
        let configuration = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 500ms }}\n\
             rule_files: ['{}']\n\
             scrape_configs: [{{ job_name: tapecast, static_configs: [{{ targets: [{}] }}] }}]\n",
            tree("docs/ops/alerts.yml").display(),
            targets.join(", "),
        );
        std::fs::write(folder.file("prometheus.yml"), configuration).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", folder.file("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.file("data").display()))
            .args([&format!("--web.listen-address={address}"), "--log.level=error"])
            .spawn()
            .unwrap();
        let prometheus = Self { child, address, _folder: folder };
        wait_until("Prometheus to be ready", || {
            std::net::TcpStream::connect(address).is_ok() && get(address, "/-/ready").0 == 200
        });
        prometheus
    }

    /// The samples of a query.
    fn query(&self, expression: &str) -> Vec<Value> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = self.get(&format!("/api/v1/query?query={encoded}"));
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// An answer of its API.
    fn get(&self, path: &str) -> Value {
        let (status, body) = get(self.address, path);
        assert_eq!(status, 200, "{path}: {body}");
        // The body is chunked.
        let body = &body[body.find('{').unwrap()..=body.rfind('}').unwrap()];
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// What keeps it from reading the metrics of servers.
    fn refusals(&self) -> Vec<String> {
        let targets = &self.get("/api/v1/targets")["data"]["activeTargets"];
        let targets = targets.as_array().unwrap().iter().filter(|target| target["health"] != "up");
        targets.map(|target| format!("{}: {}", target["scrapeUrl"], target["lastError"])).collect()
    }

    /// Whether a query has a sample that is a number.
    fn has_data(&self, expression: &str) -> bool {
        self.query(expression).iter().any(|sample| sample["value"][1] != "NaN")
    }

    /// Whether this alert is pending or firing at this server.
    fn alerts(&self, alert: &str, server: &Program) -> bool {
        let (name, instance) = (alert, server.address);
        self.has_data(&format!("ALERTS{{alertname=\"{name}\", instance=\"{instance}\"}}"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each query of the dashboard, with its panel.
fn dashboard_queries() -> BTreeMap<String, String> {
    let dashboard: Value = serde_json::from_str(&read("docs/ops/grafana-dashboard.json")).unwrap();
    let mut queries = BTreeMap::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            let expression = expression
                .replace("$__rate_interval", "10s")
                .replace("$job", "tapecast")
                .replace("$instance", ".*");
            queries.insert(expression, panel["title"].as_str().unwrap().to_owned());
        }
    }
    queries
}

#[test]
fn every_query_of_the_dashboard_returns_data() {
    let Some(program) = tool("prometheus") else { return };
    let servers = Servers::start();
    let addresses: Vec<_> = servers.all().map(|server| server.address).collect();
    let prometheus = Prometheus::start(&program, &addresses);
    let _load = servers.load();
    let mut missing = dashboard_queries();
    assert!(missing.len() > 50);

    let began = Instant::now();
    while !missing.is_empty() && began.elapsed() < 2 * DEADLINE {
        missing.retain(|query, _| !prometheus.has_data(query));
    }

    if servers.cluster.is_empty() {
        missing.retain(|query, _| !query.contains("cluster"));
    }
    assert!(missing.is_empty(), "no data: {missing:#?}");
    // A busy server may be late with one answer; one that it cannot read is refused for ever.
    let (mut refusals, began) = (prometheus.refusals(), Instant::now());
    while !refusals.is_empty() && began.elapsed() < DEADLINE {
        refusals = prometheus.refusals();
    }
    assert_eq!(refusals, [] as [String; 0], "Prometheus reads OpenMetrics of all servers");
}

#[test]
fn alerts_see_an_upstream_that_is_gone_a_market_that_lags_a_certificate_that_ends_and_few_descriptors() {
    let Some(program) = tool("prometheus") else { return };
    let mut servers = Servers::start();
    raise_open_file_limit();
    let limited = "ulimit -n 1024; exec \"$0\" \"$@\"";
    let small = Program::start(&["sh", "-c", limited, PROGRAM], &["--workers", "1"], &[]);
    let addresses: Vec<_> = servers.all().chain([&small]).map(|server| server.address).collect();
    let prometheus = Prometheus::start(&program, &addresses);
    let alerts = |alert: &str, server: &Program| prometheus.alerts(alert, server);

    wait_until("both alerts of the certificate", || {
        let ends = |days| format!("TapecastCertificateEndsIn{days}");
        alerts(&ends("14Days"), &servers.full) && alerts(&ends("3Days"), &servers.full)
    });
    assert!(!alerts("TapecastUpstreamGone", &servers.relay));
    assert!(!alerts("TapecastMarketLags", &servers.relay));
    assert!(!alerts("TapecastDescriptorsRunOut", &small));

    let mut sessions = Vec::new();
    while let client = Client::connect(small.address, "/v2/iex")
        && client.is_open()
    {
        sessions.push(client);
    }
    wait_until("the alert of descriptors", || alerts("TapecastDescriptorsRunOut", &small));
    wait_until("the alert of sessions", || alerts("TapecastSessionsNearLimit", &small));

    servers.origin.child.kill().unwrap();
    wait_until("the alert of the upstream", || alerts("TapecastUpstreamGone", &servers.relay));
    wait_until("the alert of the lag", || alerts("TapecastMarketLags", &servers.relay));
    wait_until("the alert of the server", || alerts("TapecastDown", &servers.origin));
    assert!(!alerts("TapecastUpstreamGone", &servers.full), "it has none");
    assert!(!alerts("TapecastNatsAway", &servers.full), "it has none");
}
