//! The doors: the upgrade to a session, REST, health, metrics, the dashboard's files.

mod carrier;
mod cors;
mod credentials;
mod entrance;
mod handover;
mod health;
mod page;
mod protection;
mod rest;
mod socket;
mod threshold;
mod tls;
mod upgrade;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{self, ServiceConfig};

use crate::gate::{Keyring, Origins, Proxies, Seats};
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::model::{Epoch, Universe};
use crate::session::{Limits, OutboxLimits};
use crate::tape::Archive;

pub use carrier::Carrier;
pub use handover::hand_over;
pub use protection::protection;
#[doc(hidden)]
pub use rest::answer_query;
pub use socket::greet;
pub use threshold::{Manners, threshold};
pub use tls::{Certificate, TlsError};

/// What all doors know.
pub struct House {
    /// The market's instruments.
    pub universe: Arc<Universe>,
    /// What numbers this server gives.
    pub epoch: Epoch,
    /// What is retained of what has happened.
    pub archive: Arc<Archive>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What one session may ask for.
    pub limits: Limits,
    /// How much may wait for one session.
    pub outbox: OutboxLimits,
    /// The keys that open sessions and REST; `None` where anybody may come in.
    pub keyring: Option<Arc<Keyring>>,
    /// Whose pages may open sessions and read REST.
    pub origins: Origins,
    /// Who is believed about where clients come from.
    pub proxies: Proxies,
    /// The sessions' seats.
    pub seats: Seats,
    /// How a request must come.
    pub manners: Manners,
    /// Whether new sessions are welcome.
    pub readiness: Readiness,
}

/// Whether the service takes new sessions; shared by all that must know.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on it does, or does not.
    pub fn set(&self, is_ready: bool) {
        self.0.store(is_ready, Ordering::Release);
    }

    /// Whether it does.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Puts all doors into an application of one worker, whose sessions meet in this hub.
pub fn doors(house: web::Data<House>, hub: Rc<Hub>) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        let v2 = web::scope("/v2")
            .wrap(cors::cors(&house.origins))
            .configure(rest::doors)
            .route("/{feed}", web::get().to(upgrade::feed))
            .route("/{path:.*}", web::to(|| async { rest::no_such_path() }));
        app.app_data(house)
            .app_data(hub)
            .service(v2)
            .configure(rest::descriptions)
            .route("/websocket/connect", web::get().to(upgrade::connect))
            .route("/echo", web::get().to(upgrade::echo))
            .route("/healthz", web::get().to(health::alive))
            .route("/readyz", web::get().to(health::ready))
            .route("/metrics", web::get().to(health::metrics))
            .default_service(web::get().to(page::file));
    }
}
