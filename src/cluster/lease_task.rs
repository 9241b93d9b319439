use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, kv, stream};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tracing::debug;

use super::exchange::Exchange;
use super::lease::{LEASE_TTL, Lease, LeaseAnswer, LeaseRequest};

/// The longest time that a request to the lease's store may take: one may fail before the lease ends.
pub(super) const LEASE_TIMEOUT: Duration = Duration::from_millis(400);

/// Gets and keeps the lease of the leader.
pub(super) struct LeaseTask {
    context: jetstream::Context,
    bucket: String,
    node: Bytes,
    exchange: Arc<Exchange>,
    store: Option<kv::Store>,
}

/// The key of the lease.
const LEASE_KEY: &str = "leader";

impl LeaseTask {
    /// A candidate by this name, for the lease in this bucket.
    pub(super) fn new(
        context: jetstream::Context,
        bucket: String,
        node: Bytes,
        exchange: Arc<Exchange>,
    ) -> Self {
        Self { context, bucket, node, exchange, store: None }
    }

    /// Runs until it is told to stop, and then releases the lease.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut lease = Lease::new(Instant::now());
        loop {
            tokio::select! {
                () = sleep_until(lease.next_request_at().into()) => {}
                _ = stop.changed() => break,
            }
            let sent = Instant::now();
            let request = lease.request(sent);
            let answer = timeout(LEASE_TIMEOUT, self.ask(request)).await.unwrap_or(LeaseAnswer::Failed);
            let now = Instant::now();
            lease.take_in(request, answer, sent, now);
            self.exchange.set_lease(lease.held(now));
        }
        self.exchange.set_lease(None);
        if let (Some(revision), Some(store)) = (lease.release(), &self.store)
            && let Err(error) = store.delete_expect_revision(LEASE_KEY, Some(revision)).await
        {
            debug!("the lease was not released: {error}");
        }
    }

    async fn ask(&mut self, request: LeaseRequest) -> LeaseAnswer {
        let Some(store) = self.open().await else { return LeaseAnswer::Failed };
        let value = self.node.clone();
        match request {
            LeaseRequest::Create => match store.create(LEASE_KEY, value).await {
                Ok(revision) => LeaseAnswer::Granted(revision),
                Err(error) if error.kind() == kv::CreateErrorKind::AlreadyExists => LeaseAnswer::Refused,
                Err(error) => self.failed(&error),
            },
            LeaseRequest::Renew { revision } => match store.update(LEASE_KEY, value, revision).await {
                Ok(revision) => LeaseAnswer::Granted(revision),
                Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => LeaseAnswer::Refused,
                Err(error) => self.failed(&error),
            },
        }
    }

    /// The store is opened, and made if need be, before the next request.
    fn failed(&mut self, error: &dyn std::error::Error) -> LeaseAnswer {
        debug!("no answer about the lease: {error}");
        self.store = None;
        LeaseAnswer::Failed
    }

    /// The bucket of the lease. The library's own way to make one fails with servers before 2.10.
    async fn open(&mut self) -> Option<kv::Store> {
        if self.store.is_none() {
            let name = &self.bucket;
            let config = stream::Config {
                name: format!("KV_{name}"),
                subjects: vec![format!("$KV.{name}.>")],
                max_messages_per_subject: 1,
                discard: stream::DiscardPolicy::New,
                allow_rollup: true,
                deny_delete: true,
                allow_direct: true,
                max_age: LEASE_TTL,
                storage: stream::StorageType::File,
                ..Default::default()
            };
            match self.context.create_stream(config).await {
                Ok(_) => {}
                Err(error) => {
                    debug!("the bucket of the lease cannot be made: {error}");
                    return None;
                }
            }
            self.store = self.context.get_key_value(name).await.ok();
        }
        self.store.clone()
    }
}
