use std::path::PathBuf;
use std::time::Duration;

/// How a node takes part in a cluster.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// The URLs of NATS servers, which may have a user and a password.
    pub servers: Vec<String>,
    /// What the node does.
    pub role: NodeRole,
    /// What the subjects of this cluster begin with. Default: `tapecast`.
    pub prefix: String,
    /// A file of credentials (`.creds`).
    pub credentials: Option<PathBuf>,
    /// A file of certificates of authorities, PEM.
    pub authorities: Option<PathBuf>,
    /// The longest time that a batch waits for others to be sent in one message.
    ///
    /// Effect: the NATS server's cost is by the message, about 10 µs for each node. Default 0: latency comes first.
    pub delay: Duration,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRole {
    /// Serves clients, and leads if no other node does.
    All,
    /// Leads if no other node does; otherwise it follows, ready to lead.
    Feed,
    /// Serves clients, and never leads.
    Gateway,
}

impl NodeRole {
    /// All roles, in the order of their numbers in messages.
    pub const ALL: [Self; 3] = [Self::All, Self::Feed, Self::Gateway];

    /// Whether the node may lead.
    pub const fn may_lead(self) -> bool {
        matches!(self, Self::All | Self::Feed)
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Feed => "feed",
            Self::Gateway => "gateway",
        }
    }
}

impl ClusterSettings {
    /// The servers without users and passwords, for logs.
    pub fn server_names(&self) -> String {
        let name = |url: &String| {
            let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        };
        self.servers.iter().map(name).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_have_no_secrets() {
        let servers = ["nats://user:p@ss@one:4222", "two:4223", "tls://three"].map(str::to_owned).to_vec();
        let settings = ClusterSettings {
            servers,
            role: NodeRole::All,
            prefix: String::new(),
            credentials: None,
            authorities: None,
            delay: Duration::ZERO,
        };

        assert_eq!(settings.server_names(), "nats://one:4222,nats://two:4223,tls://three");
    }
}
