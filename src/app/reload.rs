//! SIGHUP: reads the configuration and its files again, and tells of each item what became of it.

use std::fmt::Display;
use std::path::PathBuf;

use tracing::{error, info, warn};

use super::server::capacity_limits;
#[cfg(feature = "jwt")]
use super::tokens;
use super::{Service, tell_of_certificate};
use crate::auth::{AdminToken, AdminTokenError, KeyStoreError, Reachability, Reloaded};
#[cfg(feature = "jwt")]
use crate::config::TokenConfig;
use crate::config::{AccessConfig, Config, Loaded, OptionValues};
use crate::telemetry::LogControl;
use crate::transport::{CertificateFiles, Change, TlsError};

/// What became of an item.
enum Outcome {
    Reloaded,
    Unchanged,
    NeedsRestart,
}

impl From<Change> for Outcome {
    fn from(change: Change) -> Self {
        match change {
            Change::Changed => Self::Reloaded,
            Change::Unchanged => Self::Unchanged,
        }
    }
}

/// Logs what became of an item; an error is the reason why the earlier one remains.
fn tell(item: &str, outcome: Result<Outcome, impl Display>) {
    match outcome {
        Ok(Outcome::Reloaded) => info!(item, "reloaded"),
        Ok(Outcome::Unchanged) => info!(item, "unchanged"),
        Ok(Outcome::NeedsRestart) => warn!(item, "needs a restart"),
        Err(why) => error!(item, "kept the old: {why}"),
    }
}

/// Options whose values are those of items that are told of by themselves: a file, which may have changed without its path.
const OF_FILES: [&str; 7] =
    ["admin-token-file", "keys", "jwt-jwks", "jwt-secret-file", "tls-cert", "tls-key", "topics"];

impl Service {
    /// Reads the files again that the running options name: keys and certificate.
    ///
    /// Sessions of revoked keys are closed. A file that cannot be used is logged and changes nothing.
    pub fn reload(&self) {
        if let Some(keys) = self.keys.as_ref().filter(|keys| keys.has_file()) {
            tell_of_keys(keys.reload());
        }
        #[cfg(feature = "jwt")]
        let _ = self.reload_token_keys(self.tokens.as_ref());
        if let Some(certificate) = &self.certificate {
            self.tell_of_tls(certificate.reload());
        }
        if let Some(path) = &self.admin_token {
            tell("admin-token-file", self.reload_admin_token(path.clone()));
        }
    }

    fn reload_admin_token(&self, path: PathBuf) -> Result<Outcome, AdminTokenError> {
        let is_new = self.state.admin.gate.replace(Some(AdminToken::read(path)?));
        Ok(if is_new { Outcome::Reloaded } else { Outcome::Unchanged })
    }

    /// Puts a configuration in force as far as that needs no restart, and reads its files again. `running` are the options
    /// in force, `new` the configuration that was read now, or the reason why it cannot be used.
    pub fn reload_configuration(
        &mut self,
        running: &mut OptionValues,
        new: Result<&Loaded, &str>,
        log: &LogControl,
    ) {
        match new {
            Err(why) => {
                error!(item = "options", "kept the old: {why}");
                self.reload();
            }
            Ok(Loaded { config, options }) => {
                self.admin_token = self.reload_admin_access(&config.access);
                self.reload_files(config);
                let changed: Vec<_> = running.changed(options).cloned().collect();
                let (of_files, others): (Vec<_>, Vec<_>) =
                    changed.iter().partition(|option| OF_FILES.contains(&option.name.as_str()));
                of_files.into_iter().for_each(|option| running.adopt(option));
                if others.is_empty() {
                    info!(item = "options", "unchanged");
                }
                for option in others {
                    let outcome = self.apply(&option.name, config, log);
                    let is_in_force = matches!(outcome, Ok(Outcome::Reloaded));
                    tell(&option.name, outcome);
                    if is_in_force {
                        running.adopt(option);
                    }
                }
            }
        }
        info!("reload complete");
    }

    /// Reads the token of administrators again; returns the file that holds the one in force. To have none any more needs
    /// a restart: it must not happen by a file that is missing an option.
    fn reload_admin_access(&self, access: &AccessConfig) -> Option<PathBuf> {
        match (&self.admin_token, &access.admin_token) {
            (_, Some(path)) => {
                let outcome = self.reload_admin_token(path.clone());
                let is_in_force = outcome.is_ok();
                tell("admin-token-file", outcome);
                if is_in_force { Some(path.clone()) } else { self.admin_token.clone() }
            }
            (None, None) => None,
            (Some(earlier), None) => {
                tell("admin-token-file", Ok::<_, &str>(Outcome::NeedsRestart));
                Some(earlier.clone())
            }
        }
    }

