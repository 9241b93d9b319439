//! The options of a node among others.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cluster::{ClusterSettings, NodeRole, check_server};

/// The command line options for nodes over NATS.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct ClusterArgs {
    /// NATS servers through which this node and others share one feed, such as nats://127.0.0.1:4222. See
    /// docs/CLUSTER.md
    #[arg(long, env = "TAPECAST_NATS", value_name = "URL", value_delimiter = ',', hide_env_values = true,
        value_parser = server)]
    nats: Vec<String>,

    /// What this node does in the cluster
    #[arg(
        long,
        env = "TAPECAST_ROLE",
        value_enum,
        default_value = "all",
        value_name = "ROLE",
        requires = "nats"
    )]
    role: RoleOption,

    /// What the subjects of this cluster begin with
    #[arg(long, env = "TAPECAST_NATS_PREFIX", default_value = "tapecast", value_name = "NAME",
        value_parser = prefix, requires = "nats")]
    nats_prefix: String,

    /// The credentials of this node, a .creds file
    #[arg(long, env = "TAPECAST_NATS_CREDS", value_name = "FILE", requires = "nats")]
    nats_creds: Option<PathBuf>,

    /// The certificates of the authorities that NATS is trusted by, PEM; the connection uses TLS then
    #[arg(long, env = "TAPECAST_NATS_CA", value_name = "FILE", requires = "nats")]
    nats_ca: Option<PathBuf>,

    /// Maximum time to coalesce batches into one message to other nodes
    #[arg(long, env = "TAPECAST_NODE_DELAY_MS", default_value_t = 0, value_name = "MS",
        value_parser = clap::value_parser!(u16).range(0..=1_000), requires = "nats")]
    node_delay_ms: u16,
}

/// The values of `--role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleOption {
    /// Serves clients, and runs the feed if no other node does
    All,
    /// Runs the feed if no other node does, else stands by
    Feed,
    /// Serves clients from the feed of another node
    Gateway,
}

impl From<ClusterArgs> for Option<ClusterSettings> {
    fn from(args: ClusterArgs) -> Self {
        let role = match args.role {
            RoleOption::All => NodeRole::All,
            RoleOption::Feed => NodeRole::Feed,
            RoleOption::Gateway => NodeRole::Gateway,
        };
        let settings = ClusterSettings {
            servers: args.nats,
            role,
            prefix: args.nats_prefix,
            credentials: args.nats_creds,
            authorities: args.nats_ca,
            delay: Duration::from_millis(args.node_delay_ms.into()),
        };
        (!settings.servers.is_empty()).then_some(settings)
    }
}

/// Parses the URL of a server.
fn server(text: &str) -> Result<String, String> {
    match check_server(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(format!("{error}: expected a URL such as nats://127.0.0.1:4222")),
    }
}

/// Parses the prefix of subjects: names of letters, digits, `-` and `_`, joined by points.
fn prefix(text: &str) -> Result<String, &'static str> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let fits = (1..=32).contains(&text.len());
    match fits && text.split('.').all(is_name) {
        true => Ok(text.to_owned()),
        false => Err("expected up to 32 letters, digits, - and _, in names joined by points"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_url_or_an_address() {
        for good in ["nats://127.0.0.1:4222", "tls://user:pass@nats.example.org", "127.0.0.1:4222", "nats"] {
            assert_eq!(server(good).as_deref(), Ok(good));
        }
        for bad in ["http://127.0.0.1", "nats://h:99999"] {
            assert!(server(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prefix_is_part_of_a_subject() {
        assert_eq!(prefix("prod.us-1").as_deref(), Ok("prod.us-1"));
        for bad in ["", ".", "a.", "a b", "a*", ">", "a".repeat(33).as_str()] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
    }
}
