//! The query of a list of sessions.

use std::str::FromStr;

use super::super::query::QueryParams;
use super::error::AdminError;
use crate::hub::{SessionFilter, SessionSort, SortOrder, SurveyQuery};

/// The number of sessions in a list, unless the query says otherwise.
const DEFAULT_LIMIT: usize = 100;

/// The most.
const MAX_LIMIT: usize = 1_000;

/// The parameters.
const NAMES: [&str; 8] = ["sort", "order", "limit", "feed", "key", "address", "worker", "muted"];

/// Reads the query.
pub(super) fn read(query_string: &str) -> Result<SurveyQuery, AdminError> {
    let query = QueryParams::parse(query_string).map_err(AdminError::invalid)?;
    query.check_names(&NAMES).map_err(AdminError::invalid)?;
    let sort = match query.value("sort") {
        None | Some("backlog") => SessionSort::Backlog,
        Some("age") => SessionSort::Age,
        Some("bytes") => SessionSort::Bytes,
        Some("gaps") => SessionSort::Gaps,
        Some("stalled") => SessionSort::Stalled,
        Some(other) => {
            return Err(unknown("sort", other, "backlog, age, bytes, gaps or stalled"));
        }
    };
    let order = match query.value("order") {
        None | Some("desc") => SortOrder::Descending,
        Some("asc") => SortOrder::Ascending,
        Some(other) => return Err(unknown("order", other, "desc or asc")),
    };
    let is_muted = match query.value("muted") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(unknown("muted", other, "true or false")),
    };
    let filter = SessionFilter {
        feed: parsed(&query, "feed", "the name of a feed")?,
        worker: parsed(&query, "worker", "the number of a worker")?,
        key: query.value("key").map(str::to_owned),
        network: parsed(
            &query,
            "address",
            "an address such as 203.0.113.7, or a network such as 10.0.0.0/8",
        )?,
        is_muted,
    };
    Ok(SurveyQuery { filter, sort, order, limit: limit(&query)? })
}

/// Reads `limit`, 1 to 1,000.
pub(super) fn limit(query: &QueryParams) -> Result<usize, AdminError> {
    let limit = parsed(query, "limit", "1 to 1000")?.unwrap_or(DEFAULT_LIMIT);
    match (1..=MAX_LIMIT).contains(&limit) {
        true => Ok(limit),
        false => Err(unknown("limit", &limit.to_string(), "1 to 1000")),
    }
}

fn parsed<T: FromStr>(query: &QueryParams, name: &str, expected: &str) -> Result<Option<T>, AdminError> {
    let parse = |text: &str| text.parse().map_err(|_| unknown(name, text, expected));
    query.value(name).map(parse).transpose()
}

fn unknown(name: &str, value: &str, expected: &str) -> AdminError {
    AdminError::invalid(format!("{name}: expected {expected}, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_order_filters_and_limit() {
        let query =
            read("sort=stalled&order=asc&limit=7&feed=sip&key=desk&address=10.0.0.0/8&worker=1&muted=true");
        let SurveyQuery { filter, sort, order, limit } = query.unwrap();

        assert_eq!((sort, order, limit), (SessionSort::Stalled, SortOrder::Ascending, 7));
        assert_eq!(
            (filter.worker, filter.is_muted, filter.key.as_deref()),
            (Some(1), Some(true), Some("desk"))
        );
        assert!(filter.network.unwrap().contains("10.1.2.3".parse().unwrap()));

        let SurveyQuery { sort, order, limit, .. } = read("").unwrap();
        assert_eq!((sort, order, limit), (SessionSort::Backlog, SortOrder::Descending, 100));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for wrong in [
            "sort=name",
            "order=up",
            "limit=0",
            "limit=1001",
            "limit=x",
            "limit=-1",
            "feed=A/B",
            "address=here",
            "worker=-1",
            "muted=yes",
            "sorted=age",
            "sort=age&sort=age",
        ] {
            assert!(matches!(read(wrong), Err(AdminError::Invalid(_))), "{wrong}");
        }
    }
}
