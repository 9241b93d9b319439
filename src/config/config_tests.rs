use clap::CommandFactory;

use super::access::DEFAULT_TLS_LISTEN;
use super::*;
use crate::clock::ClockRate;
use crate::source::{ReplayClock, ReplaySpeed};

fn config(options: &[&str]) -> Result<Config, ConfigError> {
    let line = CommandLine::try_parse_from(std::iter::once(&"tapecast").chain(options));
    line.expect("well-formed options").options.try_into()
}

#[test]
fn an_invalid_value_is_refused_with_the_option_name() {
    assert_eq!(config(&["--symbols", "0"]).unwrap_err(), ConfigError::Symbols(0));
    assert_eq!(config(&["--workers", "0"]).unwrap_err(), ConfigError::Workers(0));
    for rate in ["-1", "NaN", "inf", "1e7"] {
        let error = config(&[&format!("--rate={rate}")]).unwrap_err();
        assert!(matches!(error, ConfigError::Rate { name: "--rate", .. }), "{rate}: {error}");
    }
    for option in ["--retain-trades", "--retain-quotes", "--retain-mib"] {
        let error = config(&[option, "0"]).unwrap_err();
        assert!(matches!(error, ConfigError::Retain { name, .. } if name == option), "{error}");
    }
}

#[test]
fn the_server_has_at_most_512_workers() {
    assert_eq!(config(&["--workers", "512"]).unwrap().workers, 512);
    assert_eq!(config(&["--workers", "513"]).unwrap_err(), ConfigError::Workers(513));
}

#[test]
fn the_echo_is_off_beyond_loopback_unless_it_is_asked_for() {
    let echo = |options: &[&str]| config(options).unwrap().echo;
    let tls = ["--tls-cert", "c", "--tls-key", "k", "--tls-listen", "0.0.0.0:8443"];

    assert_eq!(echo(&[]), EchoMode::On);
    assert_eq!(echo(&["--listen", "[::1]:80"]), EchoMode::On);
    assert_eq!(echo(&["--listen", "0.0.0.0:80"]), EchoMode::Off);
    assert_eq!(echo(&tls), EchoMode::Off);
    assert_eq!(echo(&["--listen", "0.0.0.0:80", "--echo"]), EchoMode::On);
    assert_eq!(echo(&["--echo=off"]), EchoMode::Off);
    assert_eq!(echo(&["--listen", "0.0.0.0:80", "--echo=conformance"]), EchoMode::Conformance);
}

#[test]
fn an_address_for_tls_without_a_certificate_is_refused() {
    assert_eq!(config(&["--tls-listen", "[::1]:443"]).unwrap_err(), ConfigError::NoCertificate);
    let certificate = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let listen = |options: &[&str]| config(options).unwrap().access.tls.unwrap().listen;
    assert_eq!(listen(&certificate), DEFAULT_TLS_LISTEN);
    assert_eq!(listen(&[&certificate[..], &["--tls-listen", "[::1]:443"]].concat()).port(), 443);
}

#[test]
fn a_log_level_must_be_spelt_correctly() {
    for valid in ["info", "OFF", "warn,tapecast::hub=debug", "tapecast::hub", "tapecast=trace"] {
        assert_eq!(log_filter(valid).as_deref(), Ok(valid));
    }
    for invalid in ["inof", "loud=quiet=x", "info,debgu", "tapecast=inof", ""] {
        assert!(log_filter(invalid).is_err(), "{invalid}");
    }
}

#[test]
fn a_replay_has_files_a_speed_and_a_time() {
    let replay =
        |options: &[&str]| config(&[&["--replay", "a.dbn", "b.csv"], options].concat()).unwrap().replay;

    let settings = replay(&[]).unwrap();
    assert_eq!(settings.files.len(), 2);
    assert_eq!((settings.speed, settings.clock), (ReplaySpeed::Times(ClockRate::ONE), ReplayClock::Shift));
    let settings =
        replay(&["--speed=max", "--from=2013-10-07", "--until=2013-10-07T13:30:00Z", "--loop"]).unwrap();
    assert_eq!((settings.speed, settings.repeats), (ReplaySpeed::Max, true));
    let hours = settings.until.unwrap().nanos_since(settings.from.unwrap()) / (3_600 * SECOND);
    assert_eq!(hours, 9, "from midnight in New York to 09:30");
    assert_eq!(config(&[]).unwrap().replay, None);
    assert_eq!(config(&["--loop"]).unwrap_err(), ConfigError::NoReplay);
    let backwards = ["--replay", "a", "--from=2013-10-08", "--until=2013-10-07"];
    assert_eq!(config(&backwards).unwrap_err(), ConfigError::EmptyReplay);
}

