//! Access: TLS, keys, origins, proxies and the number of sessions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::ConfigError;
use super::command_line::positive;
use super::listen::ListenOption;
#[cfg(feature = "jwt")]
use super::tokens::{TokenArgs, TokenConfig};
use crate::auth::{
    AllowedOrigins, HostPattern, Network, OriginPattern, ParseError, PublicHosts, TrustedProxies,
};
use crate::http::HttpLimits;
use crate::limits::Rate;

/// The command line options for access.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Access")]
pub(super) struct AccessArgs {
    /// Require a key from every client: a key file, whose lines `tapecast key new ID` generates. SIGHUP
    /// reloads it: sessions of keys that are gone or have another secret are closed, and other changes
    /// apply to new sessions
    #[arg(long, env = "TAPECAST_KEYS", value_name = "FILE")]
    keys: Option<PathBuf>,

    #[cfg(feature = "jwt")]
    #[command(flatten)]
    tokens: TokenArgs,

    /// Wrong credentials per minute from one address, above which all credentials from it are refused
    #[arg(
        long,
        env = "TAPECAST_MAX_FAILED_AUTHS",
        value_name = "N",
        default_value = "30",
        value_parser = positive::<NonZeroU32>
    )]
    max_failed_auths: NonZeroU32,

    /// Serve https and wss in addition to http and ws, with this certificate chain in PEM, the server's
    /// certificate first. SIGHUP reloads it
    #[arg(long, env = "TAPECAST_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key in PEM
    #[arg(long, env = "TAPECAST_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// Address and port to serve https and wss on [default: 127.0.0.1:8443]
    #[arg(long, env = "TAPECAST_TLS_LISTEN", value_name = "ADDR:PORT")]
    tls_listen: Option<ListenOption>,

    /// Serve clients over TLS only: --listen redirects to https, but for /healthz and /readyz, and browsers are told to
    /// keep to https for a year (HSTS)
    #[arg(long, env = "TAPECAST_TLS_ONLY", requires = "tls_cert")]
    tls_only: bool,

    /// Address and port, or port of 127.0.0.1, to serve the administration (/admin/), /metrics, /status, /healthz and
    /// /readyz on; clients get no /metrics and /status then [default: none, and --listen and --tls-listen serve them]
    #[arg(long, env = "TAPECAST_ADMIN_LISTEN", value_name = "ADDR:PORT", value_parser = admin_address)]
    admin_listen: Option<ListenOption>,

    /// Require the token in this file, 32 or more characters, from administrators at --admin-listen. SIGHUP reloads it
    /// [default: none, and the administration answers to this machine alone]
    #[arg(long, env = "TAPECAST_ADMIN_TOKEN_FILE", value_name = "FILE", requires = "admin_listen")]
    admin_token_file: Option<PathBuf>,

    /// Origins whose pages may open sessions and read REST in addition to the server's own:
    /// `https://app.example.org`, `https://*.example.org` for all its subdomains, `tauri://localhost` for an
    /// app; `null` is pages opened as files, `*` is every origin. Clients that send no Origin header are not
    /// checked
    #[arg(long, env = "TAPECAST_ALLOW_ORIGIN", value_name = "URL", value_delimiter = ',')]
    allow_origin: Vec<AllowOrigin>,

    /// Names by which browsers reach this server, such as `tape.example.org` or `*.example.org`. Its own page
    /// may open sessions only under these, an address and `localhost`. Without names: under any name, but from
    /// this machine only under an address and `localhost`
    #[arg(long, env = "TAPECAST_PUBLIC_HOST", value_name = "NAME", value_delimiter = ',')]
    public_host: Vec<HostPattern>,

    /// Proxies whose X-Forwarded-For and Forwarded headers are trusted, such as 127.0.0.1 or 10.0.0.0/8
    #[arg(long, env = "TAPECAST_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    trusted_proxy: Vec<Network>,

    /// Sessions at once [default: what the limit of open files allows]
    #[arg(long, env = "TAPECAST_MAX_SESSIONS", value_name = "N", value_parser = positive::<NonZeroUsize>)]
    max_sessions: Option<NonZeroUsize>,

    /// Sessions at once from one address; 0 is no limit
    #[arg(long, env = "TAPECAST_MAX_SESSIONS_PER_ADDRESS", value_name = "N", default_value_t = 0)]
    max_sessions_per_address: usize,
}

/// Parses an address, or a port of loopback.
fn admin_address(text: &str) -> Result<ListenOption, &'static str> {
    match text.parse::<u16>() {
        Ok(_) => format!("127.0.0.1:{text}").parse(),
        Err(_) => text.parse(),
    }
}

/// The networks of loopback.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

/// Where https and wss are served, unless `--tls-listen` says otherwise.
pub(super) const DEFAULT_TLS_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

/// A value of `--allow-origin`.
#[derive(Clone, Debug)]
enum AllowOrigin {
    Any,
    One(OriginPattern),
}

impl FromStr for AllowOrigin {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "*" => Ok(Self::Any),
            origin => origin.parse().map(Self::One),
        }
    }
}

/// The settings of TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The file of the certificate chain, in PEM.
    pub certificate: PathBuf,
    /// The file of the private key, in PEM.
    pub key: PathBuf,
}

