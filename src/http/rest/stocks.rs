use actix_web::HttpResponse;
use actix_web::rt::task::yield_now;
use actix_web::web::Path;

use super::page::{Page, Progress, ResponseShape};
use super::request::RestRequest;
use super::series::RecordKind;
use super::snapshot::write_snapshot;
use crate::archive::Archive;
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::http::response::json;
use crate::model::{SymbolId, Timestamp, Universe};
use crate::wire::JsonRowWriter;

type Answer = Result<HttpResponse, ApiError>;

/// The number of symbols written between two yields to the worker's sessions: a tenth of a millisecond.
const SYMBOLS_PER_STEP: usize = 100;

/// `GET /v2/stocks/{bars,trades,quotes}`
pub(super) async fn pages(request: RestRequest, kind: Path<String>) -> Answer {
    let kind = RecordKind::named(&kind)?;
    let symbols = request.symbols()?;
    page(&request, kind, ResponseShape::BySymbol, symbols).await
}

/// `GET /v2/stocks/{symbol}/{bars,trades,quotes}`
pub(super) async fn pages_of_one(request: RestRequest, path: Path<(String, String)>) -> Answer {
    let kind = RecordKind::named(&path.1)?;
    let (symbol, id) = request.symbol(&path.0)?;
    page(&request, kind, ResponseShape::Single(symbol), vec![id]).await
}

/// `GET /v2/stocks/{bars,trades,quotes}/latest`
pub(super) async fn latest(request: RestRequest, kind: Path<String>) -> Answer {
    let kind = RecordKind::named(&kind)?;
    let symbols = request.symbols()?;
    let archive = &request.state.archive;
    let mut out = format!("{{\"{}\":", kind.plural()).into_bytes();
    by_symbol(&request.universe, symbols, &mut out, |id, writer, out| {
        kind.write_latest(archive, id, writer, out)
    })
    .await;
    out.push(b'}');
    Ok(json(out))
}

/// `GET /v2/stocks/{symbol}/{bars,trades,quotes}/latest`
pub(super) async fn latest_of_one(request: RestRequest, path: Path<(String, String)>) -> Answer {
    let kind = RecordKind::named(&path.1)?;
    let (symbol, id) = request.symbol(&path.0)?;
    let mut out = format!("{{\"symbol\":\"{symbol}\",\"{}\":", kind.singular()).into_bytes();
    if !kind.write_latest(&request.state.archive, id, &mut JsonRowWriter::default(), &mut out) {
        return Err(ApiError::NoRecord { kind: kind.singular(), symbol: symbol.to_string() });
    }
    out.push(b'}');
    Ok(json(out))
}

/// `GET /v2/stocks/snapshots`
pub(super) async fn snapshots(request: RestRequest) -> Answer {
    let symbols = request.symbols()?;
    let archive = &request.state.archive;
    let mut out = Vec::new();
    by_symbol(&request.universe, symbols, &mut out, |id, writer, out| {
        write_snapshot(&archive.summary(id), None, writer, out);
        true
    })
    .await;
    Ok(json(out))
}

/// `GET /v2/stocks/{symbol}/snapshot`
pub(super) async fn snapshot_of_one(request: RestRequest, symbol: Path<String>) -> Answer {
    let (symbol, id) = request.symbol(&symbol)?;
    let summary = request.state.archive.summary(id);
    let mut out = Vec::new();
    write_snapshot(&summary, Some(symbol), &mut JsonRowWriter::default(), &mut out);
    Ok(json(out))
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
    let symbols = params.symbols()?.iter().filter_map(|symbol| universe.find(symbol)).collect();
    let mut page = Page::requested(archive, universe, kind, ResponseShape::BySymbol, symbols, &params, now)?;
    while page.step() == Progress::More {}
    Ok(page.finish())
}

async fn page(
    request: &RestRequest,
    kind: RecordKind,
    shape: ResponseShape,
    symbols: Vec<SymbolId>,
) -> Answer {
    let (archive, universe) = (&request.state.archive, &request.universe);
    let now = request.state.clock.now();
    let mut page = Page::requested(archive, universe, kind, shape, symbols, request.params(), now)?;
    while page.step() == Progress::More {
        // The sessions of this worker have priority.
        yield_now().await;
    }
    Ok(json(page.finish()))
}

/// Appends an object with an entry for each symbol for which `entry` writes one.
async fn by_symbol(
    universe: &Universe,
    symbols: Vec<SymbolId>,
    out: &mut Vec<u8>,
    mut entry: impl FnMut(SymbolId, &mut JsonRowWriter, &mut Vec<u8>) -> bool,
) {
    let mut writer = JsonRowWriter::default();
    out.push(b'{');
    let start = out.len();
    for symbols in symbols.chunks(SYMBOLS_PER_STEP) {
        for id in symbols {
            let entry_start = out.len();
            out.extend_from_slice(format!("\"{}\":", universe.instrument(*id).symbol).as_bytes());
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
