use crate::limits::{UsageCounter, UsagePermit};

/// How many alerts there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertLimits {
    /// Of one session. Default 100: the alerts of one screen. A command answers with all of them, some 10 KB.
    pub session: usize,
    /// Of all sessions of one key at this node. Default 1,000.
    pub key: usize,
    /// Of all sessions of this node. Default 1,000,000, some 300 MB.
    pub node: usize,
}

impl Default for AlertLimits {
    fn default() -> Self {
        Self { session: 100, key: 1_000, node: 1_000_000 }
    }
}

/// The alerts of all sessions of a node, counted. Clones share the counts, which are locked when an alert is set and when
/// it ends, never for a trade.
#[derive(Clone, Debug, Default)]
pub struct AlertQuota {
    limits: AlertLimits,
    node: UsageCounter<()>,
    keys: UsageCounter<String>,
}

/// The place of one alert, given up when it is dropped.
#[derive(Debug)]
pub struct AlertPermit {
    _node: UsagePermit<()>,
    _key: Option<UsagePermit<String>>,
}

/// Why there is no place for an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooManyAlerts {
    /// The session has its maximum.
    #[error("a session may have at most {0} alerts, those included that fired and are yet to be sent")]
    Session(usize),
    /// The key has its maximum.
    #[error("all sessions of a key may have at most {0} alerts")]
    Key(usize),
    /// The node has its maximum.
    #[error("this server has its maximum of alerts; try again later")]
    Node,
}

impl AlertQuota {
    /// A quota of these limits.
    pub fn new(limits: AlertLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// A place for one more alert of a session that has `present`, with this key if it has one.
    ///
    /// # Errors
    /// When a limit is reached.
    pub fn acquire(&self, present: usize, key: Option<&str>) -> Result<AlertPermit, TooManyAlerts> {
        let AlertLimits { session, key: of_key, node } = self.limits;
        if present >= session {
            return Err(TooManyAlerts::Session(session));
        }
        let node = self.node.acquire((), node).ok_or(TooManyAlerts::Node)?;
        let acquire = |key: &str| self.keys.acquire(key.to_owned(), of_key).ok_or(TooManyAlerts::Key(of_key));
        Ok(AlertPermit { _node: node, _key: key.map(acquire).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_keys_and_the_node_have_limits_and_an_alert_that_ends_makes_room() {
        let quota = AlertQuota::new(AlertLimits { session: 3, key: 2, node: 4 });
        let refused = |present, key| quota.acquire(present, key).unwrap_err();

        assert_eq!(refused(3, None), TooManyAlerts::Session(3));
        let [first, _second] = [(); 2].map(|()| quota.acquire(0, Some("desk")).unwrap());
        assert_eq!(refused(0, Some("desk")), TooManyAlerts::Key(2));
        let _others = [Some("other"), None].map(|key| quota.acquire(0, key).unwrap());
        assert_eq!(refused(0, None), TooManyAlerts::Node);
        drop(first);
        assert!(quota.acquire(0, Some("desk")).is_ok());
    }
}
