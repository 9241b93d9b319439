//! The doors: the upgrade to a session, REST, health, metrics, the dashboard's files.

mod admission;
mod assets;
mod cors;
mod credentials;
mod handover;
mod health;

mod middleware;
mod rest;
mod security_headers;
mod upgrade;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{self, ServiceConfig};

use crate::archive::Archive;
use crate::auth::{AllowedOrigins, KeyStore, TrustedProxies};
use crate::hub::Hub;
use crate::limits::SessionCapacity;
use crate::metrics::Metrics;
use crate::model::{Epoch, Universe};
use crate::session::{Limits, OutboxLimits};

pub use handover::hand_over;

pub use middleware::{HttpLimits, threshold, watch_connection};
#[doc(hidden)]
pub use rest::answer_query;
pub use security_headers::protection;

/// What all doors know.
pub struct AppState {
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
    pub keyring: Option<Arc<KeyStore>>,
    /// Whose pages may open sessions and read REST.
    pub origins: AllowedOrigins,
    /// Who is believed about where clients come from.
    pub proxies: TrustedProxies,
    /// The sessions' seats.
    pub seats: SessionCapacity,
    /// How a request must come.
    pub manners: HttpLimits,
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
pub fn doors(house: web::Data<AppState>, hub: Rc<Hub>) -> impl FnOnce(&mut ServiceConfig) {
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
            .default_service(web::get().to(assets::file));
    }
}
