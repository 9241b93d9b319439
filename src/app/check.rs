//! `tapecast check`: whether the server could start, and with what.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use super::descriptors::open_files;
use super::server::{FEW_OPEN_FILES, listen};
#[cfg(feature = "jwt")]
use super::{StartError, tokens};
use super::{open_admin_token, open_keys};
#[cfg(feature = "jwt")]
use crate::config::TokenKeys;
use crate::config::{CheckedOptions, Config, Loaded, OptionValues, Problem, Source};
use crate::metrics::Metrics;
use crate::model::Timestamp;
use crate::transport::{Certificate, CertificateFacts};

/// A certificate that ends within this many days is warned of.
pub(super) const FEW_DAYS: i64 = 14;

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    facts: Vec<String>,
    warnings: Vec<Problem>,
    problems: Vec<Problem>,
}

/// Whether a server runs with this configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Running {
    /// It does, so its addresses are in use.
    Yes,
    /// It does not.
    No,
}

/// Checks these options and what they need; results go to `out`, problems to `errors`. The exit code is 1 if there is a
/// problem.
///
/// # Errors
/// When the output cannot be written.
pub fn run_check(
    checked: CheckedOptions,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<ExitCode> {
    let CheckedOptions { problems, loaded: Loaded { config, options }, is_running } = checked;
    let running = if is_running { Running::Yes } else { Running::No };
    let mut findings = Findings { problems, ..Findings::default() };
    findings.check(&config, &options, running);

    writeln!(out, "Options that are given:")?;
    let given: Vec<_> = options.iter().filter(|option| option.source != Source::Default).collect();
    for option in &given {
        writeln!(out, "  {} = {}  ({})", option.key(), option.shown(), option.source)?;
    }
    if given.is_empty() {
        writeln!(out, "  none")?;
    }
    writeln!(out, "Options with their defaults: `tapecast config print` lists them")?;
    writeln!(out, "Found:")?;
    findings.facts.iter().try_for_each(|fact| writeln!(out, "  {fact}"))?;
    let count = findings.problems.len();
    match count {
        0 => writeln!(out, "The configuration can be used.")?,
        1 => writeln!(out, "The configuration has a problem.")?,
        _ => writeln!(out, "The configuration has {count} problems.")?,
    }
    out.flush()?;
    findings.warnings.iter().try_for_each(|warning| writeln!(errors, "warning: {warning}"))?;
    findings.problems.iter().try_for_each(|problem| writeln!(errors, "error: {problem}"))?;
    Ok(if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Findings {
    fn check(&mut self, config: &Config, options: &OptionValues, running: Running) {
        #[cfg(unix)]
        self.check_secrets(options);
        self.check_listeners(config, options, running);
        self.check_open_files(config, options);
        self.check_keys(config, options);
        self.check_admin_token(config, options);
        self.check_certificate(config, options);
        self.check_sources(config, options);
        if let Some(journal) = &config.journal {
            match writable_folder(&journal.folder) {
                Ok(()) => self.facts.push(format!("journal: {} is writable", journal.folder.display())),
                Err(why) => self.problem(options, "journal", why),
            }
        }
        #[cfg(feature = "nats")]
        self.check_cluster(config, options);
    }

    fn problem(&mut self, options: &OptionValues, name: &str, what: impl ToString) {
        self.problems.push(Problem::new(options.place(name), format!("--{name}: {}", what.to_string())));
    }

    fn warning(&mut self, options: &OptionValues, name: &str, what: impl ToString) {
        self.warnings.push(Problem::new(options.place(name), format!("--{name}: {}", what.to_string())));
    }

    /// Whether other users of the machine can read a secret in the configuration file.
    #[cfg(unix)]
    fn check_secrets(&mut self, options: &OptionValues) {
        for option in options.iter() {
            let Some(file) = option.secret_file() else { continue };
            if grants(file, GROUP_AND_OTHERS) {
                self.warning(
                    options,
                    &option.name,
                    "other users can read the file: chmod 600, or name a file with it",
                );
            }
        }
    }

    fn check_listeners(&mut self, config: &Config, options: &OptionValues, running: Running) {
        // All at once, so that two options with one address are found.
        let mut bound = Vec::new();
        for (name, address) in config.listeners() {
            match listen(address) {
                Ok(listener) => {
                    self.facts.push(format!("--{name}: {address} is free"));
                    bound.push(listener);
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse && running == Running::Yes => {
                    self.facts.push(format!("--{name}: {address} is in use, as by a server that runs"));
                }
                Err(error) => self.problem(options, name, unusable(address, &error)),
            }
        }
        if config.serves_keys_in_clear() {
            self.warning(options, "listen", super::KEYS_IN_CLEAR);
        }
        if config.publishes_operations() {
            self.warning(options, "admin-listen", super::PUBLIC_OPERATIONS);
        }
        if config.lacks_admin_token() {
            self.warning(options, "admin-listen", super::NO_ADMIN_TOKEN);
        }
    }

    fn check_open_files(&mut self, config: &Config, options: &OptionValues) {
        let open_files = open_files(config);
        let (limit, needed) = (open_files.limit, open_files.needed());
        if !open_files.suffice() {
            let workers = config.workers;
            let what = format!(
                "the limit of open files is {limit}, and {workers} workers need {needed}: raise it (ulimit -n, \
                 LimitNOFILE) or have fewer --workers"
            );
            self.problems.push(Problem::new("open files", what));
            return;
        }
        let possible = open_files.max_sessions();
        self.facts.push(format!(
            "open files: {limit} allow {possible} sessions with {} workers; a service may have another limit",
            config.workers
        ));
        match config.access.max_sessions {
            Some(wanted) if wanted > possible => {
                let what = format!("{wanted} is more than the limit of open files allows, {possible}");
                self.warning(options, "max-sessions", what);
            }
            _ if limit < FEW_OPEN_FILES => {
                let what = format!("{limit} allow few sessions: raise the limit (ulimit -n, LimitNOFILE)");
                self.warnings.push(Problem::new("open files", what));
            }
            _ => {}
        }
    }

    fn check_keys(&mut self, config: &Config, options: &OptionValues) {
        match open_keys(&config.access, &Metrics::default()) {
            Ok(Some(keys)) if keys.has_file() && keys.is_empty() => {
                self.warning(options, "keys", "there is no key in the file, so nobody gets in");
            }
            Ok(Some(keys)) if keys.has_file() => {
                self.facts.push(format!("--keys: {} in the file", keys.len()));
            }
            Ok(Some(_)) => {}
            Ok(None) => self.facts.push("no --keys: any credentials are accepted".to_owned()),
            #[cfg(feature = "jwt")]
            Err(StartError::TokenKeys(error)) => self.problem(options, error.option(), error),
            Err(error) => self.problem(options, "keys", error),
        }
        #[cfg(feature = "jwt")]
        self.check_tokens(config, options);
    }

    /// What tokens are accepted, and whether their keys can be fetched.
    #[cfg(feature = "jwt")]
    fn check_tokens(&mut self, config: &Config, options: &OptionValues) {
        let Some(tokens) = &config.access.tokens else { return };
        if let Some(path) = &tokens.secret {
            self.facts.push(format!("--jwt-secret-file: tokens of HS256 by {}", path.display()));
            #[cfg(unix)]
            self.check_secret_file(options, "jwt-secret-file", path, OTHERS);
        }
        match &tokens.keys {
            Some(TokenKeys::File(path)) => {
                self.facts.push(format!("--jwt-jwks: tokens by the keys in {}", path.display()));
            }
            Some(TokenKeys::Url(url)) => match tokens::fetch_once(url) {
                Ok(keys) => self.facts.push(format!("--jwt-jwks: {keys} keys at {url}")),
                Err(why) => {
                    let what = format!("{url}: {why}: until that is fetched no token lets a client in");
                    self.warning(options, "jwt-jwks", what);
                }
            },
            None => {}
        }
        if tokens.has_plain_url() {
            let what = "keys over plain http can be replaced on the way: use https beyond this machine";
            self.warning(options, "jwt-jwks", what);
        }
        if tokens.rules.issuer.is_none() {
            self.facts
                .push("no --jwt-issuer: tokens of any issuer that the keys sign are accepted".to_owned());
        }
    }

    /// Warns of a file with a secret that grants any of these permissions.
    #[cfg(unix)]
    fn check_secret_file(&mut self, options: &OptionValues, name: &str, path: &Path, permissions: u32) {
        if grants(path, permissions) {
            self.warning(options, name, "other users can read the file: chmod 600");
        }
    }

    fn check_admin_token(&mut self, config: &Config, options: &OptionValues) {
        match open_admin_token(&config.access) {
            Ok(Some(_)) => self.facts.push("--admin-token-file: the file has a token".to_owned()),
            Ok(None) => return,
            Err(error) => return self.problem(options, "admin-token-file", error),
        }
        #[cfg(unix)]
        if let Some(path) = &config.access.admin_token {
            self.check_secret_file(options, "admin-token-file", path, GROUP_AND_OTHERS);
        }
    }

    fn check_certificate(&mut self, config: &Config, options: &OptionValues) {
        let Some(tls) = &config.access.tls else { return };
        let certificate = match Certificate::open(tls.certificate.clone(), tls.key.clone()) {
            Ok(certificate) => certificate,
            Err(error) => return self.problem(options, "tls-cert", error),
        };
        let Some(facts) = certificate.facts() else { return };
        let now = Timestamp::from(SystemTime::now());
        self.facts.push(format!("--tls-cert: {}", describe(&facts, now)));
        let days = facts.days_left(now);
        if now < facts.not_before {
            self.problem(options, "tls-cert", format!("it is not valid before {}", date(facts.not_before)));
        } else if days < 0 {
            let since = date(facts.not_after);
            self.problem(options, "tls-cert", format!("it expired on {since}: renew it, then SIGHUP"));
        } else if days < FEW_DAYS {
            self.warning(options, "tls-cert", format!("it expires in {days} days: renew it, then SIGHUP"));
        }
    }

    /// Where events come from.
    fn check_sources(&mut self, config: &Config, options: &OptionValues) {
        if let Some(replay) = &config.replay {
            for file in &replay.files {
                match readable(file) {
                    Ok(()) => self.facts.push(format!("--replay: {} is readable", file.display())),
                    Err(why) => self.problem(options, "replay", format!("{}: {why}", file.display())),
                }
            }
            if let Some(map) = &replay.symbols_map
                && let Err(why) = readable(map)
            {
                self.problem(options, "symbols-map", format!("{}: {why}", map.display()));
            }
        }
        #[cfg(feature = "relay")]
        for upstream in &config.upstreams {
            self.facts.push(format!("--upstream: {} is fed by {}", upstream.feed, upstream.settings.url));
            let authorities = upstream.settings.authorities.as_deref();
            if let Some(Err(error)) = authorities.map(check_authorities) {
                self.problem(options, "upstream-ca", error);
            }
        }
    }

    #[cfg(feature = "nats")]
    fn check_cluster(&mut self, config: &Config, options: &OptionValues) {
        let Some(cluster) = &config.cluster else { return };
        self.facts.push(format!("--nats: {}", cluster.server_names()));
        if let Some(path) = &cluster.credentials
            && let Err(why) = crate::cluster::check_credentials(path)
        {
            self.problem(options, "nats-creds", format!("{}: {why}", path.display()));
        }
        if let Some(path) = &cluster.authorities
            && let Err(why) = check_authorities(path)
        {
            self.problem(options, "nats-ca", why);
        }
    }
}

/// The permissions of users who are neither the owner nor in the group of a file.
#[cfg(all(feature = "jwt", unix))]
const OTHERS: u32 = 0o007;

/// The permissions of all but the owner of a file.
#[cfg(unix)]
const GROUP_AND_OTHERS: u32 = 0o077;

/// Whether a file grants any of these permissions.
#[cfg(unix)]
fn grants(file: &Path, permissions: u32) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & permissions != 0)
}

/// A certificate in a few words.
pub(super) fn describe(facts: &CertificateFacts, now: Timestamp) -> String {
    let names = if facts.names.is_empty() { "no name".to_owned() } else { facts.names.join(", ") };
    if facts.is_endless() {
        return format!("for {names}, valid beyond the year 2262");
    }
    format!("for {names}, valid until {} ({} days)", date(facts.not_after), facts.days_left(now))
}

fn date(time: Timestamp) -> String {
    crate::wire::rfc3339(time).split('T').next().unwrap_or_default().to_owned()
}

/// Why an address cannot be listened on, and what to do about it.
pub(super) fn unusable(address: SocketAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => "another program uses it: end that one, or choose another port",
        ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities), or choose one above"
        }
        ErrorKind::AddrNotAvailable => "this machine does not have the address",
        _ => "",
    };
    let advice = if advice.is_empty() { String::new() } else { format!(": {advice}") };
    format!("cannot listen on {address}: {error}{advice}")
}

