use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use serde::Serialize;

use super::error::{ApiError, no_such_path};
use super::query::QueryParams;
use super::state::AppState;
use crate::faults::FaultRecord;
use crate::wire::rfc3339;

/// The body of `GET /faults`.
#[derive(Debug, Serialize)]
struct FaultList<'a> {
    /// How many faults were made in all. The oldest are forgotten beyond 10,000.
    total: u64,
    faults: Vec<Fault<'a>>,
}

#[derive(Debug, Serialize)]
struct Fault<'a> {
    n: u64,
    at: String,
    layer: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    streams: &'a BTreeMap<String, (u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u64>,
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

impl<'a> Fault<'a> {
    fn of(record: &'a FaultRecord) -> Self {
        let session = record.session.as_ref();
        Self {
            n: record.number,
            at: rfc3339(record.at),
            layer: record.layer.name(),
            kind: record.kind,
            streams: &record.streams,
            session: session.map(|(number, _)| *number),
            user_id: session.and_then(|(_, label)| label.as_deref()),
        }
    }
}

/// `GET /faults?since=17`: the faults that were made on purpose, after this number. There is no such path without
/// `--faults`.
pub(super) async fn list(request: HttpRequest, state: Data<AppState>) -> impl Responder {
    let Some(faults) = &state.faults else { return no_such_path() };
    let since = match QueryParams::parse(request.query_string()) {
        Ok(params) => params.value("since").map_or(Ok(0), str::parse::<u64>),
        Err(error) => return error.error_response(),
    };
    let Ok(since) = since else {
        return ApiError::Invalid { name: "since", why: "expected the number of a fault".to_owned() }
            .error_response();
    };
    let (records, total) = faults.log().since(since);
    HttpResponse::Ok().json(FaultList { total, faults: records.iter().map(Fault::of).collect() })
}
