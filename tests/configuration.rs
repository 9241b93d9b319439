//! The configuration file, the precedence of its sources, `tapecast check` and `tapecast config print`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use test_support::{Program, TempFolder, TlsFiles, get_with};

const TAPECAST: &str = env!("CARGO_BIN_EXE_tapecast");

/// Runs the program in this folder with these arguments and variables and no others.
fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(TAPECAST);
    let inherited = std::env::vars_os().map(|(name, _)| name);
    inherited.filter(|name| name.to_string_lossy().starts_with("TAPECAST_")).for_each(|name| {
        command.env_remove(name);
    });
    command.current_dir(folder).args(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The folder of a configuration: a file, and what it may name.
struct Configured {
    folder: TempFolder,
}

impl Configured {
    fn new(file: &str) -> Self {
        let folder = TempFolder::new();
        std::fs::write(folder.file("t.toml"), file).unwrap();
        Self { folder }
    }

    fn with(self, name: &str, content: &str) -> Self {
        std::fs::write(self.folder.file(name), content).unwrap();
        self
    }

    fn check(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let arguments = [&["check", "--config", "t.toml"], arguments].concat();
        run(self.folder.path(), &arguments, variables)
    }

    /// The configuration that is printed, by key.
    fn printed(&self, arguments: &[&str], variables: &[(&str, &str)]) -> toml::Table {
        let arguments = [&["config", "print", "--config", "t.toml"], arguments].concat();
        let output = run(self.folder.path(), &arguments, variables);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).parse().unwrap()
    }
}

/// Certificates that a broken configuration may name, in this folder.
fn write_certificates(folder: &Path) {
    let (files, _) = TlsFiles::generate();
    let (others, _) = TlsFiles::generate();
    std::fs::copy(files.certificate(), folder.join("cert.pem")).unwrap();
    std::fs::copy(files.key(), folder.join("key.pem")).unwrap();
    std::fs::copy(others.key(), folder.join("other-key.pem")).unwrap();
    others.expire();
    std::fs::copy(others.certificate(), folder.join("expired.pem")).unwrap();
    std::fs::copy(others.key(), folder.join("expired-key.pem")).unwrap();
}