/// Whether a file has certificates of authorities.
#[cfg(any(feature = "nats", feature = "relay"))]
fn check_authorities(path: &Path) -> Result<(), crate::transport::TlsError> {
    crate::transport::add_authorities(&mut rustls::RootCertStore::empty(), path)
}

/// Whether a file has something to read.
fn readable(path: &Path) -> Result<(), String> {
    if path.is_dir() {
        return fs::read_dir(path).map(|_| ()).map_err(|error| error.to_string());
    }
    let read = File::open(path).and_then(|mut file| file.read(&mut [0]));
    match read {
        Ok(0) => Err("the file is empty".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether files can be made in a folder, or the folder itself.
fn writable_folder(folder: &Path) -> Result<(), String> {
    let existing = folder.ancestors().find(|path| path.exists()).map(Path::to_owned);
    let existing = existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| PathBuf::from("."));
    let shown = existing.display();
    if !existing.is_dir() {
        return Err(format!("{shown} is not a folder"));
    }
    is_writable(&existing).map_err(|error| format!("cannot write to the folder {shown}: {error}"))
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from)
}

#[cfg(not(unix))]
fn is_writable(folder: &Path) -> io::Result<()> {
    match fs::metadata(folder)?.permissions().readonly() {
        true => Err(ErrorKind::PermissionDenied.into()),
        false => Ok(()),
    }
}
