use tokio::sync::watch;

/// Tells the sessions of a key that the key is revoked.
///
/// It outlives the [`Key`](super::Key) it came from: when the key file is read again, an unchanged key
/// keeps its revocation.
#[derive(Clone, Debug, Default)]
pub struct Revocation(watch::Sender<bool>);

impl Revocation {
    /// Revokes the key.
    pub(super) fn revoke(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the key is revoked.
    pub async fn revoked(self) {
        // Cannot fail: `self` is a sender, so the channel is not closed.
        let _ = self.0.subscribe().wait_for(|is_revoked| *is_revoked).await;
    }
}
