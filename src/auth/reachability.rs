use std::sync::{Arc, PoisonError, RwLock};

use super::{PublicHosts, TrustedProxies};

/// How clients reach this server: under which names, and through which proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// The names of this server.
    pub hosts: PublicHosts,
    /// The proxies whose `X-Forwarded-For` and `Forwarded` headers are believed.
    pub proxies: TrustedProxies,
}

/// A [`Reachability`] that can be replaced. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SharedReachability(Arc<RwLock<Arc<Reachability>>>);

impl From<Reachability> for SharedReachability {
    fn from(reachability: Reachability) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(reachability))))
    }
}

impl SharedReachability {
    /// What is in force.
    pub fn current(&self) -> Arc<Reachability> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in force, for requests from now on.
    pub fn replace(&self, reachability: Reachability) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(reachability);
    }
}
