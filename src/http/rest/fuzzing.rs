use super::page::{Page, Progress, ResponseShape};
use super::params::QueryParams;
use super::series::RecordKind;
use crate::archive::Archive;
use crate::model::{Timestamp, Universe};

/// The body of a page of rows by symbol, as `GET /v2/stocks/{kind}?{query}` would give it at this
/// time; nothing where it would refuse.
///
/// For those who try queries by the million: it is all that the handler does, without the server.
pub fn answer_query(
    universe: &Universe,
    archive: &Archive,
    kind: &str,
    query: &str,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let ask = QueryParams::of(query).ok()?;
    let symbols = ask.symbols().ok()?.iter().filter_map(|symbol| universe.find(symbol)).collect();
    let series = RecordKind::named(kind).ok()?.series(&ask).ok()?;
    let ask = ask.page(now).ok()?;
    let mut page = Page::new(archive, universe, (series, ResponseShape::Many), symbols, &ask);
    while page.step() == Progress::More {}
    Some(page.finish())
}