#[test]
fn a_speed_is_max_or_a_positive_number() {
    let parse =
        |speed: &str| CommandLine::try_parse_from(["tapecast", "--replay", "a", &format!("--speed={speed}")]);
    for speed in ["0", "-1", "NaN", "inf", "fast", "1e9"] {
        assert!(parse(speed).is_err(), "{speed}");
    }
    assert!(["0.5", "10", "max"].iter().all(|speed| parse(speed).is_ok()));
}

#[test]
fn a_rate_of_zero_is_valid() {
    assert_eq!(config(&["--rate", "0"]).unwrap().simulation.trades_per_second, 0.0);
}

/// The document with the tables of options.
const DOCUMENT: &str = include_str!("../../docs/OPERATIONS.md");

/// The options that have a variable, which are those of the server.
fn declared() -> Vec<clap::Arg> {
    CommandLine::command().get_arguments().filter(|arg| arg.get_env().is_some()).cloned().collect()
}

#[test]
fn an_option_has_the_name_of_its_variable() {
    for arg in declared() {
        let name = arg.get_long().unwrap().replace('-', "_").to_uppercase();
        assert_eq!(arg.get_env().unwrap(), std::ffi::OsStr::new(&format!("TAPECAST_{name}")));
    }
}

#[test]
fn the_document_lists_each_option_with_its_variable_and_its_default() {
    let rows: Vec<_> = DOCUMENT.lines().filter(|line| line.starts_with('|')).collect();
    for arg in declared() {
        let (name, variable) = (arg.get_long().unwrap(), arg.get_env().unwrap().to_str().unwrap());
        let spelt = [format!("`--{name}`"), format!("`--{name}["), format!("`--{name} ")];
        let is_row = |row: &&&str| {
            let mut cells = row.split('|').skip(1);
            let is_named = cells.next().is_some_and(|cell| spelt.iter().any(|name| cell.contains(name)));
            is_named && cells.next().is_some_and(|cell| cell.contains(&format!("`{variable}`")))
        };
        let row = rows.iter().find(is_row).unwrap_or_else(|| panic!("no row with --{name} and {variable}"));
        let default = row.split('|').nth(3).unwrap_or_default().replace([',', '`'], "");
        for value in arg.get_default_values().iter().filter(|_| arg.get_action().takes_values()) {
            assert!(default.contains(value.to_str().unwrap()), "--{name}: {value:?} is not in {default:?}");
        }
    }
}

#[test]
fn each_variable_in_the_document_is_one_of_an_option() {
    let known: Vec<_> = declared().iter().map(|arg| arg.get_env().unwrap().to_owned()).collect();
    let words = DOCUMENT.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    for word in words.filter(|word| word.starts_with("TAPECAST_") && word.len() > "TAPECAST_".len()) {
        assert!(known.iter().any(|known| known == word), "{word}");
    }
}

#[cfg(feature = "relay")]
mod upstreams {
    use super::*;
    use crate::config::NamedUpstream;
    use crate::model::Feed;
    use crate::relay::{UpstreamNumbers, UpstreamSymbols};

    fn upstreams(options: &[&str]) -> Result<Vec<NamedUpstream>, ConfigError> {
        config(options).map(|config| config.upstreams)
    }

    fn names(options: &[&str]) -> Result<Vec<String>, ConfigError> {
        Ok(upstreams(options)?.iter().map(|upstream| upstream.feed.to_string()).collect())
    }

    #[test]
    fn an_upstream_is_named_or_has_the_name_in_its_path() {
        let several =
            ["--upstream", "ws://a/v2/sip", "--upstream=polygon=wss://b/stocks", "--upstream=ws://c"];
        assert_eq!(names(&several).unwrap(), ["sip", "polygon", "iex"]);
        let at_upstream = [&several[..], &["--upstream-feed=test"]].concat();
        assert_eq!(names(&at_upstream).unwrap(), ["sip", "polygon", "test"]);
        assert_eq!(upstreams(&at_upstream).unwrap()[2].settings.url, "ws://c/v2/test");
        let scoped = [&several[..], &["--upstream-feed=polygon=sip"]].concat();
        assert_eq!(names(&scoped).unwrap(), ["sip", "polygon", "iex"]);
        assert_eq!(upstreams(&scoped).unwrap()[1].settings.url, "wss://b/stocks");
        assert_eq!(names(&["--upstream=x=ws://a\ny=ws://b\n"]).unwrap(), ["x", "y"]);

        assert_eq!(names(&["--upstream", "ws://a/v2/sip"]).unwrap(), ["iex"], "all of Alpaca's");
        assert_eq!(names(&["--upstream", "polygon=ws://a"]).unwrap(), ["polygon"]);
        assert_eq!(config(&["--upstream-foreign=sip"]).unwrap().feeds(), [Feed::IEX], "no upstream");
    }

