use std::rc::Rc;
use std::sync::Arc;

use actix::Recipient;

use crate::feed::Publish;
use crate::session::TopicAccess;
use crate::topics::{Namespaces, Presence, Publication, PublicationNumber, PublishRefusal};

/// The topics of the service, for the sessions of all workers.
#[derive(Clone)]
pub struct TopicService {
    /// The namespaces.
    pub namespaces: Arc<Namespaces>,
    /// Which sessions subscribe to which topics.
    pub presence: Presence,
    /// The feed, which numbers messages.
    pub publisher: Recipient<Publish>,
}

impl TopicService {
    /// Gives a message to the feed; the number that it got.
    pub(super) fn publish(
        &self,
        publication: Publication,
    ) -> impl Future<Output = Result<PublicationNumber, PublishRefusal>> + use<> {
        let answer = self.publisher.send(Publish(publication));
        async move { answer.await.unwrap_or(Err(PublishRefusal::Unanswered)) }
    }

    /// The topics as a session sees them.
    pub(super) fn access(&self) -> TopicAccess {
        let service = self.clone();
        TopicAccess {
            namespaces: Arc::clone(&self.namespaces),
            presence: self.presence.clone(),
            publish: Rc::new(move |publication| Box::pin(service.publish(publication))),
        }
    }
}
