//! The administration: the sessions, which of them is slow, and what an operator does about it.
//!
//! Served at the address of `--admin-listen` alone. docs/ADMIN.md describes it.

mod access;
mod administration;
mod error;
mod keys;
mod log_filter;
mod node;
mod overview;
mod page;
pub(super) mod paths;
mod refusals;
mod session_query;
mod session_view;
mod sessions;

use actix_web::HttpRequest;
use actix_web::web::{self, ServiceConfig};

pub use self::administration::{Administration, Draining};
pub use self::log_filter::LogFilter;
use self::paths::methods_of;
use super::error::no_such_path;
use super::methods;

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
        .default_service(web::to(|request: HttpRequest| async move {
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
