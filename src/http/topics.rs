use std::rc::Rc;
use std::sync::Arc;

use actix::Recipient;

use crate::auth::ClientLocation;
#[cfg(feature = "nats")]
use crate::cluster::NodePublisher;
use crate::feed::{Moderate, Publish};
use crate::session::TopicAccess;
use crate::topics::{Moderation, Namespaces, Presence, Publication, PublicationNumber, PublishRefusal};

/// The topics of the service, for the sessions of all workers.
#[derive(Clone)]
pub struct TopicService {
    /// The namespaces.
    pub namespaces: Arc<Namespaces>,
    /// Which sessions subscribe to which topics.
    pub presence: Presence,
    /// Where messages are numbered.
    pub publisher: TopicPublisher,
}

/// The feed that numbers messages of topics: that of this process, or of the leader of the cluster. Clones share it.
#[derive(Clone)]
pub struct TopicPublisher(Arc<PublisherPlace>);

enum PublisherPlace {
    Feed {
        publish: Recipient<Publish>,
        moderate: Recipient<Moderate>,
    },
    #[cfg(feature = "nats")]
    Cluster(NodePublisher),
}

impl TopicPublisher {
    /// The feed of this process.
    pub fn of_feed(publish: Recipient<Publish>, moderate: Recipient<Moderate>) -> Self {
        Self(Arc::new(PublisherPlace::Feed { publish, moderate }))
    }

    /// Gives a message to the feed; the number that it got.
    ///
    /// # Errors
    /// When it is refused, or the feed does not answer.
    pub async fn publish(&self, publication: Publication) -> Result<PublicationNumber, PublishRefusal> {
        match &*self.0 {
            PublisherPlace::Feed { publish, .. } => {
                publish.send(Publish(publication)).await.unwrap_or(Err(PublishRefusal::Unanswered))
            }
            #[cfg(feature = "nats")]
            PublisherPlace::Cluster(publisher) => publisher.publish(publication).await,
        }
    }

    /// Restricts publishers.
    pub(super) async fn moderate(&self, moderation: Moderation) -> Result<(), PublishRefusal> {
        match &*self.0 {
            PublisherPlace::Feed { moderate, .. } => {
                moderate.send(Moderate(moderation)).await.unwrap_or(Err(PublishRefusal::Unanswered))
            }
            #[cfg(feature = "nats")]
            PublisherPlace::Cluster(publisher) => publisher.moderate(moderation).await,
        }
    }
}

#[cfg(feature = "nats")]
impl From<NodePublisher> for TopicPublisher {
    fn from(publisher: NodePublisher) -> Self {
        Self(Arc::new(PublisherPlace::Cluster(publisher)))
    }
}

impl TopicService {
    /// The topics as a session sees them whose client is there.
    pub(super) fn access(&self, location: ClientLocation) -> TopicAccess {
        let publisher = self.publisher.clone();
        TopicAccess {
            namespaces: Arc::clone(&self.namespaces),
            presence: self.presence.clone(),
            location,
            publish: Rc::new(move |publication| {
                let publisher = publisher.clone();
                Box::pin(async move { publisher.publish(publication).await })
            }),
        }
    }
}