    #[test]
    fn upstreams_without_names_of_their_own_are_refused() {
        let two = |a, b| names(&["--upstream", a, "--upstream", b]).unwrap_err();

        assert_eq!(two("ws://a", "ws://b"), ConfigError::UpstreamsOfOneName(Feed::IEX));
        assert_eq!(two("ws://a/v2/sip", "sip=ws://b"), ConfigError::UpstreamsOfOneName(Feed::SIP));
        assert_eq!(two("ws://a/Stocks", "ws://b"), ConfigError::UpstreamWithoutName);
        assert_eq!(two("Polygon=ws://a", "x=ws://b"), ConfigError::UpstreamUrl);
        let many: Vec<_> = (0..9).map(|index| format!("--upstream=f{index}=ws://a")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(names(&many).unwrap_err(), ConfigError::Upstreams { given: 9, most: 8 });
    }

    #[test]
    fn an_option_of_upstreams_is_for_all_or_for_one() {
        let options = [
            "--upstream=a=ws://a",
            "--upstream=b=ws://b",
            "--upstream-key=b=id",
            "--upstream-secret=b=secret=",
            "--upstream-symbols=AAPL,MSFT",
            "--upstream-symbols=b=on-demand",
            "--upstream-max-symbols=b=7",
            "--upstream-feed=b=sip",
            "--upstream-foreign=a",
            "--upstream-rest=http://c",
        ];
        let [a, b] = upstreams(&options).unwrap().try_into().unwrap();
        let (a, b) = (a.settings, b.settings);

        assert!(a.key.is_none());
        let key = b.key.unwrap();
        assert_eq!((key.id.as_str(), key.secret.as_str()), ("id", "secret="));
        assert!(matches!(a.symbols, UpstreamSymbols::Listed(list) if list.len() == 2));
        assert_eq!((b.symbols, a.max_symbols, b.max_symbols), (UpstreamSymbols::OnDemand, 30, 7));
        assert_eq!((a.url.as_str(), b.url.as_str()), ("ws://a/v2/iex", "ws://b/v2/sip"));
        assert_eq!((a.numbers, b.numbers), (UpstreamNumbers::Ignored, UpstreamNumbers::Kept));
        assert_eq!((a.rest.as_deref(), b.rest.as_deref()), (Some("http://c"), Some("http://c")));
    }

    #[test]
    fn an_invalid_value_names_the_option() {
        for (value, option) in [
            ("--upstream-max-symbols=0", "--upstream-max-symbols"),
            ("--upstream-symbols=A B", "--upstream-symbols"),
            ("--upstream-feed=SIP", "--upstream-feed"),
            ("--upstream-foreign=c", "--upstream-foreign"),
        ] {
            let error = upstreams(&["--upstream=ws://a", value]).unwrap_err();
            assert!(
                matches!(error, ConfigError::UpstreamOption { option: of, .. } if of == option),
                "{error}"
            );
        }
        let secret = upstreams(&["--upstream=iex=ws://a", "--upstream-secret=hush"]).unwrap_err();
        assert_eq!(secret, ConfigError::HalfUpstreamKey);
    }

    #[test]
    fn one_upstream_without_a_name_takes_values_as_they_are() {
        let options =
            ["--upstream=ws://a", "--upstream-key=iex=id", "--upstream-secret=s", "--upstream-foreign"];
        let [upstream] = upstreams(&options).unwrap().try_into().unwrap();

        assert_eq!(upstream.settings.key.unwrap().id, "iex=id");
        assert_eq!(upstream.settings.numbers, UpstreamNumbers::Ignored);
    }

    #[cfg(feature = "nats")]
    #[test]
    fn several_upstreams_are_no_feed_of_a_cluster() {
        let options = ["--upstream=a=ws://a", "--upstream=b=ws://b", "--nats=nats://c"];
        assert_eq!(config(&options).map(|_| ()).unwrap_err(), ConfigError::SeveralUpstreams("--nats"));
        assert!(config(&options[1..]).is_ok());
    }
}
