use std::rc::Rc;
use std::sync::Arc;

use actix::Recipient;

use crate::feed::Publish;
use crate::session::TopicAccess;
use crate::topics::{Namespaces, Presence, PublishRefusal};

/// The topics of the service, for the sessions of all workers.
pub struct TopicService {
    /// The namespaces.
    pub namespaces: Arc<Namespaces>,
    /// Which sessions subscribe to which topics.
    pub presence: Presence,
    /// The feed, which numbers messages.
    pub publisher: Recipient<Publish>,
}

impl TopicService {
    /// The topics as a session sees them.
    pub(super) fn access(&self) -> TopicAccess {
        let publisher = self.publisher.clone();
        TopicAccess {
            namespaces: Arc::clone(&self.namespaces),
            presence: self.presence.clone(),
            publish: Rc::new(move |publication| {
                let answer = publisher.send(Publish(publication));
                Box::pin(async move { answer.await.unwrap_or(Err(PublishRefusal::Unanswered)) })
            }),
        }
    }
}
