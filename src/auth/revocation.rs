use tokio::sync::watch;

/// Whether a key was taken back, for those whom it let in.
///
/// The same key keeps it however often its file is read, so it outlives the line that it came from.
#[derive(Clone, Debug, Default)]
pub struct Revocation(watch::Sender<bool>);

impl Revocation {
    /// The key is no more.
    pub(super) fn come(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the key is no more.
    pub async fn comes(self) {
        // It holds a sender of its own, so there is nothing to fail.
        let _ = self.0.subscribe().wait_for(|has_come| *has_come).await;
    }
}
