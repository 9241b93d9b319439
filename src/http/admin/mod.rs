//! The administration: who is connected and which client is slow, and what an operator does about it.
//!
//! Served at the address of `--admin-listen` alone. docs/ADMIN.md describes it.

mod access;
mod error;
mod keys;
mod log_filter;
mod node;
mod overview;
mod page;
mod refusals;
mod session_query;
mod session_view;
mod sessions;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

pub use self::log_filter::LogFilter;
use super::error::no_such_path;
use super::methods;
use crate::auth::AdminGate;
use crate::hub::HubDirectory;
use crate::model::Timestamp;

/// What the administration shares on all workers.
pub struct Administration {
    /// The hubs of all workers.
    pub hubs: HubDirectory,
    /// Admits administrators.
    pub gate: AdminGate,
    /// The log; `None` where the process sets it up in another way.
    pub log: Option<LogFilter>,
    /// When the service started, by the monotonic clock.
    pub started: Instant,
    /// When the service started, by the wall clock.
    pub started_at: Timestamp,
    /// The number of workers.
    pub workers: usize,
    /// Whether the node is drained.
    pub draining: Draining,
}

/// Whether an operator drains the node.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    fn set(&self, is_draining: bool) {
        self.0.store(is_draining, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The most bytes of a request's body: a key that allows a thousand symbols.
pub(super) const MAX_BODY_BYTES: usize = 16 << 10;

/// Whether the path is one of the API, at whatever address.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with("/admin/api/")
}

/// The methods of a path of the API; `None` if there is no such path.
pub(super) fn methods_of(path: &str) -> Option<&'static str> {
    let path = path.strip_prefix("/admin/api/")?;
    let parts: Vec<_> = path.split('/').collect();
    Some(match parts[..] {
        ["overview" | "sessions" | "refusals"] => "GET, HEAD",
        ["sessions", id] if !id.is_empty() => "GET, HEAD, DELETE",
        ["sessions", _, "muted"] => "PUT",
        ["drain"] => "POST, DELETE",
        ["log-level"] => "GET, HEAD, PUT",
        ["keys"] => "GET, HEAD, POST",
        ["keys", id] if !id.is_empty() => "DELETE",
        ["keys", _, "rotate"] => "POST",
        _ => return None,
    })
}

/// Whether a path of the API has this method.
pub(super) fn has_method(path: &str, method: &Method) -> bool {
    methods_of(path).is_some_and(|methods| methods.split(", ").any(|known| known == method.as_str()))
}

/// Adds the routes. Methods that a path does not have are refused before.
pub(super) fn routes(app: &mut ServiceConfig) {
    let api = web::scope("/admin/api")
        .route("/overview", web::get().to(overview::overview))
        .route("/sessions", web::get().to(sessions::list))
        .route("/sessions/{id}", web::get().to(sessions::describe))
        .route("/sessions/{id}", web::delete().to(sessions::disconnect))
        .route("/sessions/{id}/muted", web::put().to(sessions::mute))
        .route("/drain", web::post().to(node::drain))
        .route("/drain", web::delete().to(node::end_drain))
        .route("/log-level", web::get().to(node::log_level))
        .route("/log-level", web::put().to(node::set_log_level))
        .route("/refusals", web::get().to(refusals::list))
        .route("/keys", web::get().to(keys::list))
        .route("/keys", web::post().to(keys::add))
        .route("/keys/{id}", web::delete().to(keys::revoke))
        .route("/keys/{id}/rotate", web::post().to(keys::rotate))
        .default_service(web::to(|request: actix_web::HttpRequest| async move {
            match methods_of(request.path()) {
                Some(_) => methods::not_allowed(request.path()),
                None => no_such_path(),
            }
        }));
    app.service(api)
        .route("/admin", web::get().to(page::to_page))
        .route("/admin/{file:.*}", web::get().to(page::file))
        .route("/assets/{file:.*}", web::get().to(page::asset));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_methods() {
        for (path, methods) in [
            ("/admin/api/overview", Some("GET, HEAD")),
            ("/admin/api/sessions/0-1", Some("GET, HEAD, DELETE")),
            ("/admin/api/sessions/0-1/muted", Some("PUT")),
            ("/admin/api/keys/desk/rotate", Some("POST")),
            ("/admin/api/sessions/", None),
            ("/admin/api/", None),
            ("/admin/overview", None),
            ("/admin/api/overview/x", None),
        ] {
            assert_eq!(methods_of(path), methods, "{path}");
        }
        assert!(
            has_method("/admin/api/drain", &Method::DELETE) && !has_method("/admin/api/drain", &Method::PUT)
        );
    }
}