/// What is served over plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// Everything.
    Served,
    /// The way to https, and health checks.
    Redirected,
}

/// The validated settings of access.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// TLS. Default: none.
    pub tls: Option<Tls>,
    /// What is served without TLS. Default: everything, because TLS may end in a proxy.
    pub plain: PlainHttp,
    /// The address of metrics and status alone. Default: none, and clients are served them as well.
    pub admin: Option<SocketAddr>,
    /// The file with the token of administrators. Default: none, and the administration answers to this machine alone, if
    /// its address is one of loopback.
    pub admin_token: Option<PathBuf>,
    /// The key file. Default: none, and no key is required.
    pub keys: Option<PathBuf>,
    /// The tokens of another log-in that let clients in beside keys. Default: none.
    #[cfg(feature = "jwt")]
    pub tokens: Option<TokenConfig>,
    /// The rate of wrong credentials from one address, above which all credentials from it are refused.
    ///
    /// Default 30 a minute. Secrets of 256 bits cannot be guessed at any rate; the limit bounds the work
    /// and the log lines. A lower one would lock out all clients behind a router for longer, after one of
    /// them was given a wrong key. Counted in `tapecast_auths_refused` with the reason `attempts`.
    pub failed_auths: Rate,
    /// The origins whose pages may open sessions and read REST. Default: the server's own. Refusals are
    /// counted in `tapecast_upgrades_refused` with the reason `origin`.
    pub origins: AllowedOrigins,
    /// The names of this server, against pages whose name is made to resolve to it (DNS rebinding). Default:
    /// none, which is any name for clients on other machines. Refusals are counted in
    /// `tapecast_upgrades_refused` with the reason `host`.
    pub hosts: PublicHosts,
    /// The proxies whose `X-Forwarded-For` and `Forwarded` headers are trusted. Default: none, because any
    /// client can send them.
    pub proxies: TrustedProxies,
    /// Addresses that stand for many clients besides the trusted proxies, so that
    /// [`connections_per_address`](HttpLimits::connections_per_address) does not apply to them.
    ///
    /// Default: loopback, where proxies and load clients of this machine connect from.
    pub shared_addresses: Vec<Network>,
    /// The most sessions at once; more get 503. Default `None`: what the limit of open files allows, since
    /// each session takes one. Counted in `tapecast_upgrades_refused` with the reason `sessions`.
    pub max_sessions: Option<usize>,
    /// The most sessions at once from one address; more get 503.
    ///
    /// Default: no limit, because all clients behind an office's router, or behind a proxy that is not
    /// trusted, have the same address. A limit keeps one client from taking all sessions. Counted in
    /// `tapecast_upgrades_refused` with the reason `address`.
    pub max_sessions_per_address: usize,
    /// The limits of requests and of connections without a session.
    pub http: HttpLimits,
}

impl AccessConfig {
    /// Whether clients need a key or a token.
    pub fn requires_credentials(&self) -> bool {
        self.keys.is_some() || self.accepts_tokens()
    }

    /// Whether tokens let clients in.
    pub fn accepts_tokens(&self) -> bool {
        #[cfg(feature = "jwt")]
        return self.tokens.is_some();
        #[cfg(not(feature = "jwt"))]
        false
    }
}

impl TryFrom<AccessArgs> for AccessConfig {
    type Error = ConfigError;

    fn try_from(args: AccessArgs) -> Result<Self, ConfigError> {
        let mut listed = Vec::new();
        let mut allows_any = false;
        for allowed in args.allow_origin {
            match allowed {
                AllowOrigin::Any => allows_any = true,
                AllowOrigin::One(origin) => listed.push(origin),
            }
        }
        let tls = match (args.tls_cert, args.tls_key) {
            (Some(certificate), Some(key)) => {
                let listen = args.tls_listen.map(|listen| listen.resolve("--tls-listen")).transpose()?;
                Some(Tls { listen: listen.unwrap_or(DEFAULT_TLS_LISTEN), certificate, key })
            }
            (None, None) if args.tls_listen.is_some() => return Err(ConfigError::NoCertificate),
            (None, None) => None,
            _ => return Err(ConfigError::HalfTls),
        };
        Ok(Self {
            tls,
            plain: if args.tls_only { PlainHttp::Redirected } else { PlainHttp::Served },
            admin: args.admin_listen.map(|listen| listen.resolve("--admin-listen")).transpose()?,
            admin_token: args.admin_token_file,
            keys: args.keys,
            #[cfg(feature = "jwt")]
            tokens: args.tokens.try_into()?,
            failed_auths: Rate::per_minute(args.max_failed_auths.get()),
            origins: if allows_any { AllowedOrigins::Any } else { AllowedOrigins::Own(listed) },
            hosts: args.public_host.into(),
            proxies: args.trusted_proxy.into(),
            shared_addresses: LOOPBACK.map(|network| network.parse().expect("a valid network")).to_vec(),
            max_sessions: args.max_sessions.map(NonZeroUsize::get),
            max_sessions_per_address: match args.max_sessions_per_address {
                0 => usize::MAX,
                limit => limit,
            },
            http: HttpLimits::default(),
        })
    }
}
