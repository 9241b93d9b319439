//! Settings of the doors: who may come in and how many at once.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::ConfigError;
use crate::auth::{AllowedOrigins, Network, Origin, ParseError, TrustedProxies};
use crate::http::HttpLimits;
use crate::limits::Rate;

/// What was typed about the doors.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Who may come in")]
pub(super) struct AccessArgs {
    /// Demand a key of every client: a file of keys, read again on SIGHUP, when the sessions of keys that
    /// are gone or have another secret end, and other changes hold for sessions that begin; `tapecast key
    /// new ID` makes its lines
    #[arg(long, env = "TAPECAST_KEYS", value_name = "FILE")]
    keys: Option<PathBuf>,

    /// Wrong credentials from one address in a minute, before all of them are refused
    #[arg(long, env = "TAPECAST_MAX_FAILED_AUTHS", value_name = "N", default_value_t = NonZeroU32::MIN.saturating_add(29))]
    max_failed_auths: NonZeroU32,

    /// Serve https and wss beside http and ws: the certificates in PEM, the server's own first; read again
    /// on SIGHUP
    #[arg(long, env = "TAPECAST_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key in PEM
    #[arg(long, env = "TAPECAST_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// Address and port to serve https and wss on
    #[arg(long, env = "TAPECAST_TLS_LISTEN", default_value = "127.0.0.1:8443", value_name = "ADDR:PORT")]
    tls_listen: SocketAddr,

    /// Sites whose pages may open sessions and read REST besides this server's own, as in
    /// `https://app.example.org`; `null` is pages opened as files, `*` is everybody
    #[arg(long, env = "TAPECAST_ALLOW_ORIGIN", value_name = "URL", value_delimiter = ',')]
    allow_origin: Vec<Allowed>,

    /// Proxies whose X-Forwarded-For is believed, as in 127.0.0.1 or 10.0.0.0/8
    #[arg(long, env = "TAPECAST_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    trusted_proxy: Vec<Network>,

    /// Sessions at once [default: what the system's limit of open files leaves]
    #[arg(long, env = "TAPECAST_MAX_SESSIONS", value_name = "N")]
    max_sessions: Option<NonZeroUsize>,

    /// Sessions at once from one address; 0 is no limit
    #[arg(long, env = "TAPECAST_MAX_SESSIONS_PER_ADDRESS", value_name = "N", default_value_t = 0)]
    max_sessions_per_address: usize,
}

#[derive(Clone, Debug)]
enum Allowed {
    Any,
    One(Origin),
}

impl FromStr for Allowed {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "*" => Ok(Self::Any),
            origin => origin.parse().map(Self::One),
        }
    }
}

/// How to serve over TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Where to serve.
    pub listen: SocketAddr,
    /// The chain of certificates, in PEM.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
}

/// What is meant about the doors.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// How to serve over TLS. Default: not at all.
    pub tls: Option<Tls>,
    /// Where the keys are. Default: none, and anybody may come in.
    pub keys: Option<PathBuf>,
    /// How often one address may show wrong credentials. Default 30 a minute: a fleet behind one router
    /// that was given a wrong key does not lock its neighbours out for long, and nobody guesses 256
    /// bits at that pace; it spares the log.
    pub failed_auths: Rate,
    /// Whose pages may open sessions and read REST. Default: this server's own.
    pub origins: AllowedOrigins,
    /// Who is believed about where clients come from. Default: nobody, since anybody can write that
    /// header.
    pub proxies: TrustedProxies,
    /// Sessions at once; `None` is as many as the system's limit of open files leaves.
    pub max_sessions: Option<usize>,
    /// Sessions at once from one address. Default: no limit but that of all, because behind a proxy
    /// that is not trusted, or one office's router, everybody has the same address.
    pub max_sessions_per_address: usize,
    /// How a request must come.
    pub manners: HttpLimits,
}

impl TryFrom<AccessArgs> for AccessConfig {
    type Error = ConfigError;

    fn try_from(args: AccessArgs) -> Result<Self, ConfigError> {
        let mut named = Vec::new();
        let mut is_open = false;
        for allowed in args.allow_origin {
            match allowed {
                Allowed::Any => is_open = true,
                Allowed::One(origin) => named.push(origin),
            }
        }
        let tls = match (args.tls_cert, args.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls { listen: args.tls_listen, certificate, key }),
            (None, None) => None,
            _ => return Err(ConfigError::HalfTls),
        };
        Ok(Self {
            tls,
            keys: args.keys,
            failed_auths: Rate::per_minute(args.max_failed_auths.get()),
            origins: if is_open { AllowedOrigins::Any } else { AllowedOrigins::Own(named) },
            proxies: args.trusted_proxy.into(),
            max_sessions: args.max_sessions.map(NonZeroUsize::get),
            max_sessions_per_address: match args.max_sessions_per_address {
                0 => usize::MAX,
                limit => limit,
            },
            manners: HttpLimits::default(),
        })
    }
}