#[test]
fn each_broken_configuration_is_told_with_its_place_and_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("listen = \"{}\"", taken.local_addr().unwrap());
    let tls = |cert: &str, key: &str| {
        format!("tls_cert = \"{cert}\"\ntls_key = \"{key}\"\ntls_listen = \"127.0.0.1:0\"")
    };
    // The file, and for each problem its place and a part of the advice.
    let broken: &[(&str, &[[&str; 2]])] = &[
        ("max_sesions = 5", &[["t.toml line 1: ", "did you mean `max_sessions`?"]]),
        ("seed = 1\nmax-sessions = 5", &[["t.toml line 2: ", "did you mean `max_sessions`?"]]),
        ("seed = 1\n[access]\nkeys = 'k'", &[["t.toml line 2: ", "unknown key `access`"]]),
        ("seed = 1\n\nseed = 2", &[["t.toml line 3: ", "duplicate key"]]),
        ("listen = ", &[["t.toml line 1: ", "value"]]),
        ("listen = 8080", &[["t.toml line 1: ", "such as 127.0.0.1:8080"]]),
        ("listen = 'nowhere.invalid:80'", &[["t.toml line 1: ", "cannot resolve the host name"]]),
        (&taken, &[["t.toml line 1: ", "another program uses it"]]),
        ("listen = '203.0.113.7:80'", &[["t.toml line 1: ", "this machine does not have the address"]]),
        ("symbols = 0", &[["t.toml line 1: ", "--symbols must be from 1 to 100000"]]),
        ("rate = -1", &[["t.toml line 1: ", "--rate must be from 0"]]),
        ("arrivals = 'even'\nlog_format = 'xml'", &[["t.toml line 2: ", "possible values: text, json"]]),
        ("log = 'inof'", &[["t.toml line 1: ", "expected off, error"]]),
        ("loop = 'yes'", &[["t.toml line 1: ", "true or false"]]),
        ("listen = ['127.0.0.1:0', '[::1]:0']", &[["t.toml line 1: ", "one value, not a list"]]),
        (
            "allow_origin = [\n  'https://a.example',\n  'b.example',\n]",
            &[["t.toml line 3: ", "https://example.org"]],
        ),
        ("trusted_proxy = 'proxy.example'", &[["t.toml line 1: ", "10.0.0.1"]]),
        ("keys = 'absent.jsonl'", &[["t.toml line 1: ", "cannot read the key file absent.jsonl"]]),
        ("keys = 'broken.jsonl'", &[["t.toml line 1: ", "broken.jsonl line 2"]]),
        (
            "admin_listen = 0\nadmin_token_file = 'absent.txt'\nlisten = '127.0.0.1:0'",
            &[["t.toml line 2: ", "cannot read the token file absent.txt"]],
        ),
        (
            "admin_listen = 0\nadmin_token_file = 'broken.jsonl'\nlisten = '127.0.0.1:0'",
            &[["t.toml line 2: ", "32 or more visible ASCII characters"]],
        ),
        ("admin_token_file = 'token'", &[["t.toml line 1: ", "--admin-listen"]]),
        ("tls_cert = 'cert.pem'", &[["t.toml line 1: ", "--tls-cert and --tls-key go together"]]),
        (&tls("absent.pem", "key.pem"), &[["t.toml line 1: ", "cannot read absent.pem"]]),
        (&tls("cert.pem", "other-key.pem"), &[["t.toml line 1: ", "cannot use the certificate cert.pem"]]),
        (&tls("expired.pem", "expired-key.pem"), &[["t.toml line 1: ", "it expired on "]]),
        (
            "topics = 'topics.toml'",
            &[["t.toml line 1: ", "topics.toml: namespace `a`: unknown field `tll_seconds`"]],
        ),
        ("journal_days = 3", &[["t.toml line 1: ", "--journal-days needs --journal"]]),
        ("journal = 'cert.pem'", &[["t.toml line 1: ", "cert.pem is not a folder"]]),
        (
            "replay = ['absent.csv', 'empty.csv']",
            &[
                ["t.toml line 1: ", "absent.csv: No such file"],
                ["t.toml line 1: ", "empty.csv: the file is empty"],
            ],
        ),
        ("speed = 2", &[["t.toml line 1: ", "need --replay"]]),
        ("replay = 'cert.pem'\njournal = 'j'", &[["t.toml line 2: ", "cannot be used with"]]),
        ("faults = 'dorp=1'", &[["t.toml line 1: ", "drop"]]),
        ("faults = 'demo'\nlisten = '0.0.0.0:0'", &[["t.toml line 1: ", "add --faults-anywhere"]]),
        #[cfg(feature = "jwt")]
        ("jwt_jwks = 'absent.json'", &[["t.toml line 1: ", "--jwt-jwks absent.json: No such file"]]),
        #[cfg(feature = "jwt")]
        ("jwt_jwks = 'empty.csv'", &[["t.toml line 1: ", "it is no JWK Set"]]),
        #[cfg(feature = "jwt")]
        ("jwt_jwks = 'ftp://example.org/jwks.json'", &[["t.toml line 1: ", "a URL such as https://"]]),
        #[cfg(feature = "jwt")]
        ("jwt_secret_file = 'short'", &[["t.toml line 1: ", "the secret has 5 bytes"]]),
        #[cfg(feature = "jwt")]
        ("jwt_issuer = 'https://a'", &[["t.toml line 1: ", "need --jwt-jwks or --jwt-secret-file"]]),
        #[cfg(feature = "jwt")]
        (
            "jwt_secret_file = 'long'\njwt_leeway_seconds = 301",
            &[["t.toml line 2: ", "301 is not in 0..=300"]],
        ),
        #[cfg(feature = "relay")]
        ("upstream = 'http://example.org'", &[["t.toml line 1: ", "a URL such as wss://"]]),
        #[cfg(feature = "relay")]
        (
            "upstream = 'ws://127.0.0.1:1'\nupstream_key = 'id'\nupstream_secret_file = 'absent'",
            &[["t.toml line 3: ", "--upstream-secret-file absent: No such file"]],
        ),
        #[cfg(feature = "relay")]
        (
            "upstream = 'ws://127.0.0.1:1'\nupstream_ca = 'broken.jsonl'",
            &[["t.toml line 2: ", "cannot read broken.jsonl"]],
        ),
        #[cfg(feature = "nats")]
        ("nats = 'http://127.0.0.1'", &[["t.toml line 1: ", "nats://127.0.0.1:4222"]]),
        #[cfg(feature = "nats")]
        ("nats = 'nats://127.0.0.1'\nnats_creds = 'broken.jsonl'", &[["t.toml line 2: ", "it has no token"]]),
    ];
    for (file, problems) in broken {
        // A free port, unless the address is the subject.
        let listen = if file.contains("listen") { "" } else { "\nlisten = '127.0.0.1:0'" };
        let configured = Configured::new(&format!("{file}{listen}\n"))
            .with("broken.jsonl", "# keys\n{\"id\":1}\n")
            .with("empty.csv", "")
            .with("short", "hush\n\n")
            .with("long", &"x".repeat(32))
            .with("topics.toml", "[[namespace]]\nname='a'\nkind='log'\nnames='*'\ntll_seconds=3\n");
        write_certificates(configured.folder.path());

        let output = configured.check(&[], &[]);

        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{file}: {errors}{}", text(&output.stdout));
        let told: Vec<_> = errors.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(told.len(), problems.len(), "{file}: {errors}");
        for [place, advice] in *problems {
            let is_told = |line: &&str| line.starts_with(&format!("error: {place}")) && line.contains(advice);
            assert!(told.iter().any(is_told), "{file} lacks {place:?} and {advice:?}: {errors}");
        }
    }
}

