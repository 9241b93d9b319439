use std::rc::Rc;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::state::{AppState, WorkerHubs};
use super::surface::Surface;
use super::{
    admin, assets, cors, error, events, faults, health, methods, paced_body, replay, rest, status, surface,
    topic_api, udf, upgrade,
};
use crate::auth::AllowedOrigins;

/// Adds the routes of this surface to an application of the worker that owns these hubs.
pub fn routes(
    state: Data<AppState>,
    hubs: Rc<WorkerHubs>,
    surface: Surface,
) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        let origins = state.origins.clone();
        app.app_data(state).app_data(hubs).app_data(surface).configure(health_routes);
        match surface {
            Surface::Whole => {
                app.configure(operation_routes).configure(|app| client_routes(app, &origins));
            }
            Surface::Clients => client_routes(app, &origins),
            Surface::Operations => {
                app.configure(operation_routes)
                    .configure(admin::routes)
                    .default_service(web::to(|| async { error::no_such_path() }));
            }
            Surface::Redirect { port } => {
                let redirect = move |request: HttpRequest| async move { surface::redirect(&request, port) };
                app.default_service(web::to(redirect));
            }
        }
    }
}

/// Health checks, which every listener answers.
fn health_routes(app: &mut ServiceConfig) {
    app.route("/healthz", web::get().to(health::alive)).route("/readyz", web::get().to(health::ready));
}

/// What operators read.
fn operation_routes(app: &mut ServiceConfig) {
    app.route("/metrics", web::get().to(health::metrics)).route("/status", web::get().to(status::status));
}

/// What clients use.
fn client_routes(app: &mut ServiceConfig, origins: &AllowedOrigins) {
    let v2 = web::scope("/v2")
        .wrap(from_fn(paced_body::bound_answers))
        .wrap(cors::cors(origins))
        .configure(rest::routes)
        .route("/{feed}", web::get().to(upgrade::feed))
        .route("/{feed}/events", web::get().to(events::events))
        .route("/{path:.*}", web::get().to(|| async { error::no_such_path() }));
    let v1 = web::scope("/v1beta3")
        .wrap(from_fn(paced_body::bound_answers))
        .wrap(cors::cors(origins))
        .configure(rest::crypto_routes)
        .route("/{path:.*}", web::get().to(|| async { error::no_such_path() }));
    let udf = web::scope("/udf")
        .wrap(from_fn(paced_body::bound_answers))
        .wrap(cors::cors(origins))
        .configure(udf::routes);
    app.service(v2)
        .service(v1)
        .service(udf)
        .configure(rest::schema_routes)
        .route("/websocket/connect", web::get().to(upgrade::connect))
        .route("/echo", web::get().to(upgrade::echo))
        .route("/faults", web::get().to(faults::list))
        .service(
            web::resource(replay::PATH)
                .route(web::get().to(replay::status))
                .route(web::post().to(replay::control))
                .default_service(web::to(fallback)),
        )
        .route("/api/{method}", web::post().to(topic_api::call))
        .default_service(web::to(fallback));
}

/// Answers what no route does: the page's files, and a preflight request where there is no CORS.
async fn fallback(request: HttpRequest) -> HttpResponse {
    match *request.method() {
        Method::GET if topic_api::is_path(request.path()) => methods::not_allowed(request.path()),
        Method::GET => assets::file(&request),
        _ => methods::not_allowed(request.path()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::App;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use futures_util::FutureExt;

    use super::*;
    use crate::http::wait_for_turn;
    use crate::hub::Hub;
    use crate::model::Feed;

    /// A worker has an application for plain HTTP and one for TLS, each also for requests that upgrade.
    #[actix_web::test]
    async fn all_applications_and_feeds_of_a_worker_share_its_fair_queue() {
        let state = Data::new(AppState::for_tests());
        let [iex, sip] = Hub::of_one_worker(Duration::ZERO).map(Rc::new);
        let hubs = Rc::new(WorkerHubs::new(vec![(Feed::IEX, iex), (Feed::SIP, Rc::clone(&sip))]));
        let application = || {
            let app = App::new().wrap(from_fn(wait_for_turn));
            init_service(app.configure(routes(state.clone(), Rc::clone(&hubs), Surface::Whole)))
        };
        let (plain, tls) = (application().await, application().await);
        let assets = || TestRequest::with_uri("/v2/assets").to_request();

        let permit = sip.fair_queue().acquire_unbounded(Default::default()).await;
        let mut over_plain = Box::pin(call_service(&plain, assets()));
        let mut over_tls = Box::pin(call_service(&tls, assets()));
        assert!(over_plain.as_mut().now_or_never().is_none());
        assert!(over_tls.as_mut().now_or_never().is_none());
        drop(permit);

        assert_eq!(over_plain.await.status(), 200);
        assert_eq!(over_tls.await.status(), 200);
    }
}
