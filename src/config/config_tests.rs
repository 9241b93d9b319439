use super::access::DEFAULT_TLS_LISTEN;
use super::*;
use crate::clock::ClockRate;
use crate::source::{ReplayClock, ReplaySpeed};

fn config(options: &[&str]) -> Result<Config, ConfigError> {
    Args::try_parse_from(std::iter::once(&"tapecast").chain(options)).expect("well-formed options").try_into()
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
        |speed: &str| Args::try_parse_from(["tapecast", "--replay", "a", &format!("--speed={speed}")]);
    for speed in ["0", "-1", "NaN", "inf", "fast", "1e9"] {
        assert!(parse(speed).is_err(), "{speed}");
    }
    assert!(["0.5", "10", "max"].iter().all(|speed| parse(speed).is_ok()));
}

#[test]
fn a_rate_of_zero_is_valid() {
    assert_eq!(config(&["--rate", "0"]).unwrap().simulation.trades_per_second, 0.0);
}