#[test]
fn all_problems_are_told_in_one_run_each_with_its_source() {
    let configured = Configured::new("symbols = 0\nlog = 'inof'\nkeys = 'absent'\nzzz = 1\n");

    let output = configured
        .check(&["--rate=-1", "--echo=loud"], &[("TAPECAST_WORKERS", "513"), ("TAPECAST_SEED", "x")]);

    let errors = text(&output.stderr);
    for part in [
        "t.toml line 1: --symbols",
        "t.toml line 2: invalid value 'inof'",
        "t.toml line 3: --keys",
        "t.toml line 4: unknown key `zzz`",
        "--rate must be",
        "--echo: invalid value 'loud'",
        "environment variable TAPECAST_WORKERS: --workers",
        "environment variable TAPECAST_SEED: invalid value 'x'",
    ] {
        assert!(errors.contains(&format!("error: {part}")), "{part}: {errors}");
    }
    assert_eq!((errors.matches("error: ").count(), output.status.code()), (8, Some(1)), "{errors}");
    assert!(text(&output.stdout).contains("8 problems"));
}

#[test]
fn what_is_only_a_consequence_of_another_problem_is_not_told() {
    let configured = Configured::new("tls_key = 'k'\ntls_listen = '127.0.0.1:0'\nlisten = '127.0.0.1:0'\n");

    let errors = text(&configured.check(&[], &[]).stderr);

    assert_eq!(errors.matches("error: ").count(), 1, "{errors}");
}

#[test]
fn a_good_configuration_is_told_with_what_is_in_force() {
    let configured = Configured::new(
        "listen = 'localhost:0'\nmax_sessions = 5\nkeys = 'keys.jsonl'\ntls_cert = 'cert.pem'\n\
         tls_key = 'key.pem'\ntls_listen = '127.0.0.1:0'\njournal = 'j/k'\n",
    )
    .with("keys.jsonl", &text(&run(Path::new("."), &["key", "new", "desk"], &[]).stdout));
    write_certificates(configured.folder.path());

    let output = configured.check(&["--workers", "2"], &[("TAPECAST_SYMBOLS", "7")]);

    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}{}", text(&output.stderr));
    for part in [
        "max_sessions = 5  (t.toml line 2)",
        "workers = 2  (flag)",
        "symbols = 7  (environment variable TAPECAST_SYMBOLS)",
        "--keys: 1 in the file",
        "--tls-cert: for localhost, valid beyond ",
        "journal: j/k is writable",
        "with 2 workers",
        "can be used",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!configured.folder.file("j").exists(), "a check changes nothing");
}

#[test]
#[cfg(feature = "jwt")]
fn the_keys_of_tokens_are_checked_in_files_and_fetched_from_their_url() {
    use test_support::{KeyServer, TokenSigner};
    let set = TokenSigner::set(&[&TokenSigner::es256("a"), &TokenSigner::rs256("b")]);
    let keys = KeyServer::start(&set);
    let check = |jwks: &str| {
        let configured = Configured::new(&format!(
            "listen = '127.0.0.1:0'\njwt_jwks = '{jwks}'\njwt_audience = ['tape']\n"
        ))
        .with("jwks.json", &set);
        let output = configured.check(&[], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };

    let (report, warnings) = check("jwks.json");
    assert!(
        report.contains("--jwt-jwks: tokens by the keys in jwks.json") && warnings.is_empty(),
        "{report}"
    );
    assert!(report.contains("no --jwt-issuer"), "{report}");
    let (report, warnings) = check(&keys.url());
    assert!(report.contains("--jwt-jwks: 2 keys at http://127.0.0.1:") && warnings.is_empty(), "{report}");
    keys.fail();
    let (_, warnings) = check(&keys.url());
    let parts = ["warning: t.toml line 2: --jwt-jwks: ", "500", "no token lets a client in"];
    assert!(parts.iter().all(|part| warnings.contains(part)), "{warnings}");
}

#[test]
fn an_address_in_use_is_no_problem_for_a_server_that_runs() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let configured = Configured::new(&format!("listen = '{}'\n", taken.local_addr().unwrap()));

    assert_eq!(configured.check(&[], &[]).status.code(), Some(1));
    assert_eq!(configured.check(&["--running"], &[]).status.code(), Some(0));
}

