//! The answers that the endpoints for stocks and for pairs have in common.

use actix_web::HttpResponse;
use actix_web::rt::task::yield_now;

use super::page::{Page, Progress, ResponseShape};
use super::request::{RequestedSymbol, RestRequest, SymbolStyle};
use super::series::RecordKind;
use super::snapshot::write_snapshot;
use crate::archive::Archive;
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::model::{SymbolId, Timestamp, Universe};
use crate::wire::JsonRowWriter;

/// The response of an endpoint, or why the request is refused.
pub(super) type Answer = Result<HttpResponse, ApiError>;

/// The number of symbols written between two yields to the worker's sessions: a tenth of a millisecond.
const SYMBOLS_PER_STEP: usize = 100;

/// The newest record of each symbol that has one.
pub(super) async fn latest(request: &RestRequest, kind: RecordKind, style: SymbolStyle) -> Answer {
    let symbols = request.symbols(style)?;
    let open = request.params().open_bars()?;
    let archive = &request.feed.archive;
    let mut out = format!("{{\"{}\":", kind.plural()).into_bytes();
    by_symbol(symbols, &mut out, |id, writer, out| kind.write_latest(archive, id, open, writer, out)).await;
    out.push(b'}');
    Ok(request.answer(out).await)
}

/// Appends the snapshot of each symbol.
pub(super) async fn write_snapshots(
    request: &RestRequest,
    style: SymbolStyle,
    out: &mut Vec<u8>,
) -> Result<(), ApiError> {
    let symbols = request.symbols(style)?;
    let open = request.params().open_bars()?;
    let archive = &request.feed.archive;
    by_symbol(symbols, out, |id, writer, out| {
        write_snapshot(&archive.summary(id, open), None, writer, out);
        true
    })
    .await;
    Ok(())
}

/// Answers `GET /v2/stocks/{kind}?{query}` at the time `now`, as the endpoint does but without a server: no
/// key is checked, and the page is written in one go.
///
/// # Errors
/// When the endpoint would refuse the query.
pub fn answer(
    universe: &Universe,
    archive: &Archive,
    kind: &str,
    query: &str,
    now: Timestamp,
) -> Result<Vec<u8>, ApiError> {
    let kind = RecordKind::named(kind)?;
    let params = QueryParams::parse(query)?;
    let names = params.symbols()?.into_iter();
    let symbols =
        names.filter_map(|name| Some(RequestedSymbol { name, id: universe.find(&name)? })).collect();
    let mut page = Page::requested(archive, kind, ResponseShape::BySymbol, symbols, &params, now)?;
    while page.step() == Progress::More {}
    Ok(page.finish())
}

/// A page of rows.
pub(super) async fn page(
    request: &RestRequest,
    kind: RecordKind,
    shape: ResponseShape,
    symbols: Vec<RequestedSymbol>,
) -> Answer {
    let archive = &request.feed.archive;
    let mut page =
        Page::requested(archive, kind, shape, symbols, request.params(), request.state.clock.now())?;
    while page.step() == Progress::More {
        // The sessions of this worker have priority.
        yield_now().await;
    }
    Ok(request.answer(page.finish()).await)
}

/// Appends an object with an entry for each symbol for which `entry` writes one.
pub(super) async fn by_symbol(
    symbols: Vec<RequestedSymbol>,
    out: &mut Vec<u8>,
    mut entry: impl FnMut(SymbolId, &mut JsonRowWriter, &mut Vec<u8>) -> bool,
) {
    let mut writer = JsonRowWriter::default();
    out.push(b'{');
    let start = out.len();
    for symbols in symbols.chunks(SYMBOLS_PER_STEP) {
        for RequestedSymbol { name, id } in symbols {
            let entry_start = out.len();
            out.extend_from_slice(format!("\"{name}\":").as_bytes());
            match entry(*id, &mut writer, out) {
                true => out.push(b','),
                false => out.truncate(entry_start),
            }
        }
        yield_now().await;
    }
    if out.len() > start {
        out.pop();
    }
    out.push(b'}');
}