    fn reload_files(&mut self, config: &Config) {
        #[cfg(feature = "jwt")]
        if self.reload_token_keys(config.access.tokens.as_ref()) {
            self.tokens.clone_from(&config.access.tokens);
        }
        match (self.keys.as_ref().filter(|keys| keys.has_file()), &config.access.keys) {
            (Some(keys), Some(path)) => tell_of_keys(keys.reload_from(path.clone())),
            (None, None) => {}
            _ => tell("keys", Ok::<_, &str>(Outcome::NeedsRestart)),
        }
        match (&self.certificate, &config.access.tls) {
            (Some(certificate), Some(tls)) => {
                let files = CertificateFiles { certificate: tls.certificate.clone(), key: tls.key.clone() };
                self.tell_of_tls(certificate.reload_from(files));
            }
            (None, None) => {}
            _ => tell("tls-cert", Ok::<_, &str>(Outcome::NeedsRestart)),
        }
        let is_known = self.topics == config.topics;
        if !is_known {
            self.topics.replace(&config.topics);
        }
        tell("topics", Ok::<_, &str>(if is_known { Outcome::Unchanged } else { Outcome::Reloaded }));
    }

    /// Reads the keys of tokens from these files again, or has them fetched. Returns whether that is so.
    #[cfg(feature = "jwt")]
    fn reload_token_keys(&self, config: Option<&TokenConfig>) -> bool {
        let verifier = self.keys.as_ref().and_then(|keys| keys.tokens());
        match (verifier, &self.tokens, config) {
            (Some(verifier), Some(running), Some(config)) if running.has_keys_of_kind(config) => {
                let reloaded = tokens::reload(verifier, config);
                let is_reloaded = reloaded.is_ok();
                tell("token keys", reloaded.map(|()| Outcome::Reloaded));
                is_reloaded
            }
            (None, None, None) => false,
            _ => {
                tell("token keys", Ok::<_, &str>(Outcome::NeedsRestart));
                false
            }
        }
    }

    fn tell_of_tls(&self, reloaded: Result<Change, TlsError>) {
        let is_new = matches!(reloaded, Ok(Change::Changed));
        tell("tls-cert", reloaded.map(Outcome::from));
        if let Some(certificate) = self.certificate.as_ref().filter(|_| is_new) {
            tell_of_certificate(certificate);
        }
    }

    /// Puts the new value of an option in force, if it needs no restart.
    fn apply(&mut self, name: &str, config: &Config, log: &LogControl) -> Result<Outcome, String> {
        let access = &config.access;
        match name {
            "log" => log.set_filter(&config.log).map_err(|error| error.to_string())?,
            "drain-seconds" => self.drain = config.drain,
            "max-sessions" | "max-sessions-per-address" => {
                self.state.capacity.set_limits(capacity_limits(access, self.open_files));
            }
            "max-failed-auths" => {
                self.keys.iter().for_each(|keys| keys.limit_failures(access.failed_auths));
                self.state.admin.gate.limit_failures(access.failed_auths);
            }
            #[cfg(feature = "jwt")]
            "jwt-audience" | "jwt-issuer" | "jwt-leeway-seconds" => {
                let tokens = self.keys.as_ref().and_then(|keys| keys.tokens());
                let Some((tokens, config)) = tokens.zip(access.tokens.as_ref()) else {
                    return Ok(Outcome::NeedsRestart);
                };
                tokens.set_rules(config.rules.clone());
            }
            "public-host" | "trusted-proxy" => {
                let reachability =
                    Reachability { hosts: access.hosts.clone(), proxies: access.proxies.clone() };
                self.state.reachability.replace(reachability);
            }
            _ => return Ok(Outcome::NeedsRestart),
        }
        Ok(Outcome::Reloaded)
    }
}

fn tell_of_keys(reloaded: Result<Reloaded, KeyStoreError>) {
    match reloaded {
        Ok(Reloaded { keys, revoked, is_changed: true }) => info!(item = "keys", keys, revoked, "reloaded"),
        other => tell("keys", other.map(|_| Outcome::Unchanged)),
    }
}
