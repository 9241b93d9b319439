use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;
use tracing::info;

use super::message::{BarHistory, NodeMessage, PartSet};
use crate::archive::Archive;
use crate::model::{Symbol, Universe};

/// The longest time that the history of an instrument may take; after three of them it is given up.
const HISTORY_TIMEOUT: Duration = Duration::from_secs(2);
const HISTORY_TRIES: u32 = 3;

/// Fetches the history of instruments.
pub(super) struct HistoryFetch {
    pub(super) client: Client,
    /// Where the leader is asked, and where it answers.
    pub(super) subject: String,
    pub(super) inbox: String,
    pub(super) answers: async_nats::Subscriber,
    pub(super) archive: Arc<Archive>,
}

impl HistoryFetch {
    /// Fetches those of this universe from this index on, one after the other.
    pub(super) async fn run(mut self, universe: Arc<Universe>, from: usize) {
        let began = Instant::now();
        let mut missing = 0;
        for instrument in universe.iter().skip(from) {
            match self.fetch(instrument.id.0.into(), instrument.symbol).await {
                Some(bytes) => match BarHistory::from_bytes(instrument.id, &bytes) {
                    Ok(BarHistory { days, minutes }) => {
                        self.archive.add_history(instrument.id, &days, &minutes);
                    }
                    Err(_) => missing += 1,
                },
                None => missing += 1,
            }
        }
        let (instruments, seconds) = (universe.len() - from, began.elapsed().as_secs_f64());
        info!(instruments, missing, seconds, "fetched the history");
    }

    async fn fetch(&mut self, request: u64, symbol: Symbol) -> Option<Bytes> {
        let message = NodeMessage::HistoryRequest(request, symbol).to_bytes();
        for _ in 0..HISTORY_TRIES {
            let (subject, inbox) = (self.subject.clone(), self.inbox.clone());
            self.client.publish_with_reply(subject, inbox, message.clone()).await.ok()?;
            if let Ok(bytes) = timeout(HISTORY_TIMEOUT, self.answer(request)).await {
                return bytes;
            }
        }
        None
    }

    async fn answer(&mut self, wanted: u64) -> Option<Bytes> {
        let mut parts = PartSet::default();
        loop {
            let message = self.answers.next().await?;
            if let Ok(NodeMessage::HistoryPart(request, part)) = NodeMessage::from_bytes(&message.payload)
                && request == wanted
                && let Some(bytes) = parts.add(part)
            {
                return Some(bytes);
            }
        }
    }
}