#[test]
#[cfg(feature = "relay")]
fn a_secret_in_a_file_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let configured = Configured::new("listen = '127.0.0.1:0'\nupstream_secret = 'hush'\n");
    let warnings = |mode: u32| {
        let file = configured.folder.file("t.toml");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
        text(&configured.check(&[], &[]).stderr)
    };

    assert!(warnings(0o644).contains("warning: t.toml line 2: --upstream-secret: other users"));
    assert_eq!(warnings(0o600), "");
}

#[test]
fn a_flag_precedes_a_variable_which_precedes_the_file_which_precedes_the_default() {
    let configured = Configured::new(
        "symbols = 4\nseed = 4\nrate = 4\nloop = true\nreplay = 'a'\nallow_origin = ['https://file.example']\n",
    );
    let environment = [
        ("TAPECAST_SYMBOLS", "3"),
        ("TAPECAST_SEED", "3"),
        ("TAPECAST_LOOP", "false"),
        ("TAPECAST_RATE", ""),
    ];

    let printed = configured.printed(&["--symbols", "2", "--allow-origin", "null"], &environment);

    let number = |key: &str| printed[key].as_integer();
    assert_eq!((number("symbols"), number("seed"), number("rate")), (Some(2), Some(3), Some(4)));
    assert_eq!(number("bar_seconds"), Some(60), "the default");
    assert_eq!(printed["loop"].as_bool(), Some(false), "a variable turns off what the file turns on");
    assert_eq!(printed["allow_origin"], toml::Value::from(vec!["null"]), "lists are not merged");
}

#[test]
fn a_list_in_the_file_is_as_a_repeated_flag() {
    let configured =
        Configured::new("listen = '127.0.0.1:0'\nrate = 0\nallow_origin = ['https://a.example', 'null']\n");
    let file = configured.folder.file("t.toml");
    let program = Program::start(&[TAPECAST], &["--config", file.to_str().unwrap()], &[]);

    let allowed = |origin: &str| {
        let answer = get_with(program.address, "/v2/clock", &format!("Origin: {origin}\r\n"));
        answer.header("access-control-allow-origin").map(ToOwned::to_owned)
    };
    assert_eq!(allowed("https://a.example").as_deref(), Some("https://a.example"));
    assert_eq!(allowed("null").as_deref(), Some("null"));
    assert_eq!(allowed("https://b.example"), None);
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let configured = Configured::new("symbols = 4\n");

    let output = run(configured.folder.path(), &["config", "print"], &[("TAPECAST_CONFIG", "t.toml")]);

    assert!(text(&output.stdout).contains("symbols = 4 # t.toml line 1"), "{output:?}");
}

#[test]
fn a_printed_configuration_can_be_read_back_and_secrets_are_masked() {
    let configured = Configured::new("log = \"info,tapecast::hub=debug\"\nrate = 0.5\nloop = false\n");
    let secrets = ["--upstream-secret=hush", "--upstream-key=id", "--nats=nats://user:hush@h:4222"];
    let secrets = if cfg!(all(feature = "nats", feature = "relay")) { &secrets[..] } else { &[] };

    let first = configured.printed(&["--symbols", "3", "--public-host", "a.example,b.example"], &[]);
    let written = text(
        &run(configured.folder.path(), &[&["config", "print", "--config", "t.toml"], secrets].concat(), &[])
            .stdout,
    );
    assert!(!written.contains("hush"), "{written}");

    let again = Configured::new(&toml_text(&first));
    assert_eq!(again.printed(&[], &[]), first);
    if !secrets.is_empty() {
        let masked = Configured::new(&written);
        let errors = text(&masked.check(&[], &[]).stderr);
        assert!(errors.contains("`upstream_secret` is masked"), "{errors}");
    }
}

/// The table as a file: it has no tables in it.
fn toml_text(table: &toml::Table) -> String {
    // JSON of values without tables is TOML.
    let line = |(key, value): (&String, &toml::Value)| {
        format!("{key} = {}\n", serde_json::to_string(value).unwrap())
    };
    table.iter().map(line).collect()
}

#[test]
fn a_server_with_a_wrong_file_ends_with_its_line() {
    let configured = Configured::new("seed = 1\nsymbols = 0\n");

    for (arguments, named) in
        [(&["--config", "t.toml"][..], "t.toml line 2"), (&["--config", "u.toml"], "no such file")]
    {
        let output = run(configured.folder.path(), arguments, &[]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(named), "{errors}");
    }
}
